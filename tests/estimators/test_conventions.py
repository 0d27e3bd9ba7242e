"""What people who know scikit-learn expect of every model."""

import inspect

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils.validation import check_is_fitted

from nme_core.exceptions import NotFittedError, OptionError


def test_init_only_stores_what_it_is_given(case):
    model = case.make()
    assert set(vars(model)) == set(inspect.signature(type(model)).parameters)
    assert model.get_params()["epochs"] == 3


def test_clone_has_the_same_options_and_nothing_learned(case):
    options = {"hidden": (3, 2), "placement": ["x"], "covariance": "full", "random_state": 7}
    model = case.make(**options)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert copy.set_params(random_state=8).random_state == 8
    assert vars(clone(case.fit())).keys() == vars(case.make()).keys()


def test_fit_returns_the_model_itself(case):
    model = case.make()
    assert model.fit(case.X, case.y, groups=case.groups, **case.context) is model
    check_is_fitted(model)


def test_kinds_are_told(cases):
    assert is_regressor(cases["regressor"].make())
    assert is_classifier(cases["classifier"].make())


@pytest.mark.parametrize(
    "ask",
    [
        lambda model, case: case.predict(model),
        lambda model, case: model.random_effects_,
        lambda model, case: model.fixed_effects_,
        lambda model, case: model.random_effects_cov_,
        lambda model, case: model.random_effects_se_,
        lambda model, case: model.reliability_,
        lambda model, case: model.residual_variance_,
        lambda model, case: model.parameter_names(),
        lambda model, case: model.save("nowhere"),
    ],
)
def test_before_the_fit_everything_says_so(one_of_each, ask):
    with pytest.raises(NotFittedError, match="Call fit"):
        ask(one_of_each.make(), one_of_each)


def test_hasattr_tells_whether_a_model_is_fitted(one_of_each):
    assert not hasattr(one_of_each.make(), "random_effects_")
    assert hasattr(one_of_each.fit(), "random_effects_")


def test_refit_forgets_the_first_fit(case):
    model = case.fit()
    some = case.groups.isin(["b", "anna", "e"]).to_numpy()
    context = {k: v[some] for k, v in case.context.items()}
    columns = ["stress", "sleep"]
    rows = (case.X.loc[some, columns], case.y[some])
    model.fit(*rows, groups=case.groups[some], **context)
    fresh = case.make().fit(*rows, groups=case.groups[some], **context)
    assert model.groups_.tolist() == ["anna", "b", "e"]
    assert model.feature_names_in_.tolist() == columns
    pd.testing.assert_frame_equal(model.random_effects_, fresh.random_effects_)
    pd.testing.assert_series_equal(model.fixed_effects_, fresh.fixed_effects_)
    pd.testing.assert_series_equal(model.n_obs_, fresh.n_obs_)


def test_a_fit_that_fails_leaves_nothing_behind(case):
    model = case.fit()

    def interrupt(progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(case.X, case.y, groups=case.groups, **case.context, progress=interrupt)
    with pytest.raises(NotFittedError):
        case.predict(model)
    assert not hasattr(model, "groups_")


def test_same_seed_same_numbers_other_seed_others(case):
    first, again, other = case.fit(), case.fit(), case.fit(random_state=1)
    np.testing.assert_array_equal(case.predict(first), case.predict(again))
    pd.testing.assert_frame_equal(first.random_effects_, again.random_effects_)
    columns = ["train_loss", "residual_variance", "mean_random_variance"]
    pd.testing.assert_frame_equal(first.history_[columns], again.history_[columns])
    assert np.abs(case.predict(first) - case.predict(other)).max() > 1e-4


def test_the_seed_of_everybody_else_is_left_alone(case):
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    states = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    case.predict(case.fit())
    torch.testing.assert_close(torch.random.get_rng_state(), states[0])
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002


def test_predicting_changes_nothing(case):
    model = case.fit()
    effects, fixed = model.random_effects_, model.fixed_effects_
    first = case.predict(model)
    case.predict(model, level="population")
    np.testing.assert_array_equal(case.predict(model), first)
    pd.testing.assert_frame_equal(model.random_effects_, effects)
    pd.testing.assert_series_equal(model.fixed_effects_, fixed)


def test_inputs_are_not_changed(case):
    before = case.X.copy(), case.y.copy(), case.groups.copy()
    case.predict(case.fit())
    pd.testing.assert_frame_equal(case.X, before[0])
    pd.testing.assert_series_equal(case.y, before[1])
    pd.testing.assert_series_equal(case.groups, before[2])


@pytest.mark.parametrize("epochs", [1, 4])
def test_history_has_a_row_for_each_of_exactly_so_many_epochs(case, epochs):
    seen = []
    model = case.make(epochs=epochs)
    model.fit(case.X, case.y, groups=case.groups, **case.context, progress=seen.append)
    assert model.history_["epoch"].tolist() == list(range(1, epochs + 1))
    assert model.n_epochs_ == len(seen) == epochs
    assert model.history_["train_loss"].tolist() == [row.train_loss for row in seen]
    assert model.history_["validation_loss"].isna().all()
    assert {"residual_variance", "mean_random_variance", "seconds"} <= set(model.history_)


def test_what_is_learned_is_labelled(case):
    model = case.fit()
    persons = ["007", "anna", "b", "c", "e"]
    assert model.groups_.tolist() == persons
    assert model.n_obs_.to_dict() == case.groups.value_counts(sort=False).to_dict()
    names = model.parameter_names()
    for table in (model.random_effects_, model.random_effects_se_, model.reliability_):
        assert table.index.tolist() == persons
        assert table.columns.tolist() == names
    assert model.random_effects_cov_.index.tolist() == names
    assert set(names) <= set(model.fixed_effects_.index)


def test_standard_errors_and_reliability_belong_together(one_of_each):
    model = one_of_each.fit()
    variances = np.diag(model.random_effects_cov_)
    expected = 1 - model.random_effects_se_.to_numpy() ** 2 / variances
    np.testing.assert_allclose(model.reliability_, expected.clip(min=0), atol=1e-12)
    assert (model.random_effects_se_ > 0).all(axis=None)


def test_annealed_has_no_standard_errors(cases):
    assert cases["regressor annealed"].fit().random_effects_se_.isna().all(axis=None)


def test_two_hidden_layers_and_every_placement_work(one_of_each):
    for placement in one_of_each.make().placements:
        model = one_of_each.fit(hidden=(3, 2), placement=placement, epochs=1)
        for level in ("person", "population"):
            assert np.isfinite(one_of_each.predict(model, level=level)).all()
        layers = {name.split("[")[0].split("layers.")[-1] for name in model.parameter_names()}
        expected = {
            "first": {"0.weight", "0.bias"},
            "last": {"2.weight", "2.bias"},
            "all": {f"{k}.{part}" for k in range(3) for part in ("weight", "bias")},
            "transitions": {"transitions"},
        }
        assert layers == set().union(*(expected[part] for part in placement.split("+")))


def test_parameters_can_be_chosen_by_name(one_of_each):
    prefix = "emission." if "Crf" in str(type(one_of_each.make())).title() else ""
    name = f"{prefix}layers.0.bias"
    model = one_of_each.fit(hidden=(3,), placement=[name])
    assert model.parameter_names() == [f"{name}[{k}]" for k in range(3)]
    with pytest.raises(OptionError, match=r"no parameter 'layers\.7\.bias'"):
        one_of_each.fit(placement=["layers.7.bias"])


def test_validation_rows_are_only_watched(one_of_each):
    """Nothing is learned from them, scaling included: the last step of ``variational`` is kept."""
    case = one_of_each
    model = case.make(epochs=20)
    other = (case.X * 3 + 5, *case.validation[1:])
    model.fit(case.X, case.y, groups=case.groups, **case.context, validation=other)
    plain = case.fit(epochs=20)
    np.testing.assert_array_equal(case.predict(model), case.predict(plain))
    assert model.history_["validation_loss"].notna().sum() == 2
    pd.testing.assert_series_equal(model.history_["train_loss"], plain.history_["train_loss"])
