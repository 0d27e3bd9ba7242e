"""New persons: the mode given their rows, with everything else held fixed."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.coverage import new_people
from benchmarks.coverage.cells import NewPeople
from nme_core import NMECRF, NMEMLPClassifier, NMEMLPRegressor
from nme_core.analysis import new_people_approximations
from nme_core.estimators.saving import packed, unpacked
from nme_core.exceptions import DataError, OptionError, UnknownPersonError


def rows(kind, persons, n=12, seed=0):
    """X, y, groups of some persons, each with effects of its own."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(persons, n)
    x = rng.normal(size=(len(groups), 2))
    own = np.repeat(rng.normal(size=(len(persons), 2)), n, axis=0)
    signal = own[:, 0] + x[:, 0] * (1 + own[:, 1])
    if kind == "number":
        y = signal + 0.5 * rng.normal(size=len(x))
    elif kind == "poisson":
        y = rng.poisson(np.exp(0.5 * signal)).astype(float)
    else:
        y = np.digitize(signal + rng.normal(size=len(x)), [-0.7, 0.7]).astype(str)
    return x, y, groups


OLD, NEW = [f"p{k}" for k in range(25)], ["n1", "n2", "n3"]
MODELS = {
    "linear": ("number", NMEMLPRegressor(hidden=(), estimator="laplace", covariance="full")),
    "last": ("number", NMEMLPRegressor(hidden=(4,), epochs=60)),
    "all": ("number", NMEMLPRegressor(hidden=(3,), placement="all", epochs=60)),
    "annealed": ("number", NMEMLPRegressor(hidden=(3,), estimator="annealed", epochs=60)),
    "poisson": ("poisson", NMEMLPRegressor(hidden=(), family="poisson", epochs=60)),
    "classes": ("class", NMEMLPClassifier(hidden=(3,), epochs=60)),
    "ordinal": ("class", NMEMLPClassifier(hidden=(), family="ordinal", epochs=60)),
    "crf": ("class", NMECRF(epochs=60)),
    "crf full": ("class", NMECRF(placement="transitions", covariance="full", epochs=60)),
}


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    kind, model = MODELS[request.param]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs
        X, y, groups = rows(kind, OLD)
        model.fit(X, y, groups=groups)
    X, y, groups = rows(kind, NEW, seed=1)
    return model, model.adapt(X, y, groups=groups), (X, y, groups)


def value(model, adapted, new, shift):
    """−2 log density of each new person's rows and η, with η moved by `shift` (in roots of Σ)."""
    X, y, groups = new
    changed = adapted._posterior.mixed.deviations.double().clone()
    sigma = model._posterior.sigma[0].double()
    sigma = sigma.diag() if sigma.dim() == 1 else sigma
    root = torch.linalg.cholesky(sigma)
    u = torch.linalg.solve_triangular(root, changed[-3:].T, upper=False).T + shift
    table, persons = adapted._encoder.select(X), adapted._encoder.read_groups(groups)
    rows = adapted._encoder.rows(table, persons)
    (batch,) = rows.batches(adapted._outcome.encode(y), torch.device("cpu"))
    mixed = adapted._posterior.mixed.for_groups(3).double()
    batch = replace(batch, x=batch.x.double(), groups=batch.groups - 25)
    output = mixed(batch.x, deviations=(u @ root.T)[batch.groups[:, 0]])
    deviance = adapted._family().deviance(output, batch) / model._posterior.residual_variance
    return deviance + u.square().sum(1)[batch.groups[:, 0]]


def test_no_step_from_the_mode_is_better(case):
    model, adapted, new = case
    here = value(model, adapted, new, 0.0)
    n_random = model._posterior.mixed.n_random
    for k in range(n_random):
        for size in (-0.02, 0.02):
            there = value(model, adapted, new, size * torch.eye(n_random)[k])
            # the stored η are single precision
            assert (there > here - 1e-6 * here.abs()).all()


def test_the_old_persons_and_the_model_stay(case):
    model, adapted, (X, _, groups) = case
    before = model.random_effects_
    np.testing.assert_allclose(adapted.random_effects_.loc[OLD], before, rtol=1e-12)
    assert list(before.index) == OLD
    assert list(adapted.groups_) == OLD + NEW
    assert adapted.n_obs_[NEW].tolist() == [12, 12, 12]
    with pytest.raises(UnknownPersonError):
        model.predict(X, groups=groups)
    assert len(adapted.predict(X, groups=groups)) == len(X)


def test_an_adapted_model_is_saved_and_read(case, tmp_path):
    _, adapted, (X, _, groups) = case
    adapted.save(tmp_path / "model.safetensors")
    again = type(adapted).load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(X, groups=groups), adapted.predict(X, groups))
    np.testing.assert_array_equal(again.random_effects_se_, adapted.random_effects_se_)


def test_linear_is_the_best_linear_unbiased_prediction():
    X, y, groups = rows("number", OLD)
    model = NMEMLPRegressor(hidden=(), estimator="laplace", covariance="full")
    model.fit(X, y, groups=groups)
    X, y, groups = rows("number", NEW[:1], seed=1)
    adapted = model.adapt(X, y, groups=groups)
    names = model.random_effects_.columns
    Z = np.column_stack([X, np.ones(len(X))])
    sigma, noise = model.random_effects_cov_.to_numpy(), model.residual_variance_
    fixed = model.fixed_effects_[names].to_numpy()
    V = Z @ sigma @ Z.T + noise * np.eye(len(X))
    expected = sigma @ Z.T @ np.linalg.solve(V, y - Z @ fixed)
    spread = sigma - sigma @ Z.T @ np.linalg.solve(V, Z @ sigma)
    np.testing.assert_allclose(adapted.random_effects_.loc["n1"], expected, rtol=1e-4)
    se = adapted.random_effects_se_.loc["n1"]
    np.testing.assert_allclose(se, np.sqrt(np.diag(spread)), rtol=1e-4)


def test_the_rows_of_a_known_person_give_what_the_fit_gave():
    X, y, groups = rows("number", OLD)
    X = X[:, :1]  # nobody differs in the effect of the other
    model = NMEMLPRegressor(hidden=(), estimator="laplace").fit(X, y, groups=groups)
    twin = groups == "p3"
    adapted = model.adapt(X[twin], y[twin], groups=np.repeat("twin", twin.sum()))
    effects, se = adapted.random_effects_, adapted.random_effects_se_
    np.testing.assert_allclose(effects.loc["twin"], effects.loc["p3"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(se.loc["twin"], se.loc["p3"], rtol=1e-4)


KINDS = {
    "number": (NMEMLPRegressor, {"hidden": (), "placement": "all"}),
    "count": (NMEMLPRegressor, {"hidden": (), "family": "poisson", "placement": "all"}),
    "classes": (NMEMLPClassifier, {"hidden": ()}),
    "ordinal": (NMEMLPClassifier, {"hidden": (), "family": "ordinal"}),
    "full, times": (NMEMLPRegressor, {"hidden": (), "placement": "all", "covariance": "full"}),
}


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
@pytest.mark.filterwarnings("ignore::nme_core.exceptions.SingularWarning")
@pytest.mark.parametrize("name", KINDS)
def test_a_person_of_the_run_under_another_name_has_the_same_intervals(name, tmp_path):
    """Σ, ρ and shared parameters are integrated out for new people as for those of the run."""
    model, options = KINDS[name]
    X, y, groups = rows({"count": "poisson", "ordinal": "class", "classes": "class"}.get(
        name, "number"), [f"p{k}" for k in range(12)], n=5)  # fmt: skip
    X, times = X[:, :1], np.tile(np.arange(5), 12)
    timed = {"times": times} if "times" in name else {}
    model = model(**options).fit(X, y, groups=groups, **timed)
    model.save(tmp_path / "model.safetensors")
    of, twin = type(model).load(tmp_path / "model.safetensors"), groups == "p3"
    timed = {"times": times[twin]} if timed else {}
    adapted = of.adapt(X[twin], y[twin], groups=np.repeat("twin", 5), **timed)
    error = adapted.effects().error
    np.testing.assert_allclose(error.loc["twin"], error.loc["p3"], rtol=1e-3)
    assert (error.loc["twin"] > 1.01 * adapted.random_effects_se_.loc["twin"]).any()
    for end in (0, 1):
        own, twins = (
            adapted.predict_interval(X[twin], np.repeat(who, 5))[end] for who in ("p3", "twin")
        )
        np.testing.assert_allclose(twins, own, rtol=1e-3, atol=1e-4)


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
def test_a_chain_of_the_run_under_another_name_has_the_same_intervals():
    X, y, groups = rows("class", [f"p{k}" for k in range(15)], n=12)
    model = NMECRF((), "transitions").fit(X[:, :1], y, groups=groups)
    twin = groups == "p3"
    adapted = model.adapt(X[twin, :1], y[twin], groups=np.repeat("twin", 12))
    error = adapted.effects().error
    # those of the run are taken from the curvature at the fit, without another search
    np.testing.assert_allclose(error.loc["twin"], error.loc["p3"], rtol=0.1)


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
def test_intervals_of_new_people_hold_the_truth():
    """Few people, weak effects: curves held .55 and people's own .92 when Σ was taken as known."""
    cell = NewPeople("gaussian", 5, 12, "weak")
    studies = [new_people.judge(cell, np.random.default_rng(seed)) for seed in range(8)]
    for what in ("new 1 people", "new 1 curve", "new 10 curve", "run curve"):
        n, covered = (sum(getattr(one[what], key) for one in studies) for key in ("n", "covered"))
        assert 0.88 < covered / n < 0.99, what


def test_a_model_of_before_is_adapted_still():
    """What is kept for new people is not in its file: variances count, each by itself."""
    X, y, groups = rows("number", OLD)
    model = NMEMLPRegressor(hidden=(), placement="all").fit(X, y, groups=groups)
    content, tensors = packed(model)
    old = {k: v for k, v in tensors.items() if not k.startswith("fits.") and "across" not in k}
    assert len(old) < len(tensors)
    before = unpacked(content, old)
    X, y, groups = rows("number", NEW, n=2, seed=1)
    adapted = before.adapt(X, y, groups=groups)
    assert (adapted.effects().error.loc[NEW] >= adapted.random_effects_se_.loc[NEW]).all(axis=None)
    low, high = adapted.predict_interval(X, groups)
    assert (low < high).all()
    notes = new_people_approximations(before)
    assert {note["table"] for note in notes} == {"random_effects", "response_curves"}
    assert all("older version" in note["reason"] for note in notes)


def test_transitions_of_a_new_person():
    X, y, groups = rows("class", OLD)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = NMECRF(epochs=30).fit(X, y, groups=groups)
    X, y, groups = rows("class", NEW, seed=1)
    y = y.astype(object)
    y[5] = None  # summed out
    adapted = model.adapt(X, y, groups=groups)
    assert adapted.transition_counts("observed")[25].sum() == 9  # two of eleven lack an end
    assert adapted.transition_counts("expected")[25].sum() == pytest.approx(11)
    for readout in ("scores", "conditional", "expected", "observed"):
        old, new = model.transition_matrices(readout), adapted.transition_matrices(readout)
        assert new.shape == (29, 3, 3)
        np.testing.assert_array_equal(new[:25], old[:25])
        np.testing.assert_array_equal(new[-1], old[-1])


def test_what_cannot_be_adapted_is_refused():
    X, y, groups = rows("number", OLD)
    X = X[:, :1]  # nobody differs in the effect of the other
    model = NMEMLPRegressor(hidden=(), estimator="laplace").fit(X, y, groups=groups)
    with pytest.raises(DataError, match="already knows person 'p0'"):
        model.adapt(X, y, groups=groups)
    with pytest.raises(DataError, match="rows"):
        model.adapt(X, y[:3], groups=groups)
    with pytest.raises(DataError, match="1 features"):
        model.adapt(X[:, [0, 0]], y, groups=groups)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shared = NMEMLPRegressor(hidden=(2,), pooling="complete", epochs=5)
        shared.fit(X, y, groups=groups)
    with pytest.raises(OptionError, match="no random effects"):
        shared.adapt(X[:5], y[:5], groups=["x"] * 5)
