"""Diagonal or full Σ beside an autocorrelation of the residuals: which one the rows ask for.

A diagonal Σ keeps level and slope apart, and ρ takes up what they share: residuals seem to remember
longer than they do, and people's slopes come out wrong. Without ρ the structure of Σ matters far
less (docs/uncertainty.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nme_core.training.linear_autocorrelation import AutocorrelatedFit
from nme_core.training.linear_mixed import NoResidualError, UnidentifiedError

DIAGONAL, FULL = "diagonal", "full"
#: Random effects up to which a full Σ is tried: its numbers are ten, which are integrated out.
MOST_EFFECTS = 4
#: People that each covariance takes; so many, and the likelihood ratio can be relied on.
PEOPLE_EACH = 5


@dataclass(frozen=True)
class StructureChoice:
    """What was chosen, and why.

    Attributes
    ----------
    kind : {"diagonal", "full"}
        The structure.
    gain : float
        AIC of the diagonal Σ minus AIC of the full one; NaN where that was not fitted.
    reason : str
        Why a full Σ was not tried, or not taken although its AIC is lower; empty: AIC decided.
    """

    kind: str
    gain: float = math.nan
    reason: str = ""

    @property
    def words(self) -> str:
        """The choice in a sentence."""
        if not math.isfinite(self.gain):
            return f"Σ is diagonal; a full Σ was not fitted: {self.reason}."
        lower = f"{abs(self.gain):.1f} {'lower' if self.gain > 0 else 'higher'}"
        if self.kind == FULL:
            return f"Σ is full: its AIC is {lower} than that of a diagonal Σ."
        if self.reason:
            return f"Σ is diagonal although the AIC of a full Σ is {lower}: {self.reason}."
        return f"Σ is diagonal: the AIC of a full Σ is {lower}."


def choose_structure(
    diagonal: AutocorrelatedFit, full: Callable[[], AutocorrelatedFit], n_people: int
) -> tuple[StructureChoice, AutocorrelatedFit]:
    """Fit a full Σ where people are many enough, and take it where the likelihood asks for it.

    Parameters
    ----------
    diagonal : AutocorrelatedFit
        With a diagonal Σ.
    full : callable
        Fits the same with a full one.
    n_people : int
        People.

    Returns
    -------
    StructureChoice, AutocorrelatedFit
        The choice, and the fit that was chosen.
    """
    n = len(diagonal.fit.sigma)
    covariances = n * (n - 1) // 2
    why = ""
    if not covariances:
        why = "people differ in fewer than two numbers"
    elif n > MOST_EFFECTS:
        why = f"people differ in {n} numbers, more than {MOST_EFFECTS}"
    elif n_people < PEOPLE_EACH * covariances:
        each = "covariance" if covariances == 1 else f"of {covariances} covariances"
        why = f"{n_people} people are fewer than {PEOPLE_EACH} for each {each}"
    if why:
        return StructureChoice(DIAGONAL, reason=why), diagonal
    try:
        found = full()
    except (NoResidualError, UnidentifiedError, np.linalg.LinAlgError):
        why = "the rows cannot tell it from the residuals"
        return StructureChoice(DIAGONAL, reason=why), diagonal
    gain = 2 * (found.fit.log_likelihood - diagonal.fit.log_likelihood - covariances)
    if gain <= 0:
        return StructureChoice(DIAGONAL, gain), diagonal
    if not found.fit.converged:
        return StructureChoice(DIAGONAL, gain, "its search did not converge"), diagonal
    return StructureChoice(FULL, gain), found
