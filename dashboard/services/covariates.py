"""Tests of person parameters against covariates, kept in the run folder."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from dashboard.services import bands, jobs
from dashboard.services.caching import shared
from dashboard.services.results import POPULATION, response_curves, run_folder, stamp
from nme_core.analysis import (
    CovariateOptions,
    PersonParameters,
    covariate_tests,
    keep_tests,
    other_tests,
    person_parameters,
)
from nme_core.analysis.covariate_tests import GUARDS
from nme_core.analysis.covariates import offered
from nme_core.analysis.reliability import LEAST, Reliability, reliability
from nme_core.exceptions import ReliabilityWarning
from nme_core.independence import counts_line, needed_reps
from nme_core.io import RunFolder
from nme_core.study.check.attendance import TRAP
from nme_core.study.check.circular import CIRCULAR
from nme_core.vocabulary.language import tr

#: Groups of persons whose response curves are compared: how many, and the least persons in each.
MOST_GROUPS = 6
LEAST_PERSONS = 5
NO_GUARD = "none"
#: Tests of parameters below it should not be relied on.
LEAST_RELIABLE = LEAST
#: Persons squared times permutations times tests that take about a second.
MOST_WORK = 400**2 * 2000
_RECORD = "covariate_tests"


@dataclass(frozen=True)
class CovariateResult:
    """Every test of one run: tables as in the run folder, null values by covariate.

    `notes` say in sentences what was done; `cautions` why the results should not be relied on;
    `doubts` what cannot be tested, and what a look at the data found in what was.
    """

    hsic: pd.DataFrame
    effects: pd.DataFrame
    nulls: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def counts(self) -> str:
        """How many tests were corrected together, and from how many permutations p comes."""
        return counts_line(self.hsic)


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
) -> CovariateResult:
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
) -> CovariateResult:
    """Test covariates and write all that came out into the run folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReliabilityWarning)  # the page shows `cautions`
        found = covariate_tests(run, covariates, how, progress=progress)
    stability = reliability(run, person_parameters(run, how.of)).note()
    result = CovariateResult(
        found.hsic,
        found.effects,
        dict(found.nulls),
        tuple(note for note in found.notes if note != stability),
        found.cautions,
        found.doubts,
    )
    keep_tests(run, found)
    if others := other_tests(run):
        result = replace(result, notes=(*result.notes, others))
    run.write_json(
        _RECORD,
        {
            "tests": _fingerprint(run),
            "notes": list(result.notes),
            "cautions": list(result.cautions),
            "doubts": list(result.doubts),
            "nulls": {name: np.asarray(null).tolist() for name, null in result.nulls.items()},
        },
    )
    return result


def tested(identity: str) -> tuple[str, ...]:
    """Covariates that were tested on this run, in order."""
    run = run_folder(identity)
    return tuple(run.table("hsic")["covariate"].unique()) if run.has_table("hsic") else ()


def kept_tests(identity: str) -> CovariateResult | None:
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
    run = run_folder(identity)
    if not (run.path / f"{_RECORD}.json").is_file():
        return False
    return bool(run.read_json(_RECORD)["tests"] == _fingerprint(run))


@shared(16)
def _kept(identity: str, stamp_: int) -> CovariateResult:
    run = run_folder(identity)
    if not has_record(identity):
        return make_tests(run, tested(identity), options(identity))
    record = run.read_json(_RECORD)
    nulls = {name: np.array(null) for name, null in record["nulls"].items()}
    said = (tuple(record.get(name, ())) for name in ("notes", "cautions", "doubts"))
    return CovariateResult(run.table("hsic"), run.table("effects"), nulls, *said)


def _fingerprint(run: RunFolder) -> str:
    return hashlib.sha256((run.path / "hsic.csv").read_bytes()).hexdigest()


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
                lowest.map(
                    lambda _: tr("{name} up to {max:g}").format(name=name, max=lowest.max())
                ),
                highest.map(
                    lambda _: tr("{name} from {min:g}").format(name=name, min=highest.min())
                ),
            ]
        )
    else:
        written = known.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
        groups = (f"{name}: " + written).sort_values()
    sizes = groups.value_counts()
    return groups if 2 <= len(sizes) <= MOST_GROUPS and sizes.min() >= LEAST_PERSONS else None


def groups_of(identity: str, values: pd.Series) -> pd.Series | None:
    """Each person's group by a covariate of a run: its bands where it has any, else as above."""
    own = bands.kept(run_folder(identity), values)
    if not own:
        return covariate_groups(values)
    groups = bands.by_band(values, own)
    sizes = groups.value_counts()
    groups = groups[groups.map(sizes) >= LEAST_PERSONS]
    return groups if groups.nunique() >= 2 else None


def kind_of_groups(identity: str, values: pd.Series) -> str:
    """What the groups of `groups_of` are: "bands", "thirds" or "values"."""
    if bands.kept(run_folder(identity), values):
        return "bands"
    return "thirds" if is_numeric_dtype(values) and values.nunique() > 2 else "values"


def band_of_persons(identity: str, covariate: str) -> pd.Series | None:
    """Each person's band, which colours figures; None where the covariate has no bands."""
    values = run_folder(identity).covariates[covariate]
    own = bands.kept(run_folder(identity), values)
    return bands.by_band(values, own) if own else None


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
    groups = groups_of(identity, values[values.index.isin(curves["person"].unique())])
    if groups is None:
        return None
    own = curves.assign(group=curves["person"].map(groups)).dropna(subset=["group"])
    means = own.groupby(["group", "x"])["value"].agg(["mean", "size"]).reset_index()
    means["n_persons"] = means["group"].map(groups.value_counts())
    means = means[2 * means["size"] >= means["n_persons"]].rename(columns={"mean": "value"})
    ordered = pd.concat(means[means["group"] == group] for group in dict.fromkeys(groups))
    return ordered[["group", "n_persons", "x", "value"]].reset_index(drop=True)


def doubts_of(found: CovariateResult, covariate: str, *, told: bool) -> list[str]:
    """Doubts about the test of a covariate, without its compliance where that was ``told``.

    Those that name another covariate that was tested stand with that one.
    """
    others = [repr(name) for name in found.hsic["covariate"] if name != covariate]
    trap = TRAP.removeprefix("{who}")
    return [
        one for one in found.doubts
        if not any(name in one for name in others) and not (told and trap in one)
    ]  # fmt: skip


def is_circular(found: CovariateResult, covariate: str) -> bool:
    """Whether a covariate is part of the outcome itself."""
    how = CIRCULAR.rpartition(": ")[2]
    return any(how in one and repr(covariate) in one for one in found.doubts)


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
