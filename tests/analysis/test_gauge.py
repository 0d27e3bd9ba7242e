"""Gauge of an NME-CRF: what can be added to its scores without a change of what it says.

A constant on A; c_j on column j of A with −c_j on the emission bias of state j, but for the first
step of a sequence; likewise rows, but for the last one. Double-centred scores must not see it.
"""

import copy

import numpy as np
import pandas as pd
import pytest
import torch

from nme_core.estimators.moves import with_population
from nme_core.estimators.person_posterior import person_posterior
from nme_core.nn import contrasts


def shifted(crf, *, rows=0.0, columns=0.0, persons=0.0):
    """The model with constants added to rows and columns of Ā and, by person, of η."""
    moved = copy.deepcopy(crf)
    mixed = moved._posterior.mixed
    shared = mixed.fixed()["transitions"]
    n_states = len(crf.classes_)
    shape = torch.arange(1, n_states + 1, dtype=shared.dtype)
    with torch.no_grad():
        shared += rows * shape[:, None] + columns * shape[None, :].flip(1)
        if persons:
            own = mixed.deviations.view(len(crf.groups_), n_states, n_states)
            person = torch.arange(1.0, len(crf.groups_) + 1)
            own += persons * person[:, None, None] * (shape[:, None] - 2 * shape[None, :])
    return moved


@pytest.mark.parametrize(
    "change",
    [{"rows": 1.7}, {"columns": -0.9}, {"persons": 0.8}, {"rows": -2, "columns": 3, "persons": 1}],
)
def test_scores_are_invariant_under_the_gauge(crf, change):
    moved = shifted(crf, **change)
    networks = (one._posterior.mixed for one in (moved, crf))
    raw, own = (crf._moves.scores(mixed, with_population(mixed)) for mixed in networks)
    raw = np.abs(raw - own).max()
    assert raw > 0.5  # something has changed indeed
    np.testing.assert_allclose(
        moved.transition_matrices("scores"), crf.transition_matrices("scores"), atol=1e-5
    )
    found = person_posterior(moved, "scores").estimate()
    expected = person_posterior(crf, "scores").estimate()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_constant_changes_nothing_the_model_says(crf, chain):
    moved = copy.deepcopy(crf)
    with torch.no_grad():
        moved._posterior.mixed.fixed()["transitions"].add_(2.5)
    context = {"groups": chain["person"], "sequence_ids": chain["sequence"]}
    np.testing.assert_allclose(
        moved.predict_proba(chain[["x"]], **context),
        crf.predict_proba(chain[["x"]], **context),
        atol=1e-5,
    )


def test_columns_and_emission_bias_trade_off_but_for_the_first_step(crf, chain):
    moved = shifted(crf, columns=0.6)
    n_states = len(crf.classes_)
    added = 0.6 * torch.arange(n_states, 0, -1.0)
    # emission scores sum to 0 over the states: the rest is a constant, which changes nothing
    added = torch.linalg.lstsq(contrasts(n_states), added.double()).solution
    parameters = moved._posterior.mixed.fixed()
    bias = [value for name, value in parameters.items() if name.endswith("bias")][-1]
    with torch.no_grad():
        bias -= added.to(bias.dtype)
    rows = chain[chain["sequence"] == "b/1"].reset_index(drop=True)
    # given the state before the first step no step is the first
    context = {
        "groups": rows["person"],
        "sequence_ids": rows["sequence"],
        "initial_states": pd.Series(["low"] * len(rows)),
    }
    np.testing.assert_allclose(
        moved.predict_proba(rows[["x"]], **context),
        crf.predict_proba(rows[["x"]], **context),
        atol=1e-4,
    )
    free = {name: context[name] for name in ("groups", "sequence_ids")}
    ends = moved.predict_proba(rows[["x"]], **free) - crf.predict_proba(rows[["x"]], **free)
    assert np.abs(ends).max() > 1e-3
