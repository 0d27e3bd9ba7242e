"""Expected outcomes over the posterior of people's effects, against many draws."""

import numpy as np
import pandas as pd
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


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.DispersionWarning")
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
    inputs = torch.from_numpy(model._encoder.scaler.transform(x.T)).unsqueeze(1)
    n, at_once, counted = 4000, 200, posterior.uncertainty
    alone = posterior.covariance.double()
    nothing = alone.new_zeros(*alone.shape[:2], 0)
    together = torch.cat(
        [
            torch.cat([counted.effects, counted.across], dim=2),
            torch.cat([counted.across.mT, counted.fits.whole.expand(12, -1, -1)], dim=2),
        ],
        dim=1,
    )

    def over_draws(covariance):
        """Mean and SD of the expected outcome where people, and shared parameters, are normal."""
        roots = np.linalg.cholesky(covariance.numpy() + 1e-10 * np.eye(covariance.shape[1]))
        total, squares = 0.0, 0.0
        both = mixed.with_free(counted.free)
        at, free = both.places_of(mixed.random), both.places_of(counted.free)
        for _ in range(n // at_once):
            noise = rng.normal(size=(at_once, 12, covariance.shape[1]))
            step = torch.from_numpy(np.einsum("prs,dps->dpr", roots, noise))
            own, shared = step[..., : mixed.n_random], step[..., mixed.n_random :]
            moved = both.deviations.detach().repeat(at_once, 1, 1)
            moved[..., at] += own
            moved[..., free[: shared.shape[2]]] += shared
            rows = inputs.repeat(at_once, 1, 1)
            values = model._outcome.in_units(
                mean(both(rows, deviations=moved[:, person].flatten(0, 1)))
            )
            values = values.squeeze(1).double().numpy().reshape(at_once, len(x), -1)
            total, squares = total + values.sum(0), squares + (values**2).sum(0)
        return total / n, np.sqrt(squares / n - (total / n) ** 2)

    middle, sd = over_draws(torch.cat([alone, nothing], dim=2))
    np.testing.assert_allclose(found, middle, atol=4 * sd.max() / np.sqrt(n))
    sd = over_draws(together)[1]  # the interval counts what is not known of the rest, too
    width = (high - low) / (2 * 1.96)
    kept = sd < 0.3 * found  # of a skewed count the SD over draws is itself uncertain
    if kind is NMEMLPClassifier:
        kept = (low > 0) & (high < 1)  # ends outside are cut
    if name == "number":
        kept = sd > 0
    np.testing.assert_allclose(width[kept], sd[kept], rtol=0.1, atol=1e-3)


@pytest.mark.filterwarnings("ignore:The (co)?variance:UserWarning")
def test_the_seed_does_not_matter():
    x, score, person = simulate()
    one, other = (
        NMEMLPClassifier(hidden=(), random_state=seed).fit(x, classes(score, 3), groups=person)
        for seed in (0, 7)
    )
    np.testing.assert_array_equal(one.predict_proba(x, person), other.predict_proba(x, person))


def over_people(model, x, n=20_000):
    """Mean outcome of people drawn from N(0, Σ), by very many draws at the posterior mean."""
    mixed, mean = model._posterior.mixed, model._family().mean
    sigma = model._posterior.sigma.double()
    sigma = (torch.diag_embed(sigma) if sigma.dim() == 2 else sigma).sum(0).numpy()
    root = np.linalg.cholesky(sigma + 1e-12 * np.eye(len(sigma)))
    drawn = np.random.default_rng(5).normal(size=(n, len(sigma))) @ root.T
    inputs = torch.from_numpy(model._encoder.scaler.transform(x.T)).expand(n, -1, -1)
    with torch.no_grad():
        output = mixed(inputs, deviations=torch.from_numpy(drawn).to(mixed.deviations.dtype))
    return mean(output.double()).mean(0).numpy()


def averaged(model, x):
    values = getattr(model, "predict_proba", model.predict)(x, level="average")
    return values.reshape(len(x), -1)


BENT = [name for name in MODELS if name != "number"]


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
@pytest.mark.parametrize("name", BENT)
def test_the_average_over_people_is_that_of_many_people(name):
    kind, options, outcome = MODELS[name]
    x, score, person = simulate()
    times = 1 if name == "count" else 2  # means of very skewed counts take too many draws
    model = kind(hidden=(), **options)
    model.fit(x, outcome(times * score), groups=person, uncertainty=False)
    found, expected = averaged(model, x[:8]), over_people(model, x[:8])
    np.testing.assert_allclose(found, expected, rtol=0.1, atol=0.012)
    typical = getattr(model, "predict_proba", model.predict)(x[:8], level="population")
    assert np.abs(found - typical.reshape(found.shape)).max() > 0.02


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
@pytest.mark.parametrize(
    "options",
    [
        {"hidden": (), "placement": ["layers.0.bias"], "quadrature": 7},
        {"hidden": (), "placement": "all", "covariance": "full"},
        {"hidden": (3,), "epochs": 60},
        {"hidden": (3,), "epochs": 60, "placement": "all"},
        {"hidden": (3,), "epochs": 60, "estimator": "annealed"},
        {"hidden": "auto", "epochs": 5},
    ],
    ids=lambda one: " ".join(map(str, one.values())),
)
def test_the_average_over_people_whatever_the_estimator(options):
    x, score, person = simulate()
    model = NMEMLPClassifier(**options)
    model.fit(x, classes(2 * score, 2), groups=person, uncertainty=False)
    found = averaged(model, x[:8])
    several = [one for _, one in model.candidates()] or [model]
    weights = model.candidates_["weight"].to_numpy()
    expected = np.average([over_people(one, x[:8]) for one in several], axis=0, weights=weights)
    close = 0.012 if options["hidden"] == () else 0.06
    np.testing.assert_allclose(found, expected, atol=close)
    new = (
        model.adapt(x[:9], classes(2 * score, 2)[:9], groups=["new"] * 9)
        if options.get("estimator") != "annealed"
        else model
    )
    np.testing.assert_allclose(averaged(new, x[:8]), found, atol=1e-6)


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
def test_the_average_over_people_and_clinics():
    x, score, person = simulate()
    clinic = np.tile(np.arange(6), 18)
    score = 2 * score + 1.5 * np.random.default_rng(3).normal(size=6)[clinic]
    model = NMEMLPClassifier(hidden=(), placement=["layers.0.bias"])
    groups = pd.DataFrame({"person": person, "clinic": clinic})
    model.fit(x, classes(score, 2), groups=groups, uncertainty=False)
    np.testing.assert_allclose(averaged(model, x[:8]), over_people(model, x[:8]), atol=0.012)
