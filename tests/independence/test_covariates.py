import numpy as np
import pandas as pd
import pytest

from nme_core import independence
from nme_core.exceptions import DataError, MissingColumnError, OptionError
from nme_core.io import TABLES, RunFolder


@pytest.fixture
def study():
    rng = np.random.default_rng(0)
    persons = [f"{number:03d}" for number in range(60)]
    x = pd.DataFrame(
        rng.normal(size=(60, 4)), index=persons, columns=[f"transitions[{i}]" for i in range(4)]
    )
    covariates = pd.DataFrame(
        {
            "depression": 10 * x.iloc[:, 1] + rng.normal(size=60),
            "age": rng.integers(18, 70, size=60).astype(float),
            "group": rng.choice(["patient", "control"], size=60),
        },
        index=persons,
    )
    n_obs = pd.Series(rng.integers(20, 100, size=60), index=persons, name="n_obs")
    return x, covariates, n_obs


def run(study, **options):
    return independence.test_covariates(*study, **{"parameters": "transitions", **options})


def test_tables_of_the_run_folder(study, tmp_path):
    result = run(study, reps=200, seed=3)
    folder = RunFolder(tmp_path / "run")
    for name, table in (("hsic", result.hsic), ("effects", result.effects)):
        assert list(table.columns[: len(TABLES[name])]) == list(TABLES[name])
        folder.write_table(name, table)
        assert len(folder.table(name)) == len(table)
    hsic = result.hsic.set_index("covariate")
    assert list(hsic.index) == ["depression", "age", "group"]
    assert hsic.loc["depression", "p"] == pytest.approx(1 / 201)
    assert hsic.loc["depression", "p_adjusted"] == pytest.approx(3 / 201)
    assert hsic.loc["age", "p"] > 0.05
    assert hsic.loc["group", "method"] == "hsic gaussian x delta, bh"
    assert set(hsic["parameters"]) == {"transitions"}
    assert set(hsic["strata"]) == {"n_obs"}
    assert set(hsic["seed"]) == {3}
    assert set(hsic["n_tests"]) == {3}
    strongest = result.effects.loc[result.effects["p_adjusted"].idxmin()]
    assert (strongest["covariate"], strongest["parameter"]) == ("depression", "transitions[1]")
    assert strongest["effect"] > 0.9
    np.testing.assert_allclose(
        result.effects["p_adjusted"], independence.adjust_p(result.effects["p"], "bh")
    )
    assert list(result.nulls) == list(hsic.index)
    assert all(null.shape == (200,) for null in result.nulls.values())


def test_a_result_does_not_depend_on_what_else_is_tested(study):
    together = run(study, reps=100).hsic.set_index("covariate")
    alone = run(study, reps=100, columns=["age"]).hsic.set_index("covariate")
    columns = ["statistic", "p", "n_persons"]
    assert together.loc["age", columns].tolist() == alone.loc["age", columns].tolist()
    assert list(alone.index) == ["age"]


def test_the_test_is_hsic_test_within_quintiles(study):
    x, covariates, n_obs = study
    row = run(study, reps=100, columns=["age"]).hsic.iloc[0]
    strata = independence.quantile_strata(n_obs)
    expected = independence.hsic_test(x, covariates["age"], reps=100, strata=strata)
    assert (row["statistic"], row["p_hsic"]) == (expected.statistic, expected.p)
    free = run(study, reps=100, columns=["age"], strata="none").hsic.iloc[0]
    assert free["p_hsic"] == independence.hsic_test(x, covariates["age"], reps=100).p


def test_reps_are_raised_until_a_corrected_p_can_be_significant(study):
    x, covariates, n_obs = study
    many = pd.DataFrame({f"c{i}": covariates["depression"] for i in range(6)})
    result = independence.test_covariates(
        x, many, n_obs, parameters="transitions", reps=10, adjust="holm"
    )
    assert set(result.hsic["reps"]) == {121}
    assert (result.hsic["p_adjusted"] < 0.05).all()


def test_strata_of_a_covariate(study):
    x, covariates, _ = study
    covariates.loc["004", "age"] = np.nan
    by_age = run((x, covariates, None), reps=50, strata="age")
    assert list(by_age.hsic["covariate"]) == ["depression", "group"]
    assert set(by_age.hsic["n_persons"]) == {59}
    assert set(by_age.effects["n_persons"]) == {59}
    row = run((x, covariates, None), reps=50, strata="group", columns=["age"]).hsic.iloc[0]
    expected = independence.hsic_test(x, covariates["age"], reps=50, strata=covariates["group"])
    assert row["p_hsic"] == expected.p


def test_persons_without_a_value_are_left_out_of_that_test_only(study):
    x, covariates, n_obs = study
    covariates.iloc[:7, 0] = np.nan
    hsic = run((x, covariates, n_obs), reps=50).hsic.set_index("covariate")
    assert hsic["n_persons"].to_dict() == {"depression": 53, "age": 60, "group": 60}


def test_errors_name_the_covariate(study):
    x, covariates, n_obs = study
    with pytest.raises(DataError, match="'flat'") as caught:
        run((x, covariates.assign(flat=1.0), n_obs), reps=50)
    assert caught.value.column == "flat"
    with pytest.raises(MissingColumnError, match="'mood'"):
        run(study, columns=["mood"])
    with pytest.raises(MissingColumnError, match="'clinic'"):
        run(study, strata="clinic")
    with pytest.raises(OptionError, match="strata of 'age'"):
        run(study, strata="age", columns=["age"])
    with pytest.raises(OptionError, match="No covariate"):
        run((x, covariates[[]], n_obs))
    with pytest.raises(OptionError, match="number of observations"):
        run((x, covariates, None))
