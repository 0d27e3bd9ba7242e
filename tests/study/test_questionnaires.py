"""Questionnaires are known by name, range and steps; bands follow the scale of the values."""

import numpy as np
import pandas as pd
import pytest

from nme_core.study import Study, check_study
from nme_core.study.questionnaires import QUESTIONNAIRES, proposed, recognise
from tests.study.clean.test_people import IDS, ROLES, diary

RNG = np.random.default_rng(0)


def item_means(name, n=60):
    one = QUESTIONNAIRES[name]
    items = RNG.integers(one.low, int(one.high) + 1, size=(n, one.n_items))
    return items.mean(axis=1).round(2)


def sums(name, n=60):
    one = QUESTIONNAIRES[name]
    return RNG.integers(one.low, int(one.high) + 1, size=(n, one.n_items)).sum(axis=1).astype(float)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("phq9_total", "PHQ-9"), ("PHQ-8", "PHQ-8"), ("phq", "PHQ-9"), ("phq_t1", "PHQ-9"),
        ("BDI-II", "BDI-II"), ("bdi_sum", "BDI"), ("cesd_mean", "CES-D"), ("CESD10", "CES-D-10"),
        ("madrs", "MADRS"), ("MADRS-S", "MADRS-S"), ("hads_a", "HADS-A"), ("hadsdep", "HADS-D"),
        ("gad7", "GAD-7"), ("panas_pos", "PANAS"), ("pss_10", "PSS-10"), ("who5", "WHO-5"),
        ("dass21_stress", "DASS-21 stress"), ("isi", "ISI"), ("phq15", None), ("cesdr", None),
        ("abdication", None), ("mood", None), ("advisit", None),
    ],
)  # fmt: skip
def test_a_column_is_known_by_its_name(column, name):
    assert proposed(column) == name


@pytest.mark.parametrize(
    "name", ["PHQ-9", "BDI-II", "CES-D", "MADRS", "HADS-A", "GAD-7", "PANAS", "PSS-10", "ISI"]
)
def test_sums_and_item_means_are_told_apart(name):
    column = name.lower().replace("-", "_")
    one = QUESTIONNAIRES[name]
    total, mean = recognise(column, sums(name)), recognise(column, item_means(name))
    assert (total.kind, total.low, total.high) == ("sum", *one.range("sum"))
    assert (mean.kind, mean.low, mean.high) == ("item mean", one.low, one.high)
    assert total.bands == one.bands
    starts = [start for start, _ in one.bands]
    assert [start for start, _ in mean.bands] == pytest.approx(
        [start / one.n_items for start in starts], abs=1e-4
    )


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        ("cesd", [1.4, 2.45, 0.65, 1.9, 0.0], "item mean"),
        ("cesd", [14, 24.5, 30, 12, 7, 41, 9, 10], "sum"),  # one item was skipped
        ("phq9", [0, 1, 2, 3, 1, 0], "sum"),  # healthy people
        ("who5", [40, 76, 80, 12, 100], "multiple"),
        ("who5", [10, 19, 20, 3, 25, 27], "sum"),
        ("dass_d", [0, 2, 36, 14, 28], "multiple"),
        ("panas_na", [1, 2, 3, 4, 1], "item mean"),  # a sum is 10 at least
        ("bdi", [-1.2, 0.3, 2.1, -0.4, 0.8], "unknown"),  # standardised
        ("phq9", [12.5, 80, 100, 44, 63], "unknown"),  # percent
    ],
)
def test_what_the_values_are(column, values, kind):
    assert recognise(column, values).kind == kind


def test_what_is_no_score():
    assert recognise("gad", [0, 1, 1, 0]) is None  # a diagnosis
    assert recognise("phq9_3", [0, 1, 2, 3]) is None  # an item
    assert recognise("mood", [0, 1, 2, 3]) is None
    assert recognise("phq9", [np.nan]) is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1.4, 2.45, 0.65, 1.9, 0.5, 1.1, 0.3, 31], "an item mean of the CES-D cannot be (0 to 3)"),
        ([14, 24, 33, 10, 8, 61, 12, 9], "a score of the CES-D cannot be (0 to 60)"),
    ],
)
def test_a_value_beyond_the_scale_is_named(values, words):
    scores = pd.DataFrame({"id": IDS, "cesd": np.array(values, dtype=float)})
    found = check_study(Study.from_frame(diary(), covariates=scores, **ROLES)).findings
    (beyond,) = [one for one in found if "cannot be" in one.message]
    assert words in beyond.message
    assert beyond.fixes[0].kind == "set_missing"


def test_item_means_are_said_and_raise_no_alarm():
    scores = pd.DataFrame({"id": IDS, "cesd": [1.4, 2.45, 0.65, 1.9, 0.5, 1.1, 0.3, 2.0]})
    found = check_study(Study.from_frame(diary(), covariates=scores, **ROLES)).findings
    about = [one for one in found if one.column == "cesd"]
    assert [str(one) for one in about] == [
        "The covariate 'cesd' holds item means of the CES-D (0 to 3)."
    ]
