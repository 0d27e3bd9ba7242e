import numpy as np
import pandas as pd
import pytest

from nme_core.metrics.skill import COLUMNS
from nme_core.runs.skill import change_words, plain_verdict, simple_is_as_good, skill_sentences


def table(*rows):
    filled = [
        ("nme", r, "mse", scope, h, skill, low, high, 30) for r, scope, h, skill, low, high in rows
    ]
    return pd.DataFrame(filled, columns=COLUMNS)


def test_the_best_of_the_simple_rules_is_named():
    found = table(
        ("mean", "pooled", np.nan, 0.5, 0.4, 0.6),
        ("ewma", "pooled", np.nan, 0.1, 0.02, 0.18),
        ("generic", "pooled", np.nan, 0.3, 0.2, 0.4),
    )
    sentences = skill_sentences(found)
    assert len(sentences) == 1
    assert "better than the best simple rule, an exponentially weighted mean" in sentences[0]
    assert "10 % lower (95 % interval: 2 to 18 % lower)" in sentences[0]
    assert not simple_is_as_good(found)


def test_a_rule_that_does_as_well_or_better_is_said_to():
    alike = table(("last", "pooled", np.nan, 0.05, -0.1, 0.2))
    assert skill_sentences(alike)[0].startswith("A simple rule does as well as the model")
    assert simple_is_as_good(alike)
    worse = table(("last", "pooled", np.nan, -0.4, -0.6, -0.2))
    assert (
        "A simple rule predicts held-back rows better than the model: the last value"
        in (skill_sentences(worse)[0])
    )
    assert "is 40 % higher (95 % interval: 20 to 60 % higher)" in skill_sentences(worse)[0]
    unclear = table(("last", "pooled", np.nan, -0.0, -12.0, 0.1))
    said = "0 % lower (95 % interval: 10 % lower to 13 times as high)"
    assert said in skill_sentences(unclear)[0]
    same = table(("last", "pooled", np.nan, -0.0001, -0.0002, 0.0001))
    assert "is 0 % lower (95 % interval: 0 to 0 % lower)" in skill_sentences(same)[0]


@pytest.mark.parametrize(
    ("skill", "low", "high", "said"),
    [
        (-0.02, -0.06, 0.01, "2 % higher (95 % interval: 1 % lower to 6 % higher)"),
        (-301.82, -400, -250, "303 times as high (95 % interval: 251 to 401 times as high)"),
        (-8.0, -20, -0.5, "800 % higher (95 % interval: 50 % higher to 21 times as high)"),
        (0.3, 0.0, 0.5, "30 % lower (95 % interval: 0 to 50 % lower)"),
        (-0.3, -0.5, 0.0, "30 % higher (95 % interval: 0 to 50 % higher)"),
        (0.3, np.nan, np.nan, "30 % lower"),
    ],
)
def test_a_change_is_said_from_its_low_end_on(skill, low, high, said):
    assert change_words(skill, low, high) == said


def test_who_but_not_when_and_one_row_ahead():
    found = table(
        ("mean", "pooled", np.nan, 0.2, 0.1, 0.3),
        ("mean", "between", np.nan, 0.4, 0.1, 0.6),
        ("mean", "within", np.nan, 0.01, -0.05, 0.06),
        ("last", "pooled", 1, -0.5, -0.7, -0.3),
        ("lme", "pooled", np.nan, -0.1, -0.2, -0.01),
    )
    said = " ".join(skill_sentences(found))
    assert "Better than the model predicts: a linear mixed model (lme)." in said
    assert "One row ahead a simple rule predicts better than the model: the last value" in said
    assert "does not tell a person's better from worse occasions" in said


def test_one_model_for_everybody_may_do_as_well():
    found = table(
        ("mean", "pooled", np.nan, 0.2, 0.1, 0.3), ("generic", "pooled", np.nan, 0.0, -0.02, 0.02)
    )
    assert "One model for everybody does as well" in skill_sentences(found)[1]


def test_nothing_held_back_says_nothing():
    assert skill_sentences(table()) == []
    assert not simple_is_as_good(table())


def test_straight_lines_may_do_as_well_or_better():
    rule = ("mean", "pooled", np.nan, 0.5, 0.4, 0.6)
    alike = table(rule, ("linear", "pooled", np.nan, 0.01, -0.05, 0.07))
    assert skill_sentences(alike)[1].startswith("Straight lines do as well on held-back rows")
    assert "50 % better" in plain_verdict(alike)
    worse = table(rule, ("linear", "pooled", np.nan, -0.2, -0.3, -0.1))
    assert "the same model without hidden layers" in skill_sentences(worse)[1]
    assert plain_verdict(worse).startswith("Over all people straight lines predict better")
