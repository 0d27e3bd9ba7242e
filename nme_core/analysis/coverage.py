"""How often 95 % intervals held the truth in simulations of studies like a given one.

``coverage.csv`` has the simulated kinds of study, one row for each quantity; `python -m
benchmarks.coverage` makes it, and docs/uncertainty.md says how.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from nme_core.estimators import NeuralMixedEffects

#: Intervals are right where the share that held the truth lies between these.
LOWEST, HIGHEST = 0.92, 0.97
#: Largest Monte-Carlo error of a share that counts as examined.
LARGEST_ERROR = 0.03
#: How far outside of the simulated numbers of rows, people and effects a study may lie.
MARGIN = 1.5
#: Classes or states up to which what was simulated of three (ordered: of four) is taken to stand.
MOST_CLASSES = {"classes": 4, "crf": 4, "ordinal": 7}

#: Of a CRF's transitions.
READOUTS = ("scores", "conditional", "expected")

_FAMILIES = {
    "gaussian": "a number",
    "binary": "two classes",
    "classes": "several classes",
    "poisson": "a count",
    "negative_binomial": "a count that varies more than Poisson's",
    "ordinal": "ordered classes",
    "crf": "states in sequences",
    "network": "a number by a mixture of networks",
}


@dataclass(frozen=True)
class StudyKind:
    """What a model and its study have in common with simulated ones.

    Attributes
    ----------
    family : str
        ``gaussian``, ``binary``, ``classes``, ``poisson``, ``ordinal``, ``crf``, or ``network``:
        a number by a mixture of networks.
    rows : float
        Median number of rows of a person.
    people : int
        Number of people.
    effects : float
        Person-specific numbers of each score; of a CRF 1, of a network inputs and 1.
    covariance : str
        ``diagonal`` or ``full``.
    times : bool
        Whether the residuals' autocorrelation was estimated.
    estimator : str
        ``ml`` or ``reml``.
    other : str
        Why no simulated study can be like this one; empty where one can.
    """

    family: str
    rows: float
    people: int
    effects: float = 2.0
    covariance: str = "diagonal"
    times: bool = False
    estimator: str = "ml"
    other: str = ""

    @classmethod
    def of(cls, model: NeuralMixedEffects) -> StudyKind:
        """Read the kind off a fitted model."""
        family, n_scores = _family(model)
        return cls(
            family=family,
            rows=float(np.median(model.n_obs_)),
            people=len(model.groups_),
            effects=_effects(model, family, n_scores),
            covariance=model.covariance_,
            times=bool(np.isfinite(getattr(model, "residual_autocorrelation_", np.nan))),
            estimator="reml" if getattr(model, "reml", False) else "ml",
            other=_other(model, family),
        )

    @property
    def words(self) -> str:
        """The kind in words."""
        steps = "steps" if self.family == "crf" else "rows"
        many = f"{self.people} people with {self.rows:g} {steps} each"
        return f"{_FAMILIES[self.family]}, {many}"


def _family(model: NeuralMixedEffects) -> tuple[str, int]:
    """Family as it is called here, and number of scores that each have effects of their own."""
    if has_transitions(model):
        return "crf", 1
    family, classes = getattr(model, "family", None), getattr(model, "classes_", ())
    if family == "ordinal":
        return "ordinal", 1
    if len(classes):
        return ("binary", 1) if len(classes) == 2 else ("classes", len(classes) - 1)
    if model.hidden == "auto" and not model.is_count:
        return "network", 1
    return (str(family) if model.is_count else "gaussian"), 1


def has_transitions(model: NeuralMixedEffects) -> bool:
    """Whether it is a model of sequences; asked without loading the models themselves."""
    return hasattr(model, "transition_matrix")


def _effects(model: NeuralMixedEffects, family: str, n_scores: int) -> float:
    if family == "crf":
        return 1.0
    if family == "network":
        return len(model.feature_names_in_) + 1.0
    return len(model.parameter_names()) / n_scores


def _other(model: NeuralMixedEffects, family: str) -> str:
    """What sets a model apart from all that were simulated."""
    found, most = model.likelihood(), MOST_CLASSES.get(family)
    if model.hidden and family != "network":
        return "a network with hidden layers"
    if getattr(model, "shrink", "none") != "none":
        return "inputs that are shrunk for prediction"
    if getattr(model, "quadrature", 1) > 1:
        return "likelihoods by quadrature"
    if len(model.factors_) > 1:
        return "several grouping factors"
    from nme_core.training.likelihood import BOUND

    # with a weak prior on Σ there is no likelihood to compare: simulated chains of 5 steps had it
    if found is None and model.method_ == "marginal" and family != "crf":
        return "variances that the rows do not tell"
    known = (found is not None and found.method != BOUND) or model.method_ == "marginal"
    if family != "network" and not known:
        return f"the estimator {model.estimator!r} with these options"
    if model.pooling != "partial":
        return f"pooling {model.pooling!r}"
    if family == "crf" and model.placement != "transitions":
        return "a chain of which more than the transitions is personal"
    if most is not None and len(getattr(model, "classes_", ())) > most:
        return f"more than {most} classes"
    return ""


@dataclass(frozen=True)
class Coverage:
    """What simulations of such studies said of one kind of interval.

    Attributes
    ----------
    status : str
        ``within`` 92 to 97 %, ``outside`` of it by more than the Monte-Carlo error, or ``not
        examined``.
    lowest, highest : float
        Smallest and largest share of intervals that held the truth over the simulated kinds of
        study that are nearest; NaN where none was.
    n_studies : int
        Fewest studies of one of these kinds.
    """

    status: str
    lowest: float = np.nan
    highest: float = np.nan
    n_studies: int = 0

    @property
    def share(self) -> str:
        """The shares in per cent."""
        ends = [f"{100 * share:.0f}" for share in (self.lowest, self.highest)]
        return f"{' to '.join(dict.fromkeys(ends))} %"


def coverage_of(
    kind: StudyKind, quantity: str, table: pd.DataFrame | None = None, *, rho: float | None = None
) -> Coverage:
    """Look up how often intervals of a quantity held the truth in studies of this kind.

    A study lies between simulated numbers of rows, people and effects: all the kinds of study
    around it count, with weak and with strong effects, and one that was not simulated leaves it
    not examined.

    Parameters
    ----------
    kind : StudyKind
        Of the study.
    quantity : str
        ``fixed_effects``, ``random_effects``, ``autocorrelation``; of a CRF one of `READOUTS`,
        with ``population_`` before it for the population's.
    table : DataFrame, optional
        In the form of coverage.csv; that file where none is given.
    rho : float, optional
        Correlation of neighbouring residuals in the simulated studies, 0 or .5; None: both where
        the model estimates it, else 0.
    """
    cells = simulated() if table is None else table
    if kind.other:
        return Coverage("not examined")
    probabilities = quantity.endswith(("conditional", "expected"))  # have a truth in both
    families = ("crf", "logit") if kind.family == "crf" and probabilities else (kind.family,)
    if quantity.startswith("new_"):
        families = (kind.family,)
    needed = product(
        around(kind.rows, cells["rows"]),
        around(kind.people, cells["people"]),
        around(max(kind.effects - 1, 1), cells["features"]),
        _residuals(kind, rho),
        families,
    )
    names = ["rows", "people", "features", "residual", "family"]
    same = cells[
        (cells["covariance"] == kind.covariance)
        & (cells["estimator"] == kind.estimator)
        & (cells["quantity"] == quantity)
        & (cells["error"] <= LARGEST_ERROR)
    ]
    wanted = pd.DataFrame([*needed], columns=names)
    chosen = wanted.merge(same, how="left", on=names)
    if chosen.empty or chosen["covered"].isna().any():
        return Coverage("not examined")
    covered, error = chosen["covered"], chosen["error"]
    apart = (covered + error < LOWEST) | (covered - error > HIGHEST)
    return Coverage(
        "outside" if apart.any() else "within",
        float(covered.min()),
        float(covered.max()),
        int(chosen["studies"].min()),
    )


def coverage_of_new(kind: StudyKind, quantity: str) -> Coverage:
    """As `coverage_of`, of ``new_people``, ``new_curves`` or ``new_conditional``: of people whom a
    fit of this kind of study has not seen. With times the residuals of all simulated studies were
    correlated.
    """
    cells = simulated()
    own = cells[(cells["quantity"] == quantity) & (cells["family"] == kind.family)]
    return coverage_of(kind, quantity, own, rho=0.5 if kind.times else None)


def _residuals(kind: StudyKind, rho: float | None) -> list[str]:
    """Names of what residuals did in simulated studies."""
    if kind.times:
        both = {0.0: "iid-times", 0.5: "ar1-times"}
        return [*both.values()] if rho is None else [both[rho]]
    return ["iid" if not rho else "ar1"]


def around(value: float, simulated: Iterable[Any]) -> list[int]:
    """The simulated numbers next to a value on both sides; none where it lies far outside.

    >>> around(20, [5, 15, 50]), around(60, [5, 15, 50]), around(200, [5, 15, 50])
    ([15, 50], [50], [])
    """
    known = sorted({int(number) for number in simulated})
    if not known or value * MARGIN < known[0] or value > known[-1] * MARGIN:
        return []
    below = [number for number in known if number <= value][-1:]
    above = [number for number in known if number >= value][:1]
    return sorted({*below, *above})


@cache
def simulated() -> pd.DataFrame:
    """Shares of intervals that held the truth, one row per kind of study and quantity."""
    with (files("nme_core.analysis") / "coverage.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file)
