"""All persons of a run at once: their order, groups, distances and sequences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.services import results
from dashboard.services.results import POPULATION
from nme_core.analysis import (
    Move,
    headline,
    may_lead,
    person_moves,
)
from nme_core.analysis import supported as supported


@dataclass(frozen=True)
class Level:
    """How far a person's predictions lie from the population's, along one feature.

    ``label`` is the class whose probability that is; empty where the outcome is a number.
    """

    feature: str
    label: str
    difference: float


def furthest(identity: str, most: int = 10) -> pd.DataFrame:
    """Persons furthest from the population: person, distance, parameter, in_sd, n_obs.

    The distance is the root mean square of a person's deviations, each in the model's SD of that
    parameter; ``parameter`` is the one with the largest, ``in_sd`` its size.
    """
    rows = _may_lead(identity, results.effects(identity))
    deviation = rows["estimate"] / rows["parameter"].map(results.model_sd(identity))
    rows = rows.assign(in_sd=deviation)[np.isfinite(deviation)]
    if rows.empty:
        return pd.DataFrame(columns=["person", "distance", "parameter", "in_sd", "n_obs"])
    largest = rows.loc[rows["in_sd"].abs().groupby(rows["person"]).idxmax()].set_index("person")
    distance = np.sqrt((rows["in_sd"] ** 2).groupby(rows["person"]).mean())
    table = largest[["parameter", "in_sd", "n_obs"]].assign(distance=distance)
    table = table.sort_values("distance", ascending=False).head(most).reset_index()
    return table[["person", "distance", "parameter", "in_sd", "n_obs"]]


def _may_lead(identity: str, effects: pd.DataFrame) -> pd.DataFrame:
    """Without transitions from states that a person was hardly ever in."""
    if not results.has_table(identity, "transitions"):
        return effects
    rows = results.table(identity, "transitions")
    rows = rows[(rows["readout"] == "observed") & (rows["person"] != POPULATION)]
    rare = rows[~may_lead(rows)]
    names = "transitions[" + rare["from"] + "," + rare["to"] + "]"
    few = pd.MultiIndex.from_arrays([rare["person"], names])
    return effects[~pd.MultiIndex.from_frame(effects[["person", "parameter"]]).isin(few)]


def largest_move(identity: str, person: str, readout: str) -> Move | None:
    """The transition that differs most from the population in a read-out; None where none does."""
    return headline(person_moves(results.table(identity, "transitions"), person, readout))


def level(identity: str, person: str) -> Level | None:
    """How far a person's predictions lie from the population's, where that is furthest.

    The mean of own minus shared over the values of one feature that the person had; None where
    the person has no response curve.
    """
    rows = results.table(identity, "response_curves")
    key = ["feature", "class", "x"]
    own, shared = (rows[rows["person"] == name] for name in (person, POPULATION))
    both = own.merge(shared, on=key, suffixes=("", "_shared"))
    if both.empty:
        return None
    gaps = (both["value"] - both["value_shared"]).groupby([both["feature"], both["class"]]).mean()
    furthest = gaps.reset_index(name="gap").iloc[int(gaps.abs().argmax())]
    return Level(str(furthest["feature"]), str(furthest["class"]), float(furthest["gap"]))


def furthest_in_level(identity: str, most: int) -> pd.DataFrame:
    """Persons whose `level` is the furthest, the furthest first: person, n_obs."""
    rows = results.table(identity, "response_curves")
    key = ["feature", "class", "x"]
    shared = rows[rows["person"] == POPULATION].set_index(key)["value"]
    own = rows[rows["person"] != POPULATION]
    gaps = own["value"] - shared.reindex(pd.MultiIndex.from_frame(own[key])).to_numpy()
    means = gaps.groupby([own["person"], own["feature"], own["class"]]).mean().abs()
    size = means.groupby(level=0).max().nlargest(most)
    n_obs = results.effects(identity).groupby("person")["n_obs"].first()
    return n_obs.reindex(size.index).rename_axis("person").reset_index()
