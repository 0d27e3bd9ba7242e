"""Data that no model should be silent about: a finite answer that warns, or a clear error."""

import warnings

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMECRF, LinearMixedModel, NMEMLPClassifier, NMEMLPRegressor
from nme_core.exceptions import DataError, NMEError, NMEWarning, TrainingError

N_PEOPLE, N_ROWS = 10, 20
RNG = np.random.default_rng(0)
WHO = np.repeat(np.arange(N_PEOPLE), N_ROWS)
ALONE = np.arange(N_PEOPLE * N_ROWS)
X = pd.DataFrame({"x": RNG.normal(size=len(WHO))})
OWN = RNG.normal(size=N_PEOPLE)[WHO]
NUMBER = OWN + X["x"].to_numpy() + RNG.normal(size=len(WHO))
STATE = np.where(OWN + X["x"] + RNG.logistic(size=len(WHO)) > 0, "a", "b").astype(object)
ONCE = np.where(ALONE == 57, "c", STATE)


def number(**options):
    return NMEMLPRegressor((), "all", estimator="laplace", **options)


def classes(**options):
    return NMEMLPClassifier((), "all", **options)


def chain(**options):
    return NMECRF((), **options)


def count(**options):
    return NMEMLPRegressor((), "all", family="poisson", **options)


def network(**options):
    return NMEMLPRegressor((4,), epochs=30, **options)


def told(model, features, y, groups):
    """Fit: the model and its warnings, or the error, which names a remedy or a place."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NMEWarning)
        try:
            model.fit(features, y, groups=groups)
        except NMEError as error:
            return None, error
    return model, [one.category.__name__ for one in caught]


def check_answer(model, features, groups):
    """All that is read off is a number, and nothing is more certain than can be."""
    predicted = getattr(model, "predict_proba", model.predict)(features, groups)
    assert np.isfinite(predicted).all()
    assert np.isfinite(model.fixed_effects_).all()
    assert np.isfinite(model.random_effects_).all(axis=None)
    reliability = model.reliability_
    assert reliability.apply(lambda column: column.between(0, 1)).all(axis=None)


@pytest.mark.parametrize("model", [classes(), chain()], ids=["classes", "chain"])
def test_perfect_separation(model):
    fitted, said = told(model, X, np.where(X["x"] > 0, "a", "b"), WHO)
    assert said, "nothing was said"
    if fitted is not None:
        check_answer(fitted, X, WHO)
        assert fitted.fixed_effects_.abs().max() < 100  # not on its way to infinity


@pytest.mark.parametrize(
    ("model", "y"),
    [(number(), NUMBER), (classes(), STATE), (chain(), STATE)],
    ids=["number", "classes", "chain"],
)
def test_one_row_of_each_person(model, y):
    """What people's own is cannot be told: an error, or a warning with next to no reliability."""
    fitted, said = told(model, X, y, ALONE)
    assert said, "nothing was said"
    if fitted is not None:
        check_answer(fitted, X, ALONE)
        assert fitted.reliability_.max(axis=None) < 0.5


@pytest.mark.parametrize("covariance", ["diagonal", "full"])
def test_an_outcome_that_never_varies_within_a_person(covariance):
    fitted, said = told(number(covariance=covariance), X, OWN, WHO)
    assert fitted is None
    assert "does not vary" in str(said)


@pytest.mark.parametrize("model", [classes(), chain()], ids=["classes", "chain"])
def test_a_class_that_never_varies_within_a_person(model):
    fitted, _ = told(model, X, np.where(OWN > 0, "a", "b"), WHO)
    if fitted is not None:
        check_answer(fitted, X, WHO)


@pytest.mark.parametrize("scale", [1e8, 1e-8])
def test_scales_change_nothing_but_the_units(scale):
    base = number().fit(X, NUMBER, groups=WHO)
    of_outcome = number().fit(X, scale * NUMBER, groups=WHO)
    np.testing.assert_allclose(of_outcome.predict(X, WHO) / scale, base.predict(X, WHO), rtol=1e-4)
    of_feature = number().fit(scale * X, NUMBER, groups=WHO)
    np.testing.assert_allclose(of_feature.predict(scale * X, WHO), base.predict(X, WHO), rtol=1e-4)
    slope = of_feature.fixed_effects_["layers.0.weight[0,0]"]
    assert scale * slope == pytest.approx(base.fixed_effects_["layers.0.weight[0,0]"], rel=1e-4)


def test_far_from_zero():
    base, far = number().fit(X, NUMBER, groups=WHO), number().fit(X + 1e8, NUMBER + 1e8, groups=WHO)
    np.testing.assert_allclose(far.predict(X + 1e8, WHO) - 1e8, base.predict(X, WHO), atol=1e-3)


@pytest.mark.parametrize("model", [classes(), chain()], ids=["classes", "chain"])
def test_a_state_that_was_seen_once(model):
    fitted, said = told(model, X, ONCE, WHO)
    assert said, "nothing was said"
    if fitted is not None:
        check_answer(fitted, X, WHO)
        assert fitted.classes_.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (number(), np.full(len(WHO), np.nan)),
        (classes(), np.full(len(WHO), None)),
        (chain(), np.full(len(WHO), None)),
    ],
    ids=["number", "classes", "chain"],
)
def test_no_outcome_anywhere(model, y):
    fitted, said = told(model, X, y, WHO)
    assert fitted is None
    assert isinstance(said, DataError)


def test_chains_with_labels_missing_of_half_the_people():
    model = chain()
    fitted, _ = told(model, X, np.where(WHO < 5, None, STATE), WHO)
    assert fitted is not None
    check_answer(fitted, X, WHO)
    # of people without a label nothing is known but the population
    known = fitted.reliability_.mean(axis=1)
    assert known[[str(k) for k in range(5)]].max() < 0.05


@pytest.mark.parametrize(
    ("model", "y"),
    [(number(), np.ones(len(WHO))), (count(), np.zeros(len(WHO))), (network(), np.ones(len(WHO)))],
    ids=["number", "count", "network"],
)
def test_an_outcome_that_is_constant(model, y):
    fitted, said = told(model, X, y, WHO)
    assert fitted is None
    assert "constant" in str(said)


@pytest.mark.parametrize("scale", [1e8, 1e11])
def test_counts_beyond_all_reason(scale):
    """The sum of the log-likelihood has no digits left for a search that looks at it only."""
    counts = np.round(scale * np.exp(0.1 * OWN))
    fitted, said = told(count(), X, counts, WHO)
    assert "ConvergenceWarning" not in said
    check_answer(fitted, X, WHO)
    assert fitted.predict(X, WHO) == pytest.approx(counts, rel=1e-6)


def test_one_person_alone():
    fitted, said = told(number(), X, NUMBER, np.zeros(len(WHO)))
    assert said, "nothing was said"
    if fitted is not None:
        check_answer(fitted, X, np.zeros(len(WHO)))
        assert (fitted.reliability_ == 0).all(axis=None)


def test_infinite_features_are_named():
    with pytest.raises(DataError, match="'x' has an infinite value"):
        number().fit(X.replace(X.iloc[3, 0], np.inf), NUMBER, groups=WHO)


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
def test_two_ordered_classes_are_those_of_a_binary_outcome():
    draw = np.random.default_rng(0)
    person, x = np.repeat(np.arange(12), 15), draw.normal(size=(180, 1))
    level = draw.normal(size=12)[person]
    y = (draw.random(180) < 1 / (1 + np.exp(-x[:, 0] - level))).astype(int)
    ordered, plain = (
        NMEMLPClassifier((), family=family).fit(x, y, groups=person) for family in ("ordinal", None)
    )
    assert ordered.log_likelihood_ == pytest.approx(plain.log_likelihood_, abs=1e-5)
    # log-odds of the higher class, whose threshold is 0
    np.testing.assert_allclose(
        ordered.fixed_effects_.filter(like="layers"), plain.fixed_effects_, atol=1e-3
    )


def test_states_that_are_never_labelled_are_refused():
    x = np.zeros((20, 1))
    with pytest.raises(DataError, match="Not a single row has a label"):
        NMECRF().fit(x, np.full(20, np.nan, dtype=object), groups=np.repeat(["a", "b"], 10))


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
def test_hardly_any_labels_that_follow_one_another_end_in_an_answer_or_a_clear_error():
    for seed in range(3):
        draw = np.random.default_rng(seed)
        y = draw.choice([*"abc"], size=180).astype(object)
        y[3::2] = np.nan
        model = NMECRF(placement="transitions")
        try:
            model.fit(draw.normal(size=(180, 2)), y, groups=np.repeat(np.arange(12), 15))
        except TrainingError as error:
            assert "too few labelled steps follow one another" in str(error)  # noqa: PT017
        else:
            # too few steps for a maximum in the variances: a weak prior, and no likelihood
            found = model.likelihood()
            assert found is None or np.isfinite(found.value)
            assert np.isfinite(model.fixed_effects_).all()


@pytest.mark.parametrize("missing", ["X", "y", "groups"])
@pytest.mark.parametrize(
    ("model", "y"),
    [
        (NMEMLPRegressor(), NUMBER),
        (number(), NUMBER),
        (classes(), STATE),
        (chain(), STATE),
        (LinearMixedModel(), NUMBER),
    ],
    ids=["mixture", "number", "classes", "chain", "lme"],
)
def test_what_is_not_given_is_named(model, y, missing):
    given = {"X": X, "y": y, "groups": WHO, missing: None}
    with pytest.raises(DataError, match=f"requires {missing} to be passed"):
        model.fit(**given)


def test_what_is_not_given_is_named_after_the_fit():
    model = number().fit(X, NUMBER, groups=WHO)
    with pytest.raises(DataError, match="requires y to be passed"):
        model.score(X, None, WHO)
    with pytest.raises(DataError, match="requires y to be passed"):
        model.adapt(X, None, groups=WHO + N_PEOPLE)
    with pytest.raises(DataError, match="requires y to be passed"):
        number().fit(X, NUMBER, groups=WHO, validation=(X, None, WHO))
    with pytest.raises(DataError, match="requires X to be passed"):
        model.predict(None, WHO)
