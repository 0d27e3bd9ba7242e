"""NMECRF's answers against enumeration and counting by hand."""

import math
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest
import torch

from nme_core.estimators import NMECRF
from nme_core.estimators.draws import Draws
from nme_core.estimators.paths import PATH_DRAWS
from nme_core.estimators.stationary_chain import stationary_chain

STATES = ["calm", "low", "tense"]


@pytest.fixture(scope="module")
def case(cases):
    return cases["crf"]


@pytest.fixture(scope="module", params=["variational", "annealed"])
def model(request, case):
    return case.fit(epochs=40, estimator=request.param)


@pytest.fixture(scope="module")
def points(case):
    """A model without posterior, so that its scores are known numbers."""
    return case.fit(epochs=40, estimator="annealed")


def own_scores(model, case, rows, person=None):
    """Emission (T, K) and transition scores (K, K) of some rows, from the effects in data units."""
    effects = model.fixed_effects_.copy()
    if person is not None:
        own = model.random_effects_.loc[person]
        effects[own.index] += own
    X = case.X.iloc[rows]
    x = np.column_stack([X.fillna(case.X.mean()), X["stress"].isna()])
    weight = [[effects[f"emission.layers.0.weight[{o},{k}]"] for k in range(4)] for o in range(2)]
    bias = [effects[f"emission.layers.0.bias[{o}]"] for o in range(2)]
    transitions = [[effects[f"transitions[{a},{b}]"] for b in STATES] for a in STATES]
    against_first = np.column_stack([np.zeros(len(x)), x @ np.array(weight).T + bias])
    return against_first - against_first.mean(axis=1, keepdims=True), np.array(transitions)


def paths_with_weights(emissions, transitions, before=None):
    """Every path as labels, with exp(score)."""
    for path in product(range(3), repeat=len(emissions)):
        score = sum(emissions[t, k] for t, k in enumerate(path))
        score += sum(transitions[a, b] for a, b in pairwise(path))
        if before is not None:
            score += transitions[before, path[0]]
        yield tuple(STATES[k] for k in path), math.exp(score)


def sequence_rows(case):
    """Rows of each sequence, in order of time, by id."""
    return {
        k: np.asarray(v) for k, v in case.X.groupby(case.context["sequence_ids"]).indices.items()
    }


@pytest.mark.parametrize("level", ["person", "population"])
@pytest.mark.parametrize("before", [None, 2])
def test_answers_are_those_of_every_path(points, case, level, before):
    rows = np.flatnonzero(case.groups == "c")[2:7]
    X, groups = case.X.iloc[rows], case.groups.iloc[rows]
    initial = None if before is None else [STATES[before]] + [None] * (len(rows) - 1)
    options = {"initial_states": initial, "level": level}
    person = "c" if level == "person" else None
    weights = dict(paths_with_weights(*own_scores(points, case, rows, person), before=before))
    total = sum(weights.values())
    best = max(weights, key=lambda path: weights[path])
    assert tuple(points.predict(X, groups, **options)) == best
    marginals = np.zeros((len(rows), 3))
    for path, weight in weights.items():
        for t, state in enumerate(path):
            marginals[t, STATES.index(state)] += weight / total
    np.testing.assert_allclose(points.predict_proba(X, groups, **options), marginals, atol=1e-5)
    labels = ["calm", None, "low", "tense", None]
    fitting = sum(
        weight
        for path, weight in weights.items()
        if all(label in (None, state) for label, state in zip(labels, path, strict=True))
    )
    loss = points.sequence_loss(X, labels, groups, **options)
    assert np.isnan(loss).tolist() == [False, True, False, False, True]
    np.testing.assert_allclose(loss[[0, 2, 3]], -math.log(fitting / total) / 3, rtol=1e-4)


def test_loss_of_a_network_is_averaged_over_draws(case):
    """−log of the mean probability of the whole path, over the draws the model itself makes."""
    model = case.fit(hidden=(3,), epochs=40)
    expected = averaged_loss(case, model, PATH_DRAWS)
    np.testing.assert_allclose(path_loss(case, model), expected, rtol=1e-5)


def test_loss_of_a_linear_model_is_the_average_without_draws(case):
    model = case.fit()
    expected = averaged_loss(case, model, 4000)
    np.testing.assert_allclose(path_loss(case, model), expected, rtol=0.02)


def path_loss(case, model):
    rows = sequence_rows(case)["c/0"][:3]
    return model.sequence_loss(case.X.iloc[rows], ["calm", "calm", "low"], case.groups.iloc[rows])


def averaged_loss(case, model, n_draws):
    rows = sequence_rows(case)["c/0"][:3]
    x = torch.from_numpy(model._encoder.scaler.transform(case.X.iloc[rows].to_numpy().T)).unsqueeze(
        0
    )
    person, probabilities = model.groups_.tolist().index("c"), []
    for fixed, deviations in Draws(model._posterior, 0).of_groups(n_draws=n_draws):
        emissions, transitions = model._posterior.mixed(
            x, fixed=fixed, deviations=deviations[[person]]
        )
        weights = dict(
            paths_with_weights(emissions[0].double().numpy(), transitions[0].double().numpy())
        )
        probabilities.append(weights["calm", "calm", "low"] / sum(weights.values()))
    return -math.log(np.mean(probabilities)) / 3


def test_marginals_add_up(model, case):
    for level in ("person", "population"):
        np.testing.assert_allclose(case.predict(model, level=level).sum(axis=1), 1, atol=1e-9)


def test_the_order_of_rows_between_sequences_does_not_matter(model, case):
    rows = sequence_rows(case)
    order = np.concatenate([rows[name] for name in sorted(rows, reverse=True)])
    parts = [part.iloc[order] for part in (case.X, case.groups, case.context["sequence_ids"])]
    again = model.predict(parts[0], parts[1], sequence_ids=parts[2])
    expected = model.predict(case.X, case.groups, **case.context)
    np.testing.assert_array_equal(again, expected[order])


def test_sequences_do_not_touch_each_other(model, case):
    rows = sequence_rows(case)["anna/1"]
    alone = model.predict_proba(case.X.iloc[rows], case.groups.iloc[rows])
    np.testing.assert_allclose(alone, case.predict(model)[rows], atol=1e-6)


@pytest.mark.parametrize("level", ["person", "population"])
def test_ids_that_two_persons_share_are_two_sequences(model, case, level):
    sessions = case.context["sequence_ids"].str.split("/").str[1]
    assert set(sessions) == {"0", "1"}
    np.testing.assert_allclose(
        model.predict_proba(case.X, case.groups, sequence_ids=sessions, level=level),
        case.predict(model, level=level),
        atol=1e-6,
    )


def test_without_ids_a_person_is_one_sequence(case):
    model = case.make().fit(case.X, case.y, groups=case.groups)
    by_person = case.make().fit(case.X, case.y, groups=case.groups, sequence_ids=case.groups)
    np.testing.assert_array_equal(
        model.predict_proba(case.X, case.groups),
        by_person.predict_proba(case.X, case.groups, sequence_ids=case.groups),
    )


def test_initial_states_are_read_at_the_first_row_only(model, case):
    initial = np.full(len(case.X), "low", dtype=object)
    first = ~case.context["sequence_ids"].duplicated().to_numpy()
    only_first = np.where(first, initial, None)
    np.testing.assert_array_equal(
        case.predict(model, initial_states=initial),
        case.predict(model, initial_states=only_first),
    )
    assert np.abs(case.predict(model, initial_states=initial) - case.predict(model)).max() > 1e-3


@pytest.mark.parametrize("hidden", [(), (3,)])
def test_a_state_ahead_ends_a_segment_that_begins_at_the_label(case, hidden):
    model = case.fit(epochs=40, hidden=hidden)
    y, ids = case.y.copy(), case.context["sequence_ids"]
    y.iloc[::5] = None
    found = model.predict_ahead(case.X, y, groups=case.groups, sequence_ids=ids, steps=(3, 1))
    assert sorted(found) == [1, 3]
    told = 0
    for steps, chances in found.items():
        for rows in sequence_rows(case).values():
            assert np.isnan(chances[rows[:steps]]).all()
            for begin, end in zip(rows, rows[steps:], strict=False):
                if pd.isna(y.iloc[begin]):
                    assert np.isnan(chances[end]).all()
                    continue
                told += 1
                segment = rows[list(rows).index(begin) + 1 : list(rows).index(end) + 1]
                expected = model.predict_proba(
                    case.X.iloc[segment],
                    case.groups.iloc[segment],
                    initial_states=[y.iloc[begin]] * steps,
                )
                np.testing.assert_allclose(chances[end], expected[-1], atol=1e-6)
    assert told > 20


def test_observed_transitions_are_counted_within_sequences(model, case):
    counts = {person: pd.DataFrame(0.0, STATES, STATES) for person in model.groups_}
    for rows in sequence_rows(case).values():
        for before, after in pairwise(case.y.iloc[rows]):
            if pd.notna(before) and pd.notna(after):
                counts[case.groups.iloc[rows[0]]].loc[before, after] += 1
    found = model.transition_counts("observed")
    assert any((table != table.T).any(axis=None) for table in counts.values())
    np.testing.assert_array_equal(found[:-1], np.stack(list(counts.values())))
    np.testing.assert_array_equal(found[-1], sum(counts.values()))
    total = counts["b"].sum(axis=1)
    shares = counts["b"].div(total.where(total > 0), axis=0)
    np.testing.assert_allclose(model.transition_matrix("b", "observed"), shares)


def test_expected_transitions_are_summed_over_every_path(points, case):
    """Sequences are cut to the length that can be enumerated."""
    first = case.X.groupby(case.context["sequence_ids"]).cumcount() < 5
    some = case.X[first], case.y[first], case.groups[first]
    ids = case.context["sequence_ids"][first]
    model = case.make(estimator="annealed", epochs=20).fit(
        *some[:2], groups=some[2], sequence_ids=ids
    )
    x = torch.from_numpy(model._encoder.scaler.transform(some[0].to_numpy().T))
    for person, deviations in (
        (1, model._posterior.mixed.deviations[1]),
        (-1, 0 * model._posterior.mixed.deviations[1]),
    ):
        expected = np.zeros((3, 3))
        for name in ids.unique():
            if person >= 0 and not name.startswith(f"{model.groups_[person]}/"):
                continue
            rows = np.flatnonzero(ids == name)
            e, a = model._posterior.mixed(x[rows].unsqueeze(0), deviations=deviations.unsqueeze(0))
            paths = dict(paths_with_weights(e[0].double().numpy(), a[0].double().numpy()))
            total = sum(paths.values())
            for path, weight in paths.items():
                for before, after in pairwise(path):
                    expected[STATES.index(before), STATES.index(after)] += weight / total
        np.testing.assert_allclose(model.transition_counts("expected")[person], expected, rtol=1e-5)
    matrix = model.transition_matrix("b", "expected")
    np.testing.assert_allclose(matrix.sum(axis=1), 1)


@pytest.mark.parametrize("person", ["c", None])
def test_scores_are_double_centred_from_to(points, case, person):
    _, transitions = own_scores(points, case, [0], person)
    row, column = transitions.mean(axis=1, keepdims=True), transitions.mean(axis=0, keepdims=True)
    expected = transitions - row - column + transitions.mean()
    scores = points.transition_matrix(person, "scores")
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    np.testing.assert_allclose(scores.sum(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(scores.sum(axis=1), 0, atol=1e-6)
    assert scores.index.name == "from"
    assert scores.columns.name == "to"
    assert scores.index.tolist() == scores.columns.tolist() == STATES


@pytest.mark.parametrize("person", ["c", None])
def test_conditional_is_the_chain_at_average_features(points, case, person):
    _, transitions = own_scores(points, case, [0], person)
    emissions, _ = own_scores(points, case, range(len(case.X)), person)
    expected = stationary_chain(transitions[None], emissions.mean(axis=0)[None])[0]
    conditional = points.transition_matrix(person)
    np.testing.assert_allclose(conditional, expected, atol=1e-5)
    np.testing.assert_allclose(conditional.sum(axis=1), 1)


def test_matrices_of_all_are_those_of_each(model):
    for readout in ("scores", "conditional", "expected", "observed"):
        stacked = model.transition_matrices(readout)
        assert stacked.shape == (6, 3, 3)
        for place, person in enumerate([*model.groups_, None]):
            np.testing.assert_array_equal(stacked[place], model.transition_matrix(person, readout))


def test_scores_do_not_see_what_cancels(points):
    before = points.transition_matrices("scores")
    transitions = points._posterior.mixed.module.transitions
    with torch.no_grad():
        kept = transitions.clone()
        transitions.add_(
            2.0 + torch.tensor([[0.3, -1.0, 0.5]]) + torch.tensor([[1.0], [0.0], [2.0]])
        )
        after = points.transition_matrices("scores")
        transitions.copy_(kept)
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_without_personal_transitions_all_matrices_are_the_populations(case):
    model = case.fit(placement="last", epochs=5)
    scores = model.transition_matrices("scores")
    np.testing.assert_array_equal(scores, np.broadcast_to(scores[-1], scores.shape))


def test_asymmetric_transitions_are_learned_the_right_way_round():
    """A ring a → b → c → a, never backwards."""
    y = ["a", "b", "c"] * 20
    groups = np.repeat(["p", "q"], 30)
    X = np.random.default_rng(0).normal(size=(60, 1))
    model = NMECRF(placement="transitions", epochs=300).fit(X, y, groups=groups)
    for person in ("p", "q", None):
        matrix = model.transition_matrix(person)
        assert matrix.loc["a", "b"] > 0.8 > 0.1 > matrix.loc["b", "a"]
        assert model.transition_matrix(person, "expected").loc["c", "a"] > 0.8
    start = ["b", *[None] * 5]
    answer = model.predict(X[:6], ["p"] * 6, initial_states=start)
    assert answer.tolist() == ["c", "a", "b", "c", "a", "b"]
    assert model.parameter_names()[1] == "transitions[a,b]"


def test_a_validation_tuple_may_hold_sequences_and_initial_states(case):
    later = (case.X.groupby(case.groups).cumcount(ascending=False) < 6).to_numpy()
    ids = case.context["sequence_ids"]
    rows = (case.X[~later], case.y[~later])
    options = {"groups": case.groups[~later], "sequence_ids": ids[~later]}
    extra = (ids[later], case.y.shift(1)[later])
    losses = []
    for n_extra in (0, 1, 2):
        validation = (case.X[later], case.y[later], case.groups[later], *extra[:n_extra])
        model = case.make(epochs=20, estimator="annealed")
        model.fit(*rows, **options, validation=validation)
        losses.append(model.history_["validation_loss"].min())
        parts = {"sequence_ids": None, "initial_states": None}
        parts.update(zip(parts, extra[:n_extra], strict=False))
        loss = model.sequence_loss(*validation[:3], **parts)
        assert 2 * np.nansum(loss) / later.sum() == pytest.approx(losses[-1], rel=1e-4)
    assert len(set(losses)) == 3


def test_steps_without_labels_teach_nothing(case):
    """With all labels of a person missing, the features of this person do not matter."""
    mine = np.flatnonzero(case.groups == "b")
    y = case.y.where(case.groups != "b")
    order = np.arange(len(case.X))
    order[mine] = mine[::-1]
    fits = []
    for X in (case.X, case.X.iloc[order].reset_index(drop=True)):
        model = case.make(estimator="annealed", epochs=30)
        fits.append(model.fit(X, y, groups=case.groups, **case.context))
    np.testing.assert_allclose(fits[0].random_effects_, fits[1].random_effects_, atol=1e-6)
    np.testing.assert_allclose(fits[0].fixed_effects_, fits[1].fixed_effects_, rtol=1e-5)
    assert np.isnan(fits[0].transition_matrix("b", "observed")).all(axis=None)
