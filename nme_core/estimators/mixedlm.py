"""The linear mixed model as statsmodels' MixedLM fits it, by maximum likelihood.

    y_i = X_i β + Z_i b_i + ε_i,    b_i ~ N(0, Σ),    ε ~ N(0, σ²)

with Z a choice of the columns of X.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nme_core.exceptions import TrainingError
from nme_core.training.linear_mixed import Sums

START_RIDGE = 1e-8


@dataclass(frozen=True)
class MixedLMFit:
    """What MixedLM found.

    Attributes
    ----------
    fixed, fixed_se : arrays, shape (p,)
        β and its standard errors.
    sigma : array, shape (R, R)
        Σ.
    residual_variance : float
        σ².
    effects : array, shape (P, R)
        Conditional means of b_i.
    log_likelihood : float
        At the maximum.
    converged : bool
        Whether MixedLM says so.
    """

    fixed: NDArray[np.float64]
    fixed_se: NDArray[np.float64]
    sigma: NDArray[np.float64]
    residual_variance: float
    effects: NDArray[np.float64]
    log_likelihood: float
    converged: bool


def fit_mixedlm(
    design: NDArray[np.float64],
    outcome: NDArray[np.float64],
    groups: NDArray[np.int64],
    random: list[int],
    *,
    correlated: bool = True,
    start: NDArray[np.float64] | None = None,
    follow: Callable[[float], None] | None = None,
) -> MixedLMFit:
    """Fit by ``MixedLM(...).fit(reml=False)``.

    Parameters
    ----------
    design : array, shape (n, p)
        X, with a column of ones where there is to be an intercept.
    outcome : array, shape (n,)
        y.
    groups : array of int, shape (n,)
        Person of each row, 0 to P − 1.
    random : list of int
        Columns of `design` that have a random effect.
    correlated : bool
        Whether Σ is a full matrix; a diagonal one else.
    start : array, shape (R, R), optional
        Σ/σ² to start from, by one of MixedLM's methods of search; None: the identity, with three
        methods one after the other, as MixedLM does.
    follow : callable, optional
        Told −2 log L per row whenever it has fallen; an exception that it raises stops the fit.

    Raises
    ------
    TrainingError
        If MixedLM breaks off.
    """
    # an import of a second, paid by those who fit a linear mixed model only
    from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

    best = np.inf

    class Followed(MixedLM):  # type: ignore[misc]
        """Tells of every step that improves the likelihood; MixedLM itself tells nothing."""

        def loglike(self, params: Any, profile_fe: bool = True) -> float:
            nonlocal best
            value = float(super().loglike(params, profile_fe=profile_fe))
            deviance = -2 * value / len(outcome)
            if follow is not None and deviance < best:
                best = deviance
                follow(deviance)
            return value

    model = Followed(outcome, design, groups=groups, exog_re=design[:, random])
    options: dict[str, Any] = {"reml": False}
    if start is not None:
        # a root of Σ is what MixedLM searches for, so that Σ has to have one
        ridge = START_RIDGE * np.eye(len(random))
        options["start_params"] = MixedLMParams.from_components(
            fe_params=np.zeros(design.shape[1]), cov_re=start + ridge
        )
        options["method"] = "bfgs"
    if not correlated:
        options["free"] = MixedLMParams.from_components(
            fe_params=np.ones(design.shape[1]), cov_re=np.eye(len(random))
        )

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say is read off the result
            found = model.fit(**options)
            sigma = np.asarray(found.cov_re, dtype=np.float64)
            variance, fixed = float(found.scale), np.asarray(found.fe_params, dtype=np.float64)
            error = np.asarray(found.bse_fe, dtype=np.float64)
    except (np.linalg.LinAlgError, ValueError, FloatingPointError) as problem:
        raise TrainingError(f"MixedLM broke off ({problem}).") from problem
    finite = all(np.isfinite(part).all() for part in (sigma, fixed, variance, found.llf))
    if not finite or variance <= 0:
        raise TrainingError("MixedLM found no finite estimate.")
    return MixedLMFit(
        fixed=fixed,
        fixed_se=error,
        sigma=sigma,
        residual_variance=variance,
        effects=_conditional_means(
            design, outcome - design @ fixed, groups, random, sigma, variance
        ),
        log_likelihood=float(found.llf),
        converged=bool(found.converged),
    )


def _conditional_means(
    design: NDArray[np.float64],
    residual: NDArray[np.float64],
    groups: NDArray[np.int64],
    random: list[int],
    sigma: NDArray[np.float64],
    variance: float,
) -> NDArray[np.float64]:
    """(σ² I + Σ Z_iᵀZ_i)⁻¹ Σ Z_iᵀ (y_i − X_i β), which needs no inverse of Σ; shape (P, R)."""
    z = np.ascontiguousarray(design[:, random])
    sums = Sums.of(z, residual, groups)
    zz, zr = sums.xx.numpy(), sums.xy.numpy()
    left = variance * np.eye(len(random)) + sigma @ zz
    return np.asarray(np.linalg.solve(left, (zr @ sigma)[:, :, None])[:, :, 0], dtype=np.float64)
