"""All covariates of a study against persons' parameters: the tables ``hsic`` and ``effects``."""

# ruff: noqa: PT028 (the name of test_covariates is no test)

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.exceptions import DataError, MissingColumnError, OptionError
from nme_core.independence.correction import adjust_p, needed_reps
from nme_core.independence.effects import effects_table, with_adjusted_p
from nme_core.independence.hsic import HSICResult, hsic_test
from nme_core.independence.kernels import is_categorical
from nme_core.independence.permutation import quantile_strata


@dataclass(frozen=True)
class CovariateTests:
    """Results of `test_covariates`.

    Attributes
    ----------
    hsic : DataFrame
        The columns of ``hsic.csv``, then ``n_tests``; one row per covariate.
    effects : DataFrame
        The columns of ``effects.csv``, then ``group``, ``n_persons`` and ``n_tests``; corrected
        over all of its rows.
    nulls : dict of covariate -> array, shape (reps,)
        The permuted statistics.
    """

    hsic: pd.DataFrame
    effects: pd.DataFrame
    nulls: dict[str, NDArray[np.float64]]


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
) -> CovariateTests:
    """Test persons' parameters, taken together, against each covariate.

    Parameters
    ----------
    x : DataFrame, index person, one column per parameter
    covariates : DataFrame, index person, one column per covariate
        Missing values leave the person out of that covariate's test only.
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

    Raises
    ------
    MissingColumnError
        For a covariate or stratum column that is not there.
    DataError
        Where a covariate cannot be tested; its name is in ``error.column``.
    OptionError
        Where nothing is left to test, or a covariate is to be tested within strata of itself.
    """
    tested = _tested(covariates, columns, strata)
    used_reps = needed_reps(len(tested), reps)
    blocks = _strata(covariates, n_obs, strata)
    results = {
        name: _test(x, covariates[name], blocks, used_reps, standardise, seed) for name in tested
    }
    hsic = pd.DataFrame(
        {
            "covariate": tested,
            "parameters": parameters,
            "n_persons": [result.n_persons for result in results.values()],
            "statistic": [result.statistic for result in results.values()],
            "p": [result.p for result in results.values()],
            "p_adjusted": adjust_p([result.p for result in results.values()], adjust),
            "reps": used_reps,
            "strata": strata,
            "method": [f"{result.method}, {adjust}" for result in results.values()],
            "seed": seed,
            "n_tests": len(tested),
        }
    )
    values = x if blocks is None else x.loc[x.index.intersection(blocks.index)]
    effects = pd.concat(
        [effects_table(values, covariates[name], adjust="none") for name in tested],
        ignore_index=True,
    )
    return CovariateTests(
        hsic=hsic,
        effects=with_adjusted_p(effects, adjust),
        nulls={name: result.null for name, result in results.items()},
    )


def _tested(covariates: pd.DataFrame, columns: list[str] | None, strata: str) -> list[str]:
    available = [str(column) for column in covariates.columns]
    if not available:
        raise OptionError(
            "There is no covariate to test.", remedy="Give a table with one row per person."
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
            f"There is no covariate but {strata!r} itself to test.",
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
    if is_categorical(values) or values.nunique() <= 5:
        return values
    return quantile_strata(values)


def _test(
    x: pd.DataFrame,
    covariate: pd.Series,
    blocks: pd.Series | None,
    reps: int,
    standardise: bool,
    seed: int,
) -> HSICResult:
    try:
        return hsic_test(
            x, covariate, reps=reps, strata=blocks, standardise=standardise, random_state=seed
        )
    except DataError as error:
        name = str(covariate.name)
        raise DataError(
            f"Covariate {name!r}: {error.message}",
            remedy=error.remedy,
            column=name,
            person=error.person,
        ) from error
