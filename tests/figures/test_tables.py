import numpy as np
import pandas as pd
import pytest

from nme_core.figures import tables


def test_transition_rows_are_from_and_columns_to(person, population, counts):
    table = tables.transition_comparison(
        person, population, person_label="007", readout="observed", counts=counts
    )
    row = table.set_index(["from", "to"]).loc[("Dysphoric", "Positive")]
    assert row["value"] == 0.3
    assert row["population_value"] == 0.1
    assert row["difference"] == pytest.approx(0.2)
    assert row["count"] == 6
    assert list(table["from"][:4]) == ["Other"] * 4
    assert set(table["person"]) == {"007"}


def test_never_observed_is_missing_not_zero(person, population):
    table = tables.transition_comparison(person, population, person_label="a", readout="observed")
    never = table[table["from"] == "Aggressive"]
    assert never["value"].isna().all()
    assert never["difference"].isna().all()
    assert never["population_value"].notna().all()
    assert table["count"].isna().all()


def test_state_that_the_person_lacks_is_never_observed(person, population, counts):
    known = ["Other", "Dysphoric", "Positive"]
    table = tables.transition_comparison(
        person.loc[known, known], population, person_label="a", readout="observed",
        counts=counts.loc[known, known],
    )  # fmt: skip
    assert list(table["to"].unique()) == list(population.index)
    to_lacking = table[table["to"] == "Aggressive"]
    assert to_lacking["value"].isna().all()
    assert (to_lacking["count"] == 0).all()


def test_order_of_the_persons_states_does_not_matter(person, population):
    turned = person.iloc[::-1, ::-1]
    pd.testing.assert_frame_equal(
        tables.transition_comparison(turned, population, person_label="a", readout="observed"),
        tables.transition_comparison(person, population, person_label="a", readout="observed"),
    )


def test_transition_errors(person, population):
    with pytest.raises(ValueError, match="Unknown readout 'odds'"):
        tables.transition_comparison(person, population, person_label="a", readout="odds")
    with pytest.raises(ValueError, match="Happy"):
        tables.transition_comparison(
            person.rename(index={"Other": "Happy"}), population, person_label="a",
            readout="observed",
        )  # fmt: skip
    with pytest.raises(ValueError, match="in order"):
        tables.transition_comparison(
            person, population.iloc[:, ::-1], person_label="a", readout="observed"
        )


def test_random_effects_leave_out_unknown_estimates(estimates):
    table = tables.random_effect_distribution(estimates, 0.2, parameter="w")
    assert len(table) == 59
    assert "003" not in set(table["person"])
    assert table["person"].iloc[0] == "000"


@pytest.mark.parametrize("variance", [-1.0, np.nan])
def test_impossible_variance(estimates, variance):
    with pytest.raises(ValueError, match="variance"):
        tables.random_effect_distribution(estimates, variance, parameter="w")


def test_covariate_is_matched_by_person_not_by_position(estimates):
    covariate = pd.Series(np.arange(60.0), index=estimates.index)[::-1]
    covariate.iloc[0] = np.nan
    table = tables.covariate_scatter(
        estimates, covariate, parameter="w", covariate_name="depression"
    ).set_index("person")
    assert len(table) == 58
    assert table.loc["010", "covariate_value"] == 10
    assert table.loc["010", "value"] == estimates["010"]


def test_categorical_covariate_becomes_text_and_blank_is_missing(estimates):
    groups = pd.Series(["a", "b", ""] * 20, index=estimates.index)
    table = tables.covariate_scatter(estimates, groups, parameter="w", covariate_name="arm")
    assert set(table["covariate_value"]) == {"a", "b"}
    flags = pd.Series([True, False] * 30, index=estimates.index)
    table = tables.covariate_scatter(estimates, flags, parameter="w", covariate_name="flag")
    assert set(table["covariate_value"]) == {"True", "False"}


def test_a_number_with_two_values_among_the_persons_becomes_text(estimates):
    drug = pd.Series([0.0, 1.0, np.nan] * 20, index=estimates.index)
    table = tables.covariate_scatter(estimates, drug, parameter="w", covariate_name="drug")
    assert set(table["covariate_value"]) == {"0", "1"}


def test_covariate_errors(estimates):
    with pytest.raises(ValueError, match="No person"):
        tables.covariate_scatter(
            estimates, pd.Series([1.0], index=["zz"]), parameter="w", covariate_name="d"
        )
    with pytest.raises(ValueError, match="twice"):
        tables.covariate_scatter(
            estimates, pd.Series([1.0, 2], index=["000", "000"]), parameter="w", covariate_name="d"
        )


def test_losses_in_the_order_of_models_without_gaps(history):
    table = tables.loss_curves(history)
    assert list(table["model"].unique()) == ["generic", "nme"]
    assert len(table) == 2 * (20 + 18)
    with pytest.raises(ValueError, match="No epoch"):
        tables.loss_curves(history.iloc[:0])


def test_response_curves_of_one_feature_sorted_by_x(curves):
    table = tables.response_curves(curves, feature="sleep", outcome="mood", person="007")
    assert len(table) == 21
    assert set(table.loc[table["highlighted"], "person"]) == {"007"}
    assert set(table.loc[table["level"] == "population", "person"]) == {""}
    assert table.groupby("person")["x"].is_monotonic_increasing.all()
    with pytest.raises(ValueError, match="'mood'"):
        tables.response_curves(curves, feature="mood", outcome="mood", person=None)
    with pytest.raises(ValueError, match="'zz'"):
        tables.response_curves(curves, feature="sleep", outcome="mood", person="zz")


def test_outcome_shares_leave_out_missing():
    y = pd.Series(["b", "a", None, "b", "b"], name="state")
    table = tables.outcome_overview(y, "class")
    assert list(table["state"]) == ["a", "b"]
    assert list(table["share"]) == [0.25, 0.75]
    with pytest.raises(ValueError, match="Unknown kind"):
        tables.outcome_overview(y, "text")


def test_hsic_table_has_one_row_per_permutation():
    table = tables.hsic_null(np.array([0.1, 0.2, np.nan]), 0.3, 0.02, covariate="age")
    assert list(table["permutation"]) == [1, 2]
    assert set(table["statistic"]) == {0.3}
    with pytest.raises(ValueError, match="observed statistic"):
        tables.hsic_null(np.array([0.1]), np.nan, 1.0, covariate="age")
