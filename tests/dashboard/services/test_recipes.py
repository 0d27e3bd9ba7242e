"""What the app did to a table before storing it is remembered, told, and done to new rows, too."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.services import drafts, newcomers, studies
from dashboard.services.home import folder, new_id
from nme_core.exceptions import NMEError, NMEWarning
from nme_core.io import RunFolder
from nme_core.reports.methods import methods
from nme_core.runs.fit import FitOptions, run_experiment
from nme_core.runs.prediction import predict_rows, read_new_rows
from nme_core.runs.recorded import read_rows, read_study, recipe_of
from nme_core.runs.rerun import rerun
from nme_core.study import Remedy
from nme_core.study.clean.missing import fill_features
from nme_core.study.clean.privacy import Privacy

pytestmark = pytest.mark.filterwarnings(
    "ignore::nme_core.exceptions.BoundaryWarning",
    "ignore::nme_core.exceptions.PredictionWarning",
    "ignore::nme_core.exceptions.ConvergenceWarning",
)
LINEAR = FitOptions(model="nme-mlp", hidden=(), epochs=2, baselines=())


def train(identity: str, options: FitOptions = LINEAR) -> RunFolder:
    """A run on a kept study, without a process of its own."""
    study, _ = studies.open_study(identity)
    run = RunFolder(new_id("runs")[1])
    path = folder("studies", identity)
    filled = fill_features(study, "indicator")
    run_experiment(filled, options, run, inputs=[path / "long.csv"])
    return run


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """One row per person, decimal commas, an umlaut in CP850; -99 is no answer."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"Kürzel": [f"P{k:02d}" for k in range(9)], "sex": [0, 1, 0] * 3})
    for name in ("schlaf", "laune"):
        for n in range(1, 9):
            table[f"{name}_{n}"] = rng.normal(6, 1, 9).round(1)
    table.loc[0, "schlaf_2"] = -99
    path = tmp_path / "wide.csv"
    table.to_csv(path, sep=";", decimal=",", index=False, encoding="cp850")
    return path


@pytest.fixture
def wide_run(wide: Path, home: Path) -> RunFolder:
    """A run on the study that the app made of it."""
    said = drafts.ReadAs(encoding="cp850", delimiter=";", decimal=",")
    draft = drafts.draft_upload(wide.name, wide.read_bytes(), None, said, reshaped=True)
    roles = drafts.ChosenRoles("Kürzel", "laune", "occasion", None, ("schlaf",), ("sex",))
    no_answer = Remedy("set_missing", ("schlaf",), ("-99",))
    return train(studies.keep_study(draft, roles, remedies=[no_answer]))


def test_wide_tables_in_their_own_encoding_are_remembered_told_and_read_again(
    wide: Path, wide_run: RunFolder
) -> None:
    (record,) = studies.list_studies()
    assert [one["kind"] for one in record.changes] == ["wide_to_long", "set_missing"]
    assert [one["kind"] for one in wide_run.data["remedies"]] == ["wide_to_long", "set_missing"]
    said = " ".join(methods(wide_run))
    assert "the wide table of 9 rows and 8 occasions became 72 rows." in said
    assert "CP850, columns separated by semicolon, decimal comma" in said
    assert "set missing (schlaf: -99)" in said
    rows = read_rows(wide_run, wide)
    assert len(rows) == 72
    new = read_new_rows(wide_run, rows)
    study, _ = studies.open_study(record.id)
    pd.testing.assert_frame_equal(new.X, study.X)
    assert predict_rows(wide_run, new)["predicted"].notna().all()


def test_a_run_of_the_app_is_repeated_from_the_users_own_file(
    wide: Path, wide_run: RunFolder, tmp_path: Path
) -> None:
    stored = folder("studies", studies.list_studies()[0].id) / "long.csv"
    for file in (stored, wide):
        study = read_study(wide_run, file, None if file == wide else [])
        assert (study.n_rows, study.n_persons) == (72, 9)
        assert study.X["schlaf"].isna().sum() == 1
    repeated = rerun(wide_run, RunFolder(tmp_path / "again"), wide)
    assert repeated.same, repeated.lines()


@pytest.fixture
def dated(home: Path) -> pd.DataFrame:
    """A diary several times a day, day before month, with ages."""
    rng = np.random.default_rng(1)
    beeps = [f"{d}/3/2024 {h:02d}:00" for d in range(1, 6) for h in (9, 13, 18)]
    table = pd.DataFrame({"who": np.repeat([f"anna{k}" for k in range(8)], 15), "when": beeps * 8})
    state = np.where(rng.normal(size=120) > 0, "calm", "tense")
    return table.assign(
        age=np.repeat([93.0, *range(30, 37)], 15), x=rng.normal(size=120).round(2), state=state
    )


def dated_run(table: pd.DataFrame, privacy: Privacy) -> RunFolder:
    draft = drafts.draft_upload("diary.csv", table.to_csv(index=False).encode(), None)
    roles = drafts.ChosenRoles("who", "state", "when", None, ("x",), ("age",))
    order = Remedy("read_dates", ("when",), to="dmy")
    identity = studies.keep_study(draft, roles, remedies=[order], privacy=privacy, take_key=None)
    assert studies.study_record(identity).max_gap == "6h"
    return train(identity, replace(LINEAR, model="nme-crf"))


def test_dates_days_and_nights_are_the_same_in_new_rows(dated: pd.DataFrame) -> None:
    run = dated_run(dated, Privacy())
    assert recipe_of(run).time_unit == "d"
    one = dated[dated["who"] == "anna3"].assign(who="new")
    forms = {
        "as the file was": one,
        "as a workbook reads it": one.assign(when=pd.to_datetime(one["when"], dayfirst=True)),
        "as it was stored": one.assign(
            when=(pd.to_datetime(one["when"], dayfirst=True) - pd.Timestamp("2024-03-01 09:00"))
            / pd.Timedelta(days=1)
        ),
    }
    for form, table in forms.items():
        about = read_new_rows(run, table).about
        assert about["sequence"].nunique() == 5, form
        assert about["time"].max() == pytest.approx(4.375), form
    said = " ".join(methods(run))
    assert "Dates in 'when' became days since the person's first." in said
    assert "read as day, month, year" in said
    assert "longer than 6h" in said
    assert "Ages of 90 and more in 'age' are one group, 90." in said
    assert len(read_new_rows(run, one).notes) == 1  # ages have no role in new rows


def test_typed_rows_without_times_are_one_sequence(dated: pd.DataFrame) -> None:
    run = dated_run(dated, Privacy())
    one = dated[dated["who"] == "anna3"]
    for typed in (one[["x", "state"]], one[["x", "state"]].assign(when=np.nan)):
        about = read_new_rows(run, newcomers.typed_table(run.path.name, typed)).about
        assert about["sequence"].nunique() == 1
        assert about["row"].tolist() == list(range(15))


def test_codes_are_never_undone_and_nobodys_name_is_kept(dated: pd.DataFrame) -> None:
    run = dated_run(dated, Privacy(codes=True))
    everything = "".join(
        path.read_text(errors="ignore") for path in run.path.parent.parent.rglob("*.json")
    )
    assert "anna" not in everything
    with pytest.warns(NMEWarning, match="random codes"):
        predict_rows(run, dated.head(15))
    table, notes = newcomers._prepared(run, dated.head(30).to_csv(index=False).encode(), "new.csv")
    assert table["who"].unique().tolist() == ["new person 1", "new person 2"]
    assert table["when"].max() == pytest.approx(4.375)
    assert "age" not in table
    assert len(notes) == 2


def test_a_study_of_an_earlier_version_opens(dated: pd.DataFrame, home: Path) -> None:
    dated_run(dated, Privacy())
    (record,) = studies.list_studies()
    path = home / "studies" / record.id
    content = json.loads((path / "study.json").read_text())
    del content["recipe"]
    content |= {
        "outcome_kind": "class",
        "roles": {**record.roles, "exclude": []},
        "privacy": list(record.privacy),
        "changes": [],
        "missing": "indicator",
        "max_gap": "0.25",
    }
    content["privacy"] = content["privacy"][-2:]
    (path / "study.json").write_text(json.dumps(content))
    (earlier,) = studies.list_studies()
    assert earlier.counts_days
    study, _ = studies.open_study(earlier.id)
    assert (study.sequence_ids.nunique(), study.max_gap) == (40, "0.25")
    run = train(earlier.id, replace(LINEAR, model="nme-crf"))
    assert (
        read_new_rows(run, dated.head(15).assign(when=np.arange(15) / 2))
        .about["sequence"]
        .nunique()
        == 15
    )


def test_a_run_without_a_recipe_is_followed_as_before(
    fit_tiny: Callable[..., Path], tiny_study: Path
) -> None:
    run = RunFolder(fit_tiny("nme-mlp"))
    files = (tiny_study / "long.csv", tiny_study / "covariates.csv")
    first = read_study(run, *files)
    (run.path / "recipe.json").unlink()
    again = read_study(run, *files)
    pd.testing.assert_frame_equal(first.X, again.X)
    pd.testing.assert_frame_equal(first.covariates, again.covariates)
    assert predict_rows(run, read_rows(run, files[0]))["predicted"].notna().all()


def test_a_damaged_recipe_is_named(wide: Path, wide_run: RunFolder) -> None:
    wide_run.write_json("recipe", {**wide_run.read_json("recipe"), "roles": {}})
    with pytest.raises(NMEError, match=r"recipe\.json"):
        read_rows(wide_run, wide)
