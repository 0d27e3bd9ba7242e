"""What a model learns of its outcome, by family: codes ↔ values, scale, network, density.

One class per family decides everything that depends on it. To add a family, write its class here,
its deviance in `nme_core.nn`, and its line in `nme_core.vocabulary.choices`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from nme_core.estimators.outcomes import (
    check_classes,
    check_ordered,
    counts,
    encode_classes,
    labels_as_text,
    numbers,
)  # fmt: skip
from nme_core.exceptions import BoundaryWarning, DataError, DispersionWarning
from nme_core.nn import (
    MLP,
    Categorical,
    CRFNetwork,
    Family,
    Gaussian,
    LinearChain,
    NegativeBinomial,
    Ordinal,
    OrdinalMLP,
    Poisson,
)
from nme_core.training.dispersion import Dispersion

#: Pearson's statistic per row, and its standard errors above 1, that are too much for Poisson.
_OVERDISPERSED, _SURELY = 1.5, 4.0


class Outcome:
    """What one family learned from the outcomes of a fit."""

    #: Whether an outcome is a count.
    is_count: ClassVar[bool] = False
    #: Whether the classes have an order, so that one score tells them apart.
    is_ordered: ClassVar[bool] = False
    #: Whether rows are steps of sequences, so that their order says something.
    in_sequences: ClassVar[bool] = False
    #: Where the layers of the network start in the names of its parameters.
    layers: ClassVar[str] = ""
    #: What only some estimators learn, and which; empty: all do.
    learns: ClassVar[str] = ""
    estimators: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def learned(cls, y: ArrayLike) -> Self:
        """Learn from outcomes, shape (n,); DataError where one cannot be used."""
        raise NotImplementedError

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Undo `state`."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """What a file keeps, as JSON."""
        raise NotImplementedError

    @property
    def scale(self) -> tuple[float, float]:
        """Mean and SD in whose units the network works; 0 and 1 where it is not a number."""
        return 0.0, 1.0

    @property
    def contrasted(self) -> list[str]:
        """Classes or states whose scores the network gives as contrasts; else none."""
        return []

    def encode(self, y: ArrayLike) -> NDArray[Any]:
        """Outcomes as the family reads them; DataError where one cannot be used."""
        raise NotImplementedError

    def none(self, n: int) -> NDArray[Any]:
        """Codes of rows whose outcome is not known."""
        return np.full(n, -1, dtype=np.int64)

    def precise(self, y: ArrayLike) -> NDArray[np.float64] | None:
        """Encoded outcomes in double precision; None where they are whole."""
        return None

    def decode(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Outcomes drawn from the family in units of the data."""
        raise NotImplementedError

    def in_units(self, expected: Tensor) -> Tensor:
        """Expected outcomes in units of the data."""
        return expected

    def network(self, n_inputs: int, widths: Sequence[int], activation: str) -> nn.Module:
        """A network with as many outputs as the family takes."""
        raise NotImplementedError

    def family(self) -> Family:
        """Deviance, link and sampling."""
        raise NotImplementedError

    def noted(self, problem: object) -> Self:
        """Return it with what only the trained problem knows."""
        return self

    def judge(self, rows: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Warn where outcomes and their means, by batch, do not fit the family."""


class NumericOutcome(Outcome):
    """An outcome that has one mean and a distribution around it."""

    def none(self, n: int) -> NDArray[Any]:
        """Zeros."""
        return np.zeros(n, dtype=np.float32)

    def network(self, n_inputs: int, widths: Sequence[int], activation: str) -> nn.Module:
        """One output."""
        return MLP(n_inputs, widths, 1, activation)

    def log_density(self, y: Tensor, output: Tensor, variance: float) -> Tensor:
        """Log density in units of the data of encoded outcomes, (n,), given outputs, (n, 1)."""
        raise NotImplementedError

    def below(self, y: Tensor, mean: Tensor, variance: float, mixing: Tensor) -> Tensor:
        """F(y) of encoded outcomes, (n,); of a count between F(y − 1) and F(y) by `mixing`."""
        raise NotImplementedError


@dataclass(frozen=True)
class Number(NumericOutcome):
    """A number with Gaussian residuals, standardised."""

    mean: float
    sd: float

    @classmethod
    def learned(cls, y: ArrayLike) -> Self:
        """Mean and SD."""
        return cls(*_varying(numbers(y)))

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Undo `state`."""
        return cls(state["mean"], state["sd"])

    def state(self) -> dict[str, Any]:
        """What a file keeps, as JSON."""
        return vars(self)

    @property
    def scale(self) -> tuple[float, float]:
        """Mean and SD of the outcome."""
        return self.mean, self.sd

    def encode(self, y: ArrayLike) -> NDArray[Any]:
        """Standardised."""
        return self.precise(y).astype(np.float32)

    def precise(self, y: ArrayLike) -> NDArray[np.float64]:
        """Standardised, in double precision."""
        return (numbers(y) - self.mean) / self.sd

    def decode(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Undo the standardisation."""
        return values * self.sd + self.mean

    def in_units(self, expected: Tensor) -> Tensor:
        """Undo the standardisation."""
        return expected * self.sd + self.mean

    def family(self) -> Family:
        """Deviance, link and sampling."""
        return Gaussian()

    def log_density(self, y: Tensor, output: Tensor, variance: float) -> Tensor:
        """Of N(f, σ²)."""
        left = y - output.squeeze(-1)
        return -0.5 * (left.square() / variance + math.log(2 * math.pi * variance * self.sd**2))

    def below(self, y: Tensor, mean: Tensor, variance: float, mixing: Tensor) -> Tensor:
        """Of N(μ, σ²)."""
        return torch.as_tensor(torch.special.ndtr((y - mean) / variance**0.5))


@dataclass(frozen=True)
class Count(NumericOutcome):
    """A count whose variance is its mean."""

    is_count: ClassVar[bool] = True
    log_mean: float

    @classmethod
    def learned(cls, y: ArrayLike) -> Self:
        """Log of the mean."""
        mean, _ = _varying(counts(y))
        return cls(math.log(mean))

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Undo `state`."""
        return cls(state["mean"])

    def state(self) -> dict[str, Any]:
        """What a file keeps, as JSON."""
        return {"mean": self.log_mean, "sd": 1.0}

    @property
    def scale(self) -> tuple[float, float]:
        """Log of the mean; 1."""
        return self.log_mean, 1.0

    def encode(self, y: ArrayLike) -> NDArray[Any]:
        """As they are."""
        return counts(y).astype(np.float32)

    def decode(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """As they are."""
        return values

    def family(self) -> Poisson:
        """Deviance, link and sampling."""
        return Poisson(self.log_mean)

    def log_density(self, y: Tensor, output: Tensor, variance: float) -> Tensor:
        """Of the counts' family."""
        return self.family().log_density(output, y)

    def below(self, y: Tensor, mean: Tensor, variance: float, mixing: Tensor) -> Tensor:
        """Randomised between two counts (Czado, Gneiting & Held 2009)."""
        family = self.family()
        lower = family.cumulative(mean, y - 1)
        return lower + mixing * (family.cumulative(mean, y) - lower)

    def judge(self, rows: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Warn where Pearson's Σ (y − μ)²/μ is far above the number of rows."""
        total, n = 0.0, 0
        for y, mean in rows:
            total, n = total + float(((y - mean).square() / mean).sum()), n + len(y)
        times = total / n
        if times > _OVERDISPERSED and (times - 1) / (2 / n) ** 0.5 > _SURELY:
            warnings.warn(
                f"The counts vary {times:.1f} times as much as Poisson's would: intervals and p"
                ' values are too narrow. Use family="negative_binomial".',
                DispersionWarning,
                stacklevel=3,
            )


@dataclass(frozen=True)
class DispersedCount(Count):
    """A count that varies more: Var y = μ + μ²/k."""

    learns: ClassVar[str] = "how much counts vary"
    estimators: ClassVar[tuple[str, ...]] = ("variational", "laplace")
    dispersion: Dispersion = field(default_factory=lambda: Dispersion(1.0))

    @classmethod
    def learned(cls, y: ArrayLike) -> Self:
        """Log of the mean, and k by the moments."""
        mean, sd = _varying(counts(y))
        return cls(math.log(mean), Dispersion.of_moments(mean, sd**2))

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Undo `state`."""
        return cls(state["mean"], Dispersion(**state["dispersion"]))

    def state(self) -> dict[str, Any]:
        """What a file keeps, as JSON."""
        return {**super().state(), "dispersion": vars(self.dispersion)}

    def family(self) -> NegativeBinomial:
        """Deviance, link and sampling."""
        return NegativeBinomial(self.log_mean, self.dispersion.size)

    def noted(self, problem: object) -> Self:
        """Take k from a trained problem; warn where it is at its end."""
        if not isinstance(family := getattr(problem, "family", None), NegativeBinomial):
            return self
        found = getattr(problem, "dispersion", None) or Dispersion(family.size)
        if found.at_poisson:
            warnings.warn(
                "The counts vary no more than Poisson's: the size k of the negative binomial"
                f" is at its end, {found.size:.3g}. Use the family poisson.",
                BoundaryWarning,
                stacklevel=3,
            )
        return replace(self, dispersion=found)

    def judge(self, rows: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Nothing to warn of: k is estimated."""


@dataclass(frozen=True, eq=False)
class Class(Outcome):
    """A class, by softmax."""

    classes: NDArray[Any]

    @classmethod
    def learned(cls, y: ArrayLike) -> Self:
        """Sorted classes."""
        return cls(check_classes(y, missing_allowed=cls.in_sequences))

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Undo `state`."""
        return cls(np.array(state["classes"], state.get("dtype")))  # models of before: text

    def state(self) -> dict[str, Any]:
        """What a file keeps, as JSON."""
        return {"classes": self.classes.tolist(), "dtype": self.classes.dtype.str}

    @property
    def contrasted(self) -> list[str]:
        """All of them."""
        return labels_as_text(self.classes).tolist()

    def encode(self, y: ArrayLike) -> NDArray[np.int64]:
        """Places among the classes."""
        return encode_classes(y, self.classes)

    def decode(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Labels."""
        return np.asarray(self.classes[values.astype(np.int64)])

    def network(self, n_inputs: int, widths: Sequence[int], activation: str) -> nn.Module:
        """Scores of K classes in K − 1 contrasts."""
        return MLP(n_inputs, widths, len(self.classes) - 1, activation)

    def family(self) -> Family:
        """Deviance, link and sampling."""
        return Categorical(len(self.classes))


class OrderedClass(Class):
    """An ordered class, by cumulative logits."""

    is_ordered: ClassVar[bool] = True

    @classmethod
    def learned(cls, y: ArrayLike) -> Self:
        """Classes from low to high."""
        return cls(check_ordered(y))

    @property
    def contrasted(self) -> list[str]:
        """None: they have one score."""
        return []

    def network(self, n_inputs: int, widths: Sequence[int], activation: str) -> nn.Module:
        """One score and K − 1 thresholds."""
        return OrdinalMLP(n_inputs, widths, len(self.classes), activation)

    def family(self) -> Family:
        """Deviance, link and sampling."""
        return Ordinal()


class State(Class):
    """A state in a sequence, by a linear-chain CRF; labels may be missing."""

    in_sequences: ClassVar[bool] = True
    layers: ClassVar[str] = "emission."

    def network(self, n_inputs: int, widths: Sequence[int], activation: str) -> nn.Module:
        """Emissions and transitions."""
        return CRFNetwork(n_inputs, widths, len(self.classes), activation)

    def family(self) -> Family:
        """Deviance, link and sampling."""
        return LinearChain()


#: Families of numbers and of classes by the name of the option; the first is the default.
NUMERIC: dict[str, type[NumericOutcome]] = {
    "gaussian": Number, "poisson": Count, "negative_binomial": DispersedCount,
}  # fmt: skip
CLASSES: dict[str, type[Class]] = {"categorical": Class, "ordinal": OrderedClass}


def _varying(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and SD; DataError where all are the same."""
    mean, sd = float(values.mean()), float(values.std())
    if sd <= 1e-12 * max(1.0, abs(mean)):
        raise DataError("The outcome is constant; there is nothing to predict.")
    return mean, sd
