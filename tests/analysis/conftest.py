"""A chain of states that can be counted by hand, and a network, both fitted for a few epochs."""

import numpy as np
import pandas as pd
import pytest

from nme_core import NMECRF, NMEMLPClassifier, NMEMLPRegressor


@pytest.fixture(scope="session")
def chain():
    """Rows of two persons: "b" goes calm to tense mostly, "007" stays; one label is missing."""
    calm, tense, low = "calm", "tense", "low"
    b1 = [calm, tense, calm, tense, low, calm]
    b2 = [low, None, calm, tense]
    seven = [calm, calm, calm, low, low, tense]
    rows = pd.DataFrame(
        {
            "state": [*b1, *b2, *seven],
            "person": ["b"] * 10 + ["007"] * 6,
            "sequence": ["b/1"] * 6 + ["b/2"] * 4 + ["007/1"] * 6,
        }
    )
    rows["x"] = np.random.default_rng(0).normal(size=len(rows))
    return rows


@pytest.fixture(scope="session")
def crf(chain):
    model = NMECRF(placement="transitions", epochs=30)
    return model.fit(
        chain[["x"]], chain["state"], groups=chain["person"], sequence_ids=chain["sequence"]
    )


@pytest.fixture(scope="session")
def features():
    """X and persons: person k's "wide" lies in [k, k + 3], "level" never changes within one."""
    rng = np.random.default_rng(1)
    person = np.repeat([f"p{k}" for k in range(6)], 12)
    code = np.repeat(np.arange(6.0), 12)
    X = pd.DataFrame(
        {
            "wide": code + rng.uniform(0, 3, len(code)),
            "level": code,
            "flag": rng.integers(0, 2, len(code)).astype(float),
        }
    )
    X.loc[person == "p5", "flag"] = np.nan
    return X, pd.Series(person)


@pytest.fixture(scope="session")
def regressor(features):
    X, person = features
    y = X["wide"] + np.random.default_rng(2).normal(size=len(X))
    return NMEMLPRegressor(hidden=(4,), epochs=30).fit(X, y, groups=person)


@pytest.fixture(scope="session")
def classifier(features):
    X, person = features
    y = np.array(["no", "so", "yes"])[np.digitize(X["wide"], [3, 5])]
    return NMEMLPClassifier(hidden=(4,), epochs=30).fit(X, y, groups=person)
