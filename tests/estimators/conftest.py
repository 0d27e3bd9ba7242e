"""Small studies, and each kind of model with few epochs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMECRF, NeuralMixedEffects, NMEMLPClassifier, NMEMLPRegressor

PERSONS = ("007", "b", "c", "anna", "e")
SIZES = (12, 20, 9, 15, 11)


@dataclass(frozen=True)
class Case:
    """A model and rows that it can be fitted to."""

    make: Callable[..., NeuralMixedEffects]
    X: pd.DataFrame
    y: pd.Series
    groups: pd.Series
    context: dict[str, Any] = field(default_factory=dict)

    def fit(self, **options: Any) -> NeuralMixedEffects:
        model = self.make(**options)
        return model.fit(self.X, self.y, groups=self.groups, **self.context)

    def predict(self, model: NeuralMixedEffects, **options: Any) -> np.ndarray:
        """What the model says in numbers: values, or probabilities."""
        answer = getattr(model, "predict_proba", model.predict)
        return answer(self.X, self.groups, **self.context, **options)

    @property
    def validation(self) -> tuple[Any, ...]:
        return (self.X, self.y, self.groups, *self.context.values())


def make_rows(seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    groups = pd.Series(np.repeat(PERSONS, SIZES), name="who")
    X = pd.DataFrame(
        {
            "sleep": rng.normal(7, 1.5, len(groups)),
            "steps": rng.normal(6000, 2500, len(groups)),
            "stress": rng.normal(0, 1, len(groups)),
        }
    )
    X.loc[rng.random(len(groups)) < 0.15, "stress"] = np.nan
    return X, groups


def _numbers() -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    X, groups = make_rows()
    rng = np.random.default_rng(1)
    own = groups.map(dict(zip(PERSONS, rng.normal(size=len(PERSONS)), strict=True)))
    y = 50 + 4 * own + 3 * own * (X["sleep"] - 7) + rng.normal(0, 2, len(X))
    return X, y.rename("mood"), groups


def _states() -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    X, groups = make_rows()
    rng = np.random.default_rng(2)
    score = np.stack([X["sleep"] - 7, 7 - X["sleep"], np.zeros(len(X))]) + rng.gumbel(
        size=(3, len(X))
    )
    return X, pd.Series(np.array(["calm", "low", "tense"])[score.argmax(axis=0)]), groups


def _regressor(**options: Any) -> NMEMLPRegressor:
    return NMEMLPRegressor(**{"hidden": (4,), "epochs": 3, **options})


def _classifier(**options: Any) -> NMEMLPClassifier:
    return NMEMLPClassifier(**{"hidden": (4,), "epochs": 3, **options})


def _crf(**options: Any) -> NMECRF:
    return NMECRF(**{"hidden": (), "epochs": 3, **options})


def _annealed(make: Callable[..., Any]) -> Callable[..., Any]:
    return lambda **options: make(**{"estimator": "annealed", **options})


@pytest.fixture(scope="session")
def cases() -> dict[str, Case]:
    numbers, states = _numbers(), _states()
    X, y, groups = states
    sequences = groups + "/" + pd.Series(np.arange(len(groups)) // 7 % 2).astype(str)
    y_missing = y.where(np.arange(len(y)) % 9 != 4)
    in_sequences = (X, y_missing, groups, {"sequence_ids": sequences})
    return {
        "regressor": Case(_regressor, *numbers),
        "regressor annealed": Case(_annealed(_regressor), *numbers),
        "classifier": Case(_classifier, *states),
        "classifier annealed": Case(_annealed(_classifier), *states),
        "crf": Case(_crf, *in_sequences),
        "crf annealed": Case(_annealed(_crf), *in_sequences),
    }


ALL = (
    "regressor",
    "regressor annealed",
    "classifier",
    "classifier annealed",
    "crf",
    "crf annealed",
)


@pytest.fixture(params=ALL)
def case(request: pytest.FixtureRequest, cases: dict[str, Case]) -> Case:
    return cases[request.param]


@pytest.fixture(params=("regressor", "classifier", "crf"))
def one_of_each(request: pytest.FixtureRequest, cases: dict[str, Case]) -> Case:
    return cases[request.param]
