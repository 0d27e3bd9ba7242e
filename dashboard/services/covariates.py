"""Tests of person parameters against covariates, kept in the run folder."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd
from pandas.api.types import is_numeric_dtype

from dashboard.services import jobs
from dashboard.services.caching import shared
from dashboard.services.results import run_folder, stamp
from nme_core.analysis import CovariateOptions as CovariateOptions
from nme_core.analysis import (
    PersonParameters,
    covariate_tests,
    keep_tests,
    other_tests,
    person_parameters,
)
from nme_core.analysis.covariate_tests import GUARDS
from nme_core.analysis.covariates import offered
from nme_core.analysis.groups import groups_by_value
from nme_core.analysis.kept_tests import kept_tests as stored_tests
from nme_core.analysis.reliability import LEAST, Reliability, reliability
from nme_core.exceptions import ReliabilityWarning
from nme_core.independence import CovariateTests as CovariateTests
from nme_core.independence import counts_line as counts_line
from nme_core.independence import needed_reps
from nme_core.io import RunFolder

NO_GUARD = "none"
#: Tests of parameters below it should not be relied on.
LEAST_RELIABLE = LEAST
#: Persons squared times permutations times tests that take about a second.
MOST_WORK = 400**2 * 2000


@dataclass(frozen=True)
class Compliance:
    """Spearman correlation of the number of observations with a covariate, over persons."""

    rho: float
    p: float
    n_persons: int


def parameters(identity: str) -> PersonParameters:
    """What is tested, or was last time: person × parameter, and its name."""
    return _parameters(identity, stamp(identity), options(identity).of)


@shared(16)
def _parameters(identity: str, stamp_: int, of: str | None) -> PersonParameters:
    return person_parameters(run_folder(identity), of)


def guards() -> list[str]:
    """What may keep how often persons answered from looking like an effect; "none" is the last."""
    return [*dict.fromkeys([*GUARDS, NO_GUARD])]


def guard_of(how: CovariateOptions) -> str:
    """The one of `guards` that options stand for."""
    return NO_GUARD if how == with_guard(how, NO_GUARD) else how.guard


def with_guard(how: CovariateOptions, guard: str) -> CovariateOptions:
    """The options with one of `guards`, permuting as it does by itself."""
    if guard in GUARDS:
        return replace(how, guard=guard, strata=None)
    return replace(how, guard="strata", strata=NO_GUARD)


def family(identity: str, *covariates: str) -> tuple[str, ...]:
    """All covariates that count as tests of this run once these are tested too."""
    return tuple(dict.fromkeys([*tested(identity), *covariates]))


def takes_long(identity: str, covariates: Sequence[str], how: CovariateOptions) -> bool:
    """Whether tests take more than a moment: many persons, or a model that has to be loaded."""
    if guard_of(how) not in ("strata", NO_GUARD):
        return True
    reps = needed_reps(len(covariates), how.reps)
    if how.of == "curves":
        return True
    return len(parameters(identity).values) ** 2 * reps * len(covariates) > MOST_WORK


def start_tests(identity: str, covariates: str | Sequence[str], how: CovariateOptions) -> None:
    """Test covariates beside the page; `jobs` says where it stands."""
    asked = family(identity, *_listed(covariates))
    jobs.start(identity, jobs.TESTS, family=asked, how=asdict(how))


def _listed(covariates: str | Sequence[str]) -> tuple[str, ...]:
    return (covariates,) if isinstance(covariates, str) else tuple(covariates)


def run_tests(
    identity: str, covariates: str | Sequence[str], how: CovariateOptions | None = None
) -> CovariateTests:
    """Test covariates, correct together with all that were tested on this run, and keep it.

    Those tested before are tested again with the same options, which are those of last time by
    default.

    Raises
    ------
    DataError
        The covariate is constant, or too few persons have it.
    """
    how = how or options(identity)
    return make_tests(run_folder(identity), family(identity, *_listed(covariates)), how)


def make_tests(
    run: RunFolder,
    covariates: Sequence[str],
    how: CovariateOptions,
    progress: Callable[[int, int], None] | None = None,
) -> CovariateTests:
    """Test covariates and write all that came out into the run folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReliabilityWarning)  # the page shows `cautions`
        found = covariate_tests(run, covariates, how, progress=progress)
    keep_tests(run, found)
    return found


def how_made(identity: str, found: CovariateTests) -> list[str]:
    """How tests were made, in sentences; how stable what was tested is, the page says by itself."""
    others, stable = other_tests(run_folder(identity)), how_reliable(identity).note()
    return [note for note in dict.fromkeys([*found.notes, others]) if note and note != stable]


def tested(identity: str) -> tuple[str, ...]:
    """Covariates that were tested on this run, in order."""
    run = run_folder(identity)
    return tuple(run.table("hsic")["covariate"].unique()) if run.has_table("hsic") else ()


def kept_tests(identity: str) -> CovariateTests | None:
    """Results of the tests done on this run; None where there are none.

    Tests that were made in the shell are made once more, as the run folder has no permuted
    statistics of them.
    """
    run = run_folder(identity)
    if not run.has_table("hsic"):
        return None
    return _kept(identity, (run.path / "hsic.csv").stat().st_mtime_ns)


def ready(identity: str) -> bool:
    """Whether tests of this run can be shown at once."""
    known = tested(identity)
    if not known:
        return False
    return has_record(identity) or not takes_long(identity, known, options(identity))


def has_record(identity: str) -> bool:
    """Whether the tests in the run folder are there with all that a page shows of them."""
    return stored_tests(run_folder(identity)) is not None


@shared(16)
def _kept(identity: str, stamp_: int) -> CovariateTests:
    run = run_folder(identity)
    return stored_tests(run) or make_tests(run, tested(identity), options(identity))


def options(identity: str) -> CovariateOptions:
    """How the tests in the run folder were made; those of `nme hsic` by default."""
    run = run_folder(identity)
    if not run.has_table("hsic"):
        return CovariateOptions()
    return CovariateOptions.of_table(run.table("hsic"))


def how_reliable(identity: str) -> Reliability:
    """Reliability of what is tested: split-half where that was computed, else the model's own."""
    run = run_folder(identity)
    checked = (run.path / "stability.csv").stat().st_mtime_ns if run.has_table("stability") else 0
    return _how_reliable(identity, stamp(identity), checked, options(identity).of)


@shared(8)
def _how_reliable(identity: str, stamp_: int, checked: int, of: str | None) -> Reliability:
    return reliability(run_folder(identity), parameters(identity))


def is_unsure(identity: str) -> bool:
    """Whether too little is known of single people to read anything off the tests."""
    return how_reliable(identity).together < LEAST_RELIABLE


def choices_of(identity: str) -> tuple[str, ...]:
    """What of each person may be tested; the first is the default."""
    return offered(run_folder(identity))


def block_columns(identity: str) -> list[str]:
    """What can put persons into blocks: further grouping factors, and categories."""
    run = run_folder(identity)
    known = run.covariates
    factors = list(run.table("groups")["factor"].unique()) if run.has_table("groups") else []
    few = [name for name in known if 2 <= known[name].nunique() <= len(known) // 2]
    return [*factors, *few]


def grouping(identity: str) -> list[str]:
    """Covariates that make groups of people."""
    known = run_folder(identity).covariates
    return [str(name) for name in known if groups_by_value(known[name]) is not None]


def doubts_of(found: CovariateTests, covariate: str, *, told: bool) -> list[str]:
    """Doubts about the test of a covariate, without its compliance where that was ``told``.

    Those about another covariate that was tested stand with that one.
    """
    others = {*found.hsic["covariate"]} - {covariate}
    return [
        one.message
        for one in found.doubts
        if one.about not in others and not (told and one.kind == "compliance")
    ]


def is_circular(found: CovariateTests, covariate: str) -> bool:
    """Whether a covariate is part of the outcome itself."""
    return any(one.about == covariate and one.kind == "circular" for one in found.doubts)


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
