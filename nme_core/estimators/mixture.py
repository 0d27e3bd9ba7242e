"""``hidden="auto"``: several networks, weighted by what they say of rows that were held back."""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier

from nme_core.estimators.draws import DRAWS
from nme_core.estimators.options import AUTO
from nme_core.estimators.outcomes import numbers
from nme_core.estimators.residuals import TIED
from nme_core.estimators.stacking import PULL, SLIGHT, normal_scores, stacking_weights
from nme_core.exceptions import (
    ConvergenceWarning,
    DataError,
    DivergenceWarning,
    FallbackWarning,
    TrainingError,
)
from nme_core.training import Progress

if TYPE_CHECKING:
    from nme_core.estimators.mlp_model import MLPModel

Floats = NDArray[np.float64]
_Said = list[tuple[type[Warning], str]]
Report = Callable[[Progress], None]

#: A candidate of less weight than this does not matter.
MATTERS = 0.2
#: Units of the hidden layer of every candidate that has one.
UNITS = 32


@dataclass(frozen=True)
class Setting:
    """A network that may be part of the mixture."""

    name: str
    hidden: tuple[int, ...]
    activation: str | None
    placement: str

    def row(self, validation_loss: float, weight: float, seconds: float) -> dict[str, object]:
        """What a table of candidates says of it."""
        return {
            "model": self.name,
            "hidden": ",".join(map(str, self.hidden)),
            "activation": self.activation or "",
            "placement": self.placement,
            "validation_loss": validation_loss,
            "weight": weight,
            "seconds": seconds,
        }


def settings(placement: str) -> tuple[Setting, ...]:
    """The candidates: linear, and 32 units whose bends and person-specific layers differ.

    `placement` is that of all but the last one, whose layers are all person-specific.
    """
    found = [
        Setting("linear", (), None, placement),
        Setting("relu", (UNITS,), "relu", placement),
        Setting("tanh", (UNITS,), "tanh", placement),
    ]
    if placement != "all":
        found.append(Setting("tanh, all layers", (UNITS,), "tanh", "all"))
    return tuple(found)


@dataclass(frozen=True)
class Candidate:
    """One model of the mixture.

    Attributes
    ----------
    setting : Setting
        What it is.
    model : NMEMLPRegressor or NMEMLPClassifier
        Fitted, with named layers.
    weight : float
        Its share, 0 to 1; those of all candidates add up to 1.
    validation_loss : float
        Mean squared error or log-loss of the rows that were held back; NaN without such rows.
    seconds : float
        Processor time that it took.
    """

    setting: Setting
    model: MLPModel
    weight: float
    validation_loss: float
    seconds: float


@dataclass(frozen=True)
class Mixture:
    """Fitted candidates and their weights.

    The density of an outcome is Σ_k w_k p_k(y); an expected outcome, or the probability of a class,
    the same mean of the candidates'.
    """

    candidates: tuple[Candidate, ...]

    @property
    def leader(self) -> MLPModel:
        """The candidate with the largest weight."""
        return max(self.candidates, key=lambda one: one.weight).model

    def mean(self, read: Callable[[MLPModel], Floats]) -> Floats:
        """Σ_k w_k of what is read off each candidate."""
        weights = np.array([one.weight for one in self.candidates])
        parts = np.stack([read(one.model) for one in self.candidates])
        return np.asarray(np.tensordot(weights, parts, axes=1))

    def moments(self, read: Callable[[MLPModel], tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
        """Mean and SD of a quantity under the mixture: the spread between candidates counts.

        var = Σ_k w_k (var_k + (m_k − m)²)
        """
        weights = np.array([one.weight for one in self.candidates])
        means, spreads = zip(*(read(one.model) for one in self.candidates), strict=True)
        mean = np.tensordot(weights, np.stack(means), axes=1)
        within = np.square(np.stack(spreads)) + np.square(np.stack(means) - mean)
        return mean, np.sqrt(np.tensordot(weights, within, axes=1))

    def change(self, make: Callable[[MLPModel], Any]) -> Mixture:
        """Return the mixture of what is made of each candidate, with the same weights."""
        return Mixture(tuple(replace(one, model=make(one.model)) for one in self.candidates))

    def shares(self, n: int) -> list[int]:
        """How many of n draws come from each candidate: w_k n, rounded so that they add up."""
        exact = np.array([one.weight for one in self.candidates]) * n
        counts = np.floor(exact).astype(int)
        for k in np.argsort(counts - exact, kind="stable")[: n - counts.sum()]:
            counts[k] += 1
        return [int(count) for count in counts]

    def draws(self, draw: Callable[[MLPModel], Iterator[Any]]) -> Iterator[Any]:
        """Yield `DRAWS` draws, of each candidate as many as are its share."""
        for share, one in zip(self.shares(DRAWS), self.candidates, strict=True):
            yield from itertools.islice(draw(one.model), share)

    def table(self) -> pd.DataFrame:
        """One row per candidate; columns as in ``candidates.csv``, without the test loss."""
        return pd.DataFrame(
            [
                one.setting.row(one.validation_loss, one.weight, one.seconds)
                for one in self.candidates
            ]
        )


def fit_mixture(
    model: MLPModel,
    rows: tuple[Any, Any, Any],
    held: tuple[Any, Any, Any] | None,
    *,
    progress: Report | None,
    uncertainty: bool,
    times: Any = None,
) -> Mixture:
    """Fit the candidates to `rows`, and weigh them by the rows that were held back.

    The weights are pulled towards the linear candidate, which few rows cannot lead astray.

    Parameters
    ----------
    model : NMEMLPRegressor or NMEMLPClassifier
        Gives all options but the layers.
    rows, held : tuple (X, y, groups)
        Rows of the fit; other rows of the same persons, None: hardly anything but the linear one.
    times : array, optional
        When each row of the fit was taken.

    Warns
    -----
    FallbackWarning
        Where a candidate cannot be fitted to these rows; the others are.

    Raises
    ------
    DataError, TrainingError
        Where none can.
    """
    X, y, groups = rows
    model._outcomes.learned(y)  # what is wrong with it is wrong for all candidates
    chosen: list[Setting] = []
    fitted: list[MLPModel] = []
    seconds: list[float] = []
    notes: list[_Said] = []
    several = settings(str(model.placement))
    for number, setting in enumerate(several):
        one = _candidate(model, setting)
        if fitted and fitted[0].hidden == () and model.pooling == "partial":
            one._begin_at = fitted[0]
        start = time.process_time()
        said: _Said = []
        try:
            with _collected(said):
                one.fit(
                    X, y, groups=groups, validation=held, uncertainty=uncertainty,
                    progress=_part(progress, number, len(several)), **_given(times),
                )  # fmt: skip
        except (DataError, TrainingError) as error:
            if number == len(several) - 1 and not fitted:
                raise
            _leave_out(setting, error)
            continue
        chosen.append(setting)
        fitted.append(one)
        notes.append(said)
        seconds.append(time.process_time() - start)
    losses, scores = np.full(len(fitted), np.nan), np.zeros((0, len(fitted)))
    pull = np.array([SLIGHT if one.hidden else PULL for one in chosen])
    weights = stacking_weights(scores, pull)
    if held is not None:
        scores = _held_out_scores(fitted, *held)
        weights = stacking_weights(scores, pull)
        losses = np.array([cast(Any, one).validation_loss(*held) for one in fitted])
    columns = (chosen, fitted, weights.tolist(), losses.tolist(), seconds)
    mixture = Mixture(tuple(Candidate(*one) for one in zip(*columns, strict=True)))
    _tell(mixture, notes)
    return mixture


def _held_out_scores(several: Sequence[Any], X: Any, y: Any, groups: Any) -> Floats:
    """What models are weighed by, shape (n, n_models)."""
    if is_classifier(several[0]) or several[0].is_count:
        return np.column_stack([one.log_score(X, y, groups) for one in several])
    predicted = np.column_stack([one.predict(X, groups) for one in several])
    return normal_scores(predicted - numbers(y)[:, None])


def refit_mixture(
    mixture: Mixture,
    rows: tuple[Any, Any, Any],
    *,
    progress: Report | None,
    uncertainty: bool,
    times: Any = None,
) -> Mixture:
    """Fit every candidate again, to all rows, from where it is; the weights stay."""
    X, y, groups = rows
    found: list[Candidate] = []
    notes: list[_Said] = []
    for number, before in enumerate(mixture.candidates):
        one = clone(before.model)
        one._quick, one._begin_at = before.model._quick, before.model
        start = time.process_time()
        notes.append([])
        with _collected(notes[-1]):
            one.fit(
                X, y, groups=groups, uncertainty=uncertainty,
                progress=_part(progress, number, len(mixture.candidates)), **_given(times),
            )  # fmt: skip
        one._begin_at = None
        seconds = before.seconds + time.process_time() - start
        found.append(replace(before, model=one, seconds=seconds))
    _tell(Mixture(tuple(found)), notes)
    return Mixture(tuple(found))


def _given(times: Any) -> dict[str, Any]:
    """Times as `fit` of a model that takes them does."""
    return {} if times is None else {"times": times}


@contextmanager
def _collected(said: _Said) -> Iterator[None]:
    """Keep the warnings of a fit."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    said += [(one.category, str(one.message)) for one in caught]


def _tell(mixture: Mixture, notes: list[_Said]) -> None:
    """Warn of what the leader's fit warned of; of others with weight, that training failed."""
    for candidate, said in zip(mixture.candidates, notes, strict=True):
        leads = candidate.model is mixture.leader
        for category, message in said:
            if issubclass(category, FallbackWarning) and TIED in message:
                continue  # as in any network: nobody asked for the residuals' autocorrelation
            failed = issubclass(category, ConvergenceWarning | DivergenceWarning)
            if leads or (failed and candidate.weight > MATTERS):
                text = f"Candidate {candidate.setting.name!r}: {message}"
                warnings.warn(text, category, stacklevel=4)


def _candidate(model: MLPModel, setting: Setting) -> MLPModel:
    """An unfitted model with these layers and the options of `model`."""
    one: MLPModel = clone(model)
    many = setting.placement == "all" and bool(setting.hidden)
    covariance = "diagonal" if many or model.covariance == AUTO else model.covariance
    one.set_params(
        hidden=setting.hidden,
        activation=setting.activation,
        placement=setting.placement,
        covariance=covariance,
        # the exact engine ends where the likelihood is highest
        epochs=model.epochs if setting.hidden or model.estimator == "annealed" else None,
    )
    one._quick = bool(setting.hidden)
    return one


def _leave_out(setting: Setting, error: Exception) -> None:
    warnings.warn(
        f"The candidate {setting.name!r} of the mixture was left out: {error}",
        FallbackWarning,
        stacklevel=4,
    )


def _part(progress: Report | None, number: int, of: int) -> Report | None:
    """Return what reports one of several fits as a part of the way."""
    if progress is None:
        return None

    def report(now: Progress) -> None:
        progress(replace(now, fraction=(number + now.fraction) / of))

    return report
