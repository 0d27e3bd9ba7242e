"""Quadrature's derivative is that of its own sum, for few points too."""

import numpy as np
import pytest
import torch

from nme_core.estimators import NMEMLPClassifier, NMEMLPRegressor
from nme_core.training import exact

OWN = ["layers.0.bias"]


def outcome(name, rng, level):
    if name == "poisson":
        return rng.poisson(np.exp(0.3 + 0.6 * level))
    noisy = level + rng.logistic(size=len(level))
    return np.digitize(noisy, [-1.0, 0.8]) if name == "ordinal" else (noisy > 0.4).astype(int)


@pytest.mark.filterwarnings("ignore:The rows do not tell how much")  # nearly settled grades
@pytest.mark.parametrize("points", [2, 3, 7])
@pytest.mark.parametrize("name", ["binary", "ordinal", "poisson"])
def test_derivative(name, points, monkeypatch):
    seen, kept = [], exact.RowVariances

    def watched(marginal, factor, ascent):
        seen.append((marginal, ascent))
        return kept(marginal, factor, ascent)

    monkeypatch.setattr(exact, "RowVariances", watched)
    rng = np.random.default_rng(5)
    person = np.repeat(np.arange(9), 6)
    x = rng.normal(size=(len(person), 2))
    y = outcome(name, rng, 1.5 * rng.normal(size=9)[person] + x[:, 0])
    kind = NMEMLPRegressor if name == "poisson" else NMEMLPClassifier
    family = None if name == "binary" else name
    model = kind((), placement=OWN, family=family, quadrature=points)
    model.fit(x, y, groups=person, uncertainty=False)
    marginal, ascent = seen[-1]
    at = torch.from_numpy(ascent.at) + 0.3  # not at the maximum

    def value(place):
        return marginal(place[:-1], place[-1:].view(1, 1)).value

    found = marginal(at[:-1], at[-1:].view(1, 1))
    steps = 1e-5 * torch.eye(len(at), dtype=torch.float64)
    expected = [(value(at + step) - value(at - step)) / 2e-5 for step in steps]
    slope = [*found.shared.tolist(), found.scale.item()]
    assert slope == pytest.approx(expected, rel=1e-5, abs=1e-5)  # modes are found to some 1e-6
