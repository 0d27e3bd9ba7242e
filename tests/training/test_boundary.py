"""Variances, and combinations of random effects, at 0: found by the rows' likelihood."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nme_core.estimators import NMEMLPClassifier, NMEMLPRegressor
from nme_core.exceptions import BoundaryWarning, SingularWarning
from nme_core.training import Verdict, approached_boundary, exact_boundary, train
from nme_core.training.boundary import slope_at_zero


def make_posterior(seed, sigma, mix):
    """Random effects of 30 persons with informations H_i, seen as b_i ~ N(η_i, H_i⁻¹)."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(30, 3, 3)) + 2 * np.eye(3)
    data = torch.from_numpy(root @ root.transpose(0, 2, 1))
    noise = np.linalg.cholesky(np.linalg.inv(data.numpy())) @ rng.normal(size=(30, 3, 1))
    seen = torch.from_numpy(rng.normal(size=(30, 3)) @ np.transpose(mix) + noise[:, :, 0])
    conditional = torch.linalg.inv(data + torch.linalg.inv(sigma))
    effects = (conditional @ data @ seen.unsqueeze(2)).squeeze(2)
    return seen, data, effects, conditional


def log_likelihood(seen, data, sigma):
    total = sigma + torch.linalg.inv(data)
    fit = torch.einsum("pr,prs,ps->", seen, torch.linalg.inv(total), seen)
    return -0.5 * (torch.logdet(total).sum() + fit)


def test_the_slope_at_zero_is_that_of_the_likelihood():
    variances = torch.tensor([0.5, 0.02, 0.9], dtype=torch.float64)
    seen, data, effects, conditional = make_posterior(0, variances.diag(), np.diag([0.7, 0.1, 1.0]))
    found, _ = slope_at_zero(effects, conditional.diagonal(dim1=1, dim2=2), variances)
    for k in range(3):
        at = variances.clone()
        at[k] = 0
        at.requires_grad_()
        (slope,) = torch.autograd.grad(log_likelihood(seen, data, at.diag()), at)
        assert found[k] / 2 == pytest.approx(float(slope[k]), rel=1e-8)


def test_along_a_principal_axis_it_is_the_slope_of_its_variance():
    sigma = torch.tensor([[1.0, 0.95, 0.1], [0.95, 1.0, 0.1], [0.1, 0.1, 1.0]]).double()
    values, axes = torch.linalg.eigh(sigma)
    signs = set()
    alike = [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    for seed, mix in ((0, alike), (1, alike), (2, alike), (3, np.eye(3))):
        seen, data, effects, conditional = make_posterior(seed, sigma, mix)
        smallest = values[0].clone().requires_grad_()
        flat = sigma - values[0] * torch.outer(axes[:, 0], axes[:, 0])
        at = flat + (smallest - values[0].detach()) * torch.outer(axes[:, 0], axes[:, 0])
        (slope,) = torch.autograd.grad(log_likelihood(seen, data, at), smallest)
        found = approached_boundary(effects, conditional, sigma)
        assert bool(found.combined) is bool(slope <= 0)
        assert found.combined in ((), ((0, 1),))
        signs.add(bool(slope <= 0))
    assert signs == {True, False}


def test_an_exact_estimate_is_looked_at_itself():
    assert exact_boundary(torch.tensor([0.2, 0.0, 0.1])).at_zero == (1,)
    assert not exact_boundary(torch.tensor([0.2, 0.0, 0.1])).everything
    assert exact_boundary(torch.zeros(2)).everything
    corner = torch.tensor([[4.0, 0.0, 2.0], [0.0, 0.0, 0.0], [2.0, 0.0, 1.0]]).double()
    found = exact_boundary(corner)
    assert (found.at_zero, found.combined) == ((1,), ((0, 2),))
    assert exact_boundary(corner + 0.1 * torch.eye(3)) == exact_boundary(torch.ones(3))


def make_classes(own, slope=0.0):
    """Classes of persons with logits `own` (1 + slope x); no noise in how many of each there are.

    Every person has the same x; each is answered in proportion to its probability, ten times.
    """
    x = np.repeat(np.linspace(-1, 1, 6), 10)
    rows, labels, persons = [], [], []
    for i, value in enumerate(own):
        p = 1 / (1 + np.exp(-(value * (1 + slope * x) + x)))
        rank = np.tile(np.arange(10) + 0.5, 6) / 10
        labels.append(np.where(rank < p, "yes", "no"))
        rows.append(x)
        persons.append(np.full(len(x), i))
    return np.concatenate(rows)[:, None], np.concatenate(labels), np.concatenate(persons)


@pytest.fixture
def soon(monkeypatch):
    """Training by gradient steps, ended after 150 epochs, that counts as converged."""

    def few_epochs(problem, batches, schedule, **options):
        found = train(problem, batches, replace(schedule, epochs=150), **options)
        return replace(found, verdict=Verdict.CONVERGED)

    monkeypatch.setattr("nme_core.estimators.fitting.train", few_epochs)


@pytest.mark.usefixtures("soon")
def test_persons_who_do_not_differ_are_a_warning_of_variational_too():
    X, y, groups = make_classes(np.zeros(12))
    model = NMEMLPClassifier((), placement=["layers.0.bias"], epochs=150)
    with pytest.warns(BoundaryWarning, match="No variance between people .* boundary"):
        model.fit(X, y, groups=groups)
    assert model.random_effects_cov_.to_numpy().diagonal().min() > 1e-3  # on its way to 0


@pytest.mark.usefixtures("soon")
def test_persons_who_differ_are_not():
    X, y, groups = make_classes(np.linspace(-2, 2, 12))
    model = NMEMLPClassifier((), placement=["layers.0.bias"], epochs=150)
    model.fit(X, y, groups=groups)  # a warning would be an error


def test_the_exact_engine_finds_0_where_people_do_not_differ():
    X, y, groups = make_classes(np.zeros(12))
    model = NMEMLPClassifier((), placement=["layers.0.bias"])
    with pytest.warns(BoundaryWarning, match="No variance between people .* boundary"):
        model.fit(X, y, groups=groups)
    assert model.random_effects_cov_.to_numpy().diagonal().max() < 1e-7


def test_perfect_correlation_is_a_warning_of_its_own():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 8)
    x = np.tile(np.linspace(-1, 1, 8), 12)
    own = rng.normal(0, 2, 12)[groups]
    noise = rng.normal(size=96)
    basis = np.column_stack([np.ones(8), np.linspace(-1, 1, 8)])
    hat = basis @ np.linalg.pinv(basis)
    noise -= (noise.reshape(12, 8) @ hat).reshape(-1)  # nothing but `own` sets persons apart
    model = NMEMLPRegressor((), placement="all", covariance="full", estimator="laplace")
    with pytest.warns(SingularWarning, match="layers.0.* perfectly correlated") as caught:
        model.fit(x[:, None], own * (1 + 0.5 * x) + noise, groups=groups)
    assert [one.category for one in caught] == [SingularWarning]
    assert model.history_["mean_random_variance"].iloc[-1] == pytest.approx(
        float(model._posterior.sigma[0].diagonal().mean()), rel=1e-3
    )
