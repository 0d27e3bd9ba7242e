"""What a run's model is made of, and whether one model is a special case of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from nme_core.io import RunFolder
from nme_core.training.covariance import PATTERNS

_LAYER = "layers.0."
_INTERCEPT = "intercept"
_TRANSITIONS = "transitions"


@dataclass(frozen=True)
class Structure:
    """The parts of a model that is linear in its parameters.

    Attributes
    ----------
    kind : tuple of str
        Model, family and kind of outcome: what two models have to share to be compared at all.
    fixed : frozenset of str
        Features, and what every such model has.
    random : frozenset of str
        What is person-specific: ``intercept``, features, ``transitions``.
    factors : frozenset of str
        Further grouping factors, each with the same random part.
    full : bool
        Whether Σ is full.
    residual : str
        ``iid`` or ``ar1``.
    n_outputs : int
        Scores of each row; a random effect of K classes has K − 1 variances in a full Σ.
    reml : bool
        Whether the likelihood is the restricted one.
    """

    kind: tuple[str, ...]
    fixed: frozenset[str]
    random: frozenset[str]
    factors: frozenset[str]
    full: bool
    residual: str
    n_outputs: int = 1
    reml: bool = False

    @classmethod
    def of(cls, run: RunFolder) -> Self | None:
        """Read it off a run; None of networks with hidden layers, and of other placements."""
        config, roles = run.config, run.roles
        if config["hidden"] or config["covariance"] in PATTERNS:
            return None
        inputs = [str(name) for name in config["network_inputs"]]
        random = _random(config["placement"], inputs)
        if random is None:
            return None
        outputs = len(config["network_outputs"])
        return cls(
            kind=(config["model"], config["family"] or config["outcome_kind"]),
            fixed=frozenset(inputs),
            random=random,
            factors=frozenset(roles.get("groups") or ()),
            full=config["covariance"] == "full",
            residual=str(config.get("residual_process") or "iid"),
            n_outputs=max(1, outputs if outputs < 2 else outputs - 1),
            reml=bool(config.get("reml", False)),
        )

    @property
    def each(self) -> int:
        """Variances that a random effect brings."""
        return self.n_outputs if self.full else 1


@dataclass(frozen=True)
class Nesting:
    """That one model is a special case of the other.

    Attributes
    ----------
    smaller : int
        0 where the first one is, 1 where the second is.
    n_variances : int
        Variances of the larger one that are 0 in the smaller.
    """

    smaller: int
    n_variances: int


def nesting(first: Structure, second: Structure) -> Nesting | str:
    """Say which model is a special case of the other, or why neither is."""
    if first.kind != second.kind:
        return "They are models of different kinds."
    if first.reml != second.reml:
        return "One likelihood is restricted (REML), the other is not."
    if first.reml and first.fixed != second.fixed:
        return (
            "Restricted likelihoods (REML) of different fixed effects cannot be compared; fit"
            " both by maximum likelihood, without --reml."
        )
    if first == second:
        return "They are the same model."
    for smaller, (one, other) in enumerate(((first, second), (second, first))):
        if _within(one, other):
            return Nesting(smaller, _variances(one, other))
    return "Neither is a special case of the other."


def _random(placement: str | Sequence[str], inputs: list[str]) -> frozenset[str] | None:
    """What is person-specific, by a word or by names of parameters."""
    words = placement.split("+") if isinstance(placement, str) else list(placement)
    found: set[str] = set()
    for word in words:
        name = word.removeprefix("emission.")
        if word == _TRANSITIONS:
            found.add(_TRANSITIONS)
        elif word in ("first", "last", "all"):
            found |= {_INTERCEPT, *inputs}
        elif name == f"{_LAYER}bias":
            found.add(_INTERCEPT)
        elif name == f"{_LAYER}weight":
            found |= {*inputs}
        else:
            return None
    return frozenset(found)


def _within(one: Structure, other: Structure) -> bool:
    """Whether `other` can be made `one` by setting numbers to 0."""
    alone = len(one.random) * one.each <= 1
    return (
        one.fixed <= other.fixed
        and one.random <= other.random
        and one.factors <= other.factors
        and (other.full or not one.full or alone)
        and (one.residual == other.residual or one.residual == "iid")
    )


def _variances(one: Structure, other: Structure) -> int:
    """Variances of `other` that are 0 in `one`, and a residual autocorrelation that is."""
    more = len(other.random - one.random) * other.each * (1 + len(one.factors))
    more += len(other.random) * other.each * len(other.factors - one.factors)
    return more + (one.residual != other.residual)
