"""What a grid of placements and shares of rows amounts to: paired differences, and from when on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.metrics import compare
from nme_core.runs.skill import change_words
from nme_core.vocabulary.terms import metric_name, placement_name

COLUMNS = (
    "placement", "share", "reference", "difference", "ci_low", "ci_high", "p", "n_persons",
    "rows", "metric", "loss", "reference_loss",
)  # fmt: skip
#: The model without person-specific parameters.
GENERIC = "generic"
#: Resamples of the people that say how certain a recommendation is.
RESAMPLES = 1000

Floats = NDArray[np.float64]


def summarised(
    people: pd.DataFrame, placements: Sequence[str], *, seed: int = 0
) -> tuple[pd.DataFrame, str, dict[str, Any]]:
    """Compare placements with one model for all and with each other; recommend one.

    Parameters
    ----------
    people : DataFrame
        ``placement`` (or `GENERIC`), ``share``, ``n_persons``, ``seed``, ``person``, ``value``
        (the person's loss), ``rows`` (median number that a person was learned from), ``metric``.
    placements : sequence of str
        In the order in which they are named.
    seed : int
        Of the resamples.

    Returns
    -------
    summary : DataFrame
        `COLUMNS`: mean over people of the loss of a placement less that of the reference, below 0
        where the placement predicts better; a person's loss is the mean over seeds.
    answer : str
    numbers : dict
    """
    parts = []
    for (_, _), own in people.groupby(["n_persons", "share"], sort=True):
        parts += _compared(own, placements)
    summary = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    most = people[people["n_persons"] == people["n_persons"].max()]
    answer, numbers = _recommended(most, summary, placements, seed)
    return summary, answer, numbers


def _by_person(own: pd.DataFrame) -> pd.DataFrame:
    """Mean loss over seeds, person × placement, of people who have all of them."""
    wide = own.pivot_table(index="person", columns="placement", values="value", aggfunc="mean")
    return wide.dropna()


def _compared(own: pd.DataFrame, placements: Sequence[str]) -> list[pd.DataFrame]:
    """Rows of the summary of one share; none where all but one placement failed."""
    wide = _by_person(own)
    there = [one for one in (GENERIC, *placements) if one in wide]
    stacked = wide[there].rename_axis(columns="model").unstack()
    long = stacked.rename("value").reset_index()  # type: ignore[call-overload]
    metric = str(own["metric"].iloc[0])
    long = long.assign(split="test", scope="person", metric=metric)
    parts = []
    for k, reference in enumerate(there[:-1]):
        some = long[long["model"].isin(there[k:])]
        parts.append(compare(some, reference=reference))
    if not parts:
        return []
    found = pd.concat(parts, ignore_index=True).rename(columns={"model": "placement"})
    mean = wide.mean()
    found = found.assign(
        share=float(own["share"].iloc[0]),
        n_persons=int(own["n_persons"].iloc[0]),
        rows=float(own["rows"].median()),
        loss=found["placement"].map(mean),
        reference_loss=found["reference"].map(mean),
    )
    return [found[list(COLUMNS)]]


def _recommended(
    people: pd.DataFrame, summary: pd.DataFrame, placements: Sequence[str], seed: int
) -> tuple[str, dict[str, Any]]:
    """The best placement with all rows, from when on it pays, and how certain both are."""
    every = ((share, _by_person(own)) for share, own in people.groupby("share", sort=True))
    by_share = {share: wide for share, wide in every if GENERIC in wide and wide.shape[1] > 1}
    if not by_share:
        return "No share of rows could be fitted with any placement.", {}
    persons = sorted(set.intersection(*({*wide.index} for wide in by_share.values())))
    shares = list(by_share)
    # (shares, people, placements); missing where a fit failed, which gains nothing
    gain = np.stack(
        [
            wide.loc[persons, [GENERIC]].to_numpy()
            - wide.reindex(columns=list(placements)).loc[persons].to_numpy()
            for wide in by_share.values()
        ]
    )
    rows = [float(people.loc[people["share"] == share, "rows"].median()) for share in shares]
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(persons), size=(RESAMPLES, len(persons)))
    means = np.stack(
        [gain[:, who].mean(axis=1) for who in drawn]
    )  # (resamples, shares, placements)
    middle = gain.mean(axis=1)
    best = int(np.nanargmax(middle[-1]))
    same = float((np.nanargmax(means[:, -1], axis=1) == best).mean())
    start = _from_when(middle[None, :, best])[0]
    starts = _from_when(means[:, :, best])
    best_of = [placements[k] for k in np.nanargmax(middle, axis=1)]
    numbers = {
        "placement": placements[best],
        "chosen_in_resamples": same,
        "n_persons": len(persons),
        "rows": rows,
        "best_by_rows": best_of,
        "pays_from_rows": None if start == len(rows) else rows[start],
        "pays_from_rows_resamples": {
            **{f"{rows[k]:g}": float((starts == k).mean()) for k in range(len(rows))},
            "never": float((starts == len(rows)).mean()),
        },
        "pays_from_rows_by_placement": {
            name: None if first == len(rows) else rows[first]
            for name, first in zip(placements, _from_when(middle.T), strict=True)
        },
    }
    sure = f" In {100 * same:.0f} % of resamples no other placement is better."
    answer = _sentence(summary, placements[best], rows, start, starts)
    answer += sure if len(placements) > 1 and start < len(rows) else ""
    others = [k for k, name in enumerate(best_of) if name != placements[best]]
    if others and start < len(rows):
        few = f"{rows[others[-1]]:.0f} rows a person" + (" or fewer" if others[-1] else "")
        answer += f" With {few}, those in {placement_name(best_of[others[-1]])} predict better."
    return answer, numbers


def _from_when(gain: Floats) -> NDArray[np.intp]:
    """First share from which on all gains are above 0, (n, shares) → (n,); their number: none."""
    lost = ~(gain > 0)
    last = lost.shape[1] - 1 - lost[:, ::-1].argmax(axis=1)
    return np.where(lost.any(axis=1), last + 1, 0)


def _sentence(
    summary: pd.DataFrame,
    best: str,
    rows: list[float],
    start: int,
    starts: NDArray[np.intp],
) -> str:
    own = summary[(summary["placement"] == best) & (summary["reference"] == GENERIC)]
    one = own.sort_values(["n_persons", "share"]).iloc[-1]
    words = f"in {placement_name(best)}"
    size = 1 / one["reference_loss"] if one["reference_loss"] else np.nan
    saved = (-size * one[name] for name in ("difference", "ci_high", "ci_low"))
    with_all = (
        f"Against one model for all, {metric_name(str(one['metric']))} with {rows[-1]:,.0f} rows a"
        f" person is {change_words(*saved)}."
    )
    if start == len(rows):
        return (
            f"Person-specific parameters do not pay with up to {rows[-1]:,.0f} rows a person. The"
            f" best placement is {words}. {with_all}"
        )
    ends = np.quantile(np.append(rows, np.inf)[starts], [0.025, 0.975], method="nearest")
    until = "more than there are" if np.isinf(ends[1]) else f"{ends[1]:.0f}"
    since = f"about {rows[start]:.0f} rows a person on" if start else "the fewest rows here on"
    certain = f"{ends[0]:.0f} to {until} in 95 % of resamples of the people"
    return f"Person-specific parameters {words} pay from {since} ({certain}). {with_all}"
