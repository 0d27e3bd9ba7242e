"""What the scores amount to: loss by rival, and what NME saves of it, paired over people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nme_core.metrics import compare
from nme_core.metrics.skill import skill_of
from nme_core.scoreboard.rivals import OURS

COLUMNS = [
    "protocol", "rival", "loss", "sd_seeds", "n_fits", "seconds", "saved", "ci_low", "ci_high",
    "p_adjusted", "n_persons", "error",
]  # fmt: skip


def standing(scores: pd.DataFrame, fits: pd.DataFrame) -> pd.DataFrame:
    """One row per protocol and rival, those with the smallest loss first.

    Parameters
    ----------
    scores, fits : DataFrame
        Of a `Game`.

    Returns
    -------
    DataFrame
        ``loss``: mean over held-back rows, and over seeds; ``sd_seeds`` over them. ``saved``: share
        of the rival's loss that NME saves, below 0 where NME loses, with a 95 % interval by
        resampling people; ``p_adjusted``: paired test over people (swaps of the two), corrected
        over the rivals of the protocol. ``seconds``: processor time of one fit, the
        median. ``error``: why there
        is no loss.
    """
    parts = [
        _of_one(str(name), scores[scores["protocol"] == name] if len(scores) else scores, own)
        for name, own in fits.groupby("protocol", sort=False)
    ]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return found[COLUMNS]


def _of_one(protocol: str, scores: pd.DataFrame, fits: pd.DataFrame) -> pd.DataFrame:
    people = _by_person(scores) if len(scores) else {}
    tested = _tests(people)
    rows = []
    for rival, own in fits.groupby("name", sort=False):
        errors = own.loc[own["error"] != "", "error"]
        row: dict[str, object] = {
            "protocol": protocol, "rival": rival, "n_fits": int((own["error"] == "").sum()),
            "seconds": float(own["seconds"].median()), "error": "",
        }  # fmt: skip
        if len(errors):
            row["error"] = str(errors.iloc[0])
        elif rival in people:
            row |= _loss(scores[scores["name"] == rival])
            if OURS in people:
                row |= _saved(people[OURS], people[str(rival)])
            row["p_adjusted"] = tested.get(str(rival), np.nan)
        rows.append(row)
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return table.sort_values("loss", kind="stable", ignore_index=True)


def _loss(scores: pd.DataFrame) -> dict[str, float]:
    sums = scores.groupby("seed")[["loss", "n"]].sum()
    by_seed = sums["loss"] / sums["n"]
    return {"loss": float(by_seed.mean()), "sd_seeds": float(by_seed.std())}


def _by_person(scores: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every rival's loss and rows by person, folds summed, seeds averaged."""
    sums = scores.groupby(["name", "seed", "person"])[["loss", "n"]].sum()
    means = sums.groupby(["name", "person"]).mean()
    return {str(name): own.droplevel(0) for name, own in means.groupby(level=0)}


def _saved(ours: pd.DataFrame, theirs: pd.DataFrame) -> dict[str, float]:
    both = ours.assign(theirs=theirs["loss"]).dropna()
    saved, low, high = skill_of(both["loss"].to_numpy(), both["theirs"].to_numpy())
    return {"saved": saved, "ci_low": low, "ci_high": high, "n_persons": len(both)}


def _tests(people: dict[str, pd.DataFrame]) -> dict[str, float]:
    """Corrected p of each rival beside NME, by swapping the two of randomly chosen people."""
    if OURS not in people or len(people) < 2:
        return {}
    parts = [
        pd.DataFrame(
            {
                "model": name, "split": "test", "scope": "person", "person": own.index.astype(str),
                "metric": "loss", "value": (own["loss"] / own["n"]).to_numpy(),
                "n": own["n"].to_numpy(),
            }
        )
        for name, own in people.items()
    ]  # fmt: skip
    found = compare(pd.concat(parts, ignore_index=True), OURS)
    return dict(zip(found["model"].astype(str), found["p_adjusted"], strict=True))
