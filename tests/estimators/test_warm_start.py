"""A search for a maximum that begins near another one ends where any search does."""

import numpy as np
import pandas as pd
import pytest

from nme_core import NMECRF, NMEMLPClassifier, NMEMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")

N, ROWS = 25, 20


def drawn(seed, n_classes):
    """Features that are the same for every seed, groups, and an outcome 0 … n_classes − 1."""
    rng = np.random.default_rng(1)
    x = pd.DataFrame(rng.normal(size=(N * ROWS, 2)), columns=list("ab"))
    rng, groups = np.random.default_rng(seed), np.repeat(np.arange(N), ROWS)
    trait = rng.normal(size=(N, 1)) + 0.7 * rng.normal(size=(N, 3))
    score = trait[groups, 0] + (x * (0.5 + 0.6 * trait[groups, 1:])).sum(axis=1)
    noisy = score + rng.logistic(size=len(score))
    return x, np.digitize(noisy, np.linspace(-1, 1, n_classes + 1)[1:-1]), groups


def drawn_chains(seed):
    """As `drawn`: people stay in each of two states for as long as they do."""
    x, _, groups = drawn(seed, 2)
    rng = np.random.default_rng(seed)
    logit = rng.normal([-1.0, 1.0], 1.0, size=(N, 2))
    y, u = np.empty(N * ROWS, dtype=int), rng.uniform(size=N * ROWS)
    for k, who in enumerate(groups):
        before = y[k - 1] if k % ROWS else k // ROWS % 2
        y[k] = u[k] < 1 / (1 + np.exp(-logit[who, before] - 0.5 * x["a"][k]))
    return x, y, groups


MODELS = {
    "two classes, full": (NMEMLPClassifier, 2, {"placement": "all", "covariance": "full"}),
    "two classes, factor": (NMEMLPClassifier, 2, {"placement": "all", "covariance": "factor"}),
    "three classes": (NMEMLPClassifier, 3, {"placement": "all"}),
    "ordinal": (NMEMLPClassifier, 4, {"placement": "all", "family": "ordinal"}),
    "counts": (NMEMLPRegressor, 4, {"family": "poisson"}),
    "negative binomial": (NMEMLPRegressor, 5, {"family": "negative_binomial"}),
    "chain": (NMECRF, 2, {"placement": "transitions"}),
}


@pytest.mark.parametrize("name", MODELS)
def test_it_ends_where_any_search_does(name):
    kind, n_classes, options = MODELS[name]

    def fitted(seed, begin_at=None):
        x, y, groups = drawn_chains(seed) if kind is NMECRF else drawn(seed, n_classes)
        model = kind((), **options)
        model._begin_at = begin_at
        outcome = y if kind is NMEMLPRegressor else y.astype(str)
        given = {"sequence_ids": groups} if kind is NMECRF else {}
        return model.fit(x, outcome, groups=groups, uncertainty=False, **given)

    cold = fitted(2)
    warm = fitted(2, begin_at=fitted(3))
    assert warm.history_["train_loss"].iloc[0] != cold.history_["train_loss"].iloc[0]
    close = 1e-5 if kind is NMECRF else 1e-7  # a chain's search that begins near ends sooner
    assert warm.log_likelihood_ == pytest.approx(cold.log_likelihood_, abs=close)
    for read in ("fixed_effects_", "random_effects_cov_"):
        found, expected = getattr(warm, read), getattr(cold, read)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_a_variance_of_0_to_begin_at_is_no_trap():
    """At Λ = 0 the likelihood has no slope."""
    x, y, groups = drawn(2, 2)
    nobody = NMEMLPClassifier((), "last").fit(x, np.tile(["0", "1"], len(y) // 2), groups=groups)
    assert nobody.random_effects_cov_.iloc[-1, -1] < 1e-3
    cold = NMEMLPClassifier((), "last").fit(x, y.astype(str), groups=groups)
    warm = NMEMLPClassifier((), "last")
    warm._begin_at = nobody
    warm.fit(x, y.astype(str), groups=groups)
    assert cold.random_effects_cov_.iloc[-1, -1] > 0.1
    assert warm.log_likelihood_ == pytest.approx(cold.log_likelihood_, abs=1e-7)
