"""Tests of a run's person parameters against covariates: a run folder and options → tables."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from nme_core.analysis.covariates import (
    OF_ROWS,
    PersonParameters,
    known_covariates,
    of_label,
    person_parameters,
)
from nme_core.analysis.kept_tests import kind_by_words
from nme_core.analysis.reliability import LEAST, Reliability, known_of, reliability
from nme_core.analysis.summaries import describe, held_summaries
from nme_core.exceptions import (
    MissingColumnError,
    OptionError,
    ReliabilityWarning,
    RunFolderError,
)
from nme_core.independence import CovariateTests, Doubt, needed_reps, test_covariates
from nme_core.independence.arrangement import DRAWS_FACTOR
from nme_core.io import RunFolder

if TYPE_CHECKING:
    from nme_core.estimators.person_posterior import Known

#: How a covariate that goes with the number of observations is kept from looking like an effect.
GUARDS = ("reliability", "strata", "draws")
PERMUTE = ("within", "whole")
#: Draws from the posterior that are tested with the guard "draws"; odd, so that one is the median.
DRAWS = 21
_ERRORS = "standard errors of people's parameters"


@dataclass(frozen=True)
class CovariateOptions:
    """How covariates are tested; the names and values are those of ``nme hsic``.

    Attributes
    ----------
    of : str, optional
        What of each person is tested, see `person_parameters`; None: the run's default.
    reps : int
        Permutations; raised to what the correction needs.
    strata : str, optional
        ``"n_obs"``, ``"none"`` or a covariate to permute within. By default ``"n_obs"`` with the
        guard ``"strata"``, else ``"none"``.
    guard : {"reliability", "strata", "draws"}
        Divide the persons' deviations by the square root of their reliability; permute within
        strata of the number of observations; or test draws from the persons' posterior. Where a run
        lacks its model, or every person's whole posterior covariance, ``"strata"`` takes the place
        of ``"reliability"``, and a note says so.
    blocks : str, optional
        Covariate, or further grouping factor of the run, that puts persons into blocks.
    permute : {"within", "whole"}
        Persons within blocks, or blocks as wholes.
    confounders : tuple of str
        Covariates that are held.
    incremental : bool
        Hold every person's mean and variability, or shares of states and rate of switching: do the
        parameters tell more of the covariate than these do?
    adjust : {"bh", "holm"}
        Correction for the number of tests.
    seed : int
        Seed of the permutations and draws.
    """

    of: str | None = None
    reps: int = 2000
    strata: str | None = None
    guard: str = "reliability"
    blocks: str | None = None
    permute: str = "within"
    confounders: tuple[str, ...] = ()
    incremental: bool = False
    adjust: str = "bh"
    seed: int = 0

    @property
    def used_strata(self) -> str:
        """What is permuted within."""
        if self.strata is not None:
            return self.strata
        return "n_obs" if self.guard == "strata" else "none"

    def check(self) -> None:
        """Raise OptionError for a value that does not exist."""
        for name, value, allowed in (
            ("guard", self.guard, GUARDS),
            ("permute", self.permute, PERMUTE),
        ):
            if value not in allowed:
                raise OptionError(
                    f"{name}={value!r} does not exist.", remedy=f"Choose {', '.join(allowed)}."
                )

    @classmethod
    def of_table(cls, hsic: pd.DataFrame) -> CovariateOptions:
        """Read the options off the table ``hsic`` that was made with them."""
        row = hsic.iloc[0]
        known = row.reindex(["guard", "blocks", "permute", "given"]).fillna("")
        return cls(
            of=of_label(str(row["parameters"])),
            reps=int(row["reps"]),
            strata=str(row["strata"]),
            guard=known["guard"] or "strata",
            blocks=known["blocks"] or None,
            permute=known["permute"] or "within",
            confounders=tuple(name for name in known["given"].split("; ") if name),
            incremental=bool(row.get("incremental", False)),
            adjust=str(row["method"]).rsplit(", ", 1)[-1],
            seed=int(row["seed"]),
        )


def covariate_tests(
    run: RunFolder,
    covariates: Sequence[str],
    options: CovariateOptions | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> CovariateTests:
    """Test a run's person parameters, taken together, against each covariate.

    Parameters
    ----------
    run : RunFolder
        A finished run with covariates.
    covariates : sequence of str
        Those to test, corrected together.
    options : CovariateOptions, optional
        How.
    progress : callable, optional
        Told after each covariate how many were tested, and of how many.

    Returns
    -------
    CovariateTests
        Tables for ``hsic.csv`` and ``effects.csv``, the permuted statistics, and sentences that say
        what was done and how reliable what was tested is. Nothing is written.

    Warns
    -----
    ReliabilityWarning
        Where the parameters together have a reliability below 0.3; also in ``cautions``.

    Raises
    ------
    OptionError
        Where the run has no covariates, or options do not exist or exclude each other.
    MissingColumnError
        For a covariate, stratum, block or confounder that the run does not have.
    DataError
        Where a covariate cannot be tested.
    """
    options = options or CovariateOptions()
    options.check()
    known = known_covariates(run)
    for name in options.confounders:
        if name not in known:
            raise MissingColumnError(name, map(str, known.columns), table="table of covariates")
    parameters = person_parameters(run, options.of)
    options, posterior, replaced = _posterior(run, parameters, options)
    guarded, draws = _guarded(parameters, posterior, options)
    found = test_covariates(
        guarded,
        known,
        parameters.n_obs,
        parameters=parameters.label,
        reps=options.reps,
        strata=options.used_strata,
        adjust=options.adjust,
        seed=options.seed,
        standardise=parameters.standardise,
        columns=list(covariates),
        given=_given(run, options, known),
        blocks=_blocks(run, options, known),
        whole_blocks=options.permute == "whole",
        draws=draws,
        progress=progress,
    )
    reliable = reliability(run, parameters, posterior)
    if caution := reliable.caution():
        warnings.warn(caution, ReliabilityWarning, stacklevel=2)
    hsic = found.hsic.assign(
        guard=options.guard,
        blocks=options.blocks or "",
        permute=options.permute if options.blocks else "",
        given="; ".join(options.confounders),
        incremental=options.incremental,
        reliability=reliable.together,
        reliability_kind=reliable.kind,
        n_unreliable=len(reliable.unreliable),
    )
    effects = found.effects.assign(reliability=found.effects["parameter"].map(reliable.single))
    notes = (
        *found.notes,
        *replaced,
        *how_tested(options, len(hsic)),
        *_unreliable_note(run, reliable),
        reliable.note(),
    )
    if options.incremental:
        notes = (*notes, _incremental_note(run))
    cautions = (caution,) if caution else ()
    doubts = (*found.doubts, *data_findings(run, [*hsic["covariate"], *options.confounders]))
    return replace(found, hsic=hsic, effects=effects, notes=notes, cautions=cautions, doubts=doubts)


def data_findings(run: RunFolder, covariates: Iterable[str]) -> tuple[Doubt, ...]:
    """What the check of the data found in covariates of a run that should be looked at."""
    if not run.has_table("findings"):
        return ()
    table, names = run.table("findings"), set(covariates)
    own = table[table["column"].isin(names) & (table["severity"] != "info")]
    found = []
    for row in own.fillna("").to_dict("records"):
        kind = row["kind"] if "kind" in row else kind_by_words(row["message"])
        found.append(Doubt(row["column"], kind, f"{row['message']} {row['remedy']}".strip()))
    return tuple(found)


def _posterior(
    run: RunFolder, parameters: PersonParameters, options: CovariateOptions
) -> tuple[CovariateOptions, Known | None, tuple[str, ...]]:
    """Posterior that the guard needs, if any; the options, and what was changed in them, in words.

    Raises
    ------
    OptionError
        For draws from points.
    """
    if options.guard == "strata":
        return options, None, ()
    usual = options.guard == "reliability"
    if parameters.of in OF_ROWS[:2]:
        found = known_of(run, parameters)
        if found is not None:
            return options, found, ()
        if usual:
            return _by_strata(options, _ERRORS)
        raise OptionError(
            f"There are no draws: the run lacks {_ERRORS}.", remedy='Guard by "strata".'
        )
    if usual and not run.model_path.exists():
        return _by_strata(options, "its model")
    from nme_core.estimators import load
    from nme_core.estimators.person_posterior import person_posterior

    model = load(run.model_path)
    spread = model._posterior.covariance
    if usual and spread is None:
        return _by_strata(options, _ERRORS)
    if usual and spread is not None and spread.dim() == 2:
        return _by_strata(options, "a whole covariance of people's parameters")
    return options, person_posterior(model, parameters.of), ()


def _by_strata(
    options: CovariateOptions, lacking: str
) -> tuple[CovariateOptions, None, tuple[str, ...]]:
    """Options that do without a posterior."""
    note = f"Guarded by strata of the number of observations: the run lacks {lacking}."
    strata = None if options.strata == "none" else options.strata
    return replace(options, guard="strata", strata=strata), None, (note,)


def _guarded(
    parameters: PersonParameters, posterior: Known | None, options: CovariateOptions
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Numbers that are tested, and draws that are tested in their place, if any."""
    if options.guard == "strata" or posterior is None:
        return parameters.values, []
    if options.guard == "reliability":
        return posterior.unshrunken(), []
    return parameters.values, list(posterior.draws(DRAWS, options.seed))


def _given(run: RunFolder, options: CovariateOptions, known: pd.DataFrame) -> pd.DataFrame | None:
    """Confounders and summaries of the persons that are held."""
    parts = [known[list(options.confounders)]] if options.confounders else []
    if options.incremental:
        parts.append(held_summaries(_summaries(run)))
    return pd.concat(parts, axis=1, join="inner") if parts else None


def _summaries(run: RunFolder) -> pd.DataFrame:
    if not run.has_table("person_summaries"):
        raise RunFolderError(
            f"{run.path} has no person_summaries.csv, which the incremental test needs.",
            remedy="It was fitted by an older version: fit it again.",
        )
    return run.table("person_summaries")


def _unreliable_note(run: RunFolder, known: Reliability) -> tuple[str, ...]:
    few, total = known.unreliable, len(known.single)
    if not few:
        return ()
    shown = "; ".join(map(run.parameter_names.words, few[:5]))
    shown += f" and {len(few) - 5} more" if len(few) > 5 else ""
    return (f"Reliability below {LEAST}: {len(few)} of {total} parameters, {shown}.",)


def _incremental_note(run: RunFolder) -> str:
    what = describe(_summaries(run))
    return (
        f"Incremental: tested is whether the parameters tell more of the covariate than each "
        f"person's {what} do, which it adjusts for (person_summaries.csv). A small p says that "
        "they do; a large one does not say that they do not."
    )


def _blocks(run: RunFolder, options: CovariateOptions, known: pd.DataFrame) -> pd.Series | None:
    """Block of each person, by a covariate or a further grouping factor."""
    if options.blocks is None:
        if options.permute == "whole":
            raise OptionError(
                "Whole blocks need to know who forms a block.", remedy="Name a column (--blocks)."
            )
        return None
    factors = run.table("groups") if run.has_table("groups") else None
    if factors is not None and options.blocks in set(factors["factor"]):
        own = factors[factors["factor"] == options.blocks].set_index("person")["group"]
        return own.rename(options.blocks)
    if options.blocks not in known:
        names = [*map(str, known.columns), *([] if factors is None else factors["factor"].unique())]
        raise MissingColumnError(options.blocks, names, table="table of covariates")
    return known[options.blocks].dropna()


def how_tested(options: CovariateOptions, n_tests: int) -> tuple[str, ...]:
    """What was done, in sentences."""
    notes = []
    used = needed_reps(n_tests * (DRAWS_FACTOR if options.guard == "draws" else 1), options.reps)
    if used > options.reps:
        notes.append(
            f"{used} permutations instead of {options.reps}: with fewer no corrected p of "
            f"{n_tests} tests could fall below .05."
        )
    if options.guard == "reliability":
        notes.append(
            "Every person's deviations from the population are divided by the square root of their "
            "reliability, so that they vary equally however often people were observed."
        )
    if options.guard == "draws":
        notes.append(
            f"{DRAWS} draws from the posterior of people's parameters are tested; p is twice "
            "their median p, which is valid and cautious."
        )
    if options.guard == "strata" and options.used_strata == "none":
        notes.append(
            "Nothing keeps a covariate related to the number of observations from looking like"
            " an effect."
        )
    if options.used_strata != "none":
        what = "numbers of observations" if options.used_strata == "n_obs" else options.used_strata
        notes.append(f"People are permuted among those with similar {what}.")
    if options.blocks and options.permute == "within":
        notes.append(
            f"People are permuted within {options.blocks}; what people of one {options.blocks} "
            "share is taken out and is no evidence."
        )
    if options.blocks and options.permute == "whole":
        notes.append(
            f"The covariate is dealt out anew to whole blocks of {options.blocks}; effects and "
            "strength are those of the blocks' means."
        )
    if options.confounders:
        notes.append(
            f"Given {', '.join(options.confounders)}: what a linear regression on them tells is "
            "taken out of both sides (Freedman and Lane); a curved influence is not."
        )
    return tuple(notes)
