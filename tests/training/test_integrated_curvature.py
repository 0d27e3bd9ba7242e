"""By the curvature of what rows say, against the likelihood itself where that is a parabola."""

import numpy as np
import torch

from nme_core.training.information import PersonCurvature
from nme_core.training.integrated_covariance import (
    Coordinates,
    GivenCovariance,
    IntegratedCovariance,
)
from nme_core.training.integrated_curvature import integrated_by_curvature


def test_a_gaussian_likelihood_is_integrated_exactly():
    rng = np.random.default_rng(1)
    n, sigma = 14, np.diag([0.5, 0.2])
    own = np.stack([a @ a.T for a in rng.normal(size=(n, 2, 3))])
    best = rng.normal(size=(n, 2))  # each person's rows alone
    coordinates = Coordinates(np.arange(2), full=True)

    def given(at, _):
        spread = at + np.linalg.inv(own)  # best ~ N(0, Σ + H⁻¹)
        density = -0.5 * np.linalg.slogdet(spread)[1]
        density -= 0.5 * np.einsum("pr,prs,ps->p", best, np.linalg.inv(spread), best)
        inverse = np.linalg.inv(own + np.linalg.inv(at))
        moved = np.einsum("prs,pst,pt->pr", inverse, own, best)
        return GivenCovariance(float(density.sum()), lambda: (moved, inverse))

    effects = given(sigma, None).effects()[0]
    expected = IntegratedCovariance.of(given, coordinates, sigma, effects).error
    slope = np.einsum("prs,ps->pr", own, best - effects)
    none = torch.zeros(0, dtype=torch.int64)
    curvature = PersonCurvature((), torch.from_numpy(own), none, torch.arange(2))
    tensors = map(torch.from_numpy, (sigma, effects, slope))
    found = integrated_by_curvature(
        curvature, coordinates, *tensors, torch.zeros(0, 0, dtype=torch.float64)
    )
    np.testing.assert_allclose(found.error, expected, rtol=1e-6)


def test_too_much_work_is_left():
    n = 40_000
    curvature = PersonCurvature((), torch.ones(1, 2, 2), torch.arange(0), torch.arange(2))
    tensors = (
        torch.eye(2),
        torch.zeros(n, 2),
        torch.zeros(n, 2),
        torch.zeros(0, 0, dtype=torch.float64),
    )
    assert integrated_by_curvature(curvature, Coordinates(np.arange(2), False), *tensors) is None
