"""A model says how its parameters were found, whatever the option is called."""

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor, load

pytestmark = [
    pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning"),
    pytest.mark.filterwarnings("ignore::nme_core.exceptions.ConvergenceWarning"),
]
OWN = ["layers.0.bias"]
MODELS = {
    "number": (NMEMLPRegressor((), placement=OWN), "exact"),
    "count": (NMEMLPRegressor((), placement=OWN, family="poisson"), "marginal"),
    "class": (NMEMLPClassifier((), placement=OWN), "marginal"),
    "quadrature": (NMEMLPClassifier((), placement=OWN, quadrature=3), "quadrature"),
    "ordered": (NMEMLPClassifier((), placement=OWN, family="ordinal"), "marginal"),
    "states": (NMECRF((), placement="transitions"), "marginal"),
    "network": (NMEMLPRegressor((4,), epochs=3), "variational"),
    "annealed": (NMEMLPRegressor((), placement=OWN, estimator="annealed", epochs=3), "annealed"),
}


@pytest.mark.parametrize("name", MODELS)
def test_method(name, tmp_path):
    model, method = MODELS[name]
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(12), 12)
    x = pd.DataFrame({"x": rng.normal(size=len(person))})
    y = rng.normal(size=12)[person] + 0.3 * x["x"].to_numpy() + rng.normal(size=len(person))
    if name == "count":
        y = rng.poisson(np.exp(0.4 * y))
    elif name not in ("number", "network", "annealed"):
        y = np.digitize(y, [-0.7, 0.7]) if name == "ordered" else (y > 0).astype(int)
    model.fit(x, y, groups=person)
    assert model.method_ == method
    model.save(tmp_path / "model")
    assert load(tmp_path / "model").method_ == method
