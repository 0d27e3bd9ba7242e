"""The exact engine of rows: its derivative, quadrature, and what it says of open effects."""

from itertools import product

import numpy as np
import pytest
import torch

from nme_core.batches.sequences import pad_units
from nme_core.nn import MLP, Categorical, MixedEffects, Ordinal, OrdinalMLP, Poisson
from nme_core.training import ConstantOutcomeError, ExactRows, RandomEffectsCovariance
from nme_core.training.linear_layout import LinearLayout
from nme_core.training.marginal import LaplaceMarginal
from tests.reference.load import reference
from tests.reference.studies import study

N_PERSONS, N_ROWS = 25, 9


def problem(kind, random=None, covariance="full", seed=0, **options):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(N_PERSONS), N_ROWS)
    x = rng.normal(size=(len(person), 2)).astype(np.float32)
    own = rng.normal(size=(N_PERSONS, 2))[person]
    score = 0.8 * x[:, 0] + own[:, 0] + 0.5 * own[:, 1] * x[:, 1]
    if kind == "ordinal":
        network, family = OrdinalMLP(2, (), 4), Ordinal()
        y = np.digitize(score + rng.logistic(size=len(score)), [-1, 0.2, 1.5])
    elif kind == "poisson":
        network, family = MLP(2, (), 1), Poisson(0.3)
        y = rng.poisson(np.exp(0.3 + 0.5 * score)).astype(np.float32)
    else:
        network, family = MLP(2, (), kind - 1), Categorical(kind)
        noise = rng.gumbel(size=(kind, len(score)))
        y = (np.outer(np.arange(kind), 0.7 * score) + noise).argmax(0)
    names = random or [n for n, _ in network.named_parameters() if n != "gaps"]
    mixed = MixedEffects(network, names, N_PERSONS)
    sigma = RandomEffectsCovariance(mixed.n_random, covariance, start=0.1)
    return ExactRows(mixed, family, [sigma], **options), pad_units(x, y, person)


@pytest.mark.parametrize("columns", [0, 2])
@pytest.mark.parametrize("kind", [2, 3, "poisson", "ordinal"])
def test_the_derivative_is_exact(kind, columns):
    """By central differences, at a place that is no maximum; Λ may have columns of factors."""
    one, batches = problem(kind)
    layout = one.layout
    marginal = LaplaceMarginal(
        batches, one.family, layout, N_PERSONS, torch.full((layout.n_parameters,), 0.3).double()
    )
    marginal.weak = 0.2
    torch.manual_seed(0)
    u = layout.start() + 0.1 * torch.randn(layout.n_parameters).double().sort().values
    r = one.mixed.n_random
    scale = 0.3 * torch.randn(r, r).double().tril() + 0.4 * torch.eye(r).double()
    scale = torch.cat([scale, 0.4 * torch.randn(r, columns).double()], dim=1)
    found, step = marginal(u, scale), 1e-4
    for k, at in enumerate(torch.eye(len(u)).double()):
        slope = marginal(u + step * at, scale).value - marginal(u - step * at, scale).value
        assert slope / (2 * step) == pytest.approx(float(found.shared[k]), rel=1e-5, abs=1e-4)
    of_factors = product(range(r), range(r, r + columns))
    for i, j in [*zip(*np.tril_indices(r), strict=True), *of_factors]:
        at = torch.zeros_like(scale)
        at[i, j] = step
        slope = marginal(u, scale + at).value - marginal(u, scale - at).value
        assert slope / (2 * step) == pytest.approx(float(found.scale[i, j]), rel=1e-5, abs=1e-4)
    square = torch.linalg.cholesky(scale @ scale.T)
    assert marginal(u, square).value == pytest.approx(found.value, abs=1e-6)


def test_people_in_blocks_are_the_same(monkeypatch):
    one, batches = problem(3)
    one.solve(batches, None)
    monkeypatch.setattr("nme_core.training.person_rows.ROWS_PER_CHUNK", 40)
    monkeypatch.setattr("nme_core.training.marginal._KEPT_NUMBERS", 0)
    again, _ = problem(3)
    again.solve(batches, None)
    assert again.fit.log_likelihood == pytest.approx(one.fit.log_likelihood, abs=1e-9)
    torch.testing.assert_close(again.fit.fixed, one.fit.fixed, rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("package", "name", "data", "outcome", "factor", "features", "family"),
    [
        ("lme4", "cbpp_agq25", "cbpp", "incidence", "herd",
         ["period2", "period3", "period4"], Categorical(2)),
        ("lme4", "epilepsy_agq25", "epilepsy", "seizures", "subject",
         ["treatment", "base", "age", "period"], Poisson()),
        ("ordinal", "wine_agq9", "wine", "rating", "judge", ["warm", "contact"], Ordinal()),
    ],
)  # fmt: skip
def test_quadrature_is_that_of_glmer_and_clmm(
    package, name, data, outcome, factor, features, family
):
    rows, r = study(data), reference(package, name)
    y = rows[outcome].to_numpy()
    y = y.astype(np.float32) if isinstance(family, Poisson) else y - y.min()
    person = rows[factor].astype("category").cat.codes.to_numpy().astype(np.int64)
    ordered = isinstance(family, Ordinal)
    network = OrdinalMLP(2, (), 5) if ordered else MLP(len(features), (), 1)
    mixed = MixedEffects(network, ["layers.0.bias"], int(person.max()) + 1)
    one = ExactRows(mixed, family, [RandomEffectsCovariance(1, "diagonal", start=0.1)], points=25)
    one.solve(pad_units(rows[features].to_numpy(np.float32), y, person), None)
    assert one.fit.log_likelihood == pytest.approx(r.log_likelihood, abs=1e-5)
    weight = mixed.fixed()["layers.0.weight"][0].detach().numpy()
    np.testing.assert_allclose(weight, r.values("fixed")[features], rtol=1e-4, atol=1e-5)
    sd = float(one.fit.scale[0, 0])
    assert sd == pytest.approx(r.values("sd", factor).iloc[0], rel=1e-4)


def test_random_slopes_are_those_of_glmer():
    """A person-specific slope of one feature, in the units of the data; correlated."""
    rows, r = study("contraception"), reference("lme4", "contraception_urban_laplace")
    features = ["age", "age2", "urban", "livch1", "livch2", "livch3"]
    person = rows["district"].astype("category").cat.codes.to_numpy().astype(np.int64)
    mixed = MixedEffects(MLP(6, (), 1), ["layers.0.bias"], int(person.max()) + 1)
    one = ExactRows(mixed, Categorical(2), [RandomEffectsCovariance(2, "full", start=0.1)])
    layout = LinearLayout.of(mixed)
    object.__setattr__(layout, "random", torch.tensor([6, 2]))  # intercept, urban
    mixed.deviations = torch.nn.Parameter(torch.zeros(mixed.n_groups, 2))
    one.layout = layout
    batches = pad_units(rows[features].to_numpy(np.float32), rows["use"].to_numpy(), person)
    fit = one._maximise(batches, lambda value, variance: None)
    assert fit.log_likelihood == pytest.approx(r.log_likelihood, abs=1e-4)
    np.testing.assert_allclose(
        fit.fixed, r.values("fixed")[[*features, "(Intercept)"]], rtol=1e-2, atol=1e-4
    )
    sigma = (fit.scale @ fit.scale.T).numpy()
    np.testing.assert_allclose(np.sqrt(np.diag(sigma)), r.values("sd", "district"), rtol=1e-3)


def test_a_feature_that_tells_the_classes_apart_is_named():
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(12), 10)
    x = rng.normal(size=(120, 2)).astype(np.float32)
    y = (x[:, 1] > 0).astype(np.int64)
    mixed = MixedEffects(MLP(2, (), 1), ["layers.0.bias"], 12)
    one = ExactRows(mixed, Categorical(2), [RandomEffectsCovariance(1, "diagonal", start=0.1)])
    one.solve(pad_units(x, y, person), None)
    assert 1 in one.separated
    assert one.collinear == {}
    assert bool(torch.isfinite(one.fit.fixed).all())
    assert float(one.fit.fixed[1]) < 60  # 10 standard deviations and more


def test_a_feature_that_tells_the_classes_apart_is_named_beside_one_that_is_left_out():
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(12), 10)
    x = rng.normal(size=(120, 2)).astype(np.float32)
    y = (rng.random(120) < 0.6).astype(np.int64)
    x[:, 1] = (y == 1) & (rng.random(120) < 0.5)
    plain, beside = (
        ExactRows(
            MixedEffects(MLP(columns.shape[1], (), 1), ["layers.0.bias"], 12),
            Categorical(2),
            [RandomEffectsCovariance(1, "diagonal", start=0.1)],
        )
        for columns in (x, np.column_stack([x, x[:, 0]]))
    )
    plain.solve(pad_units(x, y, person), None)
    beside.solve(pad_units(np.column_stack([x, x[:, 0]]), y, person), None)
    assert beside.collinear == {2: (0,)}
    assert 1 in plain.separated
    assert beside.separated.keys() == {k + (k == 2) for k in plain.separated}
    assert beside.fit.log_likelihood == pytest.approx(plain.fit.log_likelihood, abs=1e-6)
    torch.testing.assert_close(beside.fit.fixed[[0, 1, 3]], plain.fit.fixed, rtol=0, atol=1e-5)


def test_a_feature_that_is_a_combination_of_others_is_named():
    one, batches = problem(2, random=["layers.0.bias"], covariance="diagonal")
    x = batches[0].x
    object.__setattr__(batches[0], "x", torch.cat([x, x[..., :1] - 2 * x[..., 1:]], dim=2))
    mixed = MixedEffects(MLP(3, (), 1), ["layers.0.bias"], N_PERSONS)
    again = ExactRows(mixed, Categorical(2), [RandomEffectsCovariance(1, "diagonal", start=0.1)])
    again.solve(batches, None)
    assert again.collinear == {2: (0, 1)}
    one.solve(problem(2)[1], None)
    assert again.fit.log_likelihood == pytest.approx(one.fit.log_likelihood, abs=1e-6)
    torch.testing.assert_close(again.fit.fixed[[0, 1, 3]], one.fit.fixed, rtol=0, atol=1e-6)


def test_an_outcome_that_never_changes_within_people_is_refused():
    person = np.repeat(np.arange(8), 5)
    x = np.random.default_rng(0).normal(size=(40, 1)).astype(np.float32)
    mixed = MixedEffects(MLP(1, (), 1), ["layers.0.bias"], 8)
    one = ExactRows(mixed, Categorical(2), [RandomEffectsCovariance(1, "diagonal", start=0.1)])
    with pytest.raises(ConstantOutcomeError):
        one.solve(pad_units(x, person % 2, person), None)


def test_shrinkage_switches_off_what_says_nothing_and_predicts_better():
    """Two features that matter among twelve, 15 people × 8 rows: log-loss of new rows."""
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(15), 8)
    x = rng.normal(size=(120, 12)).astype(np.float32)
    slopes, own = np.r_[1.0, 1.0, np.zeros(10)], 0.7 * rng.normal(size=15)
    p = 1 / (1 + np.exp(-(x @ slopes + own[person])))
    batches = pad_units(x, (rng.random(120) < p).astype(np.int64), person)
    new, whose = rng.normal(size=(3000, 12)).astype(np.float32), np.repeat(np.arange(15), 200)
    p = 1 / (1 + np.exp(-(new @ slopes + own[whose])))
    losses = []
    for shrinks in (False, True):
        mixed = MixedEffects(MLP(12, (), 1), ["layers.0.bias"], 15)
        sigma = RandomEffectsCovariance(1, "diagonal", start=0.1)
        one = ExactRows(mixed, Categorical(2), [sigma], shrinks=shrinks)
        one.solve(batches, None)
        score = new @ one.fit.fixed[:12].numpy() + float(one.fit.fixed[12])
        q = 1 / (1 + np.exp(-(score + one.fit.effects.numpy()[whose, 0])))
        losses.append(-(p * np.log(q) + (1 - p) * np.log(1 - q)).mean())
    assert losses[1] < losses[0] - 0.02
    assert float(one.fit.fixed[2:12].abs().max()) < 0.2
    assert float(one.fit.fixed[:2].min()) > 0.5


def test_classes_are_near_the_integral_itself():
    """Three classes: Laplace's likelihood beside quadrature in both contrasts, and its maximum.

    No package fits this model; 21 × 21 points of Gauss and Hermite around each mode are exact here.
    """
    one, batches = problem(3, random=["layers.0.bias"], covariance="full")
    one.solve(batches, None)
    layout, scale, u = one.layout, one.fit.scale, one.fit.fixed
    marginal = LaplaceMarginal(
        batches, one.family, layout, N_PERSONS, torch.zeros(layout.n_parameters).double()
    )
    nodes, weights = (torch.from_numpy(part) for part in np.polynomial.hermite.hermgauss(21))

    def integral(u, scale):
        marginal(u, scale)
        (place, block), *_ = marginal._blocks()
        modes = marginal._modes(block, u, scale, marginal._b[place])
        root = 2**0.5 * torch.linalg.inv(modes.lower).transpose(1, 2)
        logs = []
        for (z, w), (v, t) in product(zip(nodes, weights, strict=True), repeat=2):
            b = modes.b + root @ torch.stack([z, v])
            density = marginal._log_density(block, marginal._weights(u, scale, b))
            logs.append((w * t).log() + z**2 + v**2 + density - 0.5 * b.square().sum(1))
        inside = torch.logsumexp(torch.stack(logs), 0) + torch.linalg.slogdet(root).logabsdet
        return float((inside - np.log(2 * np.pi)).sum())

    exact = integral(u, scale)
    assert one.fit.log_likelihood == pytest.approx(exact, abs=0.6)  # of some -185
    # the maximum is near that of the integral: its slope there is a small part of a standard error
    errors = one.fit.fixed_covariance.diagonal().sqrt()
    for k, at in enumerate(torch.eye(len(u)).double()):
        step = 0.05 * errors[k]
        slope = (integral(u + step * at, scale) - integral(u - step * at, scale)) / (2 * step)
        assert abs(float(slope * errors[k])) < 0.1
