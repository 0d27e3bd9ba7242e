import numpy as np
import pytest

from nme_core.metrics.skill import skill_of, split_losses


def test_losses_between_and_within_people_add_up():
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(5), 7)
    y, f = rng.normal(size=35), rng.normal(size=35)
    found = split_losses(y, f, person)
    for i in range(5):
        own = person == i
        off = (y - f)[own]
        assert found["between"][i] == pytest.approx(7 * off.mean() ** 2)
        assert found["within"][i] == pytest.approx(np.square(off - off.mean()).sum())
    np.testing.assert_allclose(found["pooled"], found["between"] + found["within"])


def test_skill_is_what_is_saved_of_the_references_loss():
    model, reference = np.array([1.0, 2, 3, 4]), np.array([2.0, 4, 6, 8])
    skill, low, high = skill_of(model, reference)
    assert (skill, low, high) == pytest.approx((0.5, 0.5, 0.5))
    worse, _, _ = skill_of(reference, model)
    assert worse == pytest.approx(-1)


def test_without_a_loss_to_save_or_people_to_draw_nothing_is_claimed():
    assert np.isnan(skill_of(np.ones(5), np.zeros(5))).all()
    skill, low, high = skill_of(np.ones(3), np.full(3, 2.0))
    assert skill == 0.5
    assert np.isnan([low, high]).all()


def test_the_interval_holds_the_truth():
    rng, held = np.random.default_rng(3), 0
    for seed in range(200):
        reference = rng.gamma(4, size=40)
        model = 0.8 * reference * rng.gamma(20, 1 / 20, size=40)
        _, low, high = skill_of(model, reference, seed=seed, resamples=299)
        held += low < 0.2 < high
    assert held >= 178  # 95 % less three standard errors


def test_resampling_in_chunks_gives_the_same_numbers(monkeypatch):
    model, reference = np.random.default_rng(0).gamma(2.0, size=(2, 50))
    expected = skill_of(model, reference)
    monkeypatch.setattr("nme_core.metrics.comparison._CHUNK", 4000)
    np.testing.assert_allclose(skill_of(model, reference), expected, rtol=1e-12)
