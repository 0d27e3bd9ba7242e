import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.torch import save_file

from nme_core.estimators import NMECRF, NeuralMixedEffects, NMEMLPRegressor, load
from nme_core.exceptions import RunFolderError


def assert_same(model: NeuralMixedEffects, again: NeuralMixedEffects) -> None:
    assert type(again) is type(model)
    assert again.get_params() == model.get_params()
    assert again.groups_.tolist() == model.groups_.tolist()
    assert again.feature_names_in_.tolist() == model.feature_names_in_.tolist()
    assert again.residual_variance_ == model.residual_variance_
    assert (again.verdict_, again.n_epochs_) == (model.verdict_, model.n_epochs_)
    pd.testing.assert_series_equal(again.n_obs_, model.n_obs_)
    pd.testing.assert_series_equal(again.fixed_effects_, model.fixed_effects_)
    pd.testing.assert_frame_equal(again.history_, model.history_)
    for name in ("random_effects_", "random_effects_cov_", "random_effects_se_", "reliability_"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(model, name))


@pytest.mark.parametrize("covariance", ["diagonal", "full"])
def test_round_trip_is_exact(case, covariance, tmp_path):
    model = case.fit(covariance=covariance)
    model.save(tmp_path / "model.safetensors")
    again = type(model).load(tmp_path / "model.safetensors")
    assert_same(model, again)
    for level in ("person", "population"):
        expected = case.predict(model, level=level)
        np.testing.assert_array_equal(case.predict(again, level=level), expected)
    again.save(tmp_path / "again.safetensors")
    assert_same(load(tmp_path / "again.safetensors"), model)


def test_round_trip_of_what_only_a_crf_has(cases, tmp_path):
    case = cases["crf"]
    model = case.fit()
    model.save(tmp_path / "model.safetensors")
    again = NMECRF.load(str(tmp_path / "model.safetensors"))
    assert again.classes_.tolist() == model.classes_.tolist()
    for readout in ("scores", "conditional", "expected", "observed"):
        np.testing.assert_array_equal(
            again.transition_matrices(readout), model.transition_matrices(readout)
        )
    rows = case.X, case.y, case.groups
    np.testing.assert_array_equal(
        again.sequence_loss(*rows, **case.context), model.sequence_loss(*rows, **case.context)
    )


@pytest.mark.parametrize("pooling", ["complete", "none"])
@pytest.mark.parametrize("name", ["regressor", "regressor annealed", "crf"])
def test_round_trip_of_baselines(cases, name, pooling, tmp_path):
    case = cases[name]
    model = case.make(pooling=pooling, epochs=12)
    model.fit(case.X, case.y, groups=case.groups, **case.context, validation=case.validation)
    assert model.history_["validation_loss"].notna().any()
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert_same(model, again)
    np.testing.assert_array_equal(case.predict(again), case.predict(model))


def test_a_loaded_model_can_be_fitted_again(cases, tmp_path):
    case = cases["regressor"]
    case.fit(random_state=3).save(tmp_path / "model")
    again = load(tmp_path / "model").fit(case.X, case.y, groups=case.groups)
    np.testing.assert_array_equal(case.predict(again), case.predict(case.fit(random_state=3)))


def test_numbers_of_numpy_can_be_saved(cases, tmp_path):
    case = cases["regressor"]
    options = {"hidden": np.array([4]), "random_state": np.int64(2), "epochs": np.int64(2)}
    model = case.fit(**options)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(case.predict(load(tmp_path / "model")), case.predict(model))


def test_the_file_is_safetensors_with_words_in_json(cases, tmp_path):
    cases["regressor"].fit().save(tmp_path / "model")
    with safe_open(tmp_path / "model", framework="np") as file:
        assert set(file.metadata()) == {"nme"}
        assert '"007"' in file.metadata()["nme"]


def test_files_that_are_no_models(cases, tmp_path):
    with pytest.raises(RunFolderError, match="was not found"):
        load(tmp_path / "nothing")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(RunFolderError, match="not a saved model"):
        load(tmp_path / "text")
    cases["regressor"].fit().save(tmp_path / "model")
    with pytest.raises(RunFolderError, match=r"NMEMLPRegressor, not a NMECRF"):
        NMECRF.load(tmp_path / "model")
    assert isinstance(NMEMLPRegressor.load(tmp_path / "model"), NMEMLPRegressor)
    cut = (tmp_path / "model").read_bytes()[:-40]
    (tmp_path / "cut").write_bytes(cut)
    with pytest.raises(RunFolderError, match="not a saved model"):
        load(tmp_path / "cut")


def test_a_file_of_another_version_says_so(cases, tmp_path):
    cases["regressor"].fit().save(tmp_path / "model")
    with safe_open(tmp_path / "model", framework="pt") as file:
        content = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    del tensors["feature_sd"]
    save_file(tensors, tmp_path / "old", metadata=content)
    with pytest.raises(RunFolderError, match="another version of this software: it lacks"):
        load(tmp_path / "old")
