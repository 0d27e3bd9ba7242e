"""Tests of person parameters against covariates, kept in the run folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from dashboard.services.caching import per_session
from dashboard.services.results import run_folder
from nme_core.analysis import PersonParameters, person_parameters
from nme_core.independence import test_covariates


@dataclass(frozen=True)
class Settings:
    """How covariates are tested; see `nme_core.independence.test_covariates`."""

    reps: int = 2000
    strata: str = "n_obs"
    adjust: str = "bh"
    seed: int = 0


@dataclass(frozen=True)
class CovariateResult:
    """Every test of one run: tables as in the run folder, null values by covariate."""

    hsic: pd.DataFrame
    effects: pd.DataFrame
    nulls: dict[str, np.ndarray]


@dataclass(frozen=True)
class Compliance:
    """Spearman correlation of the number of observations with a covariate, over persons."""

    rho: float
    p: float
    n_persons: int


@per_session(8)
def parameters(identity: str) -> PersonParameters:
    """What is tested: person × parameter, and its name."""
    return person_parameters(run_folder(identity))


def run_tests(identity: str, covariate: str) -> CovariateResult:
    """Test a covariate, correct together with all that were tested on this run, and keep it.

    Raises
    ------
    DataError
        The covariate is constant, or too few persons have it.
    """
    family = tuple(dict.fromkeys([*tested(identity), covariate]))
    result = _test(identity, family, _settings(identity))
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
    return _test(identity, family, _settings(identity)) if family else None


def _settings(identity: str) -> Settings:
    """How the tests in the run folder were made; those of `nme hsic` by default."""
    run = run_folder(identity)
    if not run.has_table("hsic"):
        return Settings()
    row = run.table("hsic").iloc[0]
    adjust = str(row["method"]).rsplit(", ", 1)[-1]
    return Settings(int(row["reps"]), str(row["strata"]), adjust, int(row["seed"]))


@per_session(8)
def _test(identity: str, family: tuple[str, ...], settings: Settings) -> CovariateResult:
    tested_on = parameters(identity)
    found = test_covariates(
        tested_on.values,
        run_folder(identity).covariates,
        tested_on.n_obs,
        parameters=tested_on.label,
        standardise=tested_on.standardise,
        columns=list(family),
        **asdict(settings),
    )
    return CovariateResult(found.hsic, found.effects, dict(found.nulls))


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
