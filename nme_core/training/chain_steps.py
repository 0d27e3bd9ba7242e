"""Steps of a search: Newton's, bounded, and Anderson's acceleration of a fixed point."""

from __future__ import annotations

import torch
from scipy.optimize import lsq_linear
from torch import Tensor

#: Longest step of a log variance.
STRIDE = 1.5
#: Directions of θ with less than this share of information, where nothing else is known, have none.
_NULL = 1e-9
#: So many steps are looked back on.
_DEPTH = 8


class Mixing:
    """Anderson's acceleration of a fixed point x ← x + f(x), of the last few steps."""

    def __init__(self) -> None:
        self.moving: Tensor | None = None
        self.past: list[tuple[Tensor, Tensor]] = []

    def __call__(self, x: Tensor, f: Tensor, moving: Tensor, metric: Tensor) -> Tensor:
        """Return the step to go; `moving` says which numbers these are, and fᵀ metric f how far it
        is to the fixed point.
        """
        if self.moving is None or not torch.equal(self.moving, moving):
            self.past = []
        self.moving = moving
        self.past = [*self.past, (x, f)][-_DEPTH:]
        if len(self.past) < 2:
            return f
        xs, fs = (torch.stack(part, dim=1) for part in zip(*self.past, strict=True))
        dx, df = xs.diff(dim=1), fs.diff(dim=1)
        gram = df.T @ metric @ df
        gram = gram + 1e-10 * gram.diagonal().max() * torch.eye(len(gram), dtype=gram.dtype)
        weight = torch.linalg.lstsq(gram, df.T @ metric @ f, driver="gelsd").solution
        step: Tensor = f - (dx + df) @ weight
        return step


def bounded(information: Tensor, slope: Tensor, stride: float = STRIDE) -> Tensor:
    """Where slope · c − ½ c · information · c is highest with every |c| at most so long."""
    if not len(slope):
        return torch.zeros_like(slope)
    values, vectors = torch.linalg.eigh(information)
    root = values.clamp_min(1e-12 * values.max().clamp_min(1e-300)).sqrt()
    matrix, target = root.unsqueeze(1) * vectors.T, (vectors.T @ slope) / root
    found = lsq_linear(matrix.numpy(), target.numpy(), (-stride, stride), method="bvls")
    return torch.from_numpy(found.x)


def told(total: Tensor) -> Tensor:
    """Orthonormal basis of the directions in which Σ_i H_i is not 0, shape (R, n)."""
    scale = total.diagonal().sqrt()
    scale = torch.where(scale > 1e-6 * scale.max(), scale, 1.0)
    values, vectors = torch.linalg.eigh(total / scale / scale.unsqueeze(1))
    null = (vectors / scale.unsqueeze(1))[:, values < _NULL]
    if not null.shape[1]:
        return torch.eye(len(total), dtype=total.dtype)
    basis: Tensor = torch.linalg.qr(null, mode="complete")[0]
    return basis[:, null.shape[1] :]


def solved(curvature: Tensor, score: Tensor) -> Tensor:
    """Newton's step; of a curvature that is not positive, with its eigenvalues made so."""
    lower, info = torch.linalg.cholesky_ex(curvature)
    if int(info) == 0:
        return torch.cholesky_solve(score.unsqueeze(1), lower).squeeze(1)
    values, vectors = torch.linalg.eigh(curvature)
    values = values.abs().clamp_min(1e-6 * values.abs().max())
    result: Tensor = vectors @ ((vectors.T @ score) / values)
    return result
