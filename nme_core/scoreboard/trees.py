"""scikit-learn's boosted trees, with the ids as columns of 0 and 1 or as means of their outcome."""

from __future__ import annotations

from typing import Any

import numpy as np

from nme_core.exceptions import OptionError
from nme_core.scoreboard.sample import Floats, Sample

#: More columns of ids are not laid out.
_WIDEST = 500


def one_hot(sample: Sample, seed: int) -> Floats:
    """A column of 0 and 1 for every id."""
    from sklearn.preprocessing import OneHotEncoder

    width = int(sample.groups.nunique().sum())
    if width > _WIDEST:
        raise OptionError(f"{width} columns of 0 and 1 are too many.", remedy="See hgb target.")
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encoder.fit(sample.groups[sample.learned])
    return _boosted(sample, encoder.transform(sample.groups), seed)


def target(sample: Sample, seed: int) -> Floats:
    """The mean outcome of every id, cross-fitted among the rows that are learned from."""
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import TargetEncoder

    learned = sample.learned
    encoder = TargetEncoder(cv=KFold(5, shuffle=True, random_state=seed))
    y = sample.labels if sample.classes else sample.y
    own = encoder.fit_transform(sample.groups[learned], y[learned])
    ids = np.empty((len(y), own.shape[1]))
    ids[learned], ids[~learned] = own, encoder.transform(sample.groups[~learned])
    return _boosted(sample, ids, seed)


def _boosted(sample: Sample, ids: Floats, seed: int) -> Floats:
    """Trees whose number is the one that predicts a tenth of the rows best."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if sample.classes else HistGradientBoostingRegressor
    model: Any = kind(early_stopping=True, max_iter=500, random_state=seed)
    X = np.hstack([sample.X.to_numpy(np.float64), ids])
    model.fit(X[sample.learned], sample.y[sample.learned])
    say = model.predict_proba if sample.classes else model.predict
    return np.asarray(say(X[sample.test]), dtype=np.float64)
