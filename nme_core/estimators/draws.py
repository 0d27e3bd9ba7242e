"""Draws of all parameters from a posterior, and what the network says at each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap

from nme_core.batches.sequences import Batch
from nme_core.estimators.posterior import Posterior
from nme_core.nn.random_effects import own
from nme_core.training.covariance import square_roots

#: Draws over which a probability is averaged.
DRAWS = 64

#: Rows of draws, padded, that go through the network together.
CELLS = 2**14

#: Shared parameters by name, and the deviations of all groups, (P, R).
Drawn = tuple[dict[str, Tensor], Tensor]


@dataclass(frozen=True)
class Draws:
    """Draws of the shared parameters, and of the deviations of every group; the same each time.

    They come in pairs, on both sides of the mean, so that what is linear in them has no error. A
    point estimate is its only draw.

    Attributes
    ----------
    posterior : Posterior
        Drawn from.
    seed : int
        Of the noise. It comes in several streams, so that each is the same whoever else the model
        knows.
    """

    posterior: Posterior
    seed: int

    @torch.no_grad()
    def outputs(self, batches: Sequence[Batch], level: str) -> Iterator[list[Any]]:
        """Yield the network's outputs for all batches, by draw; `level` as in `at`."""
        yield from self.computed(batches, self.at(level))

    @torch.no_grad()
    def own_outputs(self, batches: Sequence[Batch]) -> Iterator[list[Any]]:
        """As `outputs` for persons, with the shared parameters at their posterior mean.

        Where groups of several factors meet, what the shared parameters are is drawn too: it
        depends on what all of them are.
        """
        mean, joint = self.posterior.mixed.fixed(), self.posterior.joint is not None
        drawn = ((fixed if joint else mean, each) for fixed, each in self.of_groups())
        yield from self.computed(batches, drawn)

    @torch.no_grad()
    def computed(self, batches: Sequence[Batch], drawn: Iterable[Drawn]) -> Iterator[list[Any]]:
        """Yield the network's outputs for all batches at each draw.

        Draws of few rows go through the network together: most of their time is that of a call.
        """
        mixed, drawn = self.posterior.mixed, iter(drawn)
        n_cells = sum(batch.mask.numel() for batch in batches)

        def compute(fixed: dict[str, Tensor], deviations: Tensor, x: Tensor, groups: Tensor) -> Any:
            return mixed(x, fixed=fixed, deviations=own(deviations, groups))

        while some := list(islice(drawn, max(1, CELLS // max(1, n_cells)))):
            fixed = {name: torch.stack([each[name] for each, _ in some]) for name in some[0][0]}
            deviations = torch.stack([each for _, each in some])
            together = [
                vmap(compute, (0, 0, None, None))(fixed, deviations, batch.x, batch.groups)
                for batch in batches
            ]
            for k in range(len(some)):
                yield [_at(output, k) for output in together]

    def at(self, level: str) -> Iterator[Drawn]:
        """Yield draws of one level.

        Parameters
        ----------
        level : str
            "person": each group's own. "population": 0, a typical person. "average": those of one
            person for all, another one in every draw, in pairs on both sides of 0.
        """
        posterior = self.posterior
        zero = torch.zeros_like(posterior.mixed.deviations)
        if level == "person":
            yield from self.of_groups()
            return
        shared = [fixed for fixed, _ in self.of_groups(persons=False)]
        if level == "population" or not posterior.mixed.n_random:
            yield from ((fixed, zero) for fixed in shared)
            return
        shared *= DRAWS // len(shared)  # of a point estimate there is one
        sigma = posterior.sigma if posterior.sigma.dim() == 3 else torch.diag_embed(posterior.sigma)
        roots, random = square_roots(sigma.double()), self._stream(3)
        for fixed, again in zip(shared[::2], shared[1::2], strict=True):
            noise = torch.randn(*roots.shape[:2], generator=random)
            own_step = torch.bmm(roots, noise.unsqueeze(2)).squeeze(2).sum(0).to(zero)
            yield fixed, zero + own_step
            yield again, zero - own_step

    @torch.no_grad()
    def of_groups(self, *, persons: bool = True, n_draws: int = DRAWS) -> Iterator[Drawn]:
        """Yield draws for every group; unless `persons`, the deviations stay at their mean."""
        mean, deviations = self.posterior.mixed.fixed(), self.posterior.mixed.deviations
        if self.posterior.covariance is None:
            yield mean, deviations
            return
        steps = self._together(persons, n_draws)
        if self.posterior.joint is not None:
            steps = self._joint(persons)
        for shared, each in steps:
            for side in (1, -1):
                moved = {name: mean[name] + side * step for name, step in shared.items()}
                yield {**mean, **moved}, deviations + side * each

    def _joint(self, persons: bool) -> Iterator[Drawn]:
        """Steps away from the mean that the fit took."""
        assert self.posterior.joint is not None
        shared, own_steps = self.posterior.joint
        for k, own_step in enumerate(own_steps):
            step = own_step if persons else torch.zeros_like(own_step)
            yield {name: steps[k] for name, steps in shared.items()}, step

    def _together(self, persons: bool, n_draws: int) -> Iterator[Drawn]:
        """Steps away from the mean, each for two draws."""
        posterior, random = self.posterior, self._stream(0)
        link, deviations = posterior.link, posterior.mixed.deviations
        of_groups = self._steps_of_groups() if persons else None
        spread = {k: posterior.spread[k] for k in posterior.mixed.fixed() if k in posterior.spread}
        for _ in range(n_draws // 2):
            together = None
            if link is not None:
                noise = torch.randn(link[0].shape[1], generator=random, dtype=deviations.dtype)
                together = link[0] @ noise.to(link[0].dtype)
            shared = {} if together is None else posterior.by_name(together)
            for name, each_spread in spread.items():  # in a file in another order
                if name not in shared:
                    noise = torch.randn(each_spread.shape, generator=random, dtype=deviations.dtype)
                    shared[name] = each_spread * noise
            if of_groups is None:
                yield shared, torch.zeros_like(deviations)
                continue
            each = next(of_groups)
            if link is not None and together is not None:
                each = each + (link[1] @ together.float()).to(each.dtype)
            if posterior.dependence is not None:
                nesting, coefficient = posterior.dependence
                each = nesting.combine(coefficient, each)
            yield shared, each

    def _steps_of_groups(self) -> Iterator[Tensor]:
        """Steps L ε of all groups, given the shared parameters and the groups around, (P, R)."""
        posterior, fitted, added = self.posterior, self._stream(1), self._stream(2)
        deviations, n_random = posterior.mixed.deviations, posterior.mixed.n_random
        n_added, n_fitted = posterior.n_added, len(deviations) - posterior.n_added
        assert posterior.covariance is not None
        factor = square_roots(posterior.covariance).to(deviations.dtype)
        while True:
            noise = torch.randn(n_fitted, n_random, generator=fitted, dtype=deviations.dtype)
            if posterior.places is not None:
                noise = noise[posterior.places[:n_fitted]]
            if n_added:
                one = torch.randn(1, n_random, generator=added, dtype=deviations.dtype)
                noise = torch.cat([noise, one.expand(n_added, -1)])
            if factor.dim() == 3:
                yield torch.bmm(factor, noise.unsqueeze(2)).squeeze(2)
            else:
                yield factor * noise

    def before(self, last: str) -> Iterator[dict[str, Tensor]]:
        """Yield draws of the shared parameters, those whose names begin with `last` at their means.

        For the mean of what is linear in `last`, and in deviations of it, whose spread then has no
        part in it.
        """
        mean, spread, random = self.posterior.mixed.fixed(), self.posterior.spread, self._stream(0)
        drawn = [name for name in mean if name in spread and not name.startswith(last)]
        if not drawn:
            yield mean
            return
        for _ in range(DRAWS // 2):
            steps = {name: torch.randn(mean[name].shape, generator=random) for name in drawn}
            for side in (1, -1):
                yield {**mean, **{n: mean[n] + side * spread[n] * steps[n] for n in drawn}}

    def _stream(self, number: int) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed + number)


def _at(output: Any, k: int) -> Any:
    """The k-th of the first dimension of a tensor, or of each of several."""
    return output[k] if isinstance(output, Tensor) else tuple(one[k] for one in output)
