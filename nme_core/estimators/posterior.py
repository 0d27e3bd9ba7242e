"""What training leaves behind: the network at its posterior mean, and the spread around it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.estimators.uncertainty import Uncertainty
from nme_core.nn import MixedEffects
from nme_core.training import (
    Crossed,
    ExactChain,
    ExactRows,
    LinearGaussian,
    Nesting,
    PersonInformation,
    Problem,
    SeparateChain,
)
from nme_core.training.link import Link, link_of

_NETWORK, _SPREAD = "network.", "spread."
_DRAWN, _OWN_DRAWN = "drawn.", "own_drawn"
_LINK = "link.root", "link.response"
#: Problems that know how shared parameters and people's effects vary together.
LINKED = LinearGaussian | ExactRows | ExactChain


@dataclass(frozen=True)
class Posterior:
    """Posterior of all parameters, or a point estimate.

    Attributes
    ----------
    mixed : MixedEffects
        The network; its parameters and deviations are the posterior means.
    sigma : Tensor, shape (G, R, R), or (G, R) where it is diagonal
        Σ of each grouping factor.
    residual_variance : float
        σ², standardised.
    covariance : Tensor, shape (P, R, R), or (P, R) where it is diagonal, or None
        S_i of every group, given the groups that it lies in; None for a point estimate.
    spread : dict of str to Tensor
        Posterior standard deviations of the shared parameters that have one.
    dependence : tuple of Nesting and Tensor, shape (P, R), or None
        Which groups lie in others, and a, by which their deviations depend on them.
    uncertainty : Uncertainty, optional
        Of shared and person-specific parameters together, where it was taken.
    n_added : int
        Groups, the last ones, that were added after the fit. Their draws share their noise, so
        that what is said of one does not depend on which others were added with it.
    places : Tensor of int, shape (P,), optional
        Place of each group among the draws, where that is not its own: groups whose names change
        their order keep their draws.
    link : tuple of Tensor, shapes (p, n) and (P, R, p), or None
        A root of the covariance of the last p shared numbers, in their order, and how the mode of
        the deviations follows them. These are drawn together, and the deviations with them; all
        other shared numbers are drawn each alone, by `spread`.
    joint : tuple of dict of str to Tensor, shape (n, ...), and Tensor, shape (n, P, R), or None
        Draws of shared parameters and deviations together, less their means, where groups of
        several factors meet and the fit knows all their covariances; `covariance` is then whatever
        the other groups are.
    """

    mixed: MixedEffects
    sigma: Tensor
    residual_variance: float
    covariance: Tensor | None
    spread: dict[str, Tensor]
    dependence: tuple[Nesting, Tensor] | None = None
    uncertainty: Uncertainty | None = None
    n_added: int = 0
    places: Tensor | None = None
    joint: tuple[dict[str, Tensor], Tensor] | None = None
    link: Link | None = None

    @classmethod
    def of(
        cls, problem: Problem | LinearGaussian | ExactRows | ExactChain | SeparateChain | Crossed
    ) -> Self:
        """Take a trained problem's results to the CPU."""
        covariance = problem.posterior_covariance()
        return cls(
            mixed=problem.mixed.cpu().eval().requires_grad_(False),
            sigma=torch.stack([one.value for one in problem.covariances]).cpu(),
            residual_variance=problem.residual_variance,
            covariance=None if covariance is None else covariance.cpu(),
            spread={name: std.cpu() for name, std in problem.shared_spread().items()},
            dependence=None if problem.dependence is None else _to_cpu(*problem.dependence),
            joint=problem.draws() if isinstance(problem, Crossed) else None,
            link=problem.link() if isinstance(problem, LINKED) else None,
        )

    @property
    def marginal_covariance(self) -> Tensor | None:
        """Covariance of every group's deviations whatever the others are; None for points.

        Factors that cross can shift against each other as a whole without any change of what they
        predict. Only Σ limits that: with V_g = Σ_g/P_g the shift of factor g has the covariance
        V_g − V_g (Σ_h V_h)⁻¹ V_g, which every one of its groups shares.
        """
        if self.covariance is None or len(self.mixed.sizes) == 1 or self.joint is not None:
            return self.covariance
        result, crossing = self.covariance, list(range(len(self.mixed.sizes)))
        if self.dependence is not None:
            nesting, coefficient = self.dependence
            result = nesting.marginal(coefficient, result)
            homes = self.mixed.by_factor(nesting.home)
            crossing = [g for g, home in enumerate(homes) if not bool((home >= 0).any())]
        parts = list(self.mixed.by_factor(result))
        means = {
            g: self.sigma[g].diag() if self.sigma.dim() == 2 else self.sigma[g] for g in crossing
        }
        means = {g: sigma / self.mixed.sizes[g] for g, sigma in means.items()}
        total = sum(means.values(), start=torch.zeros(()))
        for g, mean in means.items():
            shift = mean - mean @ torch.linalg.solve(total, mean)
            parts[g] = parts[g] + (shift.diagonal() if result.dim() == 2 else shift)
        return torch.cat(parts)

    @torch.no_grad()
    def mean_output(self, batch: Batch, *, persons: bool) -> Any:
        """Return the network's output at the posterior mean; η = 0 unless `persons`."""
        return self.mixed(batch.x, groups=batch.groups if persons else None)

    def joined(self, information: PersonInformation, shared: Tensor) -> Posterior:
        """The posterior of a network with what its curvature says of the shared numbers that are
        free, those of its last layer, and of the deviations, together.

        Parameters
        ----------
        information : PersonInformation
            At the fit.
        shared : Tensor, shape (p, p)
            Covariance of the free numbers.
        """
        # in one layout, so that a model read from a file rounds alike
        own = information.conditional.contiguous()
        return replace(self, covariance=own, link=link_of(shared, information.coupling))

    def covariance_of_all(self, groups: Tensor | None, n_units: int) -> Tensor:
        """Covariance of all parameters of units of these groups, or of the population.

        Parameters
        ----------
        groups : Tensor of int, shape (U,), optional
            None: the population.
        n_units : int
            U.

        Returns
        -------
        Tensor, shape (U, p, p), in the order of the shared parameters; float64.
        """
        mean = self.mixed.fixed()
        if self.link is None:
            zero = {
                name: self.spread.get(name, torch.zeros_like(value)) for name, value in mean.items()
            }
            shared = (
                torch.cat([value.reshape(-1) for value in zero.values()]).double().square().diag()
            )
        else:
            shared = self.link[0] @ self.link[0].T
        if groups is None or self.covariance is None:
            return shared.expand(n_units, -1, -1)
        places = self.by_place()
        moved = torch.eye(len(shared), dtype=torch.float64).repeat(n_units, 1, 1)
        if self.link is not None:
            moved[:, places] += self.link[1][groups].double()
        result = moved @ shared @ moved.mT
        own = self.covariance[groups].double()
        own = torch.diag_embed(own) if own.dim() == 2 else own
        result[:, places.unsqueeze(1), places] += own
        return result

    def by_name(self, values: Tensor) -> dict[str, Tensor]:
        """Cut the last shared numbers, shape (p,), into those of each parameter."""
        found: dict[str, Tensor] = {}
        for name, value in reversed(self.mixed.fixed().items()):
            if len(values):
                values, own = values[: -value.numel()], values[-value.numel() :]
                found[name] = own.view_as(value).to(value.dtype)
        return found

    def by_place(self) -> Tensor:
        """Place of each person-specific number among all shared ones, shape (R,)."""
        mean = self.mixed.fixed()
        sizes = [value.numel() for value in mean.values()]
        parts = dict(zip(mean, torch.split(torch.arange(sum(sizes)), sizes), strict=True))
        none = torch.zeros(0, dtype=torch.int64)
        return torch.cat([none, *(parts[name] for name in self.mixed.random)])

    def in_order(self, order: Tensor) -> Posterior:
        """The posterior with its groups in the order of these positions, shape (P,)."""
        mixed = copy.deepcopy(self.mixed)
        mixed.deviations.data = self.mixed.deviations.detach()[order]
        dependence = self.dependence
        if dependence is not None:
            nesting, coefficient = dependence
            home = nesting.home[order]
            home = torch.where(home >= 0, torch.argsort(order)[home], home)
            dependence = Nesting(home, nesting.sizes), coefficient[order]
        return replace(
            self,
            mixed=mixed,
            covariance=None if self.covariance is None else self.covariance[order],
            dependence=dependence,
            uncertainty=None if self.uncertainty is None else self.uncertainty.chosen(order),
            places=order if self.places is None else self.places[order],
            joint=None if self.joint is None else (self.joint[0], self.joint[1][:, order]),
            link=None if self.link is None else (self.link[0], self.link[1][order]),
        )

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, for a file; without σ²."""
        result = {f"{_NETWORK}{name}": value for name, value in self.mixed.state_dict().items()}
        result |= {f"{_SPREAD}{name}": value for name, value in self.spread.items()}
        result["sigma"], result["added"] = self.sigma, torch.tensor(self.n_added)
        if self.places is not None:
            result["places"] = self.places
        if self.covariance is not None:
            result["posterior"] = self.covariance
        if self.dependence is not None:
            result["home"], result["dependence"] = self.dependence[0].home, self.dependence[1]
        if self.link is not None:
            result |= dict(zip(_LINK, self.link, strict=True))
        if self.joint is not None:
            result |= {f"{_DRAWN}{name}": value for name, value in self.joint[0].items()}
            result[_OWN_DRAWN] = self.joint[1]
        if self.uncertainty is not None:
            result |= self.uncertainty.tensors()
        return result

    @classmethod
    def from_tensors(
        cls,
        mixed: MixedEffects,
        tensors: dict[str, Tensor],
        residual_variance: float,
        free: tuple[str, ...],
    ) -> Self:
        """Undo `tensors`; `mixed` is an untrained network of the same shape, `free` as in
        `Uncertainty`.
        """

        def under(prefix: str) -> dict[str, Tensor]:
            return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

        network = under(_NETWORK)
        mixed.to(network["deviations"].dtype).load_state_dict(network)
        dependence = None
        if "home" in tensors:
            dependence = Nesting(tensors["home"], mixed.sizes), tensors["dependence"]
        return cls(
            mixed=mixed.eval().requires_grad_(False),
            sigma=tensors["sigma"],
            residual_variance=residual_variance,
            covariance=tensors.get("posterior"),
            spread=under(_SPREAD),
            dependence=dependence,
            joint=(under(_DRAWN), tensors[_OWN_DRAWN]) if _OWN_DRAWN in tensors else None,
            # copied: products of what lies anywhere in a file's memory round in another way
            link=(tensors[_LINK[0]].clone(), tensors[_LINK[1]].clone())
            if _LINK[0] in tensors
            else None,
            uncertainty=Uncertainty.from_tensors(free, tensors),
            n_added=int(tensors.get("added", 0)),
            places=tensors.get("places"),  # models of before have none
        )


def _to_cpu(nesting: Nesting, coefficient: Tensor) -> tuple[Nesting, Tensor]:
    return Nesting(nesting.home.cpu(), nesting.sizes), coefficient.cpu()
