"""What refits with several structures of Σ say for and against a diagonal one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nme_core.io import RunFolder
from nme_core.metrics import compare
from nme_core.runs.comparing.likelihood_ratio import likelihood_ratio
from nme_core.runs.research.covariance_words import ALPHA, Evidence
from nme_core.training.covariance import PATTERNS
from nme_core.training.structure_choice import DIAGONAL, FULL, PEOPLE_EACH

#: All structures, in the order of their table.
STRUCTURES = (DIAGONAL, *PATTERNS, FULL)


def weigh(run: RunFolder, fits: Mapping[str, Any], n_random: int) -> Evidence:
    """Put the evidence together, and choose."""
    diagonal, full = fits.get(DIAGONAL), fits.get(FULL)
    n_people = int(run.table("random_effects")["person"].nunique())
    ratio = _ratio(diagonal, full)
    correlations = None if diagonal is None else diagonal["correlations"]
    if correlations is not None:
        words = run.parameter_names.words
        names = {key: words(correlations[key]) for key in ("parameter", "parameter_2")}
        correlations = {**correlations, **names}
    alone = ratio is not None and ratio["df"] == n_random * (n_random - 1) // 2
    enough = ratio is not None and n_people >= PEOPLE_EACH * ratio["df"]
    by_ratio = alone and enough and ratio is not None and np.isfinite(ratio["p"])
    p = ratio["p"] if by_ratio and ratio is not None else None
    if p is None and correlations is not None:
        p = correlations["p_adjusted"]
    is_diagonal = None if p is None else bool(p >= ALPHA)
    chosen = _chosen(fits, is_diagonal)
    return Evidence(
        n_people=n_people,
        diagonal=is_diagonal,
        p=p,
        decided_by="likelihood ratio" if by_ratio else "correlations" if p is not None else "",
        likelihood_ratio=ratio,
        n_at_zero=0 if diagonal is None else diagonal["n_at_zero"],
        correlations=correlations,
        chosen=chosen,
        held_out=_held_out(fits, chosen),
        readouts=_moved(diagonal, fits.get(chosen if chosen != DIAGONAL else FULL)),
        lowest=_lowest(fits),
    )


def _ratio(diagonal: Mapping[str, Any] | None, full: Mapping[str, Any] | None) -> Any:
    """Likelihood-ratio test of the full Σ; None where there is no likelihood to test by."""
    if diagonal is None or full is None or None in (diagonal["aic"], full["aic"]):
        return None
    df = round(full["n_parameters"] - diagonal["n_parameters"])
    if df < 1 or diagonal["method"] != full["method"]:
        return None
    found = likelihood_ratio(
        diagonal["log_likelihood"], full["log_likelihood"], df=df, n_variances=0
    )
    return vars(found)


def _chosen(fits: Mapping[str, Any], is_diagonal: bool | None) -> str:
    """The structure that goes with the verdict: of several that with the lowest AIC, or where none
    has one that with the least loss on held-back rows.
    """
    others = [kind for kind in STRUCTURES[1:] if kind in fits]
    if DIAGONAL in fits and (is_diagonal or is_diagonal is None or not others):
        return DIAGONAL

    # a full Σ of many effects may have a prior, and then no likelihood to compare
    known = [kind for kind in others if fits[kind]["aic"] is not None]
    if known:
        return min(known, key=lambda kind: float(fits[kind]["aic"]))
    return min(others, key=lambda kind: pooled(fits[kind]))


def _lowest(fits: Mapping[str, Any]) -> str:
    """Structure with the lowest AIC; empty where fewer than two have one."""
    known = {kind: float(fit["aic"]) for kind, fit in fits.items() if fit["aic"] is not None}
    return min(known, key=known.__getitem__) if len(known) > 1 else ""


def pooled(fit: Mapping[str, Any]) -> float:
    """Held-out loss, all people pooled."""
    return next(float(row["value"]) for row in fit["metrics"] if row["scope"] == "pooled")


def _held_out(fits: Mapping[str, Any], chosen: str) -> dict[str, Any] | None:
    """Loss of the structure that rivals the diagonal one, minus its loss, over people."""
    other = chosen if chosen != DIAGONAL else FULL
    if DIAGONAL not in fits or other not in fits:
        return None
    rows = [row for kind in (DIAGONAL, other) for row in fits[kind]["metrics"]]
    own = pd.DataFrame(rows)
    row = compare(own[own["scope"] == "person"], reference=DIAGONAL).iloc[0]
    shown = ("model", "reference", "metric", "difference", "ci_low", "ci_high", "p", "n_persons")
    return {name: row[name] for name in shown}


def _moved(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> Any:
    """By how much people's read-outs differ between two structures, in half widths."""
    if one is None or other is None:
        return None
    a = pd.DataFrame(one["readouts"]).set_index("key")
    b = pd.DataFrame(other["readouts"]).set_index("key").reindex(a.index)
    apart = (a["estimate"] - b["estimate"]).abs() / a["half"].where(a["half"] > 0)
    apart = apart.dropna()
    if apart.empty:
        return None
    return {
        "median": float(apart.median()),
        "largest": float(apart.max()),
        "share_outside": float((apart > 1).mean()),
        "n": len(apart),
    }
