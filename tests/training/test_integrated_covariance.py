import numpy as np
import pytest
from scipy.stats import halfcauchy

from nme_core import NMECRF, NMEMLPClassifier, NMEMLPRegressor
from nme_core.training.covariance_coordinates import Coordinates
from nme_core.training.integrated_covariance import GivenCovariance, IntegratedCovariance, _points


def nothing_shared():
    return np.zeros(0), np.zeros((0, 0))


FULL = Coordinates(np.arange(3), full=True)


def test_coordinates_give_the_matrix_back():
    sd, correlation = (
        np.array([0.5, 2.0, 1.0]),
        np.array([[1, 0.6, -0.2], [0.6, 1, 0.3], [-0.2, 0.3, 1]]),
    )
    sigma = correlation * np.outer(sd, sd)
    at = FULL.start(sigma)
    assert len(at) == FULL.n == 6
    np.testing.assert_allclose(FULL.sigma(at), sigma, rtol=1e-5)


def test_at_the_boundary_they_start_inside():
    sd = np.array([1.0, 0.0, 2.0])
    sigma = np.outer(sd, sd)  # an effect that nobody differs in, and two that are one
    inside = FULL.sigma(FULL.start(sigma))
    assert np.linalg.eigvalsh(inside)[0] > 1e-3


def test_effects_may_share_a_standard_deviation():
    pooled = Coordinates(np.array([0, 0, 1]), full=False)
    assert pooled.n == 2
    np.testing.assert_allclose(pooled.sigma(np.log([0.5, 2.0])), np.diag([0.25, 0.25, 4.0]))


def test_the_prior_on_correlations_is_even():
    """Density of Fisher's z of one even correlation, (1 − ρ²)/2."""
    two = Coordinates(np.arange(2), full=True)
    for z in (0.0, 0.7, -1.5):
        even = two.log_prior(np.array([0.0, 0.0, z])) - two.log_prior(np.zeros(3))
        assert even == pytest.approx(np.log(1 - np.tanh(z) ** 2))


@pytest.mark.parametrize("m", [1, 2, 3, 5, 8])
def test_points_have_the_moments_of_the_normal_density(m):
    at, weight = map(np.array, zip(*_points(m), strict=True))
    weight = weight / weight.sum()
    np.testing.assert_allclose(weight @ at, 0, atol=1e-4)
    np.testing.assert_allclose((at.T * weight) @ at, np.eye(m), atol=0.05)


def test_one_variance_is_integrated_as_a_fine_grid_does():
    """y_i ~ N(0, s + 1): E[s/(s + 1)] and the spread of the shrunken means, by brute force."""
    y = np.random.default_rng(0).normal(size=12) * 1.3

    def given(sigma, _):
        s = float(sigma[0, 0])
        value = -0.5 * float((np.log(s + 1) + y**2 / (s + 1)).sum())
        share = s / (s + 1)
        spread = np.full((12, 1, 1), share)
        nothing = np.zeros((12, 1, 0))
        return GivenCovariance(
            value, lambda: (share * y[:, None], spread, nothing), nothing_shared, sigma
        )

    at = 0.4 * y[:, None]
    found = IntegratedCovariance.of(given, Coordinates(np.zeros(1, int), False), np.eye(1), at)
    sd = np.linspace(1e-4, 30, 200_000)
    s = sd**2
    log = halfcauchy.logpdf(sd) - 0.5 * (12 * np.log(s + 1) + (y**2).sum() / (s + 1))
    weight = np.exp(log - log.max())
    share = s / (s + 1)
    expected = [(weight @ (share + ((share - 0.4) * one) ** 2)) / weight.sum() for one in y]
    np.testing.assert_allclose(found.error[:, 0, 0], expected, rtol=0.02)
    assert float(found.fits.weight.sum()) == pytest.approx(1)
    mean = (weight @ s) / weight.sum()
    assert float(found.fits.weight @ found.fits.sigma[:, 0, 0]) == pytest.approx(mean, rel=0.05)


def test_out_of_reach_there_is_none():
    of = IntegratedCovariance.of
    assert of(lambda *_: None, FULL, np.eye(3), np.zeros((4, 3))) is None


def simulated(seed, n_people=40, n_rows=5, *, binary):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n_people), n_rows)
    own = rng.multivariate_normal([0, 0], [[1, 0.2], [0.2, 0.25]], n_people)
    x = rng.normal(size=len(person))
    score = own[person, 0] + (0.8 + own[person, 1]) * x
    noise = rng.logistic(size=len(x)) if binary else rng.normal(size=len(x))
    y = np.where(score + noise > 0, "yes", "no") if binary else score + noise
    return x[:, None], y, person, own


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
@pytest.mark.filterwarnings("ignore::nme_core.exceptions.SingularWarning")
@pytest.mark.filterwarnings("ignore::nme_core.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("binary", "covariance"), [(True, "full"), (False, "diagonal")])
def test_intervals_of_people_hold_the_truth(binary, covariance):
    """With Σ taken as known 70 to 85 % of them do."""
    held = []
    for seed in range(5):
        x, y, person, own = simulated(seed, binary=binary)
        kind = NMEMLPClassifier if binary else NMEMLPRegressor
        model = kind((), "all", covariance=covariance).fit(x, y, groups=person)
        low, high = model.effects().interval()
        names = ["layers.0.bias[0]", "layers.0.weight[0,0]"]
        order = [int(one) for one in model.groups_]
        truth = own[order]
        held.append(((low[names] <= truth) & (truth <= high[names])).to_numpy().mean())
    assert np.mean(held) > 0.9


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
@pytest.mark.parametrize("kind", ["numbers that remember", "a chain"])
def test_the_slope_by_sigma_is_that_of_the_likelihood(kind, monkeypatch):
    """What is integrated goes to its mode by it."""
    rng, n, rows = np.random.default_rng(3), 20, 12
    groups, x = np.repeat(np.arange(n), rows), rng.normal(size=(n * rows, 1))
    score = rng.normal(size=n)[groups] + (1 + rng.normal(size=n)[groups]) * x[:, 0]
    y, seen = score + rng.normal(size=len(score)), []
    monkeypatch.setattr(
        IntegratedCovariance, "of", classmethod(lambda cls, *given: seen.append(given))
    )
    if kind == "a chain":
        NMECRF(()).fit(x, (y > 0).astype(str), groups=groups, sequence_ids=groups)
    else:
        model = NMEMLPRegressor((), "all", covariance="full", residual="ar1")
        model.fit(x, y, groups=groups, times=np.tile(np.arange(rows), n))
    given, coordinates, sigma, _, *rest = seen[0]
    further = np.array(rest[0] if rest else ())
    at = coordinates.sigma(coordinates.start(0.8 * sigma))
    slope, h = given(at, further).by_sigma(), 1e-5
    for r, s in np.ndindex(at.shape):
        if coordinates.full or r == s:
            step = np.zeros_like(at)
            step[r, s] += h / 2
            step[s, r] += h / 2
            ends = [given(at + side * step, further).value for side in (1, -1)]
            assert slope[r, s] == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-4, abs=1e-5)
