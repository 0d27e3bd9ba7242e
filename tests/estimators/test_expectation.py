"""Expected outcomes over the posterior of people's effects, against many draws."""

import numpy as np
import pytest
import torch

from nme_core.estimators import NMEMLPClassifier, NMEMLPRegressor


def simulate(seed=0):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(12), 9)
    x = rng.normal(size=(len(person), 2))
    return x, x[:, 0] + rng.normal(size=12)[person] + rng.normal(size=len(person)), person


def classes(score, n):
    return np.digitize(score, np.linspace(-1, 1, n - 1))


MODELS = {
    "number": (NMEMLPRegressor, {}, lambda score: score),
    "count": (NMEMLPRegressor, {"family": "poisson"}, lambda score: np.floor(np.exp(score))),
    "two classes": (NMEMLPClassifier, {}, lambda score: classes(score, 2)),
    "four classes": (NMEMLPClassifier, {}, lambda score: classes(score, 4)),
    "ordered classes": (NMEMLPClassifier, {"family": "ordinal"}, lambda score: classes(score, 5)),
}


@pytest.mark.filterwarnings("ignore:The (co)?variance:UserWarning")
@pytest.mark.parametrize("name", MODELS)
def test_it_is_the_mean_over_draws(name):
    kind, options, outcome = MODELS[name]
    x, score, person = simulate()
    model = kind(hidden=(), **options).fit(x, outcome(score), groups=person)
    found = getattr(model, "predict_proba", model.predict)(x, person).reshape(len(x), -1)
    low, high = (end.reshape(len(x), -1) for end in model.predict_interval(x, person))
    posterior, mean = model._posterior, model._family().mean
    mixed, rng = posterior.mixed, np.random.default_rng(1)
    inputs = torch.from_numpy(model._scaler.transform(x.T)).unsqueeze(1)
    total, squares, n = 0.0, 0.0, 4000
    roots = np.linalg.cholesky(posterior.covariance.numpy() + 1e-12 * np.eye(mixed.n_random))
    for _ in range(n):
        noise = np.einsum("prs,ps->pr", roots, rng.normal(size=(12, mixed.n_random)))
        drawn = (mixed.deviations + torch.from_numpy(noise)).to(mixed.deviations.dtype)
        values = model._in_units(mean(mixed(inputs, deviations=drawn[person])))
        values = values.squeeze(1).double().numpy()
        total, squares = total + values, squares + values**2
    sd = np.sqrt(squares / n - (total / n) ** 2)
    np.testing.assert_allclose(found, total / n, atol=4 * sd.max() / np.sqrt(n))
    width = (high - low) / (2 * 1.96)
    kept = sd < 0.3 * found  # of a skewed count the SD over draws is itself uncertain
    if kind is NMEMLPClassifier:
        kept = (low > 0) & (high < 1)  # ends outside are cut
    if name == "number":
        kept = sd > 0
    np.testing.assert_allclose(width[kept], sd[kept], rtol=0.1, atol=1e-4)


@pytest.mark.filterwarnings("ignore:The (co)?variance:UserWarning")
def test_the_seed_does_not_matter():
    x, score, person = simulate()
    one, other = (
        NMEMLPClassifier(hidden=(), random_state=seed).fit(x, classes(score, 3), groups=person)
        for seed in (0, 7)
    )
    np.testing.assert_array_equal(one.predict_proba(x, person), other.predict_proba(x, person))
