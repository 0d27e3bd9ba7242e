"""The model for everybody of an outcome that is no number with Gaussian residuals: where searches
begin, and what the rows leave open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from nme_core.batches.sequences import Batch, chunks
from nme_core.nn import LikelihoodFamily, contrasts
from nme_core.training.linear_layout import LinearLayout
from nme_core.training.marginal import LaplaceMarginal
from nme_core.training.weak_prior import LEFT_OUT, SPREAD, explained_inputs

#: Precision of the prior on what the rows leave open.
WEAK = SPREAD**-2
#: Newton steps; a coefficient that still moves by so much runs away.
_STEPS, _RUNS_AWAY = 30, 0.05


@dataclass(frozen=True)
class Pooled:
    """Everybody's u, highest in the likelihood and the priors that it needs.

    Attributes
    ----------
    u, ridge : Tensor, shape (D,)
        In the order of `LinearLayout`, and precisions of the priors: 0 but where without one there
        is no maximum.
    collinear : dict of int to tuple of int
        Inputs that are left out, being constant or combinations of these others.
    separated : dict of int to int
        Inputs that tell a class apart without error, and the class: so do those.
    """

    u: Tensor
    ridge: Tensor
    collinear: dict[int, tuple[int, ...]]
    separated: dict[int, int]

    @classmethod
    def of(
        cls,
        batches: Sequence[Batch],
        family: LikelihoodFamily,
        layout: LinearLayout,
        n_groups: int,
    ) -> Self:
        """Fit it."""
        collinear, column = _collinear(batches, layout.n_columns), layout.column
        known = torch.isin(column, torch.tensor([*collinear], dtype=column.dtype))
        ridge, separated = torch.where(known, LEFT_OUT, 0.0).double(), {}
        shared = replace(layout, random=layout.random[:0])

        def fitted() -> tuple[Tensor, Tensor]:
            return _newton(LaplaceMarginal(batches, family, shared, n_groups, ridge))

        u, step = fitted()
        runs = (step.abs() > _RUNS_AWAY) & (ridge == 0)
        if bool(runs.any()):
            separated = _run_away(layout, step, runs)
            ridge[runs] = WEAK
            u, _ = fitted()
        return cls(u, ridge, collinear, separated)


def _run_away(layout: LinearLayout, step: Tensor, runs: Tensor) -> dict[int, int]:
    """Inputs whose coefficients have no bound, each with the class that moves the most."""
    found = {}
    for column in torch.unique(layout.column[runs]).tolist():
        own = layout.column == column
        n_outputs = int(own.sum())
        scores = contrasts(n_outputs + 1) @ step[own]
        found[column] = int(scores.abs().argmax())
    return found


def _newton(marginal: LaplaceMarginal) -> tuple[Tensor, Tensor]:
    """Return u, and the step that Newton's method would still go."""
    nothing = torch.zeros(0, 0, dtype=torch.float64)
    u = marginal.layout.start()
    # The precision of what is left out would hide how flat the likelihood is elsewhere.
    free = (marginal.ridge < LEFT_OUT).nonzero().squeeze(1)
    found, step = marginal(u, nothing), torch.zeros_like(u)
    for _ in range(_STEPS):
        information = found.information[free][:, free]
        step[free] = torch.linalg.lstsq(information, found.shared[free], driver="gelsd").solution
        if float(found.shared @ step) < 1e-10 and float(step.abs().max()) < 1e-4:
            break
        length = 1.0
        while length > 1e-6:
            moved = marginal(u + length * step, nothing)
            if moved.value >= found.value:
                break
            length /= 2
        else:
            break
        u, found = u + length * step, moved
    return u, step


def _collinear(batches: Sequence[Batch], p: int) -> dict[int, tuple[int, ...]]:
    """See `explained_inputs`; p columns."""
    gram = torch.zeros(p, p, dtype=torch.float64)
    for batch in chunks(batches):
        ones = torch.ones(*batch.mask.shape, 1, dtype=torch.float64)
        x = torch.cat([batch.x.double(), ones], dim=2)[batch.mask]
        gram += x.T @ x
    return explained_inputs(gram)
