"""Error on new persons by how many of their rows the model has been adapted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.estimators import NMECRF, NeuralMixedEffects, NMEMLPRegressor
from nme_core.estimators.threads import one_thread_for_few
from nme_core.exceptions import DataError, OptionError
from nme_core.metrics.comparison import studentised_interval
from nme_core.study import Study

#: Rows of a new person that the model is adapted to.
STEPS = (0, 1, 2, 5, 10, 20)
#: Rows that have to be left for the test.
LEFT = 3
#: Resamples of the persons, and the coverage of their interval.
RESAMPLES, LEVEL = 2000, 0.95
COLUMNS = (
    "k", "metric", "error", "population_error", "difference", "ci_low", "ci_high", "reliability",
    "n_persons", "n_rows",
)  # fmt: skip


def adaptation_curve(
    study: Study,
    make: Callable[[], NeuralMixedEffects],
    *,
    steps: Sequence[int] = STEPS,
    folds: int = 5,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Cross-validate over whole persons: fit on the others, adapt to k rows, judge on later ones.

    Every person is left out of one of the fits. Their first k rows are what `adapt` learns from;
    the rows after the first max(steps) are judged, the same for every k. Persons with less than 3
    such rows are only fitted on.

    Parameters
    ----------
    study : Study
        Rows in order of time within each person.
    make : callable
        Returns an unfitted model with person-specific parameters.
    steps : sequence of int
        The k; 0 is the population's prediction.
    folds : int
        Parts that the persons are cut into.
    seed : int
        Of the parts, and of the resamples.
    report : callable, optional
        Told how many fits are done, and of how many.

    Returns
    -------
    DataFrame
        One row per k: ``metric`` (mse, or log_loss: −log p per step of what is held back, given the
        state before it), ``error`` and ``population_error`` (means over persons), ``difference``
        between the two with a studentised bootstrap interval over persons, the mean ``reliability``
        of the adapted parameters, ``n_persons`` and ``n_rows`` that are judged.

    Raises
    ------
    DataError
        If too few persons have enough rows.
    OptionError
        If steps or folds make no sense, or the study has further grouping factors.
    """
    chosen = sorted(set(steps))
    if not chosen or chosen[0] < 0:
        raise OptionError("The steps are numbers of rows.", remedy="Give for example 0,1,2,5,10.")
    if study.roles.groups:
        raise OptionError(
            "New people can only be adapted with one grouping factor.",
            remedy="Leave the further grouping factors out.",
        )
    sequential = isinstance(make(), NMECRF)
    if sequential:
        study.refuse_ties("An NME-CRF")
    else:
        study = study.with_observed_outcome()
    persons = study.groups.unique()
    sizes = study.groups.value_counts()
    able = [person for person in persons if sizes[person] >= chosen[-1] + LEFT]
    if not 2 <= folds <= len(persons) or len(able) < 3:
        raise DataError(
            f"{len(able)} of {len(persons)} people have the {chosen[-1] + LEFT} rows that steps up"
            f" to {chosen[-1]} need; {folds} folds.",
            remedy="Take smaller steps, or fewer folds (from 2 to the number of people).",
        )
    part = np.random.default_rng(seed).permutation(np.arange(len(persons)) % folds)
    fold_of = pd.Series(part, index=persons)
    found = []
    for fold in range(folds):
        new = study.groups.map(fold_of).to_numpy() == fold
        judged = new & study.groups.isin(able).to_numpy()
        if judged.any():
            with one_thread_for_few(study.n_rows):
                found.append(_fold(study.take(~new), study.take(judged), make(), chosen))
        if report is not None:
            report(fold + 1, folds)
    table = pd.concat(found, ignore_index=True)
    metric = "mse" if isinstance(make(), NMEMLPRegressor) else "log_loss"
    return _summarise(table, chosen, metric, seed)


def _fold(known: Study, new: Study, model: NeuralMixedEffects, steps: list[int]) -> pd.DataFrame:
    """Errors of the new persons of one fold: person, k, error, population, reliability, rows."""
    fitted: Any = model
    sequential = isinstance(model, NMECRF)
    fitted.fit(
        known.X,
        known.y,
        groups=known.groups,
        **({"sequence_ids": known.sequence_ids} if sequential else {}),
    )
    before = new.y.groupby(new.sequence_ids).shift()
    position = new.groups.groupby(new.groups).cumcount().to_numpy()
    test = position >= steps[-1]
    population = _errors(fitted, new, before, test, "population")
    results = []
    for k in steps:
        if k == 0:
            errors, reliability = population, pd.Series(0.0, index=population.index)
        else:
            first = new.take(position < k)
            adapted = fitted.adapt(
                first.X,
                first.y,
                groups=first.groups,
                **({"sequence_ids": first.sequence_ids} if sequential else {}),
            )
            errors = _errors(adapted, new, before, test, "person")
            reliability = adapted.reliability_.mean(axis=1)
        results.append(
            pd.DataFrame(
                {
                    "k": k,
                    "error": errors,
                    "population": population,
                    "reliability": reliability.reindex(errors.index),
                    "rows": new.groups[test].value_counts().reindex(errors.index),
                }
            )
        )
    return pd.concat(results, ignore_index=True)


def _errors(
    model: Any, study: Study, before: pd.Series, test: NDArray[np.bool_], level: str
) -> pd.Series:
    """Mean loss of each person's test rows."""
    X, y, groups = study.X[test], study.y[test], study.groups[test]
    if isinstance(model, NMECRF):
        loss = model.sequence_loss(
            X,
            y,
            groups,
            sequence_ids=study.sequence_ids[test],
            initial_states=before[test],
            level=level,
        )
    elif isinstance(model, NMEMLPRegressor):
        loss = np.square(model.predict(X, groups, level=level) - y.to_numpy(dtype=np.float64))
    else:
        probabilities = model.predict_proba(X, groups, level=level)
        place = model._outcome.encode(y)
        own = np.where(place >= 0, probabilities[np.arange(len(y)), place], 0.0)
        loss = -np.log(np.clip(own, 1e-12, 1.0))
    return pd.Series(loss, index=groups.index).groupby(groups).mean().dropna()


def _summarise(table: pd.DataFrame, steps: list[int], metric: str, seed: int) -> pd.DataFrame:
    rows = []
    for k in steps:
        own = table[table["k"] == k]
        difference = (own["error"] - own["population"]).to_numpy()
        n = len(difference)
        draws = np.random.default_rng(seed).integers(n, size=(RESAMPLES, n))
        low, high = studentised_interval(difference, [difference[draws]], LEVEL)
        means = own[["error", "population", "reliability"]].mean()
        errors = (means["error"], means["population"], difference.mean(), low, high)
        rows.append((k, metric, *errors, means["reliability"], n, int(own["rows"].sum())))
    return pd.DataFrame(rows, columns=list(COLUMNS))


__all__ = ["STEPS", "adaptation_curve"]
