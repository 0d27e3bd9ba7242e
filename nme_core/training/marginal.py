"""Marginal likelihood of a generalised linear mixed model by Laplace's method, and its derivative.

With ψ_i = u + E η_i the parameters of person i (u shared, E puts η at its places), η_i = Λ b_i,
b_i ~ N(0, I), Σ = Λ Λᵀ, and b̂_i the mode,

    ℓ(u, Λ) = Σ_i { log p(y_i | ψ̂_i) − ½ b̂_iᵀb̂_i − ½ log|K_i| },    K_i = I + Λᵀ H_i Λ

with H_i = −∂² log p/∂η² at the mode (Pinheiro & Bates 1995; lme4's glmer with nAGQ = 1). The
derivative is exact: it counts how the mode, and with it H_i, moves with u and Λ (Skaug & Fournier
2006). With q_i = K_i⁻¹ Λᵀ t_i and t_i = ½ ∂ log|K_i|/∂ψ at fixed Λ,

    ∂ℓ/∂u = Σ_i ( g_i − t_i + H_i[·,η] Λ q_i )
    ∂ℓ/∂Λ = Σ_i ( g_i b̂_iᵀ − H_i Λ K_i⁻¹ − t_i b̂_iᵀ − g_i q_iᵀ + H_i Λ q_i b̂_iᵀ )   (rows of η)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.nn import LikelihoodFamily
from nme_core.training.linear_layout import LinearLayout
from nme_core.training.person_rows import Rows, ends_of_blocks, products_of_all, products_of_units

#: Newton steps to a mode at most, and halvings of one.
LONGEST, HALVINGS = 100, 30
#: A mode is reached where a step promises less than this of the log-likelihood, relative, in all
#: persons: the determinant moves with the step, not with its square.
TOLERANCE = 1e-18
#: A step that promises less than this is gone as it is: what it adds may drown in rounding.
SURE = 1e-8
#: Numbers of the rows of a study up to which they are kept in double precision.
_KEPT_NUMBERS = 2**25


#: Outputs of rows, (U, L, O), ∂ log p/∂h, (U, L, m), and −∂² log p/∂h², (U, L, m, m).
Seen = tuple[Tensor, Tensor, Tensor]


class OutOfReachError(ArithmeticError):
    """At these parameters the likelihood has no finite curvature: a search has to step back."""


@dataclass(frozen=True)
class Modes:
    """Where the persons of a block are, given u and Λ; float64.

    Attributes
    ----------
    b : Tensor, shape (P, m)
        b̂; m columns of Λ.
    value : Tensor, shape (P,)
        log p(y | ψ̂) − ½ b̂ᵀb̂.
    gradient : Tensor, shape (P, R)
        ∂ log p/∂η.
    lower : Tensor, shape (P, m, m)
        Cholesky factors of K.
    seen : list of tuple of Tensor
        What `LaplaceMarginal._seen` returns there.
    reached : bool
        Whether every mode was.
    """

    b: Tensor
    value: Tensor
    gradient: Tensor
    lower: Tensor
    seen: list[Seen]
    reached: bool


class LaplaceMarginal:
    """ℓ(u, Λ) of all persons.

    Parameters
    ----------
    batches : sequence of Batch
        Rows; one grouping factor.
    family : LikelihoodFamily
        Of the outcome.
    layout : LinearLayout
        Of the network.
    n_persons : int
        P.
    ridge : Tensor, shape (D,)
        Precisions of normal priors with mean 0 on u; 0 where there is none.

    Attributes
    ----------
    weak : float
        Precision of a prior on Σ, log p = −½ weak tr Σ: each standard deviation is half-normal.
    """

    def __init__(
        self,
        batches: Sequence[Batch],
        family: LikelihoodFamily,
        layout: LinearLayout,
        n_persons: int,
        ridge: Tensor,
    ) -> None:
        self.family, self.layout, self.n_persons = family, layout, n_persons
        self.n_rows = sum(batch.n_rows for batch in batches)
        self.ridge, self.weak = ridge, 0.0
        self._batches, self._bounds = list(batches), ends_of_blocks(batches, layout, n_persons)
        self._kept: list[list[Rows]] | None = None
        if sum(batch.mask.numel() for batch in batches) * layout.n_columns <= _KEPT_NUMBERS:
            self._kept = [list(self._cut(*bound)) for bound in self._bounds]
        self._b = torch.zeros(n_persons, len(layout.random), dtype=torch.float64)  # see `_begin`
        self._columns, self._predictors = layout.random_columns, layout.random_predictors
        self._pairs = layout.random_pairs
        self._places = layout.predictor * layout.n_columns + layout.column

    def _cut(self, first: int, last: int) -> Iterator[Rows]:
        for batch in self._batches:
            persons = batch.groups[:, 0].contiguous()
            edge = torch.searchsorted(persons, torch.tensor([first, last])).tolist()
            if edge[0] < edge[1]:
                yield Rows.of(batch.take(slice(*edge)), first)

    def _blocks(self) -> Iterator[tuple[slice, list[Rows]]]:
        for k, (first, last) in enumerate(self._bounds):
            rows = list(self._cut(first, last)) if self._kept is None else self._kept[k]
            yield slice(first, last), rows

    # What the rows say at given parameters.

    def _predict(self, rows: Rows, weights: Tensor) -> Tensor:
        """Outputs f of the rows, (U, L, O), for weights (P, m, p)."""
        h = rows.x @ weights[rows.person].transpose(1, 2)
        return h if self.layout.mixing is None else h @ self.layout.mixing.T

    def _score(self, output: Tensor, rows: Rows) -> Tensor:
        """∂ log p/∂h, (U, L, m)."""
        score = self.family.score(output, rows.y)
        return score if self.layout.mixing is None else score @ self.layout.mixing

    def _seen(self, block: list[Rows], weights: Tensor) -> list[Seen]:
        """Outputs, and derivatives by the predictors, of a block's rows."""
        mixing, found = self.layout.mixing, []
        for rows in block:
            output = self._predict(rows, weights)
            bend = self.family.curvature(output, rows.y)
            bend = bend if mixing is None else mixing.T @ bend @ mixing
            found.append((output, self._score(output, rows), bend))
        return found

    def _log_density(self, block: list[Rows], weights: Tensor) -> Tensor:
        """log p(y | ψ) of each person, (P,)."""
        total = weights.new_zeros(len(weights))
        for rows in block:
            dense = self.family.log_density(self._predict(rows, weights), rows.y)
            total.index_add_(0, rows.person, torch.where(rows.mask, dense, 0.0).sum(1))
        return total

    def _own_terms(
        self, block: list[Rows], seen: list[Seen], n_people: int
    ) -> tuple[Tensor, Tensor]:
        """∂ log p/∂η, (P, R), and −∂² log p/∂η², (P, R, R)."""
        r, size = len(self.layout.random), len(self._predictors) * len(self._columns)
        gradient = torch.zeros(n_people, size, dtype=torch.float64)
        hessian = torch.zeros(n_people, size, size, dtype=torch.float64)
        for rows, (_, score, bend) in zip(block if r else [], seen, strict=False):
            z, chosen = rows.x[..., self._columns], self._predictors
            of_z = score[..., chosen].transpose(1, 2) @ z
            gradient.index_add_(0, rows.person, of_z.flatten(1))
            hessian.index_add_(0, rows.person, products_of_units(z, z, bend, chosen, chosen))
        pairs = self._pairs
        if r == size and bool((pairs == torch.arange(r)).all()):
            return gradient, hessian
        return gradient[:, pairs], hessian[:, pairs][:, :, pairs]

    def _all_terms(
        self, block: list[Rows], seen: list[Seen], inverse: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """g, t, (P, D) each, H[·,η], (P, D, R), and Σ_i H_i, (D, D); `inverse` is Λ K⁻¹ Λᵀ."""
        n, m, p = len(inverse), self.layout.n_predictors, self.layout.n_columns
        g, t = inverse.new_zeros(n, m * p), inverse.new_zeros(n, m * p)
        size = len(self._predictors) * len(self._columns)
        across = inverse.new_zeros(n, m * p, size)
        whole, every = inverse.new_zeros(m * p, m * p), list(range(m))
        for rows, (output, score, bend) in zip(block, seen, strict=True):
            g.index_add_(0, rows.person, (score.transpose(1, 2) @ rows.x).flatten(1))
            whole += products_of_all(rows.x, bend)
            if size:
                z = rows.x[..., self._columns]
                part = products_of_units(rows.x, z, bend, every, self._predictors)
                across.index_add_(0, rows.person, part)
                pull = self._pull(rows, output, z, inverse)
                t.index_add_(0, rows.person, (pull.transpose(1, 2) @ rows.x).flatten(1))
        places = self._places
        whole = whole[places][:, places]
        return g[:, places], t[:, places], across[:, places][:, :, self._pairs], whole

    def _pull(self, rows: Rows, output: Tensor, z: Tensor, inverse: Tensor) -> Tensor:
        """½ Σ_aa' L_aa' ∂w_aa'/∂h of each row, (U, L, m), L = z_aᵀ Λ K⁻¹ Λᵀ z_a' its leverage."""
        size = len(self._predictors) * len(self._columns)
        spread = inverse.new_zeros(len(inverse), size, size)
        spread[:, self._pairs.unsqueeze(1), self._pairs] = inverse
        leverage = output.new_zeros(*output.shape[:2], *[self.layout.n_predictors] * 2)
        _fill_leverage(leverage, z, spread[rows.person], self._predictors)
        mixing = self.layout.mixing
        leverage = leverage if mixing is None else mixing @ leverage @ mixing.T
        with torch.enable_grad():
            at = output.detach().requires_grad_()
            half = 0.5 * (leverage * self.family.curvature(at, rows.y)).sum()
            (pull,) = torch.autograd.grad(half, at)
        return pull if mixing is None else pull @ mixing

    # Modes, likelihood and derivative.

    def _begin(self, scale: Tensor) -> Tensor:
        """Begin at the last modes, where Λ has as many columns; return the unit matrix of them."""
        if self._b.shape[1] != scale.shape[1]:
            self._b = torch.zeros(self.n_persons, scale.shape[1], dtype=torch.float64)
        return torch.eye(scale.shape[1], dtype=torch.float64)

    def _weights(self, u: Tensor, scale: Tensor, b: Tensor) -> Tensor:
        psi = u.expand(len(b), -1).clone()
        psi[:, self.layout.random] += b @ scale.T
        return self.layout.weights(psi)

    def _modes(self, block: list[Rows], u: Tensor, scale: Tensor, b: Tensor) -> Modes:
        """Newton's method for all persons of a block at once, each with a step of its own."""
        eye = torch.eye(scale.shape[1], dtype=torch.float64)

        def height(at: Tensor) -> Tensor:
            density = self._log_density(block, self._weights(u, scale, at))
            return density - 0.5 * at.square().sum(1)

        value = height(b)
        if not bool(torch.isfinite(value).all()):
            b = torch.where(torch.isfinite(value).unsqueeze(1), b, 0.0)
            value = height(b)
        reached, known = False, True  # whether `value` is that of b
        for _ in range(LONGEST):
            seen = self._seen(block, self._weights(u, scale, b))
            gradient, hessian = self._own_terms(block, seen, len(b))
            lower, error = torch.linalg.cholesky_ex(eye + scale.T @ hessian @ scale)
            if bool(error.any()) or not bool(torch.isfinite(lower).all()):
                if not bool(b.any()):
                    raise OutOfReachError
                b, known = torch.zeros_like(b), False  # the last modes may be those of another Λ
                continue
            slope = gradient @ scale - b
            step = torch.cholesky_solve(slope.unsqueeze(2), lower).squeeze(2)
            promised = 0.5 * (slope * step).sum(1)
            done = promised <= TOLERANCE * (1 + value.abs())
            if bool(done.all()):
                reached = True
                break
            unsure = promised > SURE * (1 + value.abs())
            length = torch.where(done, 0.0, 1.0)
            if not bool(unsure.any()):
                b, known = b + length.unsqueeze(1) * step, False
                continue
            value = value if known else height(b)
            for _ in range(HALVINGS):
                moved = height(b + length.unsqueeze(1) * step)
                worse = unsure & ~(moved >= value - 1e-12 * (1 + value.abs()))
                if not bool(worse.any()):
                    break
                length = torch.where(worse, length / 2, length)
            length = torch.where(worse, 0.0, length)
            b = b + length.unsqueeze(1) * step
            value, known = torch.where(worse, value, moved), True
        value = value if known else height(b)
        if not reached:
            seen = self._seen(block, self._weights(u, scale, b))
        return Modes(b, value, gradient, lower, seen, reached)

    def __call__(self, u: Tensor, scale: Tensor) -> Evaluation:
        """Evaluate at u, (D,), and Λ, (R, m); begins at the modes of the last evaluation.

        Raises
        ------
        OutOfReachError
        """
        layout = self.layout
        r, d, eye = len(layout.random), layout.n_parameters, self._begin(scale)
        value, slope_u, slope_scale = self.log_prior(u, scale), -self.ridge * u, -self.weak * scale
        information = self.ridge.diag()
        second, conditional, reached = u.new_zeros(r, r), u.new_zeros(r, r), True
        for place, block in self._blocks():
            modes = self._modes(block, u, scale, self._b[place])
            self._b[place], reached = modes.b, reached and modes.reached
            inverse = scale @ torch.cholesky_solve(eye.expand_as(modes.lower), modes.lower)
            spread = inverse @ scale.T  # (P, R, R)
            g, t, across, whole = self._all_terms(block, modes.seen, spread)
            log_k = modes.lower.diagonal(dim1=1, dim2=2).log().sum(1)
            value = value + (modes.value - log_k).sum()
            own_g, own_t, own_h = g[:, layout.random], t[:, layout.random], across[:, layout.random]
            q = torch.cholesky_solve((own_t @ scale).unsqueeze(2), modes.lower).squeeze(2)
            pulled = q @ scale.T  # Λ q
            slope_u = slope_u + (g - t).sum(0) + torch.einsum("pdr,pr->d", across, pulled)
            moved = torch.einsum("prs,ps->pr", own_h, pulled)
            slope_scale = slope_scale + (own_g - own_t + moved).T @ modes.b - own_g.T @ q
            slope_scale = slope_scale - torch.einsum("prs,psk->rk", own_h, inverse)
            eliminated = torch.einsum("pdr,prs->pds", across, spread)
            information = information + whole - torch.einsum("pds,pes->de", eliminated, across)
            second = second + scale @ (modes.b.T @ modes.b) @ scale.T
            conditional = conditional + spread.sum(0)
        return Evaluation(
            float(value), slope_u, slope_scale, information.view(d, d), second, conditional, reached
        )

    def log_prior(self, u: Tensor, scale: Tensor) -> Tensor:
        """Log density of the priors on u and Σ, up to a constant."""
        return -0.5 * ((self.ridge * u.square()).sum() + self.weak * scale.square().sum())

    def effects_following(self, u: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """η̂, (P, R), C = Λ K⁻¹ Λᵀ, (P, R, R), and ∂η̂/∂u, (P, R, D), of all persons."""
        eye, found = self._begin(scale), []
        for place, block in self._blocks():
            modes = self._modes(block, u, scale, self._b[place])
            self._b[place] = modes.b
            spread = scale @ torch.cholesky_solve(eye.expand_as(modes.lower), modes.lower) @ scale.T
            across = self._all_terms(block, modes.seen, spread)[2]
            found.append((spread, -spread @ across.transpose(1, 2)))
        spread, coupling = (torch.cat(part) for part in zip(*found, strict=True))
        return self._b @ scale.T, spread, coupling


def _fill_leverage(leverage: Tensor, z: Tensor, spread: Tensor, predictors: list[int]) -> None:
    """z_aᵀ S_aa' z_a' of each row into (U, L, m, m); S of each unit, by predictor and column."""
    n = z.shape[2]
    for i, a in enumerate(predictors):
        for j, b in enumerate(predictors[: i + 1]):
            part = spread[:, i * n : (i + 1) * n, j * n : (j + 1) * n]
            leverage[..., a, b] = leverage[..., b, a] = ((z @ part) * z).sum(-1)


@dataclass(frozen=True)
class Evaluation:
    """ℓ at one place.

    Attributes
    ----------
    value : float
        ℓ, with the log density of the priors on u and Σ up to a constant.
    shared, scale : Tensor, shapes (D,) and (R, m)
        ∂ℓ/∂u and ∂ℓ/∂Λ.
    information : Tensor, shape (D, D)
        Σ_i (H_i − H_i[·,η] (H_i[η,η] + Σ⁻¹)⁻¹ H_i[η,·]), what the rows say of u at given Σ.
    second, conditional : Tensor, shape (R, R)
        Σ_i η̂_i η̂_iᵀ and Σ_i C_i.
    reached : bool
        Whether all modes were.
    """

    value: float
    shared: Tensor
    scale: Tensor
    information: Tensor
    second: Tensor
    conditional: Tensor
    reached: bool
