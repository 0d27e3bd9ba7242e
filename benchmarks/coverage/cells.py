"""Kinds of simulated studies, most important first."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import product

#: Families of outcomes whose rows are independent given a person's effects.
FAMILIES = ("gaussian", "binary", "poisson", "ordinal", "classes")
#: Populations of chains: that of a conditional random field, and of a multinomial logit per step.
CHAINS = ("crf", "logit")
#: Curves, fitted by a mixture of networks.
NETWORK = "network"
#: What residuals do, and whether the model is told when rows were taken.
RESIDUALS = ("iid", "iid-times", "ar1-times", "ar1")


@dataclass(frozen=True)
class Cell:
    """One kind of study.

    Attributes
    ----------
    family : str
        One of `FAMILIES` or `CHAINS`, or `NETWORK`.
    rows, people : int
        Rows of each person, and people.
    effects : str
        ``weak`` or ``strong``: of the feature, and differences between people.
    covariance : str
        Σ, of the population and of the model: ``diagonal`` or ``full``.
    residual : str
        One of `RESIDUALS`: correlation 0 ("iid") or .5 ("ar1") between neighbouring rows; with
        "-times" the model knows when they were.
    estimator : str
        ``ml`` or ``reml``.
    features : int
        Features, each with a slope of everybody's own.
    """

    family: str
    rows: int
    people: int
    effects: str = "strong"
    covariance: str = "diagonal"
    residual: str = "iid"
    estimator: str = "ml"
    features: int = 1

    @property
    def name(self) -> str:
        """All attributes in one word."""
        return "_".join(str(getattr(self, field.name)) for field in fields(self))

    @property
    def rho(self) -> float:
        """Correlation between neighbouring rows."""
        return 0.5 if self.residual.startswith("ar1") else 0.0

    @property
    def times(self) -> bool:
        """Whether the model knows when rows were taken."""
        return self.residual.endswith("times")


@dataclass(frozen=True)
class NewPeople(Cell):
    """A kind of study of which new people are judged."""

    @property
    def name(self) -> str:
        """As of any other kind."""
        return f"new-people_{super().name}"


def all_cells() -> list[Cell]:
    """Every kind of study once, the most important first."""
    parts = [
        *_first(),
        *_crossed(40),
        *_chains(40),
        *_few_people(),
        *_several_features(40),
        *_memory(),
        *_many_people(),
        *_crossed(100),
        *_chains(100),
        *_several_features(100),
        *(Cell(NETWORK, rows, 40) for rows in (15, 5)),
        *_new_people(),
    ]
    return list(dict.fromkeys(parts))


def _first() -> list[Cell]:
    """What went wrong most: few rows, and residuals that remember."""
    few = [
        Cell(family, 5, 40, effects)
        for family, effects in product(("binary", "poisson"), ("weak", "strong"))
    ]
    memory = [
        Cell("gaussian", rows, 40, "strong", residual=residual)
        for rows, residual in product((5, 15, 50), ("ar1-times", "ar1"))
    ]
    return [*few, *memory, *(Cell("ordinal", 5, 40, effects) for effects in ("weak", "strong"))]


def _crossed(people: int) -> list[Cell]:
    """Family × rows × effects × Σ, and × residuals for numbers."""
    cells = [
        Cell(family, rows, people, effects, covariance)
        for covariance, rows, effects, family in product(
            ("diagonal", "full"), (5, 15, 50), ("strong", "weak"), FAMILIES
        )
    ]
    numbers = [cell for cell in cells if cell.family == "gaussian"]
    return [*cells, *(replace(one, residual=r) for r in RESIDUALS[1:] for one in numbers)]


def _few_people() -> list[Cell]:
    """Twelve people; for numbers also REML, with twelve and with forty."""
    plain = [
        Cell(family, rows, 12, effects)
        for rows, effects, family in product((5, 15, 50), ("strong", "weak"), FAMILIES)
    ]
    timed = [replace(cell, residual=r) for cell in plain for r in RESIDUALS[1:3]]
    numbers = [cell for cell in (*plain, *timed) if cell.family == "gaussian"]
    restricted = [replace(cell, estimator="reml") for cell in numbers]
    more = [replace(cell, people=40) for cell in restricted]
    return [*plain, *numbers, *restricted, *more]


def _several_features(people: int) -> list[Cell]:
    """Six numbers of one's own."""
    cells = [
        Cell(family, rows, people, effects, features=5)
        for rows, effects, family in product((15, 50, 5), ("strong", "weak"), FAMILIES)
    ]
    numbers = [cell for cell in cells if cell.family == "gaussian"]
    return [*cells, *(replace(one, residual=r) for r in RESIDUALS[1:3] for one in numbers)]


def _many_people() -> list[Cell]:
    """Whether a bias that is small beside the standard error of 100 people stays so with 400."""
    return [
        Cell(family, rows, 400, effects)
        for rows, effects, family in product((5, 15), ("strong", "weak"), FAMILIES)
    ]


def _memory() -> list[Cell]:
    """Outcomes that are no numbers, whose models know of no memory."""
    families = [family for family in FAMILIES if family != "gaussian"]
    return [Cell(family, rows, 40, residual="ar1") for rows, family in product((5, 15), families)]


def _chains(people: int) -> list[Cell]:
    """Chains of people with transitions of their own."""
    return [Cell(family, rows, people) for rows, family in product((50, 15, 5), CHAINS)]


def _new_people() -> list[Cell]:
    """People whom the fit has not seen; small: few people, few rows of each."""
    return [
        *(
            NewPeople("gaussian", rows, people, effects)
            for rows, people, effects in product((5, 15), (12, 40), ("weak", "strong"))
        ),
        *(NewPeople("gaussian", rows, 40, residual="ar1-times") for rows in (5, 15)),
        *(NewPeople(family, 5, 40) for family in FAMILIES[1:]),
        NewPeople("crf", 15, 40),
    ]
