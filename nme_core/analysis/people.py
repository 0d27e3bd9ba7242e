"""All people of a run at once: their order, how long they stay, distances and sequences."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from nme_core.analysis.covariates import PersonParameters
from nme_core.analysis.predictions import PARTS
from nme_core.analysis.random_effects import most_informative
from nme_core.analysis.support import of_persons, supported
from nme_core.io import POPULATION, RunFolder
from nme_core.vocabulary.language import tr

FloatArray = npt.NDArray[np.float64]

#: Orders of the people that need no covariate.
BY_ID, BY_SIMILARITY = "id", "similarity"


def in_order(folder: RunFolder, by: str = BY_ID) -> list[str]:
    """People with transitions, ordered by id, by similarity, or by a covariate.

    Similarity is the first principal component of their transition scores. People without the
    covariate come last.
    """
    rows = folder.table("transitions")
    people = [str(person) for person in rows["person"].unique() if person != POPULATION]
    if by == BY_ID:
        return people
    if by == BY_SIMILARITY:
        scores = person_by_move(rows[rows["readout"] == "scores"]).loc[people]
        along = _components(scores.to_numpy(dtype=np.float64), 1)[0][:, 0]
        return [people[i] for i in np.argsort(along, kind="stable")]
    values = folder.covariates[by].reindex(people)
    return values.sort_values(kind="stable", na_position="last").index.tolist()


def person_by_move(rows: pd.DataFrame) -> pd.DataFrame:
    """Values of one read-out, people and the population ("") × transitions (from, to)."""
    return rows.pivot(index="person", columns=["from", "to"], values="value")


def dwell_times(transitions: pd.DataFrame, person: str) -> pd.DataFrame:
    """Mean number of steps that a stay in each state lasts, for a person and the population.

    Of a state that is kept with probability p, 1 / (1 − p): p as the model expects it on the
    recorded rows, and as it was counted. At average features (``conditional``) p would be that of
    no recorded row.

    Returns
    -------
    DataFrame
        Columns state, who ("person …" or "population"), how ("expected" or "observed"), steps,
        low, high (ends of the 95 % interval). Missing where a state was never seen or never left.
    """
    staying = transitions["from"] == transitions["to"]
    rows = supported(transitions[staying & transitions["readout"].isin(["expected", "observed"])])
    parts = []
    for who, name in (
        (person, tr("person {person}").format(person=person)),
        (POPULATION, tr("population")),
    ):
        own = rows[rows["person"] == who]
        share = own[["value", "ci_low", "ci_high"]].set_axis(["steps", "low", "high"], axis=1)
        steps = 1 / (1 - share.where(share.to_numpy(dtype=float) < 1))
        about = own[["from", "readout"]].set_axis(["state", "how"], axis=1)
        parts.append(about.assign(who=name).join(steps))
    found = pd.concat(parts, ignore_index=True)
    return found[["state", "who", "how", "steps", "low", "high"]]


def person_map(parameters: PersonParameters) -> tuple[pd.DataFrame, list[float]]:
    """People (index) on the first two principal components, and the variance share of each.

    Of the parameters that are tested against covariates, each scaled to unit variance unless they
    are of one kind.
    """
    values = parameters.values.to_numpy(dtype=np.float64)
    if parameters.standardise:
        spread = values.std(axis=0)
        values = values / np.where(spread > 0, spread, 1.0)
    places, shares = _components(values, 2)
    index = pd.Index(parameters.values.index, name="person")
    return pd.DataFrame(places, index=index, columns=["first", "second"]), shares


def correlations_of_most(folder: RunFolder, most: int) -> pd.DataFrame | None:
    """Rows of ``correlations`` of the most informative parameters, so many at most.

    None where they were not computed.
    """
    if not folder.has_table("correlations"):
        return None
    rows = folder.table("correlations")
    there = {*rows["parameter"], *rows["parameter_2"]}
    names = most_informative(of_persons(folder.table("random_effects")))
    chosen = [name for name in names if name in there][:most]
    return rows[rows["parameter"].isin(chosen) & rows["parameter_2"].isin(chosen)]


def sequences(predictions: pd.DataFrame, person: str) -> pd.DataFrame | None:
    """NME's predictions of one person's rows in order, all parts; None without probabilities.

    Columns sequence, time, split, observed, predicted, and one ``p_<state>`` for each state.
    """
    if not any(name.startswith("p_") for name in predictions.columns):
        return None
    rows = predictions[(predictions["model"] == "nme") & (predictions["person"] == person)]
    # Within a part rows stand in order of time already; names of sequences have no order.
    return rows.assign(part=rows["split"].map(PARTS)).sort_values("part", kind="stable")


def _components(values: FloatArray, count: int) -> tuple[FloatArray, list[float]]:
    """Places on the first principal components, and their shares of the variance."""
    centred = values - values.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    total = float((sizes**2).sum()) or 1.0
    places = np.zeros((len(values), count))
    kept = min(count, len(sizes))
    places[:, :kept] = left[:, :kept] * sizes[:kept]
    # The sign of a component is arbitrary; the person who is furthest out is put on its right.
    for k in range(kept):
        places[:, k] *= np.sign(places[np.abs(places[:, k]).argmax(), k]) or 1.0
    return places, [float(size**2 / total) for size in sizes[:kept]]
