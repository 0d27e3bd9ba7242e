"""One claim over all defensible ways to analyse a study: in which share of them does it hold?"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nme_core.estimators import NMECRF
from nme_core.exceptions import NMEWarning, OptionError
from nme_core.parallel import Outcome
from nme_core.runs.fit import FitOptions
from nme_core.runs.fit.options import fit_options
from nme_core.runs.fit.rows import StudyRows
from nme_core.runs.research.claims import Claim
from nme_core.runs.research.study_files import StudyFiles, as_json
from nme_core.runs.research.tasks import Report, TaskOptions, kept_in, run_kept
from nme_core.runs.research.verdict import Verdict, write_tables
from nme_core.runs.research.worlds import (
    CHOICES,
    World,
    by_choice,
    choices_of,
    options_in,
    study_in,
    worlds_of,
)
from nme_core.study import Study
from nme_core.vocabulary.text import number

#: Worlds at most.
MOST_WORLDS = 500
COLUMNS = ("world", *CHOICES, "estimate", "ci_low", "ci_high", "holds", "note")


def multiverse(
    files: StudyFiles,
    study: Study,
    options: FitOptions,
    claim: Claim,
    out: Path,
    tasks: TaskOptions | None = None,
    *,
    most: int = MOST_WORLDS,
    report: Report | None = None,
) -> tuple[pd.DataFrame, Verdict]:
    """Ask one claim of every world: a combination of choices that one could defend.

    Parameters
    ----------
    files : StudyFiles
        Where the study is, for tasks in other processes.
    study : Study
        The same study, read.
    options : FitOptions
        What is fitted in the first world.
    claim : Claim
        What is asked.
    out : Path
        Folder for ``multiverse.csv`` and ``verdict.json``.
    tasks, report
        As `run_kept` takes them.
    most : int
        Of more combinations so many are drawn by the seed, the first world among them.

    Returns
    -------
    table : DataFrame
        ``multiverse.csv``, see `COLUMNS`; a world that could not be fitted has no estimate and a
        note.
    verdict : Verdict

    Raises
    ------
    OptionError
        For a claim about what the study does not have, or a choice that there is not.
    TrainingError
        Where no world could be fitted.
    """
    if not 1 <= most <= MOST_WORLDS:
        raise OptionError(f"{most} worlds.", remedy=f"Give 1 to {MOST_WORLDS}.")
    claim.check([str(one) for one in study.persons], study.covariates)
    choices = choices_of(files, study, options, claim)
    worlds = worlds_of(choices, most, options.seed)
    given = {
        "files": files.arguments,
        "options": as_json(replace(options, baselines=())),
        "claim": {
            claim.about: claim.name, "parameter": claim.parameter, "direction": claim.direction,
        },
    }  # fmt: skip
    todo = {f"world {k + 1}": {**given, "world": world} for k, world in enumerate(worlds)}
    kept = kept_in(out, "multiverse")
    found = run_kept(one_world, todo, kept, tasks or TaskOptions(), report)
    table = _table(found, worlds)
    total = int(np.prod([len(values) for values in choices.values()]))
    verdict = _verdict(table, choices, claim, found, total)
    write_tables(out, {"multiverse": table})
    verdict.write(out)
    kept.unlink(missing_ok=True)
    return table, verdict


def one_world(
    *, files: dict[str, Any], options: dict[str, Any], claim: dict[str, Any], world: World
) -> dict[str, Any]:
    """Fit one world to all of its rows and ask the claim of it."""
    asked = Claim.of(claim)
    study = study_in(files, world)
    said = options_in(fit_options(options), world)
    if said.model != "nme-crf":
        study = study.with_observed_outcome()
    model: Any = said.estimator_for(study)
    rows = StudyRows.of(study, sequential=isinstance(model, NMECRF))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NMEWarning)  # of single fits among many
        given = {**rows.fit_arguments, **rows.times_for(model)}
        # intervals of single people need what is uncertain in all that is shared
        model.fit(rows.X, rows.y, **given, uncertainty=asked.about == "person")
        parameter, found = asked.ask(model, study.X, study.covariates)
    ends = (found.estimate, found.low, found.high)
    estimate, low, high = (one if np.isfinite(one) else None for one in ends)
    return {
        "parameter": parameter,
        "estimate": estimate,
        "ci_low": low,
        "ci_high": high,
        "holds": None if np.isnan(ends).any() else asked.holds(found),
    }


def _table(found: Mapping[str, Outcome], worlds: list[World]) -> pd.DataFrame:
    rows = []
    for k, (one, world) in enumerate(zip(found.values(), worlds, strict=True)):
        value = one.value or dict.fromkeys(("estimate", "ci_low", "ci_high", "holds"))
        note = one.error or ("" if value["holds"] is not None else "It has no interval.")
        rows.append({"world": k + 1, **world, **value, "note": note})
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    for name in ("estimate", "ci_low", "ci_high"):
        table[name] = table[name].astype(np.float64)
    return table


def _verdict(
    table: pd.DataFrame,
    choices: Mapping[str, list[Any]],
    claim: Claim,
    found: Mapping[str, Outcome],
    total: int,
) -> Verdict:
    known = table[table["holds"].notna()]
    notes = []
    if total > len(table):
        notes.append(f"Worlds drawn by chance: {len(table)} of {total}.")
    if len(known) < len(table):
        lost = table[table["holds"].isna()]
        why = str(lost["note"].iloc[0])
        notes.append(
            f"Worlds that say nothing: {len(lost)} of {len(table)}, such as the first: {why}"
        )
    names = [one.value["parameter"] for one in found.values() if one.value]
    words = claim.words(names[0] if names else str(claim.parameter))
    shares = by_choice(table)
    numbers: dict[str, Any] = {
        "claim": words, "worlds": len(known), "holds": int(known["holds"].astype(bool).sum()),
        "share": float(known["holds"].astype(bool).mean()) if len(known) else np.nan,
        "estimate": {
            name: float(known["estimate"].quantile(at)) if len(known) else np.nan
            for name, at in (("lowest", 0.0), ("median", 0.5), ("highest", 1.0))
        },
        "choices": {name: [str(one) for one in values] for name, values in choices.items()},
        "by_choice": shares,
    }  # fmt: skip
    if known.empty:
        answer = f"In no world it can be said whether {words}."
        return Verdict("multiverse", answer, numbers, tuple(notes))
    first = table.iloc[0]
    given = ""
    if first["holds"] is not None and 0 < numbers["share"] < 1:
        given = (
            f", {'also' if first['holds'] else 'not'} in the first, the analysis as it was given"
        )
    answer = (
        f"The claim that {words} holds in {numbers['holds']} of {len(known)} worlds "
        f"({100 * numbers['share']:.0f} %{given}); the estimate is between "
        f"{number(known['estimate'].min())} and {number(known['estimate'].max())}, median "
        f"{number(known['estimate'].median())}.{_decides(shares)}"
    )
    return Verdict("multiverse", answer, numbers, tuple(notes))


def _decides(shares: pd.DataFrame) -> str:
    """The choice by which it differs most whether the claim holds."""
    if shares.empty:
        return ""
    spread = shares.groupby("choice", sort=False)["holds"].agg(lambda one: one.max() - one.min())
    name = str(spread.idxmax())
    if spread[name] == 0:
        return ""
    own = shares[shares["choice"] == name]
    said = ", ".join(
        f"{100 * share:.0f} % with {value}"
        for value, share in zip(own["value"], own["holds"], strict=True)
    )
    return f" It depends most on {name}: {said}."
