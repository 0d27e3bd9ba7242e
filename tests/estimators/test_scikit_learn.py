"""The models inside scikit-learn: scores, cross-validation, searches, pipelines, its own checks."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from nme_core import NMECRF, NMEMLPClassifier, NMEMLPRegressor
from nme_core.estimators import load
from nme_core.exceptions import OptionError

pytestmark = [
    pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning"),
    pytest.mark.filterwarnings("ignore::nme_core.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::nme_core.exceptions.SingularWarning"),
]


@pytest.fixture(scope="module")
def rows():
    """X, y, groups of 15 people × 12 rows whose intercepts differ."""
    rng = np.random.default_rng(3)
    groups = np.repeat([f"p{i}" for i in range(15)], 12)
    X = rng.normal(size=(180, 2))
    y = X @ [1.0, -0.5] + np.repeat(rng.normal(size=15), 12) + 0.5 * rng.normal(size=180)
    return X, y, groups


@pytest.fixture
def routed():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_a_score_is_r2_of_numbers_and_accuracy_of_classes(rows):
    X, y, groups = rows
    model = NMEMLPRegressor(hidden=()).fit(X, y, groups=groups)
    assert model.n_features_in_ == 2
    assert model.score(X, y, groups=groups) == r2_score(y, model.predict(X, groups))
    assert model.score(X, y, level="population") < model.score(X, y, groups)
    up = np.where(y > 0, "up", "down")
    kind = NMEMLPClassifier(hidden=()).fit(X, up, groups=groups)
    assert kind.score(X, up, groups) == np.mean(kind.predict(X, groups) == up)
    chain = NMECRF(placement="transitions").fit(X, up, groups=groups)
    assert chain.score(X, up, groups) == np.mean(chain.predict(X, groups) == up)


@pytest.mark.parametrize("kind", ["bool", "int64", "float32", "U1"])
@pytest.mark.parametrize(
    "model",
    [
        NMEMLPClassifier(hidden=()),
        NMEMLPClassifier(hidden=(), family="ordinal"),
        NMECRF(placement="transitions"),
    ],
    ids=["class", "ordinal", "state"],
)
def test_predicted_labels_are_as_those_that_were_learned(rows, model, kind, tmp_path):
    X, numbers, groups = rows
    y = (numbers > 0).astype(int).astype(kind)
    fitted = clone(model).fit(X, y, groups=groups, uncertainty=False)
    fitted.save(tmp_path / "model")
    for one in (fitted, load(tmp_path / "model")):
        predicted = one.predict(X, groups)
        np.testing.assert_array_equal(one.classes_, np.unique(y))
        assert one.classes_.dtype == predicted.dtype == next(one.simulate(X, groups)).dtype
        assert predicted.dtype == y.dtype
        assert one.score(X, y.astype(object), groups) == (predicted == y).mean() > 0.7


def test_rows_without_an_outcome_do_not_count(rows):
    X, y, groups = rows
    model = NMEMLPRegressor(hidden=()).fit(X, y, groups=groups)
    gaps = np.where(np.arange(len(y)) % 3 == 0, np.nan, y)
    known = ~np.isnan(gaps)
    assert model.score(X, gaps, groups) == model.score(X[known], y[known], groups[known])


def test_a_score_without_people_says_what_to_do(rows):
    X, y, groups = rows
    model = NMEMLPRegressor(hidden=()).fit(X, y, groups=groups)
    with pytest.raises(OptionError, match="person of each row") as error:
        model.score(X, y)
    assert "metadata" in error.value.remedy


@pytest.mark.usefixtures("routed")
def test_cross_validation_hands_each_part_its_people(rows):
    X, y, groups = rows
    folds = KFold(3, shuffle=True, random_state=0)
    model = NMEMLPRegressor(hidden=())
    scores = cross_val_score(model, X, y, cv=folds, params={"groups": groups})
    for score, (train, test) in zip(scores, folds.split(X), strict=True):
        fitted = clone(model).fit(X[train], y[train], groups=groups[train])
        assert score == fitted.score(X[test], y[test], groups[test])
    assert scores.mean() > 0.7


@pytest.mark.usefixtures("routed")
def test_a_search_and_a_pipeline_hand_on_the_people(rows):
    X, y, groups = rows
    pipeline = make_pipeline(StandardScaler(), NMEMLPRegressor(hidden=()))
    search = GridSearchCV(pipeline, {"nmemlpregressor__covariance": ["diagonal", "full"]}, cv=3)
    folds = KFold(3, shuffle=True, random_state=0)
    search.set_params(cv=folds).fit(X, y, groups=groups)
    assert search.best_score_ > 0.7
    assert search.score(X, y, groups=groups) > 0.8


@pytest.mark.usefixtures("routed")
@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")  # six steps each
def test_a_chain_gets_its_sequences(rows):
    X, y, groups = rows
    up = np.where(y > 0, "up", "down")
    days = np.tile(np.repeat(["a", "b"], 6), 15)
    given = {"groups": groups, "sequence_ids": np.char.add(groups, days)}
    folds = KFold(2, shuffle=False)
    halves = [(np.arange(180) % 12 < 6), (np.arange(180) % 12 >= 6)]
    parts = [(np.flatnonzero(one), np.flatnonzero(~one)) for one in halves]
    scores = cross_val_score(NMECRF(placement="transitions"), X, up, cv=parts, params=given)
    assert folds.get_n_splits() == len(scores)
    assert scores.mean() > 0.7


#: Checks of scikit-learn that the models do not pass, each with its reason.
EXPECTED = {
    "check_n_features_in_after_fitting": "own words for a table with other columns",
    "check_dtype_object": "the error is a DataError that says what to do about text",
    "check_estimators_empty_data_messages": "own words: X is empty",
    "check_regressors_no_decision_function": "its outcome is a copy of its only feature",
    "check_supervised_y_2d": "an outcome with two dimensions is refused",
    "check_fit2d_1sample": "own words: nothing can be learned from one row",
}


class Grouped(NMEMLPRegressor):
    """A linear model whose rows take turns at five people: scikit-learn's checks know no groups.

    They ask for no intervals either.
    """

    def fit(self, X, y, **given):
        shape = np.asarray(X).shape
        groups = np.arange(shape[0] if shape else 0) % 5
        return super().fit(X, y, groups=groups, uncertainty=False, **given)

    def predict(self, X, groups=None, *, level="population"):
        return super().predict(X, groups, level=level)

    def score(self, X, y, groups=None, *, level="population"):
        return super().score(X, y, groups, level=level)


def test_its_own_checks():
    found = check_estimator(Grouped(hidden=()), on_fail=None, on_skip=None)
    failed = {one["check_name"] for one in found if one["status"] == "failed"}
    assert failed == {*EXPECTED}
