"""Person and clinic: effects of two grouping factors, nested and crossed."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from nme_core.estimators import NMECRF, NMEMLPRegressor
from nme_core.exceptions import DataError, OptionError, UnknownPersonError

INTERCEPT = "layers.0.bias[0]"
SD = {"person": 2.0, "clinic": 1.5, "residual": 1.0}


def simulate(
    design: str, n_persons: int = 120, n_clinics: int = 24, n_rows: int = 12, seed: int = 0
):
    """y = 10 + 0.5 x + person + clinic + ε; a person has one clinic, or visits several."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n_persons), n_rows)
    own = rng.normal(0, SD["person"], n_persons)
    of_clinic = rng.normal(0, SD["clinic"], n_clinics)
    clinic = person % n_clinics if design == "nested" else rng.integers(n_clinics, size=len(person))
    x = rng.normal(size=len(person))
    noise = rng.normal(0, SD["residual"], len(person))
    return SimpleNamespace(
        X=pd.DataFrame({"x": x}),
        y=10 + 0.5 * x + own[person] + of_clinic[clinic] + noise,
        groups=pd.DataFrame(
            {"person": [f"p{k:03d}" for k in person], "clinic": [f"c{k:02d}" for k in clinic]}
        ),
        truth={"person": own, "clinic": of_clinic},
    )


def mixed_lm(study) -> dict[str, float]:
    """Variances by statsmodels' MixedLM with two variance components."""
    data = study.groups.assign(y=study.y, x=study.X["x"], all=1)
    peer = sm.MixedLM.from_formula(
        "y ~ x",
        data,
        groups="all",
        vc_formula={"person": "0 + C(person)", "clinic": "0 + C(clinic)"},
        re_formula="0",
    ).fit(reml=False)
    names = peer.model.exog_vc.names
    return {**dict(zip(names, peer.vcomp, strict=True)), "residual": peer.scale}


@pytest.fixture(scope="module", params=["nested", "crossed"])
def fitted(request):
    study = simulate(request.param)
    model = NMEMLPRegressor((), placement=["layers.0.bias"])
    return study, model.fit(study.X, study.y, groups=study.groups)


def test_effects_and_their_errors_are_those_of_the_normal_equations(fitted):
    """Given the variances, the posterior of all effects together is known."""
    study, model = fitted
    assert list(model.factors_) == ["person", "clinic"]
    dummies = [pd.get_dummies(study.groups[name], dtype=float) for name in model.factors_]
    design = pd.concat(dummies, axis=1)[np.concatenate(list(model.factors_.values()))].to_numpy()
    sizes = [len(levels) for levels in model.factors_.values()]
    variances = [model.effects(name).variance[INTERCEPT] for name in model.factors_]
    precision = design.T @ design / model.residual_variance_
    covariance = np.linalg.inv(precision + np.diag(1 / np.repeat(variances, sizes)))
    residual = study.y - model.predict(study.X, level="population")
    expected = covariance @ design.T @ residual / model.residual_variance_
    parts = [model.effects(name) for name in model.factors_]
    found = np.concatenate([part.estimate[INTERCEPT] for part in parts])
    errors = np.concatenate([part.se[INTERCEPT] for part in parts])
    ratio = errors / np.sqrt(np.diag(covariance))
    for start, stop in ((0, sizes[0]), (sizes[0], sum(sizes))):
        assert np.median(ratio[start:stop]) == pytest.approx(1, abs=0.15)
    assert np.abs(found - expected).max() < 0.5 * errors.min()


def test_variances_agree_with_mixedlm(fitted):
    study, model = fitted
    for name, expected in mixed_lm(study).items():
        if name == "residual":
            assert model.residual_variance_ == pytest.approx(expected, rel=0.06)
        else:
            found = model.effects(name).variance[INTERCEPT]
            assert found == pytest.approx(expected, rel=0.12), name


def test_persons_are_the_first_factor(fitted):
    study, model = fitted
    assert list(model.groups_) == list(study.groups["person"].unique())
    pd.testing.assert_frame_equal(model.random_effects_, model.effects("person").estimate)
    assert model.effects("clinic").estimate.index.name == "clinic"
    counts = study.groups["clinic"].value_counts()
    assert model.n_obs_of("clinic").to_dict() == counts.to_dict()
    with pytest.raises(OptionError, match=r"'ward'.*person, clinic"):
        model.effects("ward")


def test_predictions_add_both_effects(fitted):
    study, model = fitted
    rows = slice(0, 60, 7)
    found = model.predict(study.X[rows], study.groups[rows])
    population = model.predict(study.X[rows], level="population")
    for k, (person, clinic) in enumerate(study.groups[rows].itertuples(index=False)):
        own = model.effects().estimate.loc[person, INTERCEPT]
        of_clinic = model.effects("clinic").estimate.loc[clinic, INTERCEPT]
        assert found[k] - population[k] == pytest.approx(own + of_clinic, abs=1e-3)


def test_columns_are_found_by_name(fitted):
    study, model = fitted
    part = study.groups[:20]
    turned = part[["clinic", "person"]].rename_axis(columns=None)
    np.testing.assert_array_equal(
        model.predict(study.X[:20], turned), model.predict(study.X[:20], part)
    )
    with pytest.raises(DataError, match=r"2 grouping factors; these rows have 1.*person, clinic"):
        model.predict(study.X[:20], part["person"])
    with pytest.raises(UnknownPersonError, match="clinic 'nowhere'"):
        model.predict(study.X[:20], part.assign(clinic="nowhere"))


def test_round_trip_through_a_file(fitted, tmp_path):
    study, model = fitted
    model.save(tmp_path / "model.safetensors")
    again = NMEMLPRegressor.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(
        again.predict(study.X, study.groups), model.predict(study.X, study.groups)
    )
    pd.testing.assert_frame_equal(again.effects("clinic").se, model.effects("clinic").se)


def test_one_network_per_person_leaves_the_other_factor_out():
    study = simulate("nested", n_persons=6, n_clinics=3)
    model = NMEMLPRegressor((), pooling="none", epochs=5)
    model.fit(study.X, study.y, groups=study.groups, validation=(study.X, study.y, study.groups))
    assert list(model.factors_) == ["person"]
    np.testing.assert_array_equal(
        model.predict(study.X, study.groups), model.predict(study.X, study.groups["person"])
    )


def test_a_sequence_stays_in_one_clinic():
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame({"x": rng.normal(size=12)}), rng.choice(["a", "b"], 12)
    groups = pd.DataFrame({"person": list("aaaabbbbcccc"), "clinic": list("uuuuvvvvvvuu")})
    model = NMECRF(placement="transitions", epochs=3)
    with pytest.raises(DataError, match="'clinic' changes within a sequence, in row 10"):
        model.fit(X, y, groups=groups)
    model.fit(X, y, groups=groups, sequence_ids=[*"aaaabbbbccdd"])
    assert model.effects("clinic").estimate.shape == (2, 4)
