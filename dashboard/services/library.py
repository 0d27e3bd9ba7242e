"""The library of studies and runs: what each run came to, renaming, deleting, two runs compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dashboard.services import results
from dashboard.services.caching import forget
from dashboard.services.home import folder, home
from dashboard.services.runs import (
    LONGEST_NAME,
    Run,
    cancel,
    end_jobs,
    kept_models,
    list_runs,
    run_record,
)
from dashboard.services.studies import StudyRecord, list_studies, study_record
from nme_core.exceptions import DataError, NMEError, RunFolderError
from nme_core.io import RunFolder, durable
from nme_core.metrics.comparison import compare
from nme_core.vocabulary.terms import family_of

#: Names under which two runs are compared.
FIRST, SECOND = "first", "second"


@dataclass(frozen=True)
class Outcome:
    """What a run came to: its main metric on the test part, and the generic model's."""

    metric: str
    value: float
    generic: float | None
    ending: str


@dataclass(frozen=True)
class Shelf:
    """A study and its runs, newest first; the study is None where it is no longer there."""

    study: StudyRecord | None
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Contrast:
    """Two runs side by side.

    ``paired`` is as the run folder's ``comparison``: second minus first, person by person; None
    where the two were not judged on the same rows.
    """

    choices: pd.DataFrame
    metrics: pd.DataFrame
    paired: pd.DataFrame | None


@dataclass(frozen=True)
class Damaged:
    """A study or run of which nobody can say what it is, and why; it can only be deleted."""

    kind: str
    id: str
    why: str


def damaged() -> list[Damaged]:
    """Studies and runs that cannot be listed with the others, newest first."""
    found = []
    for kind, look in (("studies", study_record), ("runs", run_record)):
        for path in sorted((home() / kind).glob("*"), reverse=True):
            if folder(kind, path.name) is None:
                continue
            try:
                why = "" if look(path.name) is not None else "Its record is missing."
            except NMEError as error:
                why = error.message
            if why and path.is_dir():
                found.append(Damaged(kind, path.name, why))
    return found


def delete_damaged(one: Damaged) -> None:
    """Remove what is left of a damaged study or run."""
    durable.remove(_there(one.kind, one.id))
    forget()


def shelves() -> list[Shelf]:
    """Every study with its runs, newest first; runs without a study come last."""
    runs, studies = list_runs(), list_studies()
    kept = [Shelf(study, tuple(run for run in runs if run.study == study.id)) for study in studies]
    known = {study.id for study in studies}
    orphans = tuple(run for run in runs if run.study not in known)
    return [*kept, *([Shelf(None, orphans)] if orphans else [])]


def outcome(run: Run) -> Outcome | None:
    """What a run came to; None where its own model was not judged."""
    if "nme" not in kept_models(run.id):
        return None
    table = results.metrics_table(run.id)
    if "nme" not in table.index or table.empty:
        return None
    metric = results.main_metric(table)
    values = table[metric].astype(float)
    generic = float(values["generic"]) if "generic" in values else None
    value = float(values["nme"])
    return Outcome(metric, value, generic, results.verdicts(run.id)["nme"])


def rename_run(identity: str, name: str) -> None:
    """Give a run another name."""
    _rename(_there("runs", identity) / "run.json", name)


def rename_study(identity: str, name: str) -> None:
    """Give a study another name; the names of its runs stay."""
    _rename(_there("studies", identity) / "study.json", name)


def delete_run(identity: str) -> None:
    """Stop a run where it is at work, and remove its folder with everything in it."""
    cancel(identity)
    end_jobs(_there("runs", identity))
    durable.remove(_there("runs", identity))
    forget()


def delete_study(identity: str) -> None:
    """Remove a study's data and every run on it."""
    for run in list_runs(identity):
        delete_run(run.id)
    durable.remove(_there("studies", identity))
    forget()


def contrast(first: Run, second: Run) -> Contrast:
    """Choices and test metrics of two finished runs, and the difference paired over persons."""
    options = pd.DataFrame({FIRST: _used(first), SECOND: _used(second)})
    tables = {FIRST: results.metrics_table(first.id), SECOND: results.metrics_table(second.id)}
    own = {name: table.loc["nme"] for name, table in tables.items() if "nme" in table.index}
    metrics = pd.DataFrame(own, columns=[FIRST, SECOND])
    paired = _paired(first, second) if same_rows(first, second) else None
    return Contrast(options, metrics, paired)


def _used(run: Run) -> pd.Series:
    """The choices of a finished run, each with the value that was used where it was left open."""
    config = results.run_folder(run.id).config
    used = {name: config.get(name, value) for name, value in run.options.items()}
    return pd.Series(used | {"family": family_of(config)}, dtype=object)


def same_rows(first: Run, second: Run) -> bool:
    """Whether two runs were judged on the same rows: same files, roles and changes of the data."""
    told = ("inputs", "roles", "remedies", "n_rows_by_split")
    one, other = (results.run_folder(run.id).data for run in (first, second))
    return first.study == second.study and all(one.get(key) == other.get(key) for key in told)


def _paired(first: Run, second: Run) -> pd.DataFrame | None:
    """Second minus first over the persons that both judged; None where there are none."""
    one, other = (_person_metrics(run.id) for run in (first, second))
    shared = set(one["metric"]) & set(other["metric"])
    if not shared:
        return None
    both = pd.concat([one.assign(model=FIRST), other.assign(model=SECOND)], ignore_index=True)
    return compare(both[both["metric"].isin(shared)], reference=FIRST)


def _person_metrics(identity: str) -> pd.DataFrame:
    rows = results.table(identity, "metrics")
    return rows[(rows["model"] == "nme") & (rows["split"] == "test") & (rows["scope"] == "person")]


def _there(kind: str, identity: str) -> Path:
    path = folder(kind, identity)
    if path is None:
        raise RunFolderError("This is no longer there.", remedy="Load the page again.")
    return path


def _rename(path: Path, name: str) -> None:
    clean = " ".join(name.split())[:LONGEST_NAME]
    if not clean:
        raise DataError("A name needs at least one character.", remedy="Type a name.")
    content = RunFolder(path.parent).read_json(path.stem)
    RunFolder(path.parent).write_json(path.stem, {**content, "name": clean})
