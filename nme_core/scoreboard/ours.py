"""Our own models, with their defaults; and the paper's estimator."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from nme_core.estimators import NMECRF, NeuralMixedEffects, NMEMLPClassifier, NMEMLPRegressor
from nme_core.exceptions import NMEWarning
from nme_core.scoreboard.sample import TRAIN, VALIDATION, Chosen, Floats, Sample

#: Units of the network where the paper's is asked for.
_UNITS = (32,)


def nme(sample: Sample, seed: int) -> Floats:
    """NME, fitted to all rows that may be learned from; it weighs its candidates by itself."""
    return _said(_model(sample, random_state=seed), sample)


def linear(sample: Sample, seed: int) -> Floats:
    """The exact linear mixed model, generalised for classes; intercepts only where crossed."""
    placement = {"placement": ["layers.0.bias"]} if sample.groups.shape[1] > 1 else {}
    return _said(_model(sample, hidden=(), random_state=seed, **placement), sample)


def generic(sample: Sample, seed: int) -> Floats:
    """One network, or chain, for everybody."""
    return _said(_model(sample, pooling="complete", random_state=seed), sample)


def unregularised(sample: Sample, seed: int) -> Floats:
    """The network with deviations that nothing holds together."""
    model = _model(sample, pooling="free", random_state=seed, **_network(sample))
    return _said(model, sample)


def annealed(sample: Sample, seed: int) -> Floats:
    """The paper's: stops early on the validation rows, which it therefore does not learn from."""
    model = _model(sample, estimator="annealed", random_state=seed, **_network(sample))
    return _said(model, sample, watched=True)


def _network(sample: Sample) -> dict[str, Any]:
    return {} if sample.kind == "states" else {"hidden": _UNITS}


def _model(sample: Sample, **options: Any) -> NeuralMixedEffects:
    kinds = {"number": NMEMLPRegressor, "class": NMEMLPClassifier, "states": NMECRF}
    model: NeuralMixedEffects = kinds[sample.kind](**options)
    return model


def _said(model: NeuralMixedEffects, sample: Sample, *, watched: bool = False) -> Floats:
    """Fit, and predict the held-back rows."""
    learned = sample.part == TRAIN if watched else sample.learned
    more: dict[str, Any] = {"uncertainty": False}
    if watched:
        more["validation"] = _watched(sample)
    if sample.kind == "states":
        more["sequence_ids"] = sample.sequences[learned]
    elif isinstance(model, NMEMLPRegressor) and model.reads_times and sample.time is not None:
        more["times"] = _rows(sample.time, learned)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NMEWarning)
        model.fit(
            _rows(sample.X, learned),
            _outcome(sample, learned),
            groups=_rows(sample.ids, learned),
            **more,
        )
        return _predicted(model, sample)


def _watched(sample: Sample) -> tuple[Any, ...]:
    chosen = sample.part == VALIDATION
    rows = (_rows(sample.X, chosen), _outcome(sample, chosen), _rows(sample.ids, chosen))
    if sample.kind != "states":
        return rows
    return (*rows, sample.sequences[chosen], _labels_before(sample)[chosen])


def _predicted(model: NeuralMixedEffects, sample: Sample) -> Floats:
    """What the model says of held-back rows; of people it has never seen as of the population."""
    test = sample.test
    X, groups = _rows(sample.X, test), _rows(sample.ids, test)
    if isinstance(model, NMECRF):
        return model.sequence_loss(
            X,
            _outcome(sample, test),
            groups,
            sequence_ids=sample.sequences[test],
            initial_states=_labels_before(sample)[test],
        )
    say: Any = getattr(model, "predict_proba", model.predict)
    known = _known(sample)
    found = np.asarray(say(X, groups, level="population"), dtype=np.float64)
    found[known] = say(_rows(X, known), _rows(groups, known))
    return found


def _known(sample: Sample) -> Chosen:
    """Held-back rows all of whose groups have rows that may be learned from."""
    found = np.ones(int(sample.test.sum()), dtype=bool)
    for _, ids in sample.groups.items():
        found &= ids[sample.test].isin(ids[sample.learned]).to_numpy()
    return found


def _outcome(sample: Sample, chosen: Chosen) -> pd.Series:
    return pd.Series((sample.labels if sample.classes else sample.y)[chosen])


def _labels_before(sample: Sample) -> pd.Series:
    labels = pd.Series(sample.labels)
    return labels.groupby(sample.sequences).shift()


def _rows(table: Any, chosen: Chosen) -> Any:
    return table[chosen].reset_index(drop=True)
