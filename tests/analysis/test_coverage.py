"""What simulations say of a study's intervals: a kind inside, outside, and one never simulated."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nme_core import NMEMLPClassifier, NMEMLPRegressor
from nme_core.analysis import approximations, new_people_approximations
from nme_core.analysis import coverage as module
from nme_core.analysis.coverage import (
    HIGHEST,
    LOWEST,
    READOUTS,
    Coverage,
    StudyKind,
    around,
    coverage_of,
    simulated,
)


def cell(covered: float, error: float = 0.005, **other: object) -> dict[str, object]:
    return {
        "family": "binary", "rows": 5, "people": 40, "effects": "strong", "covariance": "diagonal",
        "residual": "iid", "estimator": "ml", "features": 1, "quantity": "random_effects",
        "covered": covered, "error": error, "width": 1.0, "bias": 0.0, "studies": 40, "failed": 0,
        **other,
    }  # fmt: skip


TABLE = pd.DataFrame(
    [
        cell(0.83),
        cell(0.86, effects="weak"),
        cell(0.95, rows=15),
        cell(0.94, rows=15, effects="weak"),
        cell(0.93, error=0.05, rows=50),
        cell(0.9, rows=15, residual="ar1"),
        cell(0.95, family="gaussian", residual="iid-times"),
        cell(0.915, family="gaussian", residual="ar1-times"),
    ]
)
KIND = StudyKind("binary", rows=15, people=40)


def test_a_kind_whose_intervals_are_right():
    found = coverage_of(KIND, "random_effects", TABLE)
    assert found == Coverage("within", 0.94, 0.95, 40)
    assert found.share == "94 to 95 %"


def test_a_kind_whose_intervals_are_not():
    found = coverage_of(replace(KIND, rows=5), "random_effects", TABLE)
    assert found == Coverage("outside", 0.83, 0.86, 40)


def test_a_study_between_simulated_ones_takes_both():
    found = coverage_of(replace(KIND, rows=9), "random_effects", TABLE)
    assert found == Coverage("outside", 0.83, 0.95, 40)


def test_a_share_outside_by_less_than_its_error_is_not_outside():
    kind = StudyKind("gaussian", rows=5, people=40, times=True)
    assert coverage_of(kind, "random_effects", TABLE).status == "within"
    sure = TABLE.assign(error=0.001)
    assert coverage_of(kind, "random_effects", sure).status == "outside"


@pytest.mark.parametrize(
    "other",
    [
        {"family": "poisson"},
        {"rows": 50},  # too few studies
        {"rows": 200},
        {"people": 400},
        {"effects": 7.0},
        {"covariance": "full"},
        {"estimator": "reml"},
        {"other": "a network with hidden layers"},
    ],
)
def test_kinds_that_were_not_simulated(other):
    kind = replace(KIND, **other)
    assert coverage_of(kind, "random_effects", TABLE).status == "not examined"


def test_a_model_that_knows_the_times_needs_both_kinds_of_residuals():
    kind = StudyKind("gaussian", rows=5, people=40, times=True)
    one = TABLE[TABLE["residual"] != "ar1-times"]
    assert coverage_of(kind, "random_effects", one).status == "not examined"


def test_numbers_around():
    assert around(20, [5, 15, 50]) == [15, 50]
    assert around(15, [5, 15, 50]) == [15]
    assert around(60, [5, 15, 50]) == [50]
    assert around(200, [5, 15, 50]) == around(2, [5, 15, 50]) == around(5, []) == []


@pytest.fixture(scope="module")
def binary():
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(40), 5)
    x = rng.normal(size=(200, 1))
    score = 2 * rng.normal(size=40)[person] + (1 + 2 * rng.normal(size=40)[person]) * x[:, 0]
    y = np.where(rng.random(200) < 1 / (1 + np.exp(-score)), "yes", "no")
    return NMEMLPClassifier(()).fit(x, y, groups=person)


def test_the_kind_is_read_off_a_model(binary):
    kind = StudyKind.of(binary)
    assert kind == StudyKind("binary", 5.0, 40)
    assert kind.words == "two classes, 40 people with 5 rows each"


def test_what_is_told_of_a_model(binary, monkeypatch):
    fixed = [cell(0.95, quantity="fixed_effects", residual=r) for r in ("iid", "ar1")]
    table = pd.concat([TABLE, pd.DataFrame(fixed)], ignore_index=True)
    monkeypatch.setattr(module, "simulated", lambda: table)
    told = approximations(binary)
    assert [(note["table"], note["status"]) for note in told] == [
        ("random_effects", "outside"),
        ("random_effects", "not examined"),  # residuals that go together
        ("person_effects", "outside"),  # of a linear model the same
        ("person_effects", "not examined"),
        ("summary", "not examined"),  # variances
        ("summary", "not examined"),
    ]
    assert "40 people with 5 rows each" in told[0]["reason"]
    assert "contained the true value in 83 to 86 %" in told[0]["reason"]
    assert told[0]["covered"] == [0.83, 0.86]


def test_what_is_told_of_new_people(binary, monkeypatch):
    new = [cell(0.95, quantity="new_people"), cell(0.81, quantity="new_curves")]
    table = pd.concat([TABLE, pd.DataFrame(new)], ignore_index=True)
    monkeypatch.setattr(module, "simulated", lambda: table)
    (told,) = new_people_approximations(binary)
    assert (told["table"], told["status"]) == ("response_curves", "outside")
    assert "intervals of new people contained the true value in 81 %" in told["reason"]
    monkeypatch.setattr(module, "simulated", lambda: TABLE)
    told = new_people_approximations(binary)
    assert {note["status"] for note in told} == {"not examined"}
    assert "two classes, 40 people with 5 rows each" in told[0]["reason"]


def test_new_people_of_a_network_are_not_taken_for_examined(features):
    X, person = features
    model = NMEMLPRegressor(hidden=(4,), epochs=3).fit(X, X["wide"], groups=person)
    told = {note["table"]: note for note in new_people_approximations(model)}
    assert [*told] == ["random_effects", "response_curves"]
    assert all("a network's intervals do not count" in note["reason"] for note in told.values())


def test_a_network_was_not_examined(features):
    X, person = features
    model = NMEMLPRegressor(hidden=(4,), epochs=3).fit(X, X["wide"], groups=person)
    told = {note["table"]: note for note in approximations(model)}
    assert told["fixed_effects"]["status"] == "missing"
    for table in ("random_effects", "person_effects", "response_curves"):
        assert told[table]["status"] == "not examined"
        assert "not examined for a network with hidden layers" in told[table]["reason"]


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
def test_a_mixture_is_not_taken_for_what_was_examined(features):
    X, person = features
    noise = np.random.default_rng(0).normal(size=len(X))
    model = NMEMLPRegressor(epochs=3).fit(X, X["wide"] + noise, groups=person)
    told = {note["table"]: note for note in approximations(model)}
    assert "one network of a mixture" in told["random_effects"]["reason"]
    assert "a mixture of networks" in told["response_curves"]["reason"]
    assert {note["status"] for note in told.values()} <= {"not examined", "missing"}


def test_a_classifier_of_many_classes_was_not_examined(binary):
    kind = replace(StudyKind.of(binary), family="classes", other="more than 4 classes")
    assert coverage_of(kind, "fixed_effects").status == "not examined"


def test_the_table_is_whole():
    table = simulated()
    names = ["family", "rows", "people", "effects", "covariance", "residual", "estimator",
             "features", "quantity"]  # fmt: skip
    assert not table.duplicated(names).any()
    assert table["covered"].between(0, 1).all()
    assert (table["studies"] > 0).all()
    assert LOWEST < 0.95 < HIGHEST
    chains = table[table["family"] == "crf"]["quantity"]
    assert {*chains} <= {"fixed_effects", "random_effects", *READOUTS} | {
        *(f"population_{one}" for one in READOUTS), "new_people", "new_conditional",
    }  # fmt: skip
