"""Groups of people by a covariate: what they are, and their mean transitions and curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from nme_core.analysis import bands
from nme_core.analysis.people import person_by_move
from nme_core.analysis.support import supported
from nme_core.io import POPULATION, RunFolder
from nme_core.vocabulary.language import tr

#: Groups of people that are compared: how many, and the least people in each.
MOST_GROUPS = 6
LEAST_PERSONS = 5


def groups_by_value(values: pd.Series) -> pd.Series | None:
    """Each person's group by a covariate; None where there are no groups to compare.

    Of a number with more than two values, the people in the lowest and in the highest third
    (ties stay together); else every value is a group. All groups have at least 5 people.
    """
    known, name = values.dropna(), values.name
    if is_numeric_dtype(known) and known.nunique() > 2:
        low, high = known.quantile([1 / 3, 2 / 3])
        lowest, highest = known[known <= low], known[known >= high]
        if low == high or lowest.empty or highest.empty:
            return None
        first = tr("{name} up to {max:g}").format(name=name, max=lowest.max())
        last = tr("{name} from {min:g}").format(name=name, min=highest.min())
        groups = pd.concat([lowest.map(lambda _: first), highest.map(lambda _: last)])
    else:
        written = known.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
        groups = (f"{name}: " + written).sort_values()
    sizes = groups.value_counts()
    return groups if 2 <= len(sizes) <= MOST_GROUPS and sizes.min() >= LEAST_PERSONS else None


def groups_of(folder: RunFolder, values: pd.Series) -> pd.Series | None:
    """Each person's group by a covariate of a run: its bands where it has any, else as above."""
    own = bands.kept(folder, values)
    if not own:
        return groups_by_value(values)
    groups = bands.by_band(values, own)
    sizes = groups.value_counts()
    groups = groups[groups.map(sizes) >= LEAST_PERSONS]
    return groups if groups.nunique() >= 2 else None


def kind_of_groups(folder: RunFolder, values: pd.Series) -> str:
    """What the groups of `groups_of` are: "bands", "thirds" or "values"."""
    if bands.kept(folder, values):
        return "bands"
    return "thirds" if is_numeric_dtype(values) and values.nunique() > 2 else "values"


def band_of_persons(folder: RunFolder, covariate: str) -> pd.Series | None:
    """Each person's band, which colours figures; None where the covariate has no bands."""
    values = folder.covariates[covariate]
    own = bands.kept(folder, values)
    return bands.by_band(values, own) if own else None


def group_curves(folder: RunFolder, covariate: str, curves: pd.DataFrame) -> pd.DataFrame | None:
    """Mean of people's response curves in each group: group, n_persons, x, value.

    Only where at least half of a group's people were observed. None where the covariate makes
    no groups to compare. `curves` are of one feature and class.
    """
    curves = curves[curves["person"] != POPULATION]
    values = folder.covariates[covariate]
    groups = groups_of(folder, values[values.index.isin(curves["person"].unique())])
    if groups is None:
        return None
    own = curves.assign(group=curves["person"].map(groups)).dropna(subset=["group"])
    means = own.groupby(["group", "x"])["value"].agg(["mean", "size"]).reset_index()
    means["n_persons"] = means["group"].map(groups.value_counts())
    means = means[2 * means["size"] >= means["n_persons"]].rename(columns={"mean": "value"})
    ordered: pd.DataFrame = pd.concat(
        [means[means["group"] == group] for group in dict.fromkeys(groups)]
    )
    found: pd.DataFrame = ordered[["group", "n_persons", "x", "value"]].reset_index(drop=True)
    return found


@dataclass(frozen=True)
class Groups:
    """Mean matrices of groups of people by a covariate, the lowest group first.

    Attributes
    ----------
    means : dict
        Number of people and mean matrix (from × to) by the group's name.
    intervals : dict
        Ends of the 95 % intervals: of each group's means by its name (Student's t over people),
        of the first group's minus the last one's by `contrast` (Welch's).
    sizes : dict
        Number of people behind each cell of a group's mean: those who have a value there.
    kind : {"bands", "thirds", "values"}
        What the groups are.
    contrast : str
        What the difference is called.
    n_persons, n_unknown : int
        All people with a matrix, and those whose covariate is not known.
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
        """People whose covariate is known and who are in no group."""
        return self.n_persons - self.n_unknown - sum(n for n, _ in self.means.values())


def group_matrices(folder: RunFolder, readout: str, covariate: str) -> Groups | None:
    """Mean matrix of each group by a covariate; None without groups.

    The groups are those of `groups_of`: bands, lowest and highest third, or the values.
    """
    rows = folder.table("transitions")
    wide = person_by_move(supported(rows[rows["readout"] == readout])).drop(index=POPULATION)
    values = folder.covariates[covariate].reindex(wide.index)
    groups = groups_of(folder, values)
    if groups is None:
        return None
    parts = {
        str(name): wide.loc[wide.index.isin(groups.index[groups == name])]
        for name in dict.fromkeys(groups)
    }
    kind, names = kind_of_groups(folder, values), list(parts)
    first, last = names[0], names[-1]
    contrast = tr("low − high") if kind == "thirds" else f"{_short(first)} − {_short(last)}"
    least, most = (-np.inf, np.inf) if readout == "scores" else (0.0, 1.0)
    ends = {}
    for name, own in parts.items():
        low, high = _mean_interval(own)
        ends[name] = low.clip(least, most), high.clip(least, most)
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


def _mean_interval(own: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Ends of Student's 95 % interval of each column's mean over people; NaN of one person."""
    from scipy.special import stdtrit

    n, mean = own.count(), own.mean()
    reach = stdtrit(n - 1, 0.975) * np.sqrt(own.var() / n)
    return mean - reach, mean + reach


def _difference_interval(one: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Ends of Welch's 95 % interval of the difference of means over people, column by column."""
    from scipy.special import stdtrit

    first, last = (own.var() / own.count() for own in (one, other))
    total = first + last
    freedom = total**2 / (first**2 / (one.count() - 1) + last**2 / (other.count() - 1))
    difference, reach = one.mean() - other.mean(), stdtrit(freedom, 0.975) * np.sqrt(total)
    return difference - reach, difference + reach


def _square(values: pd.Series) -> pd.DataFrame:
    """Values by (from, to) as a matrix, states in their order."""
    states = list(dict.fromkeys(values.index.get_level_values("from")))
    return values.unstack().reindex(index=states, columns=states)


def _short(group: str) -> str:
    """A group's name without the covariate before it, or the values of its band after it."""
    return group.split(": ", 1)[-1].split(" (", 1)[0]
