"""Likelihood-ratio test of nested models, also where a variance is 0 under the smaller one.

LR = 2 (log L₁ − log L₀). With d parameters more, none of them at the edge of what it can be, LR is
χ²_d under the smaller model. A variance that is 0 under it is at the edge. For one random effect
more, with q covariances and other numbers, Stram and Lee (1994, doi 10.2307/2533455) give

    ½ χ²_q + ½ χ²_{q+1},   q + 1 = d

(χ²₀ is 0). For several the weights of χ²₀ … χ²_d depend on the data; those with an even and those
with an odd number of degrees of freedom each sum to ½ (Shapiro 1988, doi 10.2307/1403361), so that
½ χ²_{d−1} + ½ χ²_d is the largest that the p-value can be: a conservative test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import chdtrc

#: By so much the likelihood of the larger model may lie below: rounding and the end of a search.
SLACK = 0.01
INTERIOR, MIXTURE, CONSERVATIVE = "χ²", "mixture", "conservative mixture"


@dataclass(frozen=True)
class LikelihoodRatio:
    """A likelihood-ratio test.

    Attributes
    ----------
    statistic : float
        LR, not below 0.
    df : int
        Parameters that the larger model has more.
    reference : {"χ²", "mixture", "conservative mixture"}
        Distribution under the smaller model; the last bounds the p-value from above.
    p : float
        NaN where the larger model's likelihood is lower by more than a search's end leaves open.
    """

    statistic: float
    df: int
    reference: str
    p: float


def boundary_p(statistic: float, df: int) -> float:
    """P(½ χ²_{df−1} + ½ χ²_df ≥ LR); 1 at LR = 0."""
    if statistic <= 0:
        return 1.0
    lower = float(chdtrc(df - 1, statistic)) if df > 1 else 0.0
    return 0.5 * lower + 0.5 * float(chdtrc(df, statistic))


def likelihood_ratio(
    smaller: float, larger: float, *, df: int, n_variances: int
) -> LikelihoodRatio:
    """Test two nested models.

    Parameters
    ----------
    smaller, larger : float
        Their log-likelihoods.
    df : int
        Parameters that the larger one has more, at least 1.
    n_variances : int
        Variances among them, which are 0 under the smaller one.
    """
    if df < 1:
        raise ValueError("the larger model has no parameter more")
    statistic = 2 * (larger - smaller)
    reference = (INTERIOR, MIXTURE, CONSERVATIVE)[min(n_variances, 2)]
    if statistic < -SLACK:
        return LikelihoodRatio(statistic, df, reference, math.nan)
    statistic = max(statistic, 0.0)
    p = boundary_p(statistic, df) if n_variances else float(chdtrc(df, statistic))
    return LikelihoodRatio(statistic, df, reference, p)
