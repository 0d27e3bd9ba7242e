"""Tests of person parameters against covariates, kept in the run folder."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from dashboard.services.caching import per_session
from dashboard.services.results import POPULATION, response_curves, run_folder, stamp
from nme_core.analysis import (
    CovariateOptions,
    PersonParameters,
    covariate_tests,
    person_parameters,
)
from nme_core.exceptions import ReliabilityWarning

#: Groups of persons whose response curves are compared: how many, and the least persons in each.
MOST_GROUPS = 6
LEAST_PERSONS = 5


@dataclass(frozen=True)
class CovariateResult:
    """Every test of one run: tables as in the run folder, null values by covariate.

    `notes` say in sentences what was done, where that is not what is done by default; `cautions`
    why the results should not be relied on.
    """

    hsic: pd.DataFrame
    effects: pd.DataFrame
    nulls: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compliance:
    """Spearman correlation of the number of observations with a covariate, over persons."""

    rho: float
    p: float
    n_persons: int


def parameters(identity: str) -> PersonParameters:
    """What is tested: person × parameter, and its name."""
    return _parameters(identity, stamp(identity))


@per_session(8)
def _parameters(identity: str, stamp_: int) -> PersonParameters:
    return person_parameters(run_folder(identity))


def run_tests(identity: str, covariate: str) -> CovariateResult:
    """Test a covariate, correct together with all that were tested on this run, and keep it.

    Raises
    ------
    DataError
        The covariate is constant, or too few persons have it.
    """
    family = tuple(dict.fromkeys([*tested(identity), covariate]))
    result = _test(identity, family, options(identity), stamp(identity))
    run = run_folder(identity)
    run.write_table("hsic", result.hsic)
    run.write_table("effects", result.effects)
    return result


def tested(identity: str) -> tuple[str, ...]:
    """Covariates that were tested on this run, in order."""
    run = run_folder(identity)
    return tuple(run.table("hsic")["covariate"].unique()) if run.has_table("hsic") else ()


def kept_tests(identity: str) -> CovariateResult | None:
    """Results of the tests done on this run; None where there are none."""
    family = tested(identity)
    return _test(identity, family, options(identity), stamp(identity)) if family else None


def options(identity: str) -> CovariateOptions:
    """How the tests in the run folder were made; those of `nme hsic` by default."""
    run = run_folder(identity)
    if not run.has_table("hsic"):
        return CovariateOptions()
    return CovariateOptions.of_table(run.table("hsic"))


@per_session(8)
def _test(
    identity: str, family: tuple[str, ...], how: CovariateOptions, stamp_: int
) -> CovariateResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReliabilityWarning)  # the page shows `cautions`
        found = covariate_tests(run_folder(identity), family, how)
    usual = CovariateOptions(adjust=how.adjust, seed=how.seed, reps=how.reps, strata="n_obs")
    notes = () if how in (usual, replace(usual, strata=None)) else found.notes
    return CovariateResult(found.hsic, found.effects, dict(found.nulls), notes, found.cautions)


def covariate_groups(values: pd.Series) -> pd.Series | None:
    """Each person's group by a covariate; None where there are no groups to compare.

    Of a number with more than two values, the persons in the lowest and in the highest third
    (ties stay together); else every value is a group. All groups have at least 5 persons.
    """
    known, name = values.dropna(), values.name
    if is_numeric_dtype(known) and known.nunique() > 2:
        low, high = known.quantile([1 / 3, 2 / 3])
        lowest, highest = known[known <= low], known[known >= high]
        if low == high or lowest.empty or highest.empty:
            return None
        groups = pd.concat(
            [
                lowest.map(lambda _: f"{name} up to {lowest.max():g}"),
                highest.map(lambda _: f"{name} from {highest.min():g}"),
            ]
        )
    else:
        written = known.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
        groups = (f"{name}: " + written).sort_values()
    sizes = groups.value_counts()
    return groups if 2 <= len(sizes) <= MOST_GROUPS and sizes.min() >= LEAST_PERSONS else None


def group_curves(
    identity: str, covariate: str, feature: str, label: str | None
) -> pd.DataFrame | None:
    """Mean of the persons' response curves in each group: group, n_persons, x, value.

    Only where at least half of a group's persons were observed. None where the covariate makes
    no groups to compare.
    """
    curves = response_curves(identity, feature, label)
    curves = curves[curves["person"] != POPULATION]
    values = run_folder(identity).covariates[covariate]
    groups = covariate_groups(values[values.index.isin(curves["person"].unique())])
    if groups is None:
        return None
    own = curves.assign(group=curves["person"].map(groups)).dropna(subset=["group"])
    means = own.groupby(["group", "x"])["value"].agg(["mean", "size"]).reset_index()
    means["n_persons"] = means["group"].map(groups.value_counts())
    means = means[2 * means["size"] >= means["n_persons"]].rename(columns={"mean": "value"})
    ordered = pd.concat(means[means["group"] == group] for group in dict.fromkeys(groups))
    return ordered[["group", "n_persons", "x", "value"]].reset_index(drop=True)


def compliance(identity: str, covariate: str) -> Compliance | None:
    """Whether persons with more of a covariate have more observations; None where unknowable."""
    from scipy import stats

    values = run_folder(identity).covariates[covariate]
    if not is_numeric_dtype(values):
        return None
    n_obs = parameters(identity).n_obs
    both = pd.concat([n_obs, values.rename("value")], axis=1).dropna()
    if len(both) < 5 or both.iloc[:, 0].nunique() < 2 or both["value"].nunique() < 2:
        return None
    rho, p = stats.spearmanr(both.iloc[:, 0], both["value"])
    return Compliance(float(rho), float(p), len(both))
