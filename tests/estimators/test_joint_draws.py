"""Draws from a posterior: shared and person-specific parameters move together."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor
from nme_core.estimators.draws import Draws
from nme_core.exceptions import BoundaryWarning, NMEWarning


@pytest.fixture(scope="module")
def model() -> NMECRF:
    rng = np.random.default_rng(0)
    persons = np.repeat([f"p{k}" for k in range(8)], 30)
    x = rng.normal(size=(240, 1))
    y = np.where(x[:, 0] + rng.normal(size=240) > 0, "up", "down")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BoundaryWarning)
        return NMECRF((), "transitions").fit(x, y, groups=persons)


@pytest.mark.parametrize("persons", [True, False])
def test_draws_have_the_joint_covariance(model: NMECRF, persons: bool) -> None:
    posterior = model._posterior
    group = torch.tensor([3])
    expected = posterior.covariance_of_all(group if persons else None, 1)[0]
    places, mean = posterior.by_place(), posterior.mixed.fixed()
    start = torch.cat([value.reshape(-1) for value in mean.values()])
    drawn = []
    for fixed, deviations in Draws(posterior, 1).of_groups(persons=persons, n_draws=8000):
        step = torch.cat([value.reshape(-1) for value in fixed.values()]) - start
        step[places] += (deviations - posterior.mixed.deviations)[3]
        drawn.append(step)
    found = torch.cov(torch.stack(drawn).T, correction=0)
    scale = expected.diagonal().sqrt()
    error = (found - expected) / scale / scale.unsqueeze(1)
    assert float(error.abs().max()) < 0.1


def test_the_link_takes_the_covariance_as_known(model: NMECRF) -> None:
    """Draws are given Σ; the standard errors count that Σ is estimated as well, which only adds."""
    posterior = model._posterior
    assert posterior.link is not None
    assert posterior.uncertainty is not None
    given = (posterior.link[0] @ posterior.link[0].T).double()
    added = posterior.uncertainty.shared - given
    largest = float(torch.linalg.eigvalsh(given)[-1])
    shares = torch.linalg.eigvalsh((added + added.T) / 2) / largest
    assert float(shares[0]) > -1e-6
    assert 0 < float(shares[-1]) < 0.5


@pytest.mark.parametrize("family", ["gaussian", "poisson", "ordinal", "categorical"])
def test_features_that_say_nearly_the_same_do_not_spread_what_is_drawn(family: str) -> None:
    """Their effects are known only together; drawn each alone, outcomes had 20 times their SD."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(12), 25)
    x = rng.normal(size=300)
    x = np.column_stack([x, x + 1e-4 * rng.normal(size=300)])
    score = 0.5 * x[:, 0] + 0.4 * rng.normal(size=12)[person]
    draw = {
        "gaussian": lambda: score + rng.normal(size=300),
        "poisson": lambda: rng.poisson(np.exp(score)),
        "ordinal": lambda: np.digitize(score + rng.logistic(size=300), [-0.5, 0.5]),
        "categorical": lambda: (score + rng.logistic(size=300) > 0).astype(int),
    }
    y, kind = draw[family](), NMEMLPClassifier if "al" in family else NMEMLPRegressor
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NMEWarning)
        model = kind((), "last", family=family).fit(x, y, groups=person)
    (batch,) = model._batches(x, person, "person")
    drawn = torch.stack([one[0] for one in Draws(model._posterior, 0).outputs([batch], "person")])
    assert float(drawn.double().std(0)[batch.mask].median()) < 0.6
