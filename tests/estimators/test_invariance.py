"""The order of rows and persons, their names, threads, units and mini-batches change nothing."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from nme_core.batches import sequences as sequences_module
from nme_core.estimators import NMEMLPRegressor
from nme_core.estimators.arrangement import Arrangement, natural_order
from nme_core.estimators.posterior import Posterior

#: float32 sums in another order, through a few Adam steps
CLOSE = {"rtol": 1e-3, "atol": 1e-4}
#: other names, in another order
NAMES = {"007": "z", "b": "a9", "c": "a10", "anna": "q", "e": "1"}


@pytest.fixture(params=("regressor annealed", "classifier annealed", "crf annealed"))
def annealed(request, cases):
    """Without random draws, whose effect a change of units would move."""
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


def learned(model, names=None):
    """All that a fit has learned, the persons by the names of the first fit."""
    back = {new: old for old, new in (names or {}).items()}
    persons = [back.get(person, person) for person in model.groups_]
    order = np.argsort(persons)
    tables = (model.random_effects_, model.random_effects_se_, model.n_obs_)
    parts = [table.to_numpy()[order] for table in tables]
    parts += [model.fixed_effects_, model.fixed_effects_se_, model.random_effects_cov_]
    if hasattr(model, "transition_matrices"):
        whole = [*order, -1]
        for readout in ("scores", "conditional", "expected", "observed"):
            parts.append(model.transition_matrices(readout)[whole])
            parts += [ends[whole] for ends in model.transition_intervals(readout)]
    return parts


def assert_the_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def renamed(case):
    context = {
        name: case.groups.map(NAMES) + "/" + values.str.split("/").str[1]
        for name, values in case.context.items()
    }
    return dataclasses.replace(case, groups=case.groups.map(NAMES), context=context)


def test_order_of_persons_and_rows_between_persons(case):
    other = reorder(case, shuffled_persons(case, seed=1))
    assert other.groups.tolist() != case.groups.tolist()
    model, again = case.fit(), other.fit()
    assert again.groups_.tolist() == model.groups_.tolist() == ["007", "anna", "b", "c", "e"]
    assert_the_same(learned(again), learned(model))
    np.testing.assert_array_equal(predictions(case, again), predictions(case, model))


@pytest.mark.parametrize("name", ["regressor", "regressor annealed", "classifier"])
def test_order_of_a_persons_rows(cases, name):
    case = cases[name]
    other = reorder(case, np.random.default_rng(2).permutation(len(case.X)))
    model, again = case.fit(), other.fit()
    assert_the_same(learned(again), learned(model))
    np.testing.assert_array_equal(predictions(case, again), predictions(case, model))


def test_order_of_rows_in_a_sequence_counts(cases):
    case = cases["crf"]
    backwards = reorder(case, np.arange(len(case.X))[::-1])
    scores = [one.fit().transition_matrix(None, "scores") for one in (case, backwards)]
    assert np.abs(scores[0] - scores[1]).to_numpy().max() > 1e-3


def test_people_of_other_names_in_other_rows(case):
    other = reorder(renamed(case), shuffled_persons(case, seed=4))
    model, again = case.fit(), other.fit()
    assert again.groups_.tolist() == ["1", "a9", "a10", "q", "z"]  # in natural order
    # other names, another order of sums over people: the last digit differs on some processors
    for one, expected in zip(learned(again, NAMES), learned(model), strict=True):
        np.testing.assert_allclose(one, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(predictions(renamed(case), again), predictions(case, model))


def test_one_thread_or_two(case):
    before = torch.get_num_threads()
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        try:
            found.append(learned(case.fit()))
        finally:
            torch.set_num_threads(before)
    assert_the_same(*found)


@pytest.mark.parametrize("design", ["nested", "crossed"])
@pytest.mark.parametrize("hidden", [(), (3,)])
def test_groups_of_several_factors(design, hidden):
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(12), 8)
    clinic = person % 4 if design == "nested" else rng.integers(4, size=96)
    X = pd.DataFrame({"x": rng.normal(size=96)})
    y = pd.Series(rng.normal(size=12)[person] + rng.normal(size=4)[clinic] + rng.normal(size=96))
    groups = pd.DataFrame({"person": person.astype(str), "clinic": [f"c{k}" for k in clinic]})
    others = pd.DataFrame(
        {"person": (11 - person).astype(str), "clinic": [f"c{9 - k}" for k in clinic]}
    )
    order = rng.permutation(96)

    def fitted(groups, rows):
        model = NMEMLPRegressor(hidden, "last", epochs=20)
        model.fit(X.iloc[rows], y.iloc[rows], groups=groups.iloc[rows])
        tables = [model.effects(factor) for factor in ("person", "clinic")]
        return model, [part for one in tables for part in (one.estimate, one.se)]

    first, tables = fitted(groups, np.arange(96))
    second, again = fitted(others, order)
    assert first.factors_["clinic"].tolist() == ["c0", "c1", "c2", "c3"]
    assert first.factors_["person"].tolist() == [str(k) for k in range(12)]
    for one, other in zip(tables, again, strict=True):
        np.testing.assert_array_equal(other.to_numpy()[::-1], one)
    np.testing.assert_array_equal(second.predict(X, others), first.predict(X, groups))


def test_validation_rows_in_another_order(cases):
    case = cases["regressor annealed"]
    order = np.random.default_rng(5).permutation(len(case.X))
    held = tuple(part.iloc[order] for part in case.validation)
    histories = [
        case.make(epochs=20).fit(case.X, case.y, groups=case.groups, validation=rows).history_
        for rows in (case.validation, held)
    ]
    columns = ["train_loss", "validation_loss"]
    pd.testing.assert_frame_equal(histories[0][columns], histories[1][columns], check_exact=True)


def test_a_saved_model_keeps_its_draws(case, tmp_path):
    model = case.fit()
    model.save(tmp_path / "model")
    again = type(model).load(tmp_path / "model")
    np.testing.assert_array_equal(predictions(case, again), predictions(case, model))


def test_every_part_of_a_posterior_has_its_order():
    """A field that is added has to be put in order, or to be the same for all groups."""
    ordered = {"mixed", "covariance", "dependence", "uncertainty", "places", "joint", "link"}
    shared = {"sigma", "residual_variance", "spread", "n_added"}
    assert {field.name for field in dataclasses.fields(Posterior)} == ordered | shared


def test_natural_order():
    names = ["p10", "p2", "01", "1", "b", "-3", "p2a", ""]
    assert [names[k] for k in natural_order(names)] == [
        "",
        "01",
        "1",
        "-3",
        "b",
        "p2",
        "p2a",
        "p10",
    ]


def test_rows_that_are_the_same_have_one_place():
    """−0 and 0, missing values of two kinds, whole numbers and floats; alike people by name."""
    x = np.array([0.0, np.nan, 2.0, -0.0, -np.nan, 2.0])
    who = np.array([0, 0, 0, 1, 1, 1])
    found = Arrangement.of([x], np.array([1, 2, 3, 1, 2, 3]), [who])
    assert found.ranks[0].tolist() == [0, 1]
    again = Arrangement.of([x[::-1]], np.array([3.0, 2, 1, 3, 2, 1]), [who])
    np.testing.assert_array_equal(x[found.order], x[::-1][again.order])


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


def test_units_of_features(annealed):
    other = dataclasses.replace(annealed, X=annealed.X * [60.0, 1e-3, 1e6] + [5.0, -2.0, 0.0])
    np.testing.assert_allclose(
        predictions(other, other.fit()), predictions(annealed, annealed.fit()), **CLOSE
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
    model, again = (one.fit(pooling="complete", epochs=1500) for one in (case, other))
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


def test_mini_batches_start_from_the_same_objective(annealed, monkeypatch):
    whole = annealed.fit(epochs=1)
    monkeypatch.setattr(sequences_module, "ROWS_PER_STEP", 20)
    parts = annealed.fit(epochs=1)
    assert whole.history_["train_loss"][0] != parts.history_["train_loss"][0]
    # The first step of both starts from the same parameters; later ones have moved a little.
    assert parts.history_["train_loss"][0] == pytest.approx(
        whole.history_["train_loss"][0], rel=0.1
    )
