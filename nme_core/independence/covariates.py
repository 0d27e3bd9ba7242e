"""All covariates of a study against persons' parameters: the tables ``hsic`` and ``effects``."""

# ruff: noqa: PT028 (the name of test_covariates is no test)

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.exceptions import DataError, MissingColumnError, OptionError
from nme_core.independence.arrangement import (
    DRAWS_FACTOR,
    Arrangement,
    Tested,
    arranged_test,
    of_blocks,
    over_draws,
)
from nme_core.independence.blocks import cross, strata_within
from nme_core.independence.correction import adjust_p, needed_reps
from nme_core.independence.effects import effects_table, with_adjusted_p
from nme_core.independence.kernels import is_categorical
from nme_core.independence.permutation import quantile_strata
from nme_core.independence.taking import Taken, take


@dataclass(frozen=True)
class Doubt:
    """Why the test of a covariate, ``about``, says little, in a sentence.

    ``kind`` is ``"untested"``, that of the finding about the data that it is (``"circular"``,
    ``"compliance"``), or empty.
    """

    about: str
    kind: str
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class CovariateTests:
    """Results of `test_covariates`.

    Attributes
    ----------
    hsic : DataFrame
        The columns of ``hsic.csv`` – ``p`` is that of HSIC and of the largest single association
        together – then ``n_tests``, the p of each of the two (``p_hsic``, ``p_single``) with the
        parameter that has the largest (``single``) and its absolute correlation,
        ``strength`` with ``strength_low`` and ``strength_high``, its 95 % interval, and how the
        covariate was taken: ``taken_as`` (a
        number or how many groups), ``groups`` with their sizes and ``n_left_out``, people alone in
        theirs; one row per covariate.
    effects : DataFrame
        The columns of ``effects.csv``, then ``group``, ``n_persons``, ``n_tests``, ``taken_as`` and
        ``p_family``: p of the parameter against the largest of all in the permutations of its
        covariate; corrected over all of its rows.
    nulls : dict of covariate -> array, shape (reps,)
        The permuted statistics.
    notes : tuple of str
        What was done, in sentences.
    cautions : tuple of str
        Why the results should not be relied on, if anything speaks against it.
    doubts : tuple of Doubt
        What cannot be tested and why, and what a look at the data found in what was tested.
    """

    hsic: pd.DataFrame
    effects: pd.DataFrame
    nulls: dict[str, NDArray[np.float64]]
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def test_covariates(
    x: pd.DataFrame,
    covariates: pd.DataFrame,
    n_obs: pd.Series | None = None,
    *,
    parameters: str,
    reps: int = 2000,
    strata: str = "n_obs",
    adjust: str = "bh",
    seed: int = 0,
    standardise: bool = True,
    columns: list[str] | None = None,
    given: pd.DataFrame | None = None,
    blocks: pd.Series | None = None,
    whole_blocks: bool = False,
    draws: Sequence[pd.DataFrame] = (),
    progress: Callable[[int, int], None] | None = None,
) -> CovariateTests:
    """Test persons' parameters, taken together, against each covariate.

    Parameters
    ----------
    x : DataFrame, index person, one column per parameter
    covariates : DataFrame, index person, one column per covariate
        Missing values leave the person out of that covariate's test only, and so does being alone
        in a group.
    n_obs : Series, index person, optional
        Number of observations that a person's parameters rest on; needed by ``strata="n_obs"``.
    parameters : str
        What `x` holds, for the column ``parameters``.
    reps : int
        Wanted permutations; raised above (number of covariates) / 0.05 where that is more.
    strata : str
        ``"n_obs"``: permute within quintiles of `n_obs`, so that a covariate that goes with how
        often people answer is not found through shrinkage; ``"none"``; or a column of
        `covariates` (quintiles for a number with more than 5 values, else its values). Persons
        whose stratum is missing are left out.
    adjust : {"bh", "holm", "none"}
        Correction over the covariates that are tested, and over the rows of the effects.
    seed : int
        Seed of every covariate's permutations, so that a result does not depend on what else is
        tested.
    standardise : bool
        See `hsic_test`.
    columns : list of str, optional
        Which covariates to test; all of them (but the strata column) by default.
    given : DataFrame, index person, optional
        Confounders, numbers and categories: the tests are conditional on them (see
        `conditional_test`), the effects adjusted. A covariate that is tested is not held.
    blocks : Series, index person, optional
        Block of each person, such as the clinic. Persons are permuted within blocks, and what a
        block's persons share is taken out of both sides.
    whole_blocks : bool
        Deal the covariate out anew to whole blocks instead (see `whole_block_test`); effects and
        strength are then those of the blocks' means. Without strata and confounders.
    draws : sequence of DataFrame like `x`
        Draws of the parameters from their posterior, which are tested instead of `x` (see
        `over_draws`); the effects are those of `x`.
    progress : callable, optional
        Told after each covariate how many were tested, and of how many.

    Raises
    ------
    MissingColumnError
        For a covariate or stratum column that is not there.
    DataError
        Where no covariate can be tested; the name of the first is in ``error.column``. Where only
        some cannot, ``doubts`` says so, and they are no tests.
    OptionError
        Where nothing is left to test, a covariate is to be tested within strata of itself, or
        options exclude each other.
    """
    tested = _tested(covariates, columns, strata)
    within = _strata(covariates, n_obs, strata)
    if whole_blocks:
        _check_whole(blocks, within, given)
    elif blocks is not None:
        within = _within_blocks(blocks, within, covariates, n_obs, strata)
    held = {name: None if whole_blocks else _held(given, blocks, name) for name in tested}
    arrangements = {
        name: Arrangement(within, blocks if whole_blocks else None, held[name], standardise)
        for name in tested
    }
    taken, doubts = _taken(x, covariates, arrangements)
    tested = list(taken)
    used_reps = needed_reps(len(tested) * (DRAWS_FACTOR if draws else 1), reps)
    results: dict[str, Tested] = {}
    for name, one in taken.items():
        results[name] = _test(draws or [x], one.values, arrangements[name], used_reps, seed)
        if progress is not None:
            progress(len(results), len(tested))
    tests = list(results.values())
    found = [test.hsic for test in tests]
    ps = [test.p for test in tests]
    hsic = pd.DataFrame(
        {
            "covariate": tested,
            "parameters": parameters,
            "n_persons": [result.n_persons for result in found],
            "statistic": [result.statistic for result in found],
            "p": ps,
            "p_adjusted": adjust_p(ps, adjust),
            "reps": used_reps,
            "strata": strata,
            "method": [f"{result.method}, {adjust}" for result in found],
            "seed": seed,
            "n_tests": len(tested),
            "p_hsic": [result.p for result in found],
            "p_single": [test.single.p for test in tests],
            "single": [test.single.parameter for test in tests],
            "single_statistic": [test.single.statistic for test in tests],
            "strength": [test.strength.value for test in tests],
            "strength_low": [test.strength.low for test in tests],
            "strength_high": [test.strength.high for test in tests],
            "taken_as": [one.kind for one in taken.values()],
            "groups": [one.groups for one in taken.values()],
            "n_left_out": [len(one.alone) for one in taken.values()],
        }
    )
    values = x if within is None else x.loc[x.index.intersection(within.index)]
    clusters = blocks if whole_blocks else None
    tables = []
    for name, one in taken.items():
        table = _effects(values, one.values, held[name], clusters)
        each = table["parameter"].map(results[name].single.each)
        tables.append(table.assign(taken_as=one.kind, p_family=each))
    effects = pd.concat(tables, ignore_index=True)
    return CovariateTests(
        hsic=hsic,
        effects=with_adjusted_p(effects, adjust),
        nulls={name: test.hsic.null for name, test in results.items()},
        notes=tuple(one.note for one in taken.values()),
        doubts=doubts,
    )


def _taken(
    x: pd.DataFrame, covariates: pd.DataFrame, arrangements: dict[str, Arrangement]
) -> tuple[dict[str, Taken], tuple[Doubt, ...]]:
    """How each covariate that can be tested is taken; why others cannot be, in words."""
    taken: dict[str, Taken] = {}
    errors: dict[str, DataError] = {}
    for name, arrangement in arrangements.items():
        covariate = covariates[name]
        try:
            taken[name] = take(covariate, arrangement.persons(x, covariate))
        except DataError as error:
            errors[name] = error
    if not taken:
        raise next(iter(errors.values()))
    return taken, tuple(Doubt(name, "untested", str(error)) for name, error in errors.items())


def _check_whole(
    blocks: pd.Series | None, within: pd.Series | None, given: pd.DataFrame | None
) -> None:
    if blocks is None:
        raise OptionError("Whole blocks need a column that says which people form a block.")
    if within is not None:
        raise OptionError(
            f"Whole blocks of {blocks.name!r} cannot be permuted within strata of people.",
            remedy='Guard by "reliability" or "draws", or give no strata.',
        )
    if given is not None and not given.columns.empty:
        raise OptionError(
            f"Whole blocks of {blocks.name!r} cannot be permuted with confounders.",
            remedy="Permute within blocks, or hold nothing.",
        )


def _within_blocks(
    blocks: pd.Series,
    within: pd.Series | None,
    covariates: pd.DataFrame,
    n_obs: pd.Series | None,
    strata: str,
) -> pd.Series:
    """Strata inside of blocks: of a number by its quantiles there, of a category by its label."""
    if within is None:
        return blocks
    values = n_obs if strata == "n_obs" else covariates[strata].dropna()
    if values is None or not _has_quantiles(values):
        return cross(blocks, within)
    return strata_within(blocks, values)


def _held(
    given: pd.DataFrame | None, blocks: pd.Series | None, covariate: str
) -> pd.DataFrame | None:
    """What is held in the test of one covariate: the confounders but itself, and the blocks."""
    parts = [] if given is None else [given.drop(columns=covariate, errors="ignore")]
    if blocks is not None:
        parts.append(blocks.astype(str).rename("block").to_frame())
    return pd.concat(parts, axis=1, join="inner") if parts else None


def _effects(
    x: pd.DataFrame,
    covariate: pd.Series,
    held: pd.DataFrame | None,
    clusters: pd.Series | None,
) -> pd.DataFrame:
    """Effects of single parameters; those of the means of blocks where there are any."""
    if clusters is None:
        return effects_table(x, covariate, given=held, adjust="none")
    persons = x.index.intersection(covariate.dropna().index).intersection(clusters.index)
    inside = clusters.loc[persons]
    label = covariate.loc[persons].groupby(inside).first().rename(str(covariate.name))
    table = effects_table(of_blocks(x.loc[persons], inside), label, adjust="none")
    return table.assign(n_persons=len(persons))


def _tested(covariates: pd.DataFrame, columns: list[str] | None, strata: str) -> list[str]:
    available = [str(column) for column in covariates.columns]
    if not available:
        raise OptionError(
            "No covariate is left to test.", remedy="Give a table with one row per person."
        )
    for name in columns or []:
        if name not in available:
            raise MissingColumnError(name, available, table="table of covariates")
    if strata not in ("none", "n_obs") and strata not in available:
        raise MissingColumnError(strata, available, table="table of covariates")
    if columns and strata in columns:
        raise OptionError(
            f"Within strata of {strata!r} nothing of {strata!r} is left to test.",
            remedy="Choose other strata for this covariate.",
        )
    chosen = columns or [name for name in available if name != strata]
    tested = list(dict.fromkeys(chosen))
    if not tested:
        raise OptionError(
            f"The only covariate is {strata!r}, which makes the strata.",
            remedy="Choose other strata for this covariate.",
        )
    return tested


def _strata(covariates: pd.DataFrame, n_obs: pd.Series | None, strata: str) -> pd.Series | None:
    """Stratum per person, index person; None where all persons are exchangeable."""
    if strata == "none":
        return None
    if strata == "n_obs":
        if n_obs is None:
            raise OptionError(
                'strata="n_obs" needs the number of observations of every person.',
                remedy='Give n_obs, or strata="none".',
            )
        return quantile_strata(n_obs).rename(strata)
    values = covariates[strata].dropna()
    return quantile_strata(values) if _has_quantiles(values) else values


def _has_quantiles(values: pd.Series) -> bool:
    """Whether strata are quantiles: not of categories and of numbers with up to 5 values."""
    return not is_categorical(values) and values.nunique() > 5


def _test(
    draws: Sequence[pd.DataFrame],
    covariate: pd.Series,
    arrangement: Arrangement,
    reps: int,
    seed: int,
) -> Tested:
    try:
        if len(draws) == 1:
            return arranged_test(draws[0], covariate, arrangement, reps=reps, random_state=seed)
        return over_draws(draws, covariate, arrangement, reps=reps, random_state=seed)
    except DataError as error:
        name = str(covariate.name)
        raise DataError(
            f"Covariate {name!r}: {error.message}",
            remedy=error.remedy,
            column=name,
            person=error.person,
        ) from error
