"""Diagonal or full Σ beside an autocorrelation of the residuals: the likelihood chooses."""

import math

import numpy as np
import pytest

from nme_core.estimators import NMEMLPRegressor
from nme_core.exceptions import SingularWarning
from nme_core.training.linear_mixed import UnidentifiedError
from nme_core.training.structure_choice import StructureChoice


def study(correlation, *, n_people=30, n_rows=10, n_features=1, seed=0):
    """Level and slopes of people that correlate by so much; residuals with ρ = .5."""
    draw = np.random.default_rng(seed)
    n = n_features + 1
    sigma = np.full((n, n), correlation) + (1 - correlation) * np.eye(n)
    effects = draw.multivariate_normal(np.zeros(n), sigma, size=n_people)
    person = np.repeat(np.arange(n_people), n_rows)
    x = draw.normal(size=(len(person), n_features))
    noise = draw.normal(size=(n_people, n_rows))
    for k in range(1, n_rows):
        noise[:, k] = 0.5 * noise[:, k - 1] + math.sqrt(0.75) * noise[:, k]
    y = effects[person, 0] + (x * effects[person, 1:]).sum(1) + noise.ravel()
    return x, y, {"groups": person, "times": np.tile(np.arange(n_rows), n_people)}


def fitted(rows, covariance="auto", **options):
    x, y, given = rows
    model = NMEMLPRegressor(hidden=(), covariance=covariance, **options)
    return model.fit(x, y, **given, uncertainty=False)


def test_correlated_effects_are_given_a_full_covariance_equal_to_the_one_asked_for():
    rows = study(0.7)
    auto, full, diagonal = (fitted(rows, kind) for kind in ("auto", "full", "diagonal"))
    assert auto.covariance_ == "full"
    np.testing.assert_allclose(auto.random_effects_cov_, full.random_effects_cov_, rtol=1e-6)
    np.testing.assert_allclose(auto.random_effects_, full.random_effects_, atol=1e-6)
    assert auto.aic_ == pytest.approx(full.aic_)
    gain = auto.covariance_choice_.gain
    assert gain == pytest.approx(diagonal.aic_ - full.aic_, abs=1e-6)
    assert f"{gain:.1f} lower" in auto.covariance_choice_.words
    assert diagonal.covariance_ == "diagonal"
    assert diagonal.covariance_choice_ is None


def test_independent_effects_keep_the_diagonal_one():
    rows = study(0.0)
    auto = fitted(rows)
    assert auto.covariance_ == "diagonal"
    assert auto.aic_ == pytest.approx(fitted(rows, "diagonal").aic_)
    assert auto.covariance_choice_.gain < 0
    assert auto.covariance_choice_.words.startswith("Σ is diagonal: the AIC of a full Σ is")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"n_people": 4}, "4 people are fewer than 5 for each covariance"),
        ({"n_features": 4}, "people differ in 5 numbers, more than 4"),
        ({"n_people": 14, "n_features": 2}, "14 people are fewer than 5 for each of 3 covariances"),
    ],
)
@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
def test_where_a_full_covariance_is_not_tried_the_choice_says_why(given, why):
    auto = fitted(study(0.7, **given))
    assert auto.covariance_ == "diagonal"
    assert why in auto.covariance_choice_.words


def test_a_singular_full_covariance_is_taken_where_the_rows_ask_for_it_and_warned_of():
    with pytest.warns(SingularWarning, match="covariance='diagonal'"):
        auto = fitted(study(1.0, n_rows=6, seed=1))
    assert auto.covariance_ == "full"
    assert auto.covariance_choice_.gain > 10


def test_a_full_covariance_that_cannot_be_told_is_not_taken(monkeypatch):
    from nme_core.training import linear_gaussian

    found = linear_gaussian.fit_autocorrelated

    def unidentified(rows, columns, kind, **given):
        if kind == "full":
            raise UnidentifiedError
        return found(rows, columns, kind, **given)

    monkeypatch.setattr(linear_gaussian, "fit_autocorrelated", unidentified)
    auto = fitted(study(0.7))
    assert auto.covariance_ == "diagonal"
    assert "the rows cannot tell it" in auto.covariance_choice_.words


def test_without_times_a_network_and_shrunk_effects_there_is_nothing_to_choose():
    x, y, given = study(0.7, n_people=8, n_rows=6)
    untimed = NMEMLPRegressor(hidden=()).fit(x, y, groups=given["groups"], uncertainty=False)
    network = NMEMLPRegressor(hidden=(2,), epochs=2).fit(x, y, groups=given["groups"])
    shrunk = fitted((x, y, given), shrink="inputs")
    for model in (untimed, network, shrunk):
        assert model.covariance_ == "diagonal"
        assert model.covariance_choice_ is None


def test_the_choice_is_saved_with_the_model(tmp_path):
    model = fitted(study(0.7))
    model.save(tmp_path / "model")
    again = NMEMLPRegressor.load(tmp_path / "model")
    assert again.covariance_ == "full"
    assert again.covariance_choice_ == model.covariance_choice_
    rows = study(0.7)
    np.testing.assert_allclose(again.predict(rows[0], rows[2]["groups"]),
                               model.predict(rows[0], rows[2]["groups"]))  # fmt: skip


def test_a_gain_that_is_no_gain_says_so():
    words = StructureChoice("diagonal", -1.94).words
    assert words == "Σ is diagonal: the AIC of a full Σ is 1.9 higher."
