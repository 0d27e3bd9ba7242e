"""Person-specific parameters for any module: θ = θ̄ + Σ_g η_g."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from nme_core.exceptions import OptionError


class MixedEffects(nn.Module):
    """Give every group (person) its own version of some parameters of a module.

    θ_i = θ̄ + η_i for the parameters named in `random`; all others, φ, stay shared (equation 1 of
    arXiv 2306.08149). The module keeps θ̄ and φ as its own parameters; the deviations η of all
    groups are stacked in one tensor, so that all groups are computed at once.

    With several grouping factors (person and clinic, crossed or nested) the deviations of a unit's
    groups add up: θ = θ̄ + Σ_g η_g. The groups of one factor follow those of the other in the
    stack.

    Parameters
    ----------
    module : torch.nn.Module
        Any module whose parameters have the names that ``module.named_parameters()`` gives.
    random : sequence of str
        Names of the person-specific parameters. Empty: every parameter is shared.
    n_groups : int or sequence of int
        Number of groups P; with several grouping factors, of each.

    Attributes
    ----------
    deviations : torch.nn.Parameter, shape (n_groups, n_random)
        η, with the parameters of `random` flattened one after the other.
    sizes : tuple of int
        Number of groups of each factor; they add up to n_groups.

    Raises
    ------
    OptionError
        If `random` names a parameter that the module does not have.
    """

    def __init__(
        self, module: nn.Module, random: Sequence[str], n_groups: int | Sequence[int]
    ) -> None:
        super().__init__()
        parameters = dict(module.named_parameters())
        unknown = [name for name in random if name not in parameters]
        if unknown:
            raise OptionError(
                f"The module has no parameter {unknown[0]!r}.",
                remedy=f"Its parameters are {', '.join(parameters)}.",
            )
        self.module = module
        self.random = tuple(dict.fromkeys(random))
        self.shapes = {name: tuple(parameters[name].shape) for name in self.random}
        self._sizes = [prod(shape) for shape in self.shapes.values()]
        self.sizes = (n_groups,) if isinstance(n_groups, int) else tuple(n_groups)
        like = next(iter(parameters.values()))
        self.deviations = nn.Parameter(like.new_zeros(sum(self.sizes), sum(self._sizes)))

    @property
    def n_groups(self) -> int:
        """Number of groups P, of all factors together."""
        return self.deviations.shape[0]

    @property
    def n_random(self) -> int:
        """Number of person-specific parameters R."""
        return self.deviations.shape[1]

    def parameter_indices(self) -> list[tuple[str, tuple[int, ...]]]:
        """Name and index of each of the R person-specific numbers, in the order of the columns."""
        return [
            (name, index)
            for name, shape in self.shapes.items()
            for index in product(*(range(size) for size in shape))
        ]

    def fixed(self) -> dict[str, Tensor]:
        """Return the shared parameters φ and the person-generic part θ̄, by name."""
        return dict(self.module.named_parameters())

    def by_name(self, values: Tensor) -> dict[str, Tensor]:
        """Cut numbers of all shared parameters, shape (..., D), into those of each, by name."""
        fixed = self.fixed()
        parts = torch.split(values, [value.numel() for value in fixed.values()], dim=-1)
        return {
            name: part.reshape(*values.shape[:-1], *value.shape)
            for (name, value), part in zip(fixed.items(), parts, strict=True)
        }

    def fixed_vector(self, fixed: Mapping[str, Tensor] | None = None) -> Tensor:
        """θ̄ as one vector, in the order of the columns of `deviations`; shape (n_random,)."""
        values = self.fixed() if fixed is None else fixed
        parts = [values[name].reshape(-1) for name in self.random]
        return torch.cat(parts) if parts else self.deviations.new_zeros(0)

    def for_groups(self, n_groups: int) -> MixedEffects:
        """Return the same module, copied, for other groups of one factor; their η is 0."""
        return MixedEffects(copy.deepcopy(self.module), self.random, n_groups)

    def with_free(self, free: Sequence[str]) -> MixedEffects:
        """The same in double precision with deviations of the parameters `free`, 0, too: first
        these, then those of `random` that are not among them.
        """
        names = tuple(dict.fromkeys([*free, *self.random]))
        both = MixedEffects(copy.deepcopy(self.module), names, self.n_groups)
        own = self.by_parameter(self.deviations.detach())
        parts = [own.get(name, zero) for name, zero in both.by_parameter(both.deviations).items()]
        both.deviations.data = torch.cat(parts, dim=1)
        return both.double()

    def places_of(self, chosen: Sequence[str]) -> Tensor:
        """Places of the numbers of some of the parameters `random` among the deviations."""
        places = self.by_parameter(torch.arange(self.n_random))
        return torch.cat([torch.zeros(0, dtype=torch.int64), *(places[name] for name in chosen)])

    def by_parameter(self, values: Tensor) -> dict[str, Tensor]:
        """Cut values, shape (..., n_random), into those of each person-specific parameter."""
        return dict(zip(self.random, torch.split(values, self._sizes, dim=-1), strict=True))

    def by_factor(self, values: Tensor) -> tuple[Tensor, ...]:
        """Cut values, shape (n_groups, ...), into those of each grouping factor."""
        return torch.split(values, list(self.sizes))

    def shift_fixed(self, shift: Tensor, factor: int = 0) -> None:
        """Move `shift`, shape (n_random,), from the deviations of one factor into θ̄."""
        with torch.no_grad():
            parameters = self.fixed()
            for name, part in self.by_parameter(shift).items():
                parameters[name] += part.reshape(self.shapes[name])
            self.by_factor(self.deviations)[factor].sub_(shift)

    def jacobian(
        self, x: Tensor, deviations: Tensor, part: Callable[[Any], Tensor] | None = None
    ) -> Tensor:
        """Derivative of each row's output by the deviations of its unit.

        Parameters
        ----------
        x : Tensor, shape (n_units, n_rows, ...)
            Input of each unit, whose rows the module computes each by itself.
        deviations : Tensor, shape (n_units, n_random)
            Where.
        part : callable, optional
            Takes from what the module returns one tensor, shape (n_units, n_rows, n_outputs);
            needed where it returns several.

        Returns
        -------
        Tensor, shape (n_units, n_rows, n_outputs, n_random)
        """
        each = deviations.detach().repeat_interleave(x.shape[1], dim=0)
        with torch.enable_grad():
            each.requires_grad_()  # every row a unit, so that one backward gives all rows' slopes
            output = self(x.flatten(0, 1).unsqueeze(1), deviations=each)
            slopes = [
                torch.autograd.grad(one.sum(), each, retain_graph=True, materialize_grads=True)[0]
                if one.requires_grad
                else torch.zeros_like(each)  # made of shared parameters alone
                for one in (output if part is None else part(output)).unbind(dim=-1)
            ]
        return torch.stack(slopes, dim=1).reshape(*x.shape[:2], len(slopes), self.n_random)

    def forward(
        self,
        *inputs: Tensor,
        groups: Tensor | None = None,
        fixed: Mapping[str, Tensor] | None = None,
        deviations: Tensor | None = None,
    ) -> Any:
        """Compute the module for a stack of units, each with the parameters of its group.

        Parameters
        ----------
        *inputs : Tensor, shape (n_units, ...)
            What the module takes, with one more dimension in front, in any precision. A unit is a
            piece of one group's data; a group may have several.
        groups : Tensor of int, shape (n_units,) or (n_units, n_factors), optional
            The group of each unit, as its row in `deviations`. None: η = 0, the population.
        fixed : mapping of str to Tensor, optional
            Values to use instead of the module's own φ and θ̄ (posterior draws).
        deviations : Tensor, shape (n_units, n_random), optional
            Values to use instead of those of ``self.deviations`` (see `own`).

        Returns
        -------
        Whatever the module returns, each tensor with the dimension n_units in front.
        """
        inputs = tuple(
            one.to(self.deviations.dtype) if one.is_floating_point() else one for one in inputs
        )
        shared = dict(self.fixed() if fixed is None else fixed)
        if deviations is None:
            if groups is None:
                deviations = self.deviations.new_zeros(inputs[0].shape[0], self.n_random)
            else:
                deviations = own(self.deviations, groups)
        parts = {
            # (1, *shape) + (n_units, *shape)
            name: shared.pop(name).unsqueeze(0) + part.reshape(len(part), *self.shapes[name])
            for name, part in self.by_parameter(deviations).items()
        }

        def compute(parts: dict[str, Tensor], *inputs: Tensor) -> Any:
            return functional_call(self.module, {**shared, **parts}, inputs)

        in_dims = (0, *(0 for _ in inputs))
        return vmap(compute, in_dims=in_dims, randomness="different")(parts, *inputs)


def own(deviations: Tensor, groups: Tensor) -> Tensor:
    """Deviation of each unit, summed over its groups; shape (n_units, n_random).

    Parameters
    ----------
    deviations : Tensor, shape (n_groups, n_random)
        η of all groups.
    groups : Tensor of int, shape (n_units,) or (n_units, n_factors)
        Rows of `deviations`.
    """
    if groups.dim() == 1:
        return deviations[groups]
    return sum((deviations[column] for column in groups.T[1:]), start=deviations[groups[:, 0]])
