"""New persons for a run: a folder of their own, and what cannot be done is said."""

import warnings

import pandas as pd
import pytest

from nme_core.exceptions import ExtrapolationWarning
from nme_core.io import RunFolder
from nme_core.study import read_table


@pytest.fixture(params=["nme-mlp", "nme-crf"])
def run(request, fit_tiny):
    return RunFolder(fit_tiny(request.param))


@pytest.fixture
def new(tiny_study, tmp_path):
    """Rows of two persons under new names."""
    rows = read_table(tiny_study / "long.csv", text=["id", "session"])
    rows = rows[rows["id"].isin(["007", "014"])]
    rows = rows.assign(id=rows["id"].map({"007": "new 1", "014": "new 2"}))
    rows.to_csv(tmp_path / "new.csv", index=False)
    return tmp_path / "new.csv"


def test_new_persons_have_a_folder_of_their_own(run, new, nme, tmp_path):
    said = nme("adapt", run.path, new, "--out", tmp_path / "adapted")
    assert said.code == 0, said.err
    assert "2 new people" in said.out
    said_of_new = said.out
    adapted = RunFolder(tmp_path / "adapted")
    assert adapted.status.state == "done"
    assert sorted(adapted.data["adapted"]) == ["new 1", "new 2"]
    assert set(adapted.table("random_effects")["person"]) == {"new 1", "new 2"}
    other = "transitions" if adapted.has_table("transitions") else "response_curves"
    assert set(adapted.table(other)["person"]) == {"new 1", "new 2", ""}
    said = nme("predict", adapted.path, new, "--out", tmp_path / "predicted.csv")
    assert said.code == 0
    table = pd.read_csv(tmp_path / "predicted.csv")
    assert table["predicted"].notna().all()
    # what of the intervals was not examined is said by the command as in the folder
    notes = {note["table"]: note for note in adapted.config["approximate"]}
    assert {"random_effects", other} <= set(notes)
    assert all(notes[table]["reason"] in said_of_new for table in ("random_effects", other))
    before = nme("predict", run.path, new, "--out", tmp_path / "before.csv")
    assert "2 people are new" in before.out
    population = pd.read_csv(tmp_path / "before.csv")["population_predicted"]
    if population.dtype.kind == "f":
        assert table["population_predicted"].to_numpy() == pytest.approx(population, rel=1e-5)


def test_what_is_learned_of_a_person_does_not_depend_on_who_else_is_new(run, new, nme, tmp_path):
    rows = pd.read_csv(new, dtype={"session": str})
    rows[rows["id"] == "new 1"].to_csv(tmp_path / "alone.csv", index=False)
    found = {}
    for name, file in (("both", new), ("alone", tmp_path / "alone.csv")):
        said = nme("adapt", run.path, file, "--out", tmp_path / name)
        assert said.code == 0, said.err
        adapted = RunFolder(tmp_path / name)
        other = "transitions" if adapted.has_table("transitions") else "response_curves"
        for table in ("random_effects", other):
            whole = adapted.table(table)
            chosen = whole[whole["person"].isin(["new 1", ""])]
            found[name, table] = chosen.reset_index(drop=True)
    for table in ("random_effects", other):
        pd.testing.assert_frame_equal(found["both", table], found["alone", table], rtol=1e-5)


def test_values_outside_of_the_fit_are_told_and_kept_with_the_run(run, new, nme, tmp_path):
    rows, feature = pd.read_csv(new, dtype={"session": str}), run.roles["features"][0]
    rows.loc[rows.index[:3], feature] = 100.0
    rows.to_csv(new, index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("default", ExtrapolationWarning)
        said = nme("adapt", run.path, new, "--out", tmp_path / "adapted")
    assert said.code == 0
    (note,) = RunFolder(tmp_path / "adapted").config["warnings"]
    assert note["kind"] == "ExtrapolationWarning"
    assert f"'{feature}' in 3 rows (fitted on " in note["message"]
    assert said.err == f"nme: warning: {note['message']}\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows, roles: rows.drop(columns=roles["outcome"]), "no column"),
        (lambda rows, roles: rows.drop(columns=roles["features"][0]), "no column"),
        (lambda rows, roles: rows.assign(**{roles["outcome"]: None}), "no row whose outcome"),
        (
            lambda rows, roles: rows.assign(id="007", **{roles["time"]: range(len(rows))}),
            "already knows person '007'",
        ),
        (lambda rows, roles: rows.iloc[:0], "no rows"),
        (lambda rows, roles: rows.assign(**{roles["features"][0]: 1e12}), "standard deviations"),
    ],
)
def test_bad_rows_are_refused(run, new, nme, tmp_path, change, words):
    change(pd.read_csv(new, dtype={"session": str}), run.roles).to_csv(new, index=False)
    said = nme("adapt", run.path, new, "--out", tmp_path / "adapted")
    assert said.code == 2
    assert words in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "adapted").exists()


def test_a_run_is_not_overwritten(run, new, nme):
    said = nme("adapt", run.path, new, "--out", run.path)
    assert said.code == 2
