import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics

from nme_core import metrics
from nme_core.exceptions import DataError
from nme_core.metrics.classification import classification_metrics


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    y = rng.choice(
        ["Other", "Positive", "Aggressive", "Dysphoric"], p=[0.5, 0.3, 0.1, 0.1], size=80
    )
    guess = rng.choice(["Other", "Positive", "Aggressive"], size=80)
    return y, np.where(rng.random(80) < 0.5, y, guess)


def test_equal_scikit_learn(labels):
    assert metrics.accuracy(*labels) == pytest.approx(sklearn_metrics.accuracy_score(*labels))
    assert metrics.kappa(*labels) == pytest.approx(sklearn_metrics.cohen_kappa_score(*labels))
    expected = sklearn_metrics.f1_score(*labels, average="macro")
    assert metrics.macro_f1(*labels) == pytest.approx(expected)
    expected = sklearn_metrics.balanced_accuracy_score(*labels)
    assert metrics.balanced_accuracy(*labels) == pytest.approx(expected)


def test_alpha_equals_its_definition_by_pairs_of_labels(labels):
    """Krippendorff's definition, 1 − D_o/D_e, by walking over all pairs of labels."""
    pooled = [*labels[0], *labels[1]]
    pairs = [a != b for i, a in enumerate(pooled) for k, b in enumerate(pooled) if i != k]
    expected = 1 - np.mean(labels[0] != labels[1]) / np.mean(pairs)
    assert metrics.alpha(*labels) == pytest.approx(expected)


def test_alpha_of_krippendorffs_example():
    # Krippendorff (2011), section A: binary data, two observers, 10 units: alpha = 0.095
    first, second = "0100000000", "1110010010"
    assert metrics.alpha([*first], [*second]) == pytest.approx(0.095, abs=5e-4)


def test_a_rare_class_counts_as_much_as_a_frequent_one():
    assert metrics.balanced_accuracy(["a"] * 9 + ["b"], ["a"] * 10) == 0.5
    assert metrics.balanced_accuracy(["a", "a"], ["a", "b"]) == 0.5  # b was never observed


def test_kappa_by_hand():
    # agreement 3/4; chance 3/4·1/2 + 1/4·1/2
    assert metrics.kappa(["a", "a", "a", "b"], ["a", "a", "b", "b"]) == pytest.approx(0.5)


def test_macro_f1_counts_classes_that_are_only_predicted():
    y, f = ["a", "a", "b"], ["a", "c", "b"]
    assert metrics.macro_f1(y, f) == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_one_class_only_has_no_kappa_and_gives_no_warning():
    assert np.isnan(metrics.kappa(["a", "a"], ["a", "a"]))
    assert np.isnan(metrics.alpha(["a", "a"], ["a", "a"]))
    assert metrics.macro_f1(["a", "a"], ["a", "a"]) == 1
    assert metrics.kappa(["a", "a"], ["b", "b"]) == 0


def test_confusion_rows_are_observed():
    table = metrics.confusion(["b", "a", "b"], ["a", "a", "c"])
    assert list(table.index) == list(table.columns) == ["a", "b", "c"]
    assert (table.index.name, table.columns.name) == ("observed", "predicted")
    np.testing.assert_array_equal(table, [[1, 0, 0], [1, 0, 1], [0, 0, 0]])


def test_log_loss_equals_scikit_learn_for_any_order_of_columns(labels):
    classes = ["Positive", "Other", "Dysphoric", "Aggressive"]
    proba = np.random.default_rng(1).dirichlet(np.ones(4), size=80)
    proba[0] = [1, 0, 0, 0]
    frame = pd.DataFrame(proba, columns=classes)
    order = np.argsort(classes)
    expected = sklearn_metrics.log_loss(
        labels[0], proba[:, order], labels=[classes[i] for i in order]
    )
    assert metrics.log_loss(labels[0], frame) == pytest.approx(expected)


def test_impossible_prediction_costs_much_but_not_everything():
    proba = pd.DataFrame({"a": [0.0], "b": [1.0]})
    assert metrics.log_loss(["a"], proba) == pytest.approx(-np.log(np.finfo(float).eps))
    assert metrics.log_loss(["b"], proba) == 0


def test_log_loss_of_an_unknown_class():
    with pytest.raises(DataError, match="class 'c'"):
        metrics.log_loss(["a", "c"], pd.DataFrame({"a": [0.5, 0.5], "b": [0.5, 0.5]}))


def test_groups_equal_their_rows_alone(labels):
    groups = np.random.default_rng(1).integers(0, 4, size=80)
    table = classification_metrics(*labels, groups, 5)
    for name in ("accuracy", "balanced_accuracy", "kappa", "alpha", "macro_f1"):
        for group in range(4):
            rows = groups == group
            alone = getattr(metrics, name)(labels[0][rows], labels[1][rows])
            assert table[name][group] == pytest.approx(alone)
        assert np.isnan(table[name][4])


def test_missing_labels_and_lengths_are_refused():
    with pytest.raises(DataError, match="position 1"):
        metrics.accuracy(["a", None], ["a", "b"])
    with pytest.raises(DataError, match="must agree"):
        metrics.kappa(["a", "b"], ["a"])
