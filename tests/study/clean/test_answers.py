"""What means no answer, and what was read as missing though it may be a state."""

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from nme_core.study import Remedy, Study, check_study
from nme_core.study.clean.remedies import restored
from nme_core.study.formats.result import Labels


def diary(**columns):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.repeat(["a", "b", "c"], 10),
            "day": np.tile(np.arange(10), 3),
            "x": rng.normal(size=30).round(2),
        }
    )
    return frame.assign(**{name: (cells * 30)[:30] for name, cells in columns.items()})


def looks(study):
    return [one for one in check_study(study).findings if one.severity == "look"]


@pytest.mark.parametrize("words", ["no answer", "keine Angabe", "Refused", "weiß nicht", "ns/nc"])
def test_a_labelled_code_for_no_answer_is_pointed_out(tmp_path, words):
    frame = diary(mood=[1, 2, 3, 4, 9])
    study = Study.from_frame(frame, person="id", outcome="mood", time="day", features=["x"])
    study.labels.values["mood"] = {"1": "low", "9": words}
    (found,) = [one for one in looks(study) if "no answer" in one.message and one.fixes]
    assert f"9 ({words!r}) in 6 cells" in found.message
    assert found.fixes == (Remedy("set_missing", ("mood",), ("9",)),)
    assert "6 cells emptied, 24 of 30 remain" in found.effects[0]


def test_a_state_that_means_no_answer_is_pointed_out_and_others_are_not():
    frame = diary(state=["calm", "tense", "k.A.", "none"])
    study = Study.from_frame(frame, person="id", outcome="state", time="day", features=["x"])
    found = [one for one in looks(study) if "no answer" in one.message]
    assert [one.fixes[0].values for one in found] == [("k.A.",)]


def write(tmp_path, **columns):
    path = tmp_path / "long.csv"
    diary(**columns).to_csv(path, index=False)
    return path


ROLES = {"person": "id", "outcome": "affect", "time": "day", "features": ["x"]}


@pytest.mark.parametrize(("state", "code"), [("PA", "NA"), ("high", "null"), ("none", "nan")])
def test_a_state_that_was_read_as_missing_can_be_kept(tmp_path, state, code):
    path = write(tmp_path, affect=[state, "neutral", code])
    study = Study.from_file(path, **ROLES)
    (found,) = [one for one in looks(study) if "read as missing" in one.message]
    assert f"{code!r} in 10 cells" in found.message
    assert "10 cells filled" in found.effects[0]
    kept = Study.from_file(path, **ROLES, remedies=found.fixes)
    assert kept.classes == tuple(sorted([state, "neutral", code]))
    assert not [one for one in looks(kept) if "missing" in one.message]
    new = pd.DataFrame({"affect": [state, None]})
    assert list(restored(new, {"affect": {code: 1}}, found.fixes)["affect"]) == [state, code]
    blank = restored(new, {"affect": {code: 1, "": 1}}, found.fixes)["affect"]
    assert blank.isna().sum() == 1  # a blank outcome is not known


def test_a_code_that_numbers_have_too_is_missing_everywhere(tmp_path):
    frame = diary(affect=["high", "low", "NA"], y=[1.5, "NA", 2])
    frame.to_csv(tmp_path / "long.csv", index=False)
    study = Study.from_file(tmp_path / "long.csv", **ROLES)
    assert not [one for one in looks(study) if "read as missing" in one.message]
    assert Labels().codes == set()


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_every_format_tells_what_was_taken(tmp_path, kind):
    frame = diary(affect=["high", "low", "NA"])
    path = tmp_path / f"long.{kind}"
    frame.to_excel(path, index=False) if kind == "xlsx" else frame.to_csv(path, index=False)
    study = Study.from_file(path, **ROLES)
    assert study.labels.taken["affect"] == {"NA": 10}


def test_moves_are_missed():
    frame = diary(state=["calm", "tense"])
    frame["alone"] = range(30)
    roles = {"person": "id", "outcome": "state", "time": "day", "features": ["x"]}
    none = Study.from_frame(frame, **roles, sequence="alone")
    assert any("no moves" in one.message for one in looks(none))
    assert not any("moves from one row" in one.message for one in looks(
        Study.from_frame(frame, **roles)))  # fmt: skip


def test_a_state_that_is_reached_last_is_told():
    frame = diary(state=["calm", "tense"])
    frame.loc[frame["day"] == 9, "state"] = "relapse"
    study = Study.from_frame(frame, person="id", outcome="state", time="day", features=["x"])
    (found,) = [one for one in looks(study) if "occurs only late" in one.message]
    assert "all rows of 2 people ('a', 'b')" in found.message
    assert check_study(study).usable
    alone = study.take(study.groups == "a")
    assert not check_study(alone).usable


def test_labels_of_the_covariate_table_count(tmp_path):
    diary(mood=[1, 2, 3, 4, 5]).to_csv(tmp_path / "long.csv", index=False)
    scores = pd.DataFrame({"id": ["a", "b", "c"], "bdi": [12.0, 98.0, 20.0]})
    labels = {"bdi": {98.0: "keine Angabe"}}
    pyreadstat.write_sav(scores, tmp_path / "scores.sav", variable_value_labels=labels)
    study = Study.from_file(
        tmp_path / "long.csv", person="id", outcome="mood", time="day",
        covariates=tmp_path / "scores.sav",
    )  # fmt: skip
    (found,) = [one for one in looks(study) if "keine Angabe" in one.message]
    assert found.fixes == (Remedy("set_missing", ("bdi",), ("98",)),)
    assert "1 cell emptied, 2 of 3 remain" in found.effects[0]
