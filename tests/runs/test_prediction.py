"""Predictions for new rows: the fitted model's own, in the order of the file."""

import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from nme_core.estimators import load
from nme_core.exceptions import (
    BlankWarning,
    DataError,
    ExtrapolationWarning,
    MissingColumnError,
    RunFolderError,
)
from nme_core.io import RunFolder
from nme_core.runs.prediction import predict_rows, read_new_rows
from nme_core.study import Study, read_table

FIRST = ["person", "sequence", "time", "predicted", "population_predicted"]


@pytest.fixture(params=["nme-mlp", "nme-crf"])
def run(request, fit_tiny):
    return RunFolder(fit_tiny(request.param))


@pytest.fixture
def rows(tiny_study):
    return read_table(tiny_study / "long.csv", text=["id", "session"])


def test_training_rows_get_the_refit_models_own_predictions(run, rows, tiny_study):
    model = load(run.model_path)
    roles = run.roles
    study = Study.from_csv(
        tiny_study / "long.csv",
        **{key: roles[key] for key in ("person", "outcome", "time", "sequence", "features")},
    )
    crf = hasattr(model, "transition_matrix")
    extra = {"sequence_ids": study.sequence_ids} if crf else {}
    own = pd.DataFrame({"person": study.groups, "sequence": study.sequence_ids})
    own["time"] = study.time
    own["predicted"] = model.predict(study.X, study.groups, **extra)
    own["population_predicted"] = model.predict(study.X, level="average", **extra)
    found = predict_rows(run, rows)
    both = found.merge(own, on=["person", "sequence", "time"], suffixes=("", "_own"))
    assert len(both) == len(rows)
    for name in ("predicted", "population_predicted"):
        if crf:
            assert both[name].tolist() == both[f"{name}_own"].tolist()
        else:
            assert both[name].to_numpy() == pytest.approx(both[f"{name}_own"], rel=1e-5)
    assert (found["predicted"] != found["population_predicted"]).any()


def test_rows_stay_in_the_order_of_the_file(run, rows):
    found = predict_rows(run, rows)
    assert found["person"].tolist() == rows["id"].tolist()
    assert found["sequence"].tolist() == (rows["id"] + "/" + rows["session"]).tolist()
    assert found["time"].tolist() == rows["beep"].tolist()
    turned = predict_rows(run, rows.iloc[::-1])
    again = turned.iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, again, rtol=1e-5)


def test_new_persons_get_what_is_known_of_the_population(run, rows):
    known = predict_rows(run, rows)
    new = rows["id"].isin(["007", "021"]).to_numpy()
    found = predict_rows(run, rows.assign(id=rows["id"].where(~new, "9" + rows["id"])))
    chances = [name for name in found.columns if name.startswith("p_")]
    assert found.loc[new, "predicted"].isna().all()
    if chances:
        model = load(run.model_path)
        study = read_new_rows(run, rows)
        sequences = study.about["sequence"]
        own = model.predict_proba(study.X, level="average", sequence_ids=sequences)
        own = own[study.about["row"].argsort()]
        assert found.loc[new, chances].to_numpy() == pytest.approx(own[new], rel=1e-5)
    assert found.loc[~new, ["predicted", *chances]].notna().all(axis=None)
    assert found["population_predicted"].notna().all()
    assert found.loc[new, "person"].str.startswith("9").all()
    pd.testing.assert_series_equal(
        found["population_predicted"], known["population_predicted"], rtol=1e-5
    )
    pd.testing.assert_series_equal(
        found.loc[~new, "predicted"], known.loc[~new, "predicted"], rtol=1e-5
    )


def test_values_outside_of_what_the_model_has_seen_are_told(run, rows):
    feature = run.roles["features"][0]
    changed = rows[feature].where(np.arange(len(rows)) > 1, 100.0)
    with pytest.warns(ExtrapolationWarning, match=rf"'{feature}' in 2 rows \(fitted on "):
        predict_rows(run, rows.assign(**{feature: changed}))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ExtrapolationWarning)
        predict_rows(run, rows)


def test_new_persons_alone_can_be_predicted(run, rows):
    found = predict_rows(run, rows.assign(id="somebody else", session=np.arange(len(rows))))
    assert list(found.columns[:5]) == FIRST
    assert found["predicted"].isna().all()
    assert found["population_predicted"].notna().all()


def test_columns_are_those_of_the_outcome(fit_tiny, rows):
    assert list(predict_rows(RunFolder(fit_tiny("nme-mlp")), rows)) == FIRST
    found = predict_rows(RunFolder(fit_tiny("nme-crf")), rows)
    assert list(found) == [*FIRST, "p_low", "p_mid", "p_top"]
    assert found.iloc[:, 5:].sum(axis=1).to_numpy() == pytest.approx(1)


def test_a_classifier_gives_new_persons_probabilities(fit_tiny, rows):
    run = RunFolder(fit_tiny("nme-mlp", "--outcome", "state", "--features", "sleep,stress"))
    new = rows["id"].eq("007").to_numpy()
    found = predict_rows(run, rows.assign(id=rows["id"].where(~new, "somebody")))
    chances = found[["p_low", "p_mid", "p_top"]]
    assert chances.sum(axis=1).to_numpy() == pytest.approx(1)
    best = chances.idxmax(axis=1).str.removeprefix("p_")
    assert (best == found["predicted"].fillna(found["population_predicted"])).all()
    assert (found["predicted"].isna() == new).all()


def test_threads_are_given_back_and_probabilities_are_of_persons_only(run, rows, monkeypatch):
    seen = []
    kind = type(load(run.model_path))
    for name in ("predict", "predict_proba"):
        if original := getattr(kind, name, None):

            def watched(*args, _name=name, _original=original, **words):
                level = words.get("level", "person")
                seen.append((_name, level, torch.get_num_threads()))
                return _original(*args, **words)

            monkeypatch.setattr(kind, name, watched)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        predict_rows(run, rows)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    expected = {("predict", "average", 1), ("predict", "person", 1)}
    if hasattr(kind, "predict_proba"):
        expected |= {("predict_proba", "person", 1)}
    assert set(seen) == expected


def test_the_outcome_and_other_columns_are_not_read(run, rows):
    found = predict_rows(run, rows)
    bare = rows.drop(columns=["mood", "state", "note"])[
        ["stress", "beep", "session", "id", "sleep"]
    ]
    pd.testing.assert_frame_equal(found, predict_rows(run, bare))


def test_a_missing_feature_is_allowed(run, rows):
    with pytest.warns(BlankWarning, match=r"'stress' is blank in all 216 rows\. The mean"):
        found = predict_rows(run, rows.assign(stress=np.nan))
    assert found["predicted"].notna().all()


def test_steps_of_other_sequences_do_not_matter(fit_tiny, rows):
    run = RunFolder(fit_tiny("nme-crf"))
    chosen = (rows["session"] == "1").to_numpy()
    whole = predict_rows(run, rows)[chosen].reset_index(drop=True)
    pd.testing.assert_frame_equal(whole, predict_rows(run, rows[chosen]), rtol=1e-5)


@pytest.mark.parametrize("column", ["id", "beep", "session", "sleep"])
def test_a_missing_column_is_named(run, rows, column):
    with pytest.raises(MissingColumnError, match=f"no column '{column}'") as caught:
        predict_rows(run, rows.drop(columns=column))
    assert caught.value.column == column


def test_a_feature_that_is_text_is_named_with_its_line(run, rows):
    broken = rows.astype({"sleep": "object"})
    broken.iloc[4, broken.columns.get_loc("sleep")] = "well"
    with pytest.raises(
        DataError, match=f"'sleep' is not numeric: line {rows.index[4]} holds 'well'"
    ) as caught:
        predict_rows(run, broken)
    assert "leave the column out" not in caught.value.remedy  # the model needs it


def test_no_rows_are_refused(run, rows):
    with pytest.raises(DataError, match="no rows"):
        predict_rows(run, rows.iloc[:0])


def test_a_folder_without_a_model_is_refused(tmp_path, rows):
    with pytest.raises(RunFolderError):
        predict_rows(RunFolder(tmp_path), rows)


def copy_of(run, folder, **data):
    shutil.copytree(run.path, folder)
    copied = RunFolder(folder)
    copied.write_json("recipe", {**copied.read_json("recipe"), **data})
    return copied


def test_missing_features_are_dealt_with_as_in_the_run(run, rows, tmp_path):
    assert run.data["missing"] == "indicator"
    gappy = rows.copy()
    gappy.loc[rows.index[::7], "stress"] = np.nan
    carried = predict_rows(copy_of(run, tmp_path / "carry", missing="carry"), gappy)
    in_order = gappy.sort_values(["id", "session", "beep"], key=lambda c: c.astype(float))
    by_hand = gappy.assign(stress=in_order.groupby("id")["stress"].ffill())
    assert by_hand["stress"].isna().sum() < gappy["stress"].isna().sum()
    unlike = predict_rows(run, gappy)["predicted"] != carried["predicted"]
    assert unlike.any()
    pd.testing.assert_frame_equal(carried, predict_rows(run, by_hand))
    dropped = predict_rows(copy_of(run, tmp_path / "drop", missing="drop"), gappy)
    lacking = gappy[["sleep", "stress"]].isna().any(axis=1)
    assert dropped["predicted"].isna().tolist() == lacking.tolist()
    assert dropped["population_predicted"].isna().tolist() == lacking.tolist()
    nothing = predict_rows(RunFolder(tmp_path / "drop"), gappy.assign(stress=np.nan))
    assert nothing["population_predicted"].isna().all()


def test_a_run_records_what_it_did_about_missing_features(fit_tiny, nme, tiny_study):
    dropped = RunFolder(fit_tiny("nme-mlp", "--missing", "drop")).data
    counts = RunFolder(fit_tiny("nme-mlp")).data["n_missing_features"]
    assert dropped["missing"] == "drop"
    assert dropped["n_missing_features"] == {}
    assert any(f"{sum(counts.values())} missing feature values" in n for n in dropped["notes"])
    said = nme(*("check", tiny_study / "long.csv", "--person", "id", "--outcome", "mood"),
               *("--missing", "median"))  # fmt: skip
    assert said.code == 2
    assert "'median'" in said.err
