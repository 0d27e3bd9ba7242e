"""All persons of a run at once: their order, groups, distances and sequences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.services import results
from dashboard.services.covariates import groups_of, kind_of_groups, parameters
from dashboard.services.results import POPULATION
from nme_core.analysis import (
    Move,
    as_matrix,
    headline,
    may_lead,
    person_moves,
    person_rows,
    supported,
)
from nme_core.vocabulary.language import tr


@dataclass(frozen=True)
class Level:
    """How far a person's predictions lie from the population's, along one feature.

    ``label`` is the class whose probability that is; empty where the outcome is a number.
    """

    feature: str
    label: str
    difference: float


#: Orders of the persons that need no covariate.
BY_ID, BY_SIMILARITY = "id", "similarity"


def order(identity: str, by: str) -> list[str]:
    """Persons with transitions, ordered by id, by similarity, or by a covariate.

    Similarity is the first principal component of their transition scores. Persons without the
    covariate come last.
    """
    persons = results.persons(identity)
    if by == BY_ID:
        return persons
    if by == BY_SIMILARITY:
        scores = _wide(identity, "scores", whole=True).loc[persons]
        along = _components(scores.to_numpy(), 1)[0][:, 0]
        return [persons[i] for i in np.argsort(along, kind="stable")]
    values = results.covariates(identity)[by].reindex(persons)
    return values.sort_values(kind="stable", na_position="last").index.tolist()


def matrices(identity: str, readout: str, persons: list[str]) -> dict[str, pd.DataFrame]:
    """One matrix from × to for each of these persons."""
    return {person: results.transitions(identity, person, readout).person for person in persons}


@dataclass(frozen=True)
class Groups:
    """Mean matrices of groups of persons by a covariate, the lowest group first.

    Attributes
    ----------
    means : dict
        Number of persons and mean matrix (from × to) by the group's name.
    intervals : dict
        Ends of the 95 % intervals: of each group's means by its name (Student's t over persons),
        of the first group's minus the last one's by `contrast` (Welch's).
    sizes : dict
        Number of persons behind each cell of a group's mean: those who have a value there.
    kind : {"bands", "thirds", "values"}
        What the groups are.
    contrast : str
        What the difference is called.
    n_persons, n_unknown : int
        All persons with a matrix, and those whose covariate is not known.
    """

    means: dict[str, tuple[int, pd.DataFrame]]
    intervals: dict[str, tuple[pd.DataFrame, pd.DataFrame]]
    sizes: dict[str, pd.DataFrame]
    kind: str
    contrast: str
    n_persons: int
    n_unknown: int

    @property
    def difference(self) -> pd.DataFrame:
        """The first group's means minus the last one's."""
        names = list(self.means)
        return self.means[names[0]][1] - self.means[names[-1]][1]

    @property
    def n_outside(self) -> int:
        """Persons whose covariate is known and who are in no group."""
        return self.n_persons - self.n_unknown - sum(n for n, _ in self.means.values())


def group_matrices(identity: str, readout: str, covariate: str) -> Groups | None:
    """Mean matrix of each group by a covariate; None without groups.

    The groups are those of `groups_of`: bands, lowest and highest third, or the values.
    """
    wide = _wide(identity, readout).drop(index=POPULATION)
    values = results.covariates(identity)[covariate].reindex(wide.index)
    groups = groups_of(identity, values)
    if groups is None:
        return None
    parts = {
        str(name): wide.loc[wide.index.isin(groups.index[groups == name])]
        for name in dict.fromkeys(groups)
    }
    kind, names = kind_of_groups(identity, values), list(parts)
    first, last = names[0], names[-1]
    contrast = tr("low − high") if kind == "thirds" else f"{_short(first)} − {_short(last)}"
    bounds = (-np.inf, np.inf) if readout == "scores" else (0.0, 1.0)
    ends = {name: tuple(end.clip(*bounds) for end in _mean_interval(parts[name])) for name in names}
    ends[contrast] = _difference_interval(parts[first], parts[last])
    return Groups(
        means={name: (len(own), _square(own.mean())) for name, own in parts.items()},
        intervals={name: (_square(low), _square(high)) for name, (low, high) in ends.items()},
        sizes={name: _square(own.count()) for name, own in parts.items()},
        kind=kind,
        contrast=contrast,
        n_persons=len(wide),
        n_unknown=int(values.isna().sum()),
    )


def intervals(identity: str, person: str, readout: str) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Ends of the 95 % intervals of a person's matrix; None where the run has none."""
    rows = results.table(identity, "transitions")
    rows = supported(rows[(rows["readout"] == readout) & (rows["person"] == person)])
    if rows["ci_low"].isna().all():
        return None
    return as_matrix(rows, "ci_low"), as_matrix(rows, "ci_high")


def dwell_times(identity: str, person: str) -> pd.DataFrame:
    """Mean number of steps that a stay in each state lasts, for a person and the population.

    Of a state that is kept with probability p, 1 / (1 − p): p as the model expects it on the
    recorded rows, and as it was counted. At average features (``conditional``) p would be that of
    no recorded row.

    Returns
    -------
    DataFrame
        Columns state, who ("person …" or "population"), how ("expected" or "observed"), steps,
        low, high (ends of the 95 % interval). Empty where a state was never seen or never left.
    """
    rows = results.table(identity, "transitions")
    rows = supported(
        rows[(rows["from"] == rows["to"]) & rows["readout"].isin(["expected", "observed"])]
    )
    parts = []
    for who, name in (
        (person, tr("person {person}").format(person=person)),
        (POPULATION, tr("population")),
    ):
        own = rows[rows["person"] == who]
        steps = own[["value", "ci_low", "ci_high"]].set_axis(["steps", "low", "high"], axis=1)
        staying = steps.to_numpy(dtype=float)
        steps = 1 / (1 - steps.where(staying < 1))
        about = own[["from", "readout"]].set_axis(["state", "how"], axis=1)
        parts.append(about.assign(who=name).join(steps))
    found = pd.concat(parts, ignore_index=True)
    return found[["state", "who", "how", "steps", "low", "high"]]


def person_map(identity: str) -> tuple[pd.DataFrame, list[float]]:
    """Persons (index) on the first two principal components, and the variance share of each.

    Of the person parameters that are tested against covariates, each scaled to unit variance
    unless they are of one kind.
    """
    tested = parameters(identity)
    values = tested.values.to_numpy(dtype=float)
    if tested.standardise:
        spread = values.std(axis=0)
        values = values / np.where(spread > 0, spread, 1.0)
    places, shares = _components(values, 2)
    index = pd.Index(tested.values.index, name="person")
    return pd.DataFrame(places, index=index, columns=["first", "second"]), shares


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


def moves_of(identity: str, person: str, readout: str) -> pd.DataFrame:
    """Rows of the table ``transitions`` of a person, with how often each move was observed."""
    return person_rows(results.table(identity, "transitions"), person, readout)


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
    feature, label = gaps.abs().idxmax()
    return Level(str(feature), str(label), float(gaps[feature, label]))


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


def correlations(identity: str, most: int) -> pd.DataFrame | None:
    """Rows of ``correlations`` of the most informative parameters, so many at most.

    None where they were not computed.
    """
    if not results.has_table(identity, "correlations"):
        return None
    rows = results.table(identity, "correlations")
    there = {*rows["parameter"], *rows["parameter_2"]}
    chosen = [name for name in results.informative_parameters(identity) if name in there][:most]
    return rows[rows["parameter"].isin(chosen) & rows["parameter_2"].isin(chosen)]


def sequences(identity: str, person: str) -> pd.DataFrame | None:
    """NME's predictions of one person's rows in order, all parts; None without probabilities.

    Columns sequence, time, split, observed, predicted, and one ``p_<state>`` for each state.
    """
    rows = results.table(identity, "predictions")
    if not any(name.startswith("p_") for name in rows.columns):
        return None
    rows = rows[(rows["model"] == "nme") & (rows["person"] == person)]
    part = rows["split"].map({"train": 0, "validation": 1, "test": 2})
    # Within a part rows stand in order of time already; names of sequences have no order.
    return rows.assign(part=part).sort_values("part", kind="stable")


def _wide(identity: str, readout: str, *, whole: bool = False) -> pd.DataFrame:
    """Persons and the population ("") × transitions (from, to).

    Missing from states that a person was never in, unless `whole`.
    """
    rows = results.table(identity, "transitions")
    rows = rows[rows["readout"] == readout]
    rows = rows if whole else supported(rows)
    return rows.pivot(index="person", columns=["from", "to"], values="value")


def _mean_interval(own: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Ends of Student's 95 % interval of each column's mean over persons; NaN of one person."""
    from scipy.special import stdtrit

    n, mean = own.count(), own.mean()
    reach = stdtrit(n - 1, 0.975) * np.sqrt(own.var() / n)
    return mean - reach, mean + reach


def _difference_interval(one: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Ends of Welch's 95 % interval of the difference of means over persons, column by column."""
    from scipy.special import stdtrit

    squares = [own.var() / own.count() for own in (one, other)]
    total = squares[0] + squares[1]
    freedom = total**2 / sum(
        square**2 / (own.count() - 1) for square, own in zip(squares, (one, other), strict=True)
    )
    difference, reach = one.mean() - other.mean(), stdtrit(freedom, 0.975) * np.sqrt(total)
    return difference - reach, difference + reach


def _square(values: pd.Series) -> pd.DataFrame:
    """Values by (from, to) as a matrix, states in their order."""
    states = list(dict.fromkeys(values.index.get_level_values("from")))
    return values.unstack().reindex(index=states, columns=states)


def _short(group: str) -> str:
    """A group's name without the covariate before it, or the values of its band after it."""
    return group.split(": ", 1)[-1].split(" (", 1)[0]


def _components(values: np.ndarray, count: int) -> tuple[np.ndarray, list[float]]:
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
