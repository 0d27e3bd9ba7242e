"""Defensible choices of an analysis, and the worlds that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from nme_core.estimators.options import AUTO
from nme_core.exceptions import OptionError
from nme_core.nn import COUNTS
from nme_core.runs.fit import FitOptions
from nme_core.runs.research.claims import Claim
from nme_core.runs.research.study_files import StudyFiles, study_of
from nme_core.study import Study
from nme_core.study.clean.missing import MISSING
from nme_core.study.time.gaps import NEVER
from nme_core.training.structure_choice import DIAGONAL, FULL

#: Columns of ``multiverse.csv`` that are choices, in order.
CHOICES = (
    "missing", "max_gap", "exclusions", "placement", "covariance", "residual", "hidden", "seed",
)  # fmt: skip
NOBODY, OUTLIERS, FEWER = "none", "outliers", "fewer than "
#: An outcome so many SDs from its person's mean is an outlier.
_FAR = 3.0
#: Σ is whole where a person has up to so many numbers.
_MOST_EFFECTS = 10
_FEWEST_PEOPLE = 8

World = dict[str, Any]


def choices_of(
    files: StudyFiles, study: Study, options: FitOptions, claim: Claim
) -> dict[str, list[Any]]:
    """Values of each choice that make a difference here, what was asked for first.

    A claim may name values itself: then these are taken, and no others.

    Raises
    ------
    OptionError
        For a choice that there is not.
    """
    unknown = [name for name in claim.choices if name not in CHOICES]
    if unknown:
        raise OptionError(
            f"No choice is called {unknown[0]!r}.", remedy=f"Choices are {', '.join(CHOICES)}."
        )
    found = {
        "missing": _missing(files),
        "max_gap": _gaps(files, study, options),
        "exclusions": _exclusions(study, claim),
        **_of_model(study, options, claim),
    }
    found |= {name: list(values) for name, values in claim.choices.items() if values}
    return {name: found[name] for name in CHOICES}


def _missing(files: StudyFiles) -> list[Any]:
    given = files.recipe.missing
    empty = study_of(files.arguments, missing="indicator").X.isna().to_numpy().any()
    return [given, *(one for one in MISSING if one != given)] if empty else [given]


def _gaps(files: StudyFiles, study: Study, options: FitOptions) -> list[Any]:
    given = files.recipe.max_gap
    if options.model != "nme-crf" or study.time is None or given == NEVER:
        return [given]
    without = study_of(files.arguments, max_gap=NEVER)
    differs = without.sequence_ids.nunique() != study.sequence_ids.nunique()
    return [given, NEVER] if differs else [given]


def _exclusions(study: Study, claim: Claim) -> list[Any]:
    """Nobody, people with few rows, outliers; what leaves the person of the claim in."""
    counts = study.groups.value_counts()
    fewest = {10, int(np.quantile(counts, 0.2)) + 1}
    values: list[Any] = [NOBODY]
    for least in sorted(fewest):
        kept = counts[counts >= least]
        if not _FEWEST_PEOPLE <= len(kept) < len(counts):
            continue
        if claim.about == "covariate" or claim.name in kept.index:
            values.append(f"{FEWER}{least} rows")
    if study.outcome_kind == "number" and _outliers(study).any():
        values.append(OUTLIERS)
    return values


def _outliers(study: Study) -> Any:
    own = study.y.groupby(study.groups)
    away = study.y - own.transform("mean")
    return (away.abs() > _FAR * float(np.sqrt(own.var(ddof=1).mean()))).to_numpy()


def _of_model(study: Study, options: FitOptions, claim: Claim) -> dict[str, list[Any]]:
    states = options.model == "nme-crf"
    placement = options.placement or ("transitions" if states else "all")
    placements = [placement]
    flat = options.hidden in (None, (), "none")
    if states:
        placements += ["last+transitions" if placement == "transitions" else "transitions"]
    elif flat and not (claim.parameter or "").startswith("slope"):
        placements += ["layers.0.bias" if placement != "layers.0.bias" else "all"]
    effects = len(study.classes) ** 2 if states else study.X.shape[1] + 1
    covariance = DIAGONAL if options.covariance == AUTO else options.covariance
    other = FULL if covariance == DIAGONAL else DIAGONAL
    timed = flat and not states and study.outcome_kind == "number" and study.time is not None
    residual = [options.residual]
    if timed and options.family not in COUNTS:
        residual += ["iid" if options.residual != "iid" else "ar1"]
    return {
        "placement": placements,
        "covariance": [covariance, *([other] if effects <= _MOST_EFFECTS else [])],
        "residual": residual,
        "hidden": ["none"] if flat else [_text(options.hidden), "none"],
        "seed": [options.seed] if flat else [options.seed, options.seed + 1],
    }


def _text(hidden: Any) -> str:
    return hidden if isinstance(hidden, str) else ",".join(str(one) for one in hidden)


def worlds_of(choices: Mapping[str, Sequence[Any]], most: int, seed: int) -> list[World]:
    """All combinations; of more than `most` the one that was asked for, and others by chance."""
    sizes = [len(choices[name]) for name in CHOICES]
    total = int(np.prod(sizes))
    places = np.arange(total)
    if total > most:
        others = np.random.default_rng(seed).choice(total - 1, most - 1, replace=False) + 1
        places = np.append(0, np.sort(others))
    grid = np.array(np.unravel_index(places, sizes)).T
    return [{name: choices[name][k] for name, k in zip(CHOICES, row, strict=True)} for row in grid]


def study_in(files: dict[str, Any], world: World) -> Study:
    """The study as a world has it."""
    study = study_of(files, missing=world["missing"], max_gap=world["max_gap"])
    excluded = str(world["exclusions"])
    if excluded == OUTLIERS:
        return study.take(~_outliers(study))
    if excluded.startswith(FEWER):
        least = int(excluded.removeprefix(FEWER).split()[0])
        counts = study.groups.map(study.groups.value_counts()).astype(int)
        return study.take((counts >= least).to_numpy())
    if excluded != NOBODY:
        raise OptionError(
            f"No exclusion is called {excluded!r}.",
            remedy=f'Write "{NOBODY}", "{FEWER}10 rows" or "{OUTLIERS}".',
        )
    return study


def options_in(options: FitOptions, world: World) -> FitOptions:
    """Options of the fit as a world has them."""
    hidden: Any = str(world["hidden"])
    if hidden in ("none", ""):
        hidden = ()
    elif hidden != "auto":
        hidden = tuple(int(one) for one in hidden.split(","))
    placement = str(world["placement"])
    residual = world["residual"] if hidden == () else "auto"
    return replace(
        options, placement=placement, covariance=world["covariance"], residual=residual,
        hidden=hidden, activation=None if hidden in ((), "auto") else options.activation,
        seed=int(world["seed"]),
    )  # fmt: skip


def by_choice(table: pd.DataFrame) -> pd.DataFrame:
    """Share of worlds in which the claim holds, by each value of each choice that has several."""
    known = table[table["holds"].notna()]
    rows = [
        (name, str(value), float(own["holds"].astype(bool).mean()), len(own))
        for name in CHOICES
        if known[name].astype(str).nunique() > 1
        for value, own in known.groupby(known[name].astype(str), sort=False)
    ]
    return pd.DataFrame(rows, columns=["choice", "value", "holds", "worlds"])
