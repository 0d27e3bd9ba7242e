"""Which effects of a linear mixed model are random: the most that the rows can tell."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from nme_core.estimators.mixedlm import MixedLMFit, fit_mixedlm
from nme_core.exceptions import ConvergenceWarning, FallbackWarning, TrainingError
from nme_core.training import exact_boundary, warn_of
from nme_core.training.linear_mixed import LinearMixedFit, Sums, fit_linear_mixed_model

#: A variance of the random effects below this share of σ² counts as 0.
BOUNDARY = 1e-6
#: Persons up to which MixedLM has the last word: it takes some 10 ms for each, the maximum next to
#: nothing.
BY_MIXEDLM = 2000
#: Log-likelihood below the maximum that does not matter.
SHORT = 0.01


@dataclass(frozen=True)
class Structure:
    """Which effects are random: columns of the design, and whether they are correlated."""

    columns: list[int]
    correlated: bool
    words: str


def richest_fit(
    design: NDArray[np.float64],
    outcome: NDArray[np.float64],
    codes: NDArray[np.int64],
    inputs: Sequence[str],
    n_slopes: int,
    follow: Callable[[float], None],
) -> tuple[MixedLMFit, Structure]:
    """Fit the richest structure that the data can tell; warn of every step down.

    Parameters
    ----------
    design : array, shape (n, C)
        Columns that are independent, the last of them 1.
    outcome, codes : array, shape (n,)
        Outcome, standardised, and the person of each row.
    inputs : sequence of str
        Names of the columns.
    n_slopes : int
        So many of them, the first, may have a slope of each person's own.
    follow : callable
        Called with −2 log L per row at every step.
    """
    sums, failure = Sums.of(design, outcome, codes), ""
    for structure, reason in _structures(design, codes, inputs[:n_slopes]):
        if failure or reason:
            warnings.warn(
                f"The linear mixed model has {structure.words}: {failure or reason}",
                FallbackWarning,
                stacklevel=3,
            )
        last = len(structure.columns) == 1
        try:
            found = _from_the_maximum(sums, design, outcome, codes, structure, follow)
        except TrainingError as error:
            if last:
                raise TrainingError(
                    str(error), remedy="Leave out the baseline lme, or features."
                ) from error
            failure = f"with {structure.words} {error}"
            continue
        if found.converged or last:
            break
        failure = f"with {structure.words} MixedLM did not converge."
    if not found.converged:
        warnings.warn(
            "MixedLM did not converge even with a random intercept alone; do not rely on the"
            " linear mixed model.",
            ConvergenceWarning,
            stacklevel=3,
        )
    else:
        effects = [f"{inputs[k]} (lme)" for k in structure.columns]
        sigma, zero = torch.from_numpy(found.sigma), BOUNDARY * found.residual_variance
        warn_of(exact_boundary(sigma, zero), effects, stacklevel=3)
    return found, structure


def _from_the_maximum(
    sums: Sums,
    design: NDArray[np.float64],
    outcome: NDArray[np.float64],
    codes: NDArray[np.int64],
    structure: Structure,
    follow: Callable[[float], None],
) -> MixedLMFit:
    """Fit by MixedLM, started where the exact likelihood is highest.

    From its own start MixedLM can end far below the maximum where a variance is small. What it
    finds counts as converged, too, where its likelihood is that maximum. Of very many persons
    the maximum itself is taken.
    """
    kind = "full" if structure.correlated else "diagonal"
    exact = fit_linear_mixed_model(sums, structure.columns, kind)
    if exact.converged and len(exact.effects) > BY_MIXEDLM:
        follow(-2 * exact.log_likelihood / sums.n_rows)
        return _of_exact(exact)
    found = fit_mixedlm(
        design,
        outcome,
        codes,
        structure.columns,
        correlated=structure.correlated,
        start=exact.sigma.numpy() / exact.residual_variance,
        follow=follow,
    )
    short = exact.log_likelihood - found.log_likelihood
    return replace(found, converged=found.converged or (exact.converged and short < SHORT))


def _of_exact(exact: LinearMixedFit) -> MixedLMFit:
    return MixedLMFit(
        fixed=exact.fixed.numpy(),
        fixed_se=exact.fixed_covariance.diagonal().sqrt().numpy(),
        sigma=exact.sigma.numpy(),
        residual_variance=exact.residual_variance,
        effects=exact.effects.numpy(),
        log_likelihood=exact.log_likelihood,
        converged=True,
    )


def _structures(
    design: NDArray[np.float64], codes: NDArray[np.int64], names: Sequence[str]
) -> Iterator[tuple[Structure, str]]:
    """From the richest to the poorest, each with the reason why there is nothing richer.

    `names` are those of the features, the first columns of the design.
    """
    n_persons, intercept = int(codes.max()) + 1, design.shape[1] - 1
    by_person = pd.DataFrame(design[:, : len(names)]).groupby(codes)
    varies = ((by_person.max() - by_person.min()) > 1e-6).sum().to_numpy() >= 2
    columns = [*np.flatnonzero(varies).tolist(), intercept]
    q, reason, slopes = len(columns), "", ", ".join(names[k] for k in columns[:-1])
    if q > 1:
        if n_persons * q >= len(design):
            reason = f"{n_persons} people × {q} random effects are not fewer than the rows."
        elif q > n_persons:
            reason = f"there are fewer people than {q} random effects."
        else:
            correlated = q * (q + 1) // 2 <= n_persons
            if correlated:
                words = f"a random intercept and random slopes ({slopes}), correlated"
                yield Structure(columns, True, words), ""
            words = f"a random intercept and random slopes ({slopes}), uncorrelated"
            short = f"{q * (q + 1) // 2} (co)variances are more than the {n_persons} people."
            yield Structure(columns, False, words), "" if correlated else short
    yield Structure([intercept], True, "a random intercept alone"), reason
