"""How alike two studies are: what they have to share for one to replicate the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nme_core.estimators import NeuralMixedEffects
from nme_core.exceptions import DataError, MissingColumnError
from nme_core.independence.kernels import is_categorical
from nme_core.io import RunFolder
from nme_core.study import Study

#: Steps of one study that are so many times those of the other are other moves.
_SPACING = 2.0
#: Differences that are pointed out: of a mean in SDs, of a share of states.
_MEAN, _SHARE = 0.5, 0.15


@dataclass(frozen=True)
class Alike:
    """Two studies beside each other.

    Attributes
    ----------
    table : DataFrame
        what, study_a, study_b, note.
    notes : tuple of str
        What differs enough to be told.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]


def refuse_unlike(run: RunFolder, model: NeuralMixedEffects, other: Study, covariate: str) -> None:
    """Raise where another study cannot replicate what a run found.

    Raises
    ------
    DataError
        Other states, another kind of outcome or of covariate, or steps of another length.
    MissingColumnError
        Where the other study has no such covariate.
    """
    if other.outcome_kind != run.data["outcome_kind"]:
        raise DataError(
            f"The outcome is a {run.data['outcome_kind']} in study A and a {other.outcome_kind} in"
            " study B.",
            remedy="Code both alike.",
            column=other.roles.outcome,
        )
    if other.outcome_kind == "class":
        _refuse_other_states(model, other)
    if covariate not in other.covariates:
        known = [str(name) for name in other.covariates.columns]
        raise MissingColumnError(covariate, known, table="table of covariates of study B")
    own, theirs = (table[covariate].dropna() for table in (run.covariates, other.covariates))
    if is_categorical(own) != is_categorical(theirs):
        kinds = ["a category" if is_categorical(one) else "a number" for one in (own, theirs)]
        raise DataError(
            f"{covariate!r} is {kinds[0]} in study A and {kinds[1]} in study B.",
            remedy="Code both alike.",
            column=covariate,
        )
    if is_categorical(own) and {*map(str, own)} != {*map(str, theirs)}:
        odd = sorted({*map(str, own)} ^ {*map(str, theirs)})
        raise DataError(
            f"{covariate!r} has other groups in the two studies: {', '.join(odd)} in one alone.",
            remedy="Give the groups the same names, or leave out people of the others.",
            column=covariate,
        )
    spacing = _spacings(run, other)
    if hasattr(model, "transition_matrix") and all(np.isfinite(spacing)) and min(spacing) > 0:
        ratio = max(spacing) / min(spacing)
        if ratio > _SPACING:
            raise DataError(
                f"Steps are {ratio:.2g} times as long in one study as in the other: a move from one"
                " step to the next is not the same thing in both.",
                remedy="Thin out the denser study to the other's spacing.",
            )


def _refuse_other_states(model: NeuralMixedEffects, other: Study) -> None:
    states = [{*map(str, one)} for one in (getattr(model, "classes_", ()), other.classes)]
    only = [sorted(states[0] - states[1]), sorted(states[1] - states[0])]
    if any(only):
        said = [f"{', '.join(one)} in study {name} alone"
                for one, name in zip(only, "AB", strict=True) if one]  # fmt: skip
        raise DataError(
            f"The studies have other states: {' and '.join(said)}.",
            remedy="Merge or rename states (--remedy in a fit of study A) so that both have them"
            " all.",
            column=other.roles.outcome,
        )


def alike(run: RunFolder, model: NeuralMixedEffects, other: Study) -> Alike:
    """Compare a run's study with another: size, outcome, features, spacing, compliance, people."""
    data = run.data
    own = _rows(run)
    n_obs = own.groupby("person").size()
    theirs = other.y.groupby(other.groups).size()
    rows: list[tuple[str, object, object, str]] = [
        ("people", data["n_persons"], other.n_persons, ""),
        ("rows per person (median)", float(n_obs.median()), float(theirs.median()), ""),
        ("share of rows with an outcome", 1 - data["n_missing_outcome"] / max(1, data["n_rows"]),
         float(other.y.notna().mean()), ""),
        ("time between rows (median)", *_spacings(run, other), ""),
    ]  # fmt: skip
    rows += _outcomes(own["observed"], other)
    scaler = model._encoder.scaler
    for k, name in enumerate(map(str, model.feature_names_in_)):
        values = other.X[name]
        mean, sd = float(scaler.mean[k]), float(scaler.sd[k])
        apart = (float(values.mean()) - mean) / sd if sd > 0 else 0.0
        note = f"{apart:+.2f} SD apart" if abs(apart) > _MEAN else ""
        rows.append((f"mean of {name}", mean, float(values.mean()), note))
    shared = len({*map(str, n_obs.index)} & {*map(str, theirs.index)})
    note = "the same people? then the studies are not independent" if shared else ""
    rows.append(("ids that both studies have", shared, shared, note))
    table = pd.DataFrame(rows, columns=["what", "study_a", "study_b", "note"])
    told = table[table["note"] != ""]
    notes = [f"{row.what}: {row.note}." for row in told.itertuples()]
    return Alike(table, tuple(notes))


def _outcomes(own: pd.Series, other: Study) -> list[tuple[str, object, object, str]]:
    if other.outcome_kind == "number":
        a, b = pd.to_numeric(own), other.y
        apart = (float(b.mean()) - float(a.mean())) / float(a.std())
        note = f"{apart:+.2f} SD apart" if abs(apart) > _MEAN else ""
        return [
            ("mean of the outcome", float(a.mean()), float(b.mean()), note),
            ("SD of the outcome", float(a.std()), float(b.std()), ""),
        ]
    found: list[tuple[str, object, object, str]] = []
    for state in map(str, other.classes):
        first, second = (
            float((one.dropna().astype(str) == state).mean()) for one in (own, other.y)
        )
        apart = second - first
        note = f"{apart:+.2f}" if abs(apart) > _SHARE else ""
        found.append((f"share of {state}", first, second, note))
    return found


def _rows(run: RunFolder) -> pd.DataFrame:
    """Rows of the run's study, each once."""
    table = run.table("predictions")
    return table[table["model"] == "nme"]


def _spacings(run: RunFolder, other: Study) -> tuple[float, float]:
    """Median time between neighbouring rows of a sequence, in days where times are dates."""
    own = _rows(run)
    return (
        _spacing(own["time"], own["sequence"]),
        _spacing(other.time, other.sequence_ids),
    )


def _spacing(time: pd.Series | None, sequence: pd.Series) -> float:
    if time is None or time.isna().all():
        return float("nan")
    at = pd.to_numeric(time, errors="coerce") if not _is_date(time) else None
    if at is None or at.isna().all():
        dates = pd.to_datetime(time, utc=True, format="mixed")
        at = (dates - dates.min()) / pd.Timedelta(days=1)
    frame = pd.DataFrame({"at": at.to_numpy(), "sequence": sequence.to_numpy()})
    steps = frame.sort_values("at").groupby("sequence")["at"].diff().dropna()
    return float(steps[steps > 0].median())


def _is_date(values: pd.Series) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(values))
