"""Intervals of transitions: closed forms, draws, saving, new persons."""

import numpy as np
import pytest
import torch
from scipy.special import logit
from scipy.stats import t
from statsmodels.stats.proportion import proportion_confint

from nme_core.estimators import NMECRF, NMEMLPRegressor, transition_intervals
from nme_core.estimators.stationary_chain import stationary_chain
from nme_core.estimators.transition_intervals import observed_intervals, wilson
from nme_core.simulate import simulate_dyads
from nme_core.study import Study


@pytest.fixture(scope="module")
def study():
    sample = simulate_dyads(8, 20, effect=0.0, seed=5)
    roles = {name: value for name, value in sample.roles.items() if name != "model"}
    return Study.from_frame(sample.long, **roles)


@pytest.fixture(scope="module", params=["transitions", "last"])
def model(request, study):
    crf = NMECRF(placement=request.param, epochs=40)
    return crf.fit(study.X, study.y, groups=study.groups, sequence_ids=study.sequence_ids)


def test_wilson_equals_statsmodels():
    share, n = np.array([0.0, 0.3, 1.0]), np.array([5.0, 40.0, 7.0])
    expected = proportion_confint(share * n, n, method="wilson")
    np.testing.assert_allclose(wilson(share, n), expected, atol=1e-12)
    assert np.isnan(wilson(np.array([np.nan]), np.array([0.0]))).all()


def test_the_populations_share_counts_persons_and_not_steps():
    """Persons who differ leave it less certain than as many steps of one person would."""
    rng = np.random.default_rng(0)
    stay = rng.beta(2, 2, 30)
    counts = np.zeros((31, 2, 2))
    counts[:-1, 0, 0] = rng.binomial(100, stay)
    counts[:-1, 0, 1] = 100 - counts[:-1, 0, 0]
    counts[-1] = counts[:-1].sum(0)
    low, high = observed_intervals(counts)[:, -1, 0, 0]
    shares = counts[:-1, 0, 0] / 100
    half = 1.96 * shares.std(ddof=1) / np.sqrt(30)
    assert high - low == pytest.approx(2 * half, rel=0.1)
    assert high - low > 4 * np.ptp(wilson(np.array([0.5]), np.array([3000.0])))
    assert np.isnan(observed_intervals(counts)[:, 0, 1]).all()  # a state that nobody was in


def test_intervals_of_scores_are_those_of_draws(model):
    low, high = model.transition_intervals("scores")
    assert low.shape == (9, 4, 4)
    np.testing.assert_allclose((low + high) / 2, model.transition_matrices("scores"), atol=1e-9)
    if model.placement == "last":  # nobody has transitions of one's own
        everyone = np.broadcast_to((high - low)[-1], (8, 4, 4)) * 1.959964 / t.ppf(0.975, 7)
        np.testing.assert_allclose(high[:-1] - low[:-1], everyone, rtol=1e-6)
    else:
        assert ((high - low)[:-1] > (high - low)[-1]).mean() > 0.9


def test_intervals_of_shares_lie_inside_0_and_1_and_hold_the_value(model):
    for readout in ("conditional", "expected"):
        low, high = model.transition_intervals(readout)
        value = model.transition_matrices(readout)
        assert (low > 0).all()
        assert (low < value).all()
        assert (value < high).all()
        assert (high < 1).all()


def test_conditional_agrees_with_draws_of_all_parameters(model, study):
    """Standard deviation of the log-odds over draws of φ, and of η given φ."""
    posterior, rng = model._posterior, np.random.default_rng(0)
    mixed, uncertainty = posterior.mixed, posterior.uncertainty
    shared = rng.multivariate_normal(
        np.zeros(len(uncertainty.shared)), uncertainty.shared.numpy(), 4000
    )
    names = uncertainty.free
    sizes = [mixed.fixed()[name].numel() for name in names]
    zero, found = mixed.deviations.new_zeros(1, mixed.n_random), []
    for phi in shared:
        fixed = {
            name: mixed.fixed()[name]
            + torch.from_numpy(part).to(zero.dtype).view_as(mixed.fixed()[name])
            for name, part in zip(names, np.split(phi, np.cumsum(sizes)[:-1]), strict=True)
        }
        emission, moves = mixed(
            model._moves.mean_x.view(1, 1, -1).to(zero.dtype), fixed=fixed, deviations=zero
        )
        found.append(
            logit(stationary_chain(moves.double().numpy(), emission[:, 0].double().numpy())[0])
        )
    low, high = (end[-1] for end in model.transition_intervals("conditional"))
    shown = (logit(high) - logit(low)) / (2 * t.ppf(0.975, 7))  # 8 persons
    np.testing.assert_allclose(shown, np.std(found, axis=0), rtol=0.25)


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
def test_expected_agrees_with_draws_of_all_parameters(monkeypatch):
    sample = simulate_dyads(30, 60, effect=0.0, seed=5)
    roles = {name: value for name, value in sample.roles.items() if name != "model"}
    study, found = Study.from_frame(sample.long, **roles), []
    for exactly in (True, False):
        if not exactly:
            monkeypatch.setattr(transition_intervals, "is_linear_chain", lambda _: False)
            monkeypatch.setattr(transition_intervals, "PASSES", 1500)
        crf = NMECRF(placement="transitions")
        crf.fit(study.X, study.y, groups=study.groups, sequence_ids=study.sequence_ids)
        found.append(np.diff(logit(crf.transition_intervals("expected")), axis=0)[0])
    np.testing.assert_allclose(*found, rtol=0.15)


def test_a_point_estimate_has_none_but_of_what_was_counted(study):
    crf = NMECRF(placement="transitions", estimator="annealed", epochs=3)
    crf.fit(study.X, study.y, groups=study.groups, sequence_ids=study.sequence_ids)
    assert np.isnan(crf.transition_intervals("scores")).all()
    assert np.isfinite(crf.transition_intervals("observed")[0][-1]).all()


def test_saving_keeps_them(model, tmp_path):
    model.save(tmp_path / "model.safetensors")
    again = NMECRF.load(tmp_path / "model.safetensors")
    for readout in ("scores", "conditional", "expected", "observed"):
        found, kept = (np.stack(one.transition_intervals(readout)) for one in (again, model))
        np.testing.assert_array_equal(found, kept)
    np.testing.assert_array_equal(again.fixed_effects_se_, model.fixed_effects_se_)
    np.testing.assert_array_equal(again.effects().error, model.effects().error)


def test_a_new_person_with_the_rows_of_an_old_one_gets_the_same_interval(model, study):
    """Near enough: the old person's posterior mean is not exactly at the mode."""
    first = model.groups_[0]
    rows = (study.groups == first).to_numpy()
    adapted = model.adapt(study.X[rows], study.y[rows], groups=np.array(["new"] * rows.sum()))
    for readout in ("scores", "conditional", "expected", "observed"):
        low, high = adapted.transition_intervals(readout)
        before = model.transition_intervals(readout)
        np.testing.assert_array_equal(low[:-2], before[0][:-1])
        np.testing.assert_array_equal(high[-1], before[1][-1])
        width, old = (high - low)[-2], (before[1] - before[0])[0]
        assert np.median(width / old) == pytest.approx(1, abs=0.3)


def test_95_percent_of_linear_intervals_hold_the_truth():
    """Persons' and fixed effects over 30 studies of 25 persons; the large table is in docs."""
    rng = np.random.default_rng(8)
    held, fixed = [], []
    for _ in range(30):
        own = rng.normal(0, 1, (25, 2))
        person, x = np.repeat(np.arange(25), 8), rng.normal(size=200)
        y = 3 + own[person, 0] + (0.5 + own[person, 1]) * x + rng.normal(size=200)
        model = NMEMLPRegressor((), "all", estimator="laplace").fit(x[:, None], y, groups=person)
        names = ["layers.0.bias[0]", "layers.0.weight[0,0]"]
        low, high = (end[names].to_numpy() for end in model.effects().interval())
        truth = own[[int(group) for group in model.groups_]]
        held.append(((low < truth) & (truth < high)).mean())
        low, high = (end[names].to_numpy() for end in model.fixed_effects_interval())
        fixed.append(((low < [3, 0.5]) & (high > [3, 0.5])).mean())
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)
    assert np.mean(fixed) >= 0.866  # binomial, n = 60: 0.95 − 3 × 0.028
