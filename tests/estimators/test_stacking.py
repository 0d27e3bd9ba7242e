import numpy as np
import pandas as pd
from scipy.optimize import minimize

from nme_core.estimators.stacking import hold_back, stacking_weights

PULL = np.array([4.0, 0.5, 0.5])


def draw_scores(n: int, seed: int = 0) -> np.ndarray:
    """Log densities of a normal outcome under three models, the second the best."""
    random = np.random.default_rng(seed)
    y = random.normal(size=n)
    return np.column_stack([-0.5 * (y - centre) ** 2 for centre in (1.0, 0.1, -2.0)])


def test_weights_are_where_the_penalised_log_score_is_highest():
    scores = draw_scores(60)

    def lost(free: np.ndarray) -> float:
        w = np.exp(free - free.max())
        w /= w.sum()
        return -float(np.log(np.exp(scores) @ w).sum() + PULL @ np.log(w))

    best = minimize(lost, np.zeros(3), method="BFGS").x
    expected = np.exp(best - best.max())
    found = stacking_weights(scores, PULL)
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-5)


def test_few_rows_leave_the_weights_where_they_are_pulled_and_many_do_not():
    few, many = (stacking_weights(draw_scores(n), PULL) for n in (2, 3000))
    assert few[0] > 0.6
    assert many[1] > 0.85
    assert stacking_weights(np.zeros((0, 3)), PULL).tolist() == [0.8, 0.1, 0.1]


def test_order_of_models_and_constants_of_rows_do_not_matter():
    scores = draw_scores(50)
    weights = stacking_weights(scores, PULL)
    turned = stacking_weights(scores[:, ::-1], PULL[::-1])[::-1]
    np.testing.assert_allclose(turned, weights, atol=1e-6)
    moved = scores + np.linspace(-800, 800, 50)[:, None]
    np.testing.assert_allclose(stacking_weights(moved, PULL), weights, atol=1e-6)


def test_the_last_fifth_of_each_person_is_held_back():
    persons = pd.DataFrame({"person": ["a"] * 10 + ["b"] * 5 + ["c"] * 2})
    held = hold_back(pd.Series(np.arange(17.0)), persons, classes=False)
    assert np.flatnonzero(held).tolist() == [8, 9, 14]


def test_a_class_or_a_group_that_occurs_only_there_stays_in_training():
    groups = pd.DataFrame({"person": ["a"] * 10, "clinic": ["x"] * 8 + ["x", "y"]})
    y = pd.Series(["no"] * 8 + ["yes", "no"])
    assert not hold_back(y, groups, classes=True).any()
    assert hold_back(y, groups[["person"]], classes=False).sum() == 2
