"""A run of counts that vary more than Poisson's: k stands in its files and words."""

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import load
from nme_core.io import RunFolder
from nme_core.reports import methods
from nme_core.runs.fit import FitOptions, run_experiment
from nme_core.study import Study

pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(3)
    person, x = np.repeat(np.arange(20), 12), rng.normal(size=240)
    mean = np.exp(1 + 0.3 * x + 0.5 * rng.normal(size=20)[person])
    y = rng.poisson(mean * rng.gamma(2.0, 0.5, 240))
    table = pd.DataFrame({"id": [f"p{i}" for i in person], "x": x, "drinks": y})
    return Study.from_frame(table, person="id", outcome="drinks", features=["x"])


@pytest.mark.parametrize("hidden", [(), (3,)])
def test_k_is_that_of_the_model(study, hidden, tmp_path):
    folder = RunFolder(tmp_path / "run")
    options = FitOptions(
        "nme-mlp", family="negative_binomial", hidden=hidden, epochs=20 if hidden else None,
        baselines=(),
    )  # fmt: skip
    run_experiment(study, options, folder)
    found, kept = load(folder.model_path).dispersion_, folder.config["dispersion"]
    assert kept["size"] == found.size
    text = " ".join(methods(folder))
    assert f"k was estimated as {found.size:.3g}" in text
    if hidden:  # it has no interval
        assert kept["ci"] == [None, None]
        assert f"{found.size:.3g}." in text
    else:
        assert kept["ci"] == pytest.approx(found.interval)
        assert f"(95 % interval {found.interval[0]:.3g} to {found.interval[1]:.3g})" in text


def test_a_poisson_run_has_none(study, tmp_path):
    folder = RunFolder(tmp_path / "run")
    run_experiment(study, FitOptions("nme-mlp", family="poisson", hidden=(), baselines=()), folder)
    assert "dispersion" not in folder.config
    told = [note["message"] for note in folder.config["warnings"]]
    assert any("times as much as Poisson's would" in message for message in told)
