"""A network without hidden layers as linear predictors: which parameter multiplies which input."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import torch
from torch import Tensor

from nme_core.nn import MixedEffects

#: Name of the logarithms of the distances between thresholds.
GAPS = "gaps"
_NONE = torch.zeros(0, dtype=torch.int64)


@dataclass(frozen=True)
class LinearLayout:
    """How D parameters ψ make the outputs of a row with inputs x̃ = (x, 1).

        h_a = Σ_{d: a_d = a} ψ_d x̃_{c_d},    f = A h

    A is the identity but for ordered classes, f_k = τ_k − s, whose predictors are the score s and
    the thresholds τ_2 … τ_{K−1} (τ_1 = 0: the intercept does its work).

    Attributes
    ----------
    predictor, column : Tensor of int, shape (D,)
        a_d and c_d of each parameter.
    mixing : Tensor, shape (O, m), or None
        A; None for the identity.
    random : Tensor of int, shape (R,)
        Places of the person-specific parameters in ψ, in the order of the deviations.
    n_predictors, n_columns : int
        m, and p, the number of inputs with the constant.
    """

    predictor: Tensor
    column: Tensor
    mixing: Tensor | None
    random: Tensor
    n_predictors: int
    n_columns: int

    @classmethod
    def of(cls, mixed: MixedEffects) -> LinearLayout:
        """Read the layout off a network of one layer, with or without thresholds."""
        shapes = {name: tuple(value.shape) for name, value in mixed.fixed().items()}
        n_outputs, n_inputs = next(shape for shape in shapes.values() if len(shape) == 2)
        predictor: list[int] = []
        column: list[int] = []
        places: dict[tuple[str, tuple[int, ...]], int] = {}
        n_further = 0
        for name, shape in shapes.items():
            for index in product(*map(range, shape)):
                places[name, index] = len(predictor)
                threshold = name == GAPS
                predictor.append(index[0] + 1 if threshold else index[0])
                column.append(index[1] if len(index) == 2 else n_inputs)
                n_further += threshold
        mixing = None
        if GAPS in shapes:
            mixing = torch.eye(n_further + 1, dtype=torch.float64)
            mixing[:, 0] = -1.0
        return cls(
            torch.tensor(predictor),
            torch.tensor(column),
            mixing,
            torch.tensor([places[key] for key in mixed.parameter_indices()], dtype=torch.int64),
            n_outputs if mixing is None else len(mixing),
            n_inputs + 1,
        )

    def differing(self, left_out: Iterable[int]) -> tuple[LinearLayout, Tensor]:
        """The same where nobody differs in these columns, and the places of the random effects that
        are left, (R',).
        """
        out = torch.tensor([*left_out], dtype=torch.int64)
        own = torch.nonzero(~torch.isin(self.column[self.random], out))[:, 0]
        return replace(self, random=self.random[own]), own

    @cached_property
    def random_columns(self) -> Tensor:
        """Columns that a random effect has, in order."""
        found: Tensor = torch.unique(self.column[self.random])
        return found

    @cached_property
    def random_predictors(self) -> list[int]:
        """Predictors that a random effect has, in order."""
        found: list[int] = torch.unique(self.predictor[self.random]).tolist()
        return found

    @cached_property
    def random_pairs(self) -> Tensor:
        """Place of each random effect among the pairs of these predictors and columns, (R,)."""
        column = torch.searchsorted(self.random_columns, self.column[self.random])
        predictors = torch.tensor(self.random_predictors, dtype=torch.int64)
        predictor = torch.searchsorted(predictors, self.predictor[self.random])
        pairs: Tensor = predictor * len(self.random_columns) + column
        return pairs

    @property
    def n_parameters(self) -> int:
        """D."""
        return len(self.predictor)

    @property
    def thresholds(self) -> Tensor:
        """Places of τ_2 … τ_{K−1} in ψ."""
        return torch.nonzero(self.predictor > 0)[:, 0] if self.mixing is not None else _NONE

    def start(self) -> Tensor:
        """ψ to start from: 0, and thresholds 1 apart; shape (D,)."""
        psi = torch.zeros(self.n_parameters, dtype=torch.float64)
        psi[self.thresholds] = torch.arange(1.0, len(self.thresholds) + 1, dtype=torch.float64)
        return psi

    def weights(self, psi: Tensor) -> Tensor:
        """Coefficients of x̃, (n, D) → (n, m, p)."""
        result = psi.new_zeros(len(psi), self.n_predictors * self.n_columns)
        result[:, self.predictor * self.n_columns + self.column] = psi
        return result.view(len(psi), self.n_predictors, self.n_columns)

    @torch.no_grad()
    def write(self, mixed: MixedEffects, psi: Tensor, deviations: Tensor) -> None:
        """Put ψ, (D,), and η, (P, R), into the network."""
        psi, start = self.parameters(psi), 0
        for value in mixed.fixed().values():
            value.copy_(psi[start : start + value.numel()].view_as(value))
            start += value.numel()
        mixed.deviations.copy_(deviations)

    @torch.no_grad()
    def read(self, mixed: MixedEffects) -> Tensor:
        """ψ of the network, (D,), float64: undo `write`."""
        psi = torch.cat([value.reshape(-1) for value in mixed.fixed().values()]).double().cpu()
        psi[self.thresholds] = psi[self.thresholds].exp().cumsum(0)
        return psi

    def parameters(self, psi: Tensor) -> Tensor:
        """The network's parameters, (D,): the gaps are logarithms."""
        found, above = psi.clone(), torch.cat([psi.new_zeros(1), psi[self.thresholds]])
        found[self.thresholds] = above.diff().log()
        return found

    def slope(self, psi: Tensor) -> Tensor:
        """Derivative of `parameters` by ψ, shape (D, D)."""
        result = torch.eye(self.n_parameters, dtype=torch.float64)
        gaps = torch.cat([psi.new_zeros(1), psi[self.thresholds]]).diff()
        for k, place in enumerate(self.thresholds.tolist()):
            result[place, place] = 1 / gaps[k]
            if k:
                result[place, int(self.thresholds[k - 1])] = -1 / gaps[k]
        return result


def placed(values: Tensor, own: Tensor, n: int, *dims: int) -> Tensor:
    """Values at places `own` among n along these dimensions, 0 elsewhere."""
    for dim in dims:
        shape = [n if k == dim else size for k, size in enumerate(values.shape)]
        values = values.new_zeros(shape).index_copy_(dim, own, values)
    return values
