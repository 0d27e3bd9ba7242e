import numpy as np
import pandas as pd
import pytest

from nme_core import metrics
from nme_core.exceptions import DataError, MissingColumnError, OptionError
from nme_core.io import TABLES, RunFolder


@pytest.fixture
def numbers():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "person": np.repeat(["007", "7", "b"], 12),
            "split": np.tile(["test", "train", "train", "validation"], 9),
            "observed": rng.normal(size=36),
        }
    )
    return pd.concat(
        [
            rows.assign(model=model, predicted=rows["observed"] + rng.normal(size=36) * noise)
            for model, noise in (("nme", 0.5), ("generic", 1.0))
        ],
        ignore_index=True,
    )


@pytest.fixture
def classes():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.ones(3), size=30)
    frame = pd.DataFrame(proba, columns=["p_a", "p_b", "p_c"])
    frame["predicted"] = np.array(list("abc"))[proba.argmax(axis=1)]
    return frame.assign(
        model="nme", person=np.repeat(["x", "y"], 15), split="test",
        observed=rng.choice(list("abc"), size=30),
    )  # fmt: skip


def lookup(table, *, person="", model="nme", split="test"):
    rows = table[
        (table["person"] == person) & (table["model"] == model) & (table["split"] == split)
    ]
    return rows.set_index("metric")["value"].to_dict()


def test_numbers_pooled_and_per_person(numbers, tmp_path):
    table = metrics.evaluate(numbers, "number")
    assert tuple(table.columns) == TABLES["metrics"]
    assert len(table) == 2 * 3 * (1 + 3) * 4
    assert list(table["split"].unique()) == ["train", "validation", "test"]
    for person in ("", "007", "7", "b"):
        for model in ("nme", "generic"):
            rows = numbers[(numbers["model"] == model) & (numbers["split"] == "train")]
            rows = rows if person == "" else rows[rows["person"] == person]
            expected = {
                name: getattr(metrics, name)(rows["observed"], rows["predicted"])
                for name in ("mse", "mae", "pearson", "ccc")
            }
            assert lookup(table, person=person, model=model, split="train") == pytest.approx(
                expected
            )
    assert set(table[table["scope"] == "pooled"]["person"]) == {""}
    assert set(table[(table["scope"] == "pooled") & (table["split"] == "train")]["n"]) == {18}
    assert set(table[(table["scope"] == "person") & (table["split"] == "test")]["n"]) == {3}
    folder = RunFolder(tmp_path / "run")
    folder.write_table("metrics", table)
    pd.testing.assert_frame_equal(folder.table("metrics"), table, check_dtype=False)


def test_rows_without_an_outcome_are_left_out(numbers):
    numbers.loc[[0, 4], "observed"] = np.nan
    numbers.loc[0, "predicted"] = np.nan
    table = metrics.evaluate(numbers, "number")
    row = table[(table["person"] == "007") & (table["split"] == "test")]
    assert set(row[row["model"] == "nme"]["n"]) == {1}
    assert set(row[row["model"] == "generic"]["n"]) == {3}
    assert np.isnan(lookup(table, person="007")["pearson"])
    assert lookup(table, person="007")["mse"] > 0


def test_a_predictive_distribution_has_a_score_and_a_coverage(numbers):
    numbers["crps"] = np.arange(len(numbers), dtype=float)
    numbers["integral"] = 0.5
    numbers.loc[numbers.index[::3], "integral"] = 0.98  # above its 95 % interval
    for person in ("", "007"):
        chosen = (numbers["model"] == "nme") & (numbers["split"] == "test")
        rows = numbers[chosen & ((numbers["person"] == person) | (person == ""))]
        found = lookup(metrics.evaluate(numbers, "number"), person=person)
        assert found["crps"] == pytest.approx(rows["crps"].mean())
        assert found["coverage_95"] == pytest.approx((rows["integral"] == 0.5).mean())
    assert "crps" not in lookup(metrics.evaluate(numbers.drop(columns="integral"), "number"))


def test_classes_pooled_and_per_person(classes):
    table = metrics.evaluate(classes, "class")
    for person in ("", "x", "y"):
        rows = classes if person == "" else classes[classes["person"] == person]
        proba = rows[["p_a", "p_b", "p_c"]].set_axis(list("abc"), axis=1)
        expected = {
            name: getattr(metrics, name)(rows["observed"], rows["predicted"])
            for name in ("accuracy", "balanced_accuracy", "kappa", "alpha", "macro_f1")
        }
        expected["log_loss"] = metrics.log_loss(rows["observed"], proba)
        assert lookup(table, person=person) == pytest.approx(expected)


def test_loss_of_sequences_stands_in_where_it_is_given(classes):
    classes["loss"] = 0.25
    classes.loc[classes["person"] == "y", "loss"] = np.nan
    table = metrics.evaluate(classes, "class")
    assert lookup(table, person="x")["log_loss"] == pytest.approx(0.25)
    without = metrics.evaluate(classes.drop(columns="loss"), "class")
    assert lookup(table, person="y") == pytest.approx(lookup(without, person="y"))


def test_a_model_without_probabilities_has_no_log_loss(classes):
    table = metrics.evaluate(classes.drop(columns=["p_a", "p_b", "p_c"]), "class")
    assert np.isnan(lookup(table)["log_loss"])
    assert lookup(table)["accuracy"] >= 0


def test_labels_that_a_file_turned_into_numbers(classes):
    as_text = classes.replace({column: {"a": "0", "b": "1", "c": "2"} for column in
                               ("observed", "predicted")})  # fmt: skip
    as_text = as_text.rename(columns={"p_a": "p_0", "p_b": "p_1", "p_c": "p_2"})
    as_number = as_text.assign(
        observed=as_text["observed"].astype(float), predicted=as_text["predicted"].astype(int)
    )
    as_number.loc[3, "observed"] = np.nan
    as_text.loc[3, "observed"] = None
    expected = metrics.evaluate(as_text, "class")
    pd.testing.assert_frame_equal(metrics.evaluate(as_number, "class"), expected)


def test_a_row_without_a_prediction_is_an_error(numbers):
    numbers.loc[numbers.index[-1], "predicted"] = np.nan
    with pytest.raises(DataError, match="'generic' has no prediction for 1 rows") as caught:
        metrics.evaluate(numbers, "number")
    assert caught.value.person == "b"


def test_wrong_calls(numbers):
    with pytest.raises(MissingColumnError, match="'split'"):
        metrics.evaluate(numbers.drop(columns="split"), "number")
    with pytest.raises(OptionError, match="'count'"):
        metrics.evaluate(numbers, "count")
    assert tuple(metrics.evaluate(numbers[:0], "number").columns) == TABLES["metrics"]
