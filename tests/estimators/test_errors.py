"""What cannot be used is refused with its column, row or person, and a remedy."""

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor
from nme_core.exceptions import DataError, MissingColumnError, OptionError, UnknownPersonError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimator": "magic"}, "estimator='magic'.*variational, laplace, annealed"),
        ({"covariance": "banded"}, "covariance='banded'.*diagonal, full"),
        ({"pooling": "some"}, "pooling='some'"),
        ({"placement": "middle"}, "placement='middle'.*first, last, all"),
        ({"hidden": (4, 0)}, "at least one unit"),
        ({"hidden": 8}, r"hidden=8 is no sequence.*\(32,\)"),
        ({"epochs": 0}, "at least 1"),
        ({"random_state": None}, "random_state=None is no seed"),
        ({"device": "tpu9"}, "device='tpu9'.*cpu, cuda or auto"),
    ],
)
def test_options_that_do_not_exist(one_of_each, options, message):
    with pytest.raises(OptionError, match=f"(?s){message}"):
        one_of_each.fit(**options)


def test_transitions_can_only_be_personal_in_a_crf(cases):
    with pytest.raises(OptionError, match="placement='transitions'"):
        cases["regressor"].fit(placement="transitions")


def test_constant_outcome(cases):
    case = cases["regressor"]
    with pytest.raises(DataError, match="outcome is constant"):
        case.make().fit(case.X, np.full(len(case.X), 0.1), groups=case.groups)
    for name in ("classifier", "crf"):
        model = cases[name].make()
        with pytest.raises(DataError, match="only one class"):
            model.fit(case.X, ["calm"] * len(case.X), groups=case.groups)


def test_missing_outcome(cases):
    case = cases["regressor"]
    for bad in (np.nan, np.inf):
        y = case.y.to_numpy(copy=True)
        y[[4, 9]] = bad
        with pytest.raises(
            DataError, match="2 missing or infinite values, the first in row 4"
        ) as e:
            case.make().fit(case.X, y, groups=case.groups)
        assert e.value.row == 4
    case = cases["classifier"]
    y = case.y.copy()
    y[3] = None
    with pytest.raises(DataError, match="1 missing labels, the first in row 3"):
        case.make().fit(case.X, y, groups=case.groups)


def test_text_as_a_number(cases):
    case = cases["regressor"]
    with pytest.raises(DataError, match=r"not a number.*NMEMLPClassifier"):
        case.make().fit(case.X, ["high"] * len(case.X), groups=case.groups)
    with pytest.raises(DataError, match="not a number"):
        case.make().fit(case.X.assign(sleep="long"), case.y, groups=case.groups)


def test_features_that_are_infinite_or_empty(one_of_each):
    case = one_of_each
    for X, message in (
        (case.X.assign(steps=np.inf), "'steps' has an infinite value"),
        (case.X.assign(steps=np.nan), "'steps' has no value"),
        (case.X[[]], "X is empty"),
        (case.X["sleep"], "two dimensions"),
    ):
        with pytest.raises(DataError, match=message):
            case.make().fit(X, case.y, groups=case.groups)


def test_lengths_that_differ(one_of_each):
    case, n = one_of_each, len(one_of_each.X)
    with pytest.raises(DataError, match=rf"X has {n} rows, but y has the shape \({n - 1},\)"):
        case.make().fit(case.X, case.y[:-1], groups=case.groups)
    with pytest.raises(DataError, match="but groups has the shape"):
        case.make().fit(case.X, case.y, groups=case.groups[:-1])
    with pytest.raises(DataError, match=r"but y has the shape \(\)"):
        case.make().fit(case.X, 3.0, groups=case.groups)
    model = case.fit()
    for level in ("person", "population"):
        with pytest.raises(DataError, match="but groups has the shape"):
            model.predict(case.X, case.groups[:-1], level=level)
    validation = (case.X, case.y[:-1], case.groups)
    with pytest.raises(DataError, match="but y has the shape"):
        case.make().fit(case.X, case.y, groups=case.groups, validation=validation)


def test_lengths_of_what_sequences_need(cases):
    case = cases["crf"]
    n = len(case.X)
    with pytest.raises(DataError, match="sequence_ids has the shape"):
        case.make().fit(case.X, case.y, groups=case.groups, sequence_ids=np.zeros(n + 1))
    model = case.fit()
    for name in ("sequence_ids", "initial_states"):
        with pytest.raises(DataError, match=f"{name} has the shape"):
            model.predict(case.X, case.groups, **{name: case.y[: n - 1]})
    for y in (case.y[:-1], pd.concat([case.y, case.y])):
        with pytest.raises(DataError, match="y has the shape"):
            model.sequence_loss(case.X, y, case.groups)


def test_persons_without_a_name(one_of_each):
    case = one_of_each
    groups = case.groups.copy()
    groups[6] = None
    with pytest.raises(DataError, match="person has no value in row 6"):
        case.make().fit(case.X, case.y, groups=groups)


def test_labels_that_were_not_there_in_the_fit(cases):
    case = cases["crf"]
    model = case.fit()
    y = case.y.copy()
    y[2] = "angry"
    with pytest.raises(DataError, match=r"'angry' in row 2.*calm, low, tense"):
        model.sequence_loss(case.X, y, case.groups)


def test_unknown_person_is_named(one_of_each):
    model = one_of_each.fit()
    X = one_of_each.X[:3]
    with pytest.raises(UnknownPersonError, match='"population"') as error:
        model.predict(X, ["b", "zoe", "nobody"])
    assert error.value.persons == ["zoe", "nobody"]


def test_prediction_needs_to_know_whose_rows_these_are(one_of_each):
    model = one_of_each.fit()
    with pytest.raises(OptionError, match=r'Give groups=.*level="population"'):
        model.predict(one_of_each.X)
    with pytest.raises(OptionError, match="level='everyone'"):
        model.predict(one_of_each.X, one_of_each.groups, level="everyone")


def test_a_feature_that_is_not_there_is_named(one_of_each):
    model = one_of_each.fit()
    with pytest.raises(MissingColumnError, match="'steps'"):
        model.predict(one_of_each.X.rename(columns={"steps": "walks"}), one_of_each.groups)
    with pytest.raises(DataError, match="fitted on 3 features; these rows have 2"):
        model.predict(one_of_each.X.to_numpy()[:, :2], one_of_each.groups)


def test_validation_needs_three_parts(one_of_each):
    case = one_of_each
    with pytest.raises(OptionError, match="validation has 2 parts"):
        case.make().fit(case.X, case.y, groups=case.groups, validation=(case.X, case.y))


def test_one_network_per_person_needs_validation_rows(one_of_each):
    with pytest.raises(OptionError, match="validation rows"):
        one_of_each.fit(pooling="none")


def test_a_person_of_the_transition_matrix(cases):
    model = cases["crf"].fit()
    with pytest.raises(UnknownPersonError, match="'zoe'"):
        model.transition_matrix("zoe")
    with pytest.raises(OptionError, match=r"readout='counts'.*scores, conditional"):
        model.transition_matrix("b", readout="counts")


def test_models_are_what_they_say():
    for model in (NMEMLPRegressor, NMEMLPClassifier, NMECRF):
        with pytest.raises(TypeError):
            model((), "last", "diagonal")  # options are named
