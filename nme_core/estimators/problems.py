"""Which estimator of the random effects a model is trained with, and for how long."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.estimators.draws import DRAWS
from nme_core.estimators.placement import class_pools, shared_variances
from nme_core.exceptions import FallbackWarning, OptionError
from nme_core.nn import (
    Categorical,
    Family,
    Gaussian,
    LikelihoodFamily,
    LinearChain,
    MixedEffects,
    NegativeBinomial,
)
from nme_core.training import (
    Annealed,
    Crossed,
    ExactChain,
    ExactRows,
    ExpectationMaximisation,
    Laplace,
    LinearGaussian,
    Nesting,
    Problem,
    RandomEffectsCovariance,
    ResidualMemory,
    Schedule,
    Separate,
    SeparateChain,
    Variational,
    exactly_linear,
    few_effects,
    is_linear_chain,
)
from nme_core.training.covariance import FACTORS, PATTERNS, fewest_effects
from nme_core.training.crossed_problem import LARGEST_DENSE, n_dense
from nme_core.training.laplace import LARGEST

AnyProblem = Problem | LinearGaussian | ExactRows | ExactChain | SeparateChain | Crossed
#: Problems whose `solve` finds the maximum of a likelihood.
EXACT = (LinearGaussian, ExactRows, ExactChain, Crossed)


def method_of(problem: object) -> str:
    """How a problem finds its parameters: a name in `nme_core.vocabulary.terms.METHODS`.

    Of baselines also "em" (the last layer by EM) and "separate" (one network per person).
    """
    if isinstance(problem, Crossed):
        return "exact" if problem.family.has_residual_variance else "marginal"
    if isinstance(problem, ExactRows):
        return "quadrature" if problem.points > 1 else "marginal"
    kinds = {
        LinearGaussian: "exact", ExactChain: "marginal", Separate: "separate",
        SeparateChain: "separate", ExpectationMaximisation: "em", Annealed: "annealed",
        Laplace: "laplace", Variational: "variational",
    }  # fmt: skip
    return next(name for kind, name in kinds.items() if isinstance(problem, kind))


@dataclass(frozen=True)
class Plan:
    """What a model's options say of its training.

    Attributes
    ----------
    estimator, covariance, pooling, epochs, seed
        As in `NMEMLPRegressor`.
    layers : str
        Where the layers of the network start in the names of its parameters.
    n_layers : int
        Layers of the network, 1 without hidden ones.
    factors : tuple of str
        Names of the grouping factors.
    quick : bool
        Whether each person's posterior is learned as a diagonal one.
    points : int
        Points of quadrature; 1: Laplace's approximation.
    shrinks : bool
        Whether inputs' coefficients are shrunk.
    """

    estimator: str
    covariance: str
    pooling: str
    epochs: int | None
    seed: int
    layers: str
    n_layers: int
    factors: tuple[str, ...]
    quick: bool = False
    points: int = 1
    shrinks: bool = False

    def problem(self, mixed: MixedEffects, family: Family, batches: list[Batch]) -> AnyProblem:
        """Return what is to be minimised.

        Raises
        ------
        OptionError
            If the estimator, quadrature or shrinkage is not for this network or these grouping
            factors.
        """
        found = self._chosen(mixed, family, batches)
        if self.covariance in PATTERNS and mixed.n_random:
            self._check_pattern(found)
        if self.points > 1:
            self._check_quadrature(found)
        if self.shrinks and not isinstance(found, LinearGaussian | ExactRows):
            raise OptionError(
                'shrink="inputs" is for a model without hidden layers, with one grouping factor.',
                remedy='Use hidden=(), estimator="variational" or "laplace" and one grouping'
                ' factor, or shrink="none".',
            )
        return found

    def _check_pattern(self, found: AnyProblem) -> None:
        """Raise OptionError unless Σ of such a structure is fitted, and means something."""
        name = f'covariance="{self.covariance}"'
        if isinstance(found, ExactChain) and self.covariance in FACTORS:
            return
        if not isinstance(found, LinearGaussian | ExactRows):
            raise OptionError(
                f"{name} takes at most {LARGEST} person-specific parameters, fewer of many people;"
                f" here are {found.mixed.n_random} of {found.mixed.n_groups} people.",
                remedy='Use covariance="diagonal", or another placement.',
            )

    def _check_quadrature(self, found: AnyProblem) -> None:
        """Raise OptionError unless there is one random effect to integrate over."""
        if isinstance(found, LinearGaussian) or (
            isinstance(found, Crossed) and found.family.has_residual_variance
        ):
            raise OptionError(
                "The likelihood of a number with Gaussian residuals is exact without quadrature.",
                remedy="Leave quadrature out.",
            )
        if not isinstance(found, ExactRows):
            raise OptionError(
                "quadrature is for a class or a count, without hidden layers and with one grouping"
                " factor.",
                remedy='Use hidden=(), estimator="variational" or "laplace" and one grouping'
                " factor, or leave quadrature out.",
            )
        if found.mixed.n_random > 1:
            raise OptionError(
                f"quadrature takes one random effect; people differ in {found.mixed.n_random}.",
                remedy='Use placement=["layers.0.bias"], so that only the intercept differs, or'
                " leave quadrature out: Laplace's approximation takes all.",
            )

    def _chosen(self, mixed: MixedEffects, family: Family, batches: list[Batch]) -> AnyProblem:
        n_rows = sum(batch.n_rows for batch in batches)
        self._check_factors(mixed.n_random)
        covariances = [
            RandomEffectsCovariance(
                mixed.n_random,
                self.covariance,
                start=1.0 if self.estimator == "annealed" else 0.1,
                pools=self._pools(mixed, family),
                device=mixed.deviations.device,
            )
            for _ in mixed.sizes
        ]
        if self.pooling == "none":
            if self.epochs is None and is_linear_chain(mixed):
                return SeparateChain(mixed, covariances)
            return Separate(mixed, family, covariances, n_rows=n_rows, weight=0.0)
        if self.pooling == "free":
            return Annealed(mixed, family, covariances, n_rows=n_rows, weight=0.0)
        if self.estimator == "em" and mixed.n_random:
            if len(mixed.sizes) > 1:
                raise OptionError(
                    "em takes one grouping factor.", remedy='Use estimator="variational".'
                )
            return ExpectationMaximisation(mixed, covariances, batches=batches, n_rows=n_rows)
        if self.estimator in ("annealed", "em"):
            return Annealed(mixed, family, covariances, n_rows=n_rows)
        if isinstance(family, NegativeBinomial) and len(mixed.sizes) > 1 and self.n_layers == 1:
            raise OptionError(
                'family="negative_binomial" takes one grouping factor in a linear model.',
                remedy='Leave the further groups out, or use family="poisson".',
            )
        linear = self.n_layers == 1 and family.has_residual_variance
        if self._crosses(mixed, family, batches):
            return Crossed(mixed, family, covariances, n_draws=DRAWS // 2)
        if self.estimator == "laplace":
            self._check_laplace(mixed)
            if linear:
                return LinearGaussian(mixed, covariances, shrinks=self.shrinks)
        # The evidence lower bound of a linear Gaussian model is highest where q(η) is the exact
        # conditional distribution: no draws are needed to get there.
        whole = linear and self.epochs is None
        if whole and (self.covariance in PATTERNS or exactly_linear(mixed, self.covariance)):
            return LinearGaussian(mixed, covariances, shrinks=self.shrinks)
        if self.n_layers == 1 and self.epochs is None and self._one_of_rows(mixed, family):
            return ExactRows(
                mixed,
                cast(LikelihoodFamily, family),
                covariances,
                points=self.points,
                shrinks=self.shrinks,
            )
        few = not mixed.n_random or few_effects(mixed)
        if self.epochs is None and is_linear_chain(mixed) and few:
            return ExactChain(mixed, covariances)
        memory = ResidualMemory.of(batches) if isinstance(family, Gaussian) else None
        if memory is not None:
            family = Gaussian(memory.share)
        first = f"{self.layers}layers.0."
        kind: Callable[..., Variational] = Variational
        # ρ and how much people differ can be told apart only by a posterior of people that is whole
        curved = self.estimator == "laplace" or self.n_layers == 1 or memory is not None
        if curved and few_effects(mixed):
            kind = partial(Laplace, batches=batches)
        return kind(
            mixed,
            family,
            covariances,
            n_rows=n_rows,
            seed=self.seed,
            nesting=Nesting.of(batches, mixed.sizes),
            diagonal=self.quick,
            memory=memory,
            by_input=() if linear else (f"{first}weight",),
            weak=(f"{first}weight", f"{first}bias") if linear else (),
        )

    @property
    def _learns_spread(self) -> bool:
        """Whether this is a network with hidden layers whose estimator has a posterior."""
        return self.n_layers > 1 and self.estimator in ("variational", "laplace")

    def _crosses(self, mixed: MixedEffects, family: Family, batches: list[Batch]) -> bool:
        """Whether several factors have effects that the exact engine takes."""
        if len(mixed.sizes) == 1 or not mixed.n_random or isinstance(family, LinearChain):
            return False
        if self.n_layers > 1 or (self.epochs is not None and self.estimator != "laplace"):
            return False
        n = n_dense(mixed, batches)
        if n <= LARGEST_DENSE and mixed.n_random <= LARGEST:
            return True
        if self.estimator != "laplace":
            warnings.warn(
                f"{', '.join(self.factors)} have {n} effects of factors that cross, more than"
                f" {LARGEST_DENSE}: too many for the exact likelihood. The variational estimator is"
                " taken instead; its variances are approximate.",
                FallbackWarning,
                stacklevel=2,
            )
        return False

    def _one_of_rows(self, mixed: MixedEffects, family: Family) -> bool:
        """Whether rows are independent given one grouping factor's effects, few in number."""
        few = not mixed.n_random or few_effects(mixed)
        rows = not isinstance(family, LinearChain) and not family.has_residual_variance
        return rows and few and (len(mixed.sizes) == 1 or not mixed.n_random)

    def _pools(self, mixed: MixedEffects, family: Family) -> Tensor | None:
        """Which random effects share a variance; None: each has its own."""
        if self.covariance not in ("diagonal", *FACTORS):
            return None
        if self._learns_spread:
            return shared_variances(mixed, self.layers)
        if not isinstance(family, Categorical | LinearChain):
            return None
        return class_pools(mixed, f"{self.layers}layers.{self.n_layers - 1}")

    def schedule(self) -> Schedule:
        """Return how long and how fast to train."""
        points = self.pooling in ("none", "free")
        decays = self.estimator not in ("annealed", "em") and not points
        longest = 1000 if self.pooling == "none" else 3000
        return Schedule(
            learning_rate=0.03 if self._learns_spread and not points else 0.01,
            epochs=self.epochs,
            longest=longest,
            decays=decays,
            steady=0.03 if decays else None,
            validate_every=10 if decays else 5,
        )

    def _check_factors(self, n_random: int) -> None:
        least = fewest_effects(self.covariance)
        if 0 < n_random < least:
            raise OptionError(
                f'covariance="{self.covariance}" takes {least} person-specific parameters or more;'
                f" here are {n_random}.",
                remedy='Use covariance="full", or another placement.',
            )

    def _check_laplace(self, mixed: MixedEffects) -> None:
        if mixed.n_random and len(mixed.sizes) > 1:
            raise OptionError(
                f"laplace takes several grouping factors ({', '.join(self.factors)}) without hidden"
                f" layers, and where at most {LARGEST_DENSE} effects belong to factors that cross.",
                remedy='Use estimator="variational", which takes all, or leave out the groups.',
            )
        if mixed.n_random and not few_effects(mixed):
            raise OptionError(
                f"laplace takes at most {LARGEST} random effects, fewer of many people; here are"
                f" {mixed.n_random} effects of {mixed.n_groups} people.",
                remedy='Use estimator="variational", or another placement.',
            )
