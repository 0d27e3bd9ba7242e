"""A CRF with linear emissions, person by person: what a step of Newton's method needs of it.

With u the shared parameters, η_i those of a person, and of −log p_i the gradient −g_i and the
curvature H_i in all of them (see `nme_core.nn.chain_kernel`),

    M_i = H_i[η,η] + Σ⁻¹,   G_i = H_i[η,u],   S = Σ_i ( H_i[u,u] − G_iᵀ M_i⁻¹ G_i ).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import torch
from torch import Tensor

from nme_core.training.chain_data import ChainData


@dataclass
class Sums:
    """What the people add up to at (u, η) and Σ. R shared and q own parameters, float64.

    Attributes
    ----------
    moving : Tensor of bool, shape (q,)
        Which of the people's own numbers do differ, m of them.
    places : Tensor, shape (m,)
        Places in ψ of these.
    others : Tensor, shape (r,)
        Places in ψ of all others; of a Σ that is not diagonal, and may be next to singular, all.
    precision : Tensor, shape (m, m) or, of a diagonal one, (m,)
        Σ⁻¹ of these.
    log_likelihood, penalty, log_determinant, promised, tilt : float
        Σ_i of log p_i, ½ ηᵀΣ⁻¹η, ½ log|M_i|, ½ aᵀM_i⁻¹a with a = g_i[η] − Σ⁻¹η_i, and aᵀM_i⁻¹t_i
        with t_i as below.
    total, curvature : Tensor, shape (R, R)
        Σ_i H_i and S.
    score : Tensor, shape (R,)
        Σ_i (g_i − G_iᵀ M_i⁻¹ a).
    bent : Tensor, shape (R,)
        Half the slope of Σ_i log|M_i| by u, η at its mode; 0 where it was not taken.
    own : Tensor, shape (P, q)
        M_i⁻¹ a.
    response : Tensor, shape (P, m, r)
        M_i⁻¹ G_i at the others; float32. At `places` it is 1 − C_i Σ⁻¹, as G_i is M_i − Σ⁻¹ there.
    bend : Tensor, shape (P, q)
        C_i t_i with t_i the slope of log|M_i| by η and C_i = M_i⁻¹; 0 where it was not taken.
    spread : Tensor, shape (q, q)
        Σ_i C_i.
    squares : Tensor, shape (q, q)
        Σ_i of the squares of the elements of C_i.
    conditional : Tensor, shape (P, m, m)
        C_i of these.
    idle : Tensor, shape (E,)
        Places in ψ of numbers that might differ by person.
    rise : Tensor, shape (E,)
        Twice the slopes of ℓ by their variances at 0.
    idle_squares : Tensor, shape (E, E)
        Σ_i of the squares of what people tell of them, H_i − H_i[:,η] C_i H_i[η,:] there.
    """

    places: Tensor
    others: Tensor
    moving: Tensor
    precision: Tensor
    total: Tensor
    curvature: Tensor
    score: Tensor
    bent: Tensor
    own: Tensor
    response: Tensor
    bend: Tensor
    spread: Tensor
    squares: Tensor
    conditional: Tensor
    idle: Tensor
    rise: Tensor
    idle_squares: Tensor
    log_likelihood: float = 0.0
    penalty: float = 0.0
    log_determinant: float = 0.0
    promised: float = 0.0
    tilt: float = 0.0

    @property
    def known(self) -> bool:
        """Whether M_i⁻¹ G_i at `places` is known from Σ, see `response`."""
        return self.precision.dim() == 1

    @classmethod
    def at(
        cls,
        data: ChainData,
        theta: Tensor,
        eta: Tensor,
        precision: Tensor,
        *,
        exact: bool,
        idle: Tensor | None = None,
    ) -> Self:
        """Add up.

        Parameters
        ----------
        precision : Tensor, shape (q, q) or, of a diagonal one, (q,)
            Σ⁻¹.
        exact : bool
            Whether the slopes of log|M_i| count, as they do at the maximum of the marginal
            likelihood; else they are left out.
        idle : Tensor, optional
            See above; none by default, and only with `exact`.
        """
        idle = data.places[:0] if idle is None else idle
        p, q, r = data.n_people, len(data.places), data.n_parameters
        zeros = partial(torch.zeros, dtype=torch.float64)
        result = cls(
            places=data.places,
            others=data.others if precision.dim() == 1 else torch.arange(r),
            moving=torch.ones(q, dtype=torch.bool),
            precision=precision,
            total=zeros(r, r),
            curvature=zeros(r, r),
            score=zeros(r),
            bent=zeros(r),
            own=zeros(p, q),
            response=torch.zeros(p, q, r - q if precision.dim() == 1 else r),
            bend=zeros(p, q),
            spread=zeros(q, q),
            squares=zeros(q, q),
            conditional=zeros(p, q, q),
            idle=idle,
            rise=zeros(len(idle)),
            idle_squares=zeros(len(idle), len(idle)),
        )
        for people in data.parts():
            result._add(data, theta, eta, precision, people, exact=exact)
        return result

    def behind(self, shared: Tensor) -> Tensor:
        """How far η goes back where θ goes ahead by so much, (R,): M_i⁻¹ G_i dθ, (P, q)."""
        result = (self.response @ shared[self.others].float()).double()
        if self.known:
            own = shared[self.places]
            result += own - self.conditional @ (own * self.precision)
        return _among(result, self.moving, 1)

    def gathered(self, own: Tensor) -> Tensor:
        """Σ_i G_iᵀ M_i⁻¹ v_i, (R,), of v (P, q)."""
        own = own[:, self.moving]
        result = torch.zeros(len(self.score), dtype=torch.float64)
        result[self.others] = torch.einsum("pqr,pq->r", self.response, own.float()).double()
        if self.known:
            back = torch.einsum("pqs,ps->q", self.conditional, own)
            result[self.places] = own.sum(0) - back * self.precision
        return result

    def coupling(self) -> Tensor:
        """M_i⁻¹ G_i, (P, q, R), float32."""
        result = torch.zeros(*self.own.shape, len(self.score))
        at = self.moving.nonzero()
        result[:, at, self.others] = self.response
        if self.known:
            back = (self.conditional * self.precision).float()
            result[:, at, self.places] = torch.eye(len(at)) - back
        return result

    def conditionals(self, variances: Tensor) -> Tensor:
        """C_i, (P, q, q), with these variances of the effects that are known to be 0, (q,)."""
        rest = torch.where(self.moving, 0.0, variances).diag()
        return _among(self.conditional, self.moving, 1, 2) + rest

    def among(self, moving: Tensor, variances: Tensor) -> Sums:
        """The same of all effects, those that did not count being 0 with these variances, (q,)."""
        n, rest = len(self.own), torch.where(moving, 0.0, variances).diag()
        return replace(
            self,
            moving=moving,
            log_determinant=self.log_determinant - 0.5 * n * float(variances[~moving].log().sum()),
            own=_among(self.own, moving, 1),
            bend=_among(self.bend, moving, 1),
            spread=_among(self.spread, moving, 0, 1) + n * rest,
            squares=_among(self.squares, moving, 0, 1) + n * rest.square(),
        )

    def _add(
        self,
        data: ChainData,
        theta: Tensor,
        eta: Tensor,
        precision: Tensor,
        people: slice,
        *,
        exact: bool,
    ) -> None:
        value, gradient, hessian = data.derivatives(theta, eta, people)
        self.log_likelihood += float(value.sum())
        self.total += hessian.sum(0)
        self.score += gradient.sum(0)
        if not len(data.places):
            self.curvature += hessian.sum(0)
            return
        places, own = data.places, eta[people]
        others = self.others
        hessian, lower = _factored(hessian, places, precision)
        across = hessian.index_select(2, others).index_select(1, places)
        flat = across.flatten(0, 1).T
        pull = own * precision if self.known else own @ precision
        ahead = gradient[:, places] - pull
        conditional = torch.cholesky_inverse(lower)
        spread = conditional.sum(0)
        step = torch.bmm(conditional, ahead.unsqueeze(2)).squeeze(2)
        self.spread += spread
        self.penalty += 0.5 * float((own * pull).sum())
        self.log_determinant += float(lower.diagonal(dim1=1, dim2=2).log().sum())
        self.promised += 0.5 * float((ahead * step).sum())
        self.own[people], self.conditional[people] = step, conditional
        response = conditional @ across
        self.response[people] = response.float()
        self.squares += conditional.square().sum(0)
        full = hessian.sum(0)
        full[others.unsqueeze(1), others] -= flat @ response.flatten(0, 1)
        self.score[others] -= flat @ step.flatten()
        if self.known:
            at_own = (len(own) * precision).diag() - precision.unsqueeze(1) * spread * precision
            mixed = precision.unsqueeze(1) * response.sum(0)
            full[places.unsqueeze(1), places] = at_own
            full[places.unsqueeze(1), others] = mixed
            full[others.unsqueeze(1), places] = mixed.T
            self.score[places] -= (ahead - step * precision).sum(0)
        self.curvature += full
        if exact:
            eye = torch.eye(len(places), dtype=torch.float64).expand_as(lower)
            roots = torch.linalg.solve_triangular(lower, eye, upper=False).transpose(1, 2)
            slope = data.curvature_slopes(theta, eta, roots, people)
            bend = torch.einsum("nqs,ns->nq", conditional, slope[:, places])
            if self.known:
                self.bent[places] += 0.5 * (bend * precision).sum(0)
            self.bent[others] += 0.5 * (slope[:, others].sum(0) - flat @ bend.flatten())
            self.bend[people] = bend
            self.tilt += float((ahead * bend).sum())
            if len(self.idle):
                at = torch.searchsorted(others, self.idle)
                through = across[:, :, at]
                inner = hessian[:, self.idle][:, :, self.idle] - through.mT @ response[:, :, at]
                rising = gradient[:, self.idle] - torch.einsum("nqe,nq->ne", through, step)
                bent = slope[:, self.idle] - torch.einsum("nqe,nq->ne", through, bend)
                self.rise += (rising * (rising - bent)).sum(0) - inner.sum(0).diagonal()
                self.idle_squares += inner.square().sum(0)


def _among(values: Tensor, moving: Tensor, *dims: int) -> Tensor:
    """Values of effects that do move among all, with 0 for the others, in these dimensions."""
    for dim in dims:
        shape = list(values.shape)
        shape[dim] = len(moving)
        values = values.new_zeros(shape).index_copy_(dim, moving.nonzero()[:, 0], values)
    return values


def _factored(hessian: Tensor, places: Tensor, precision: Tensor) -> tuple[Tensor, Tensor]:
    """Curvatures, and Cholesky factors of the M_i; where labels are missing −log p need not be
    convex, and what is negative of a curvature is left out where M_i would not be positive.
    """
    whole = precision if precision.dim() == 2 else precision.diag()
    own = hessian.index_select(1, places).index_select(2, places)
    lower, info = torch.linalg.cholesky_ex(own + whole)
    broken = info > 0
    if bool(broken.any()):
        values, vectors = torch.linalg.eigh(hessian[broken])
        hessian[broken] = vectors * values.clamp_min(0).unsqueeze(1) @ vectors.transpose(1, 2)
        own = hessian.index_select(1, places).index_select(2, places)
        lower = torch.linalg.cholesky(own + whole)
    return hessian, lower
