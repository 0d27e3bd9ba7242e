"""The order of rows and persons, their names, units and mini-batches change nothing."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from nme_core.data import sequences as sequences_module

#: float32 sums in another order, through a few Adam steps
CLOSE = {"rtol": 1e-3, "atol": 1e-4}


@pytest.fixture(params=("regressor annealed", "classifier annealed", "crf annealed"))
def case(request, cases):
    """Without random draws, whose order would follow that of the persons."""
    return cases[request.param]


def reorder(case, order):
    context = {name: values.iloc[order] for name, values in case.context.items()}
    parts = (part.iloc[order] for part in (case.X, case.y, case.groups))
    return dataclasses.replace(
        case, **dict(zip(("X", "y", "groups"), parts, strict=True)), context=context
    )


def predictions(case, model):
    values = np.asarray(case.predict(model)).reshape(len(case.X), -1)
    return pd.DataFrame(values, case.X.index).sort_index().to_numpy()


def shuffled_persons(case, seed):
    """Rows of the persons in another order, interleaved, each person's own order kept."""
    place = np.random.default_rng(seed).permutation(case.groups.to_numpy())
    order = np.empty(len(place), dtype=int)
    for person in np.unique(place):
        order[place == person] = np.flatnonzero(case.groups == person)
    return order


def test_order_of_persons_and_rows_between_persons(case):
    model = case.fit()
    other = reorder(case, shuffled_persons(case, seed=1))
    assert other.groups.tolist() != case.groups.tolist()
    again = other.fit()
    assert again.groups_.tolist() != model.groups_.tolist()
    np.testing.assert_allclose(predictions(other, again), predictions(case, model), **CLOSE)
    np.testing.assert_allclose(again.fixed_effects_, model.fixed_effects_, **CLOSE)
    effects = again.random_effects_.loc[model.groups_]
    np.testing.assert_allclose(effects, model.random_effects_, **CLOSE)
    np.testing.assert_allclose(again.random_effects_cov_, model.random_effects_cov_, **CLOSE)


@pytest.mark.parametrize("name", ["regressor annealed", "classifier annealed"])
def test_order_of_a_persons_rows(cases, name):
    case = cases[name]
    other = reorder(case, np.random.default_rng(2).permutation(len(case.X)))
    np.testing.assert_allclose(
        predictions(other, other.fit()), predictions(case, case.fit()), **CLOSE
    )


def test_order_of_rows_to_predict(cases):
    for case in cases.values():
        model = case.fit()
        other = reorder(case, shuffled_persons(case, seed=3))
        np.testing.assert_allclose(predictions(other, model), predictions(case, model), atol=1e-5)


def test_a_row_is_predicted_alone_as_among_others(cases):
    for name in ("regressor", "classifier"):
        case = cases[name]
        model = case.fit()
        some = reorder(case, np.array([40, 3]))
        np.testing.assert_allclose(
            predictions(some, model), predictions(case, model)[[3, 40]], atol=1e-5
        )


def test_names_of_persons(case):
    renamed = dataclasses.replace(case, groups=case.groups.map(lambda name: f"{len(name)}-{name}"))
    np.testing.assert_array_equal(
        predictions(renamed, renamed.fit()), predictions(case, case.fit())
    )


def test_order_of_features_to_predict(one_of_each):
    case = one_of_each
    model = case.fit()
    other = dataclasses.replace(case, X=case.X[["stress", "sleep", "steps"]].assign(more=1.0))
    np.testing.assert_array_equal(predictions(other, model), predictions(case, model))


def test_order_of_features_in_validation_rows(one_of_each):
    case = one_of_each
    losses = []
    for columns in (["sleep", "steps", "stress"], ["stress", "sleep", "steps"]):
        validation = (case.X[columns], *case.validation[1:])
        model = case.make(epochs=10)
        model.fit(case.X, case.y, groups=case.groups, **case.context, validation=validation)
        losses.append(model.history_["validation_loss"].iloc[-1])
    assert losses[0] == losses[1]


def test_units_of_features(case):
    other = dataclasses.replace(case, X=case.X * [60.0, 1e-3, 1e6] + [5.0, -2.0, 0.0])
    np.testing.assert_allclose(
        predictions(other, other.fit()), predictions(case, case.fit()), **CLOSE
    )


def test_units_of_a_number(cases):
    case = cases["regressor annealed"]
    other = dataclasses.replace(case, y=1000 * case.y - 7)
    model, again = case.fit(), other.fit()
    np.testing.assert_allclose(
        (predictions(other, again) + 7) / 1000, predictions(case, model), rtol=1e-5
    )
    assert again.residual_variance_ == pytest.approx(1e6 * model.residual_variance_, rel=1e-4)


def test_names_of_states_rename_the_answers(cases):
    """Names that sort otherwise: the optimum of a convex model stays, the columns move along."""
    case = cases["crf annealed"]
    names = {"calm": "c", "low": "a", "tense": "b"}
    other = dataclasses.replace(case, y=case.y.map(names))
    model, again = (one.fit(pooling="complete", epochs=3000) for one in (case, other))
    assert again.classes_.tolist() == ["a", "b", "c"]
    order = [again.classes_.tolist().index(names[state]) for state in model.classes_]
    np.testing.assert_allclose(
        predictions(other, again)[:, order], predictions(case, model), atol=0.02
    )
    assert again.history_["train_loss"].iloc[-1] == pytest.approx(
        model.history_["train_loss"].iloc[-1], rel=1e-3
    )
    for readout in ("scores", "conditional", "expected", "observed"):
        renamed = model.transition_matrix("anna", readout).rename(index=names, columns=names)
        pd.testing.assert_frame_equal(
            again.transition_matrix("anna", readout),
            renamed.sort_index().sort_index(axis=1),
            atol=0.05,
        )


def test_mini_batches_start_from_the_same_objective(case, monkeypatch):
    whole = case.fit(epochs=1)
    monkeypatch.setattr(sequences_module, "ROWS_PER_STEP", 20)
    parts = case.fit(epochs=1)
    assert whole.history_["train_loss"][0] != parts.history_["train_loss"][0]
    # The first step of both starts from the same parameters; later ones have moved a little.
    assert parts.history_["train_loss"][0] == pytest.approx(
        whole.history_["train_loss"][0], rel=0.1
    )
