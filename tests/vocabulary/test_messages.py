"""Messages that the library makes in English, said in another language with what they say."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor, load
from nme_core.exceptions import MissingColumnError, NMEError
from nme_core.independence import adjust_p, hsic_test
from nme_core.io import RunFolder
from nme_core.metrics.classification import classification_metrics
from nme_core.runs.research.claims import Claim
from nme_core.study import Remedy, Study, apply_remedies
from nme_core.study.reading import read_table
from nme_core.vocabulary.language import speaking
from nme_core.vocabulary.messages import said
from tests.dashboard.words import outside, speaking_brackets

GERMAN = re.compile(r"\b(die|der|das|Sie|ist|hat|haben|nicht|kein|keine|wird|von)\b", re.IGNORECASE)
ENGLISH = re.compile(r"\b(the|has|have|was|were|is|are|of|not|no|which|people|rows?)\b")
TABLE = pd.DataFrame(
    {"id": list("aabb"), "day": [1, 2, 1, 2], "sleep": [7.0, 6.0, 8.0, 5.0], "mood": [1, 2, 3, 4]}
)
ROLES = {"person": "id", "time": "day", "outcome": "mood"}
X, Y, GROUPS = TABLE[["sleep"]].to_numpy(), TABLE["mood"].to_numpy(), TABLE["id"].to_numpy()


def study(**changes: object) -> Study:
    return Study.from_frame(TABLE.assign(**changes), **ROLES)


def written_file(folder: Path, text: str) -> Path:
    path = folder / "diary.csv"
    path.write_text(text, encoding="utf-8")
    return path


#: What goes wrong, and what of it the message says.
WRONG: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "column": (lambda _: Study.from_frame(TABLE, **{**ROLES, "person": "pid"}), ("'pid'", "'id'")),
    "infinite": (lambda _: study(mood=[1, 2, np.inf, 4]), ("'mood'",)),
    "one person": (lambda _: study(id="a"), ("'id'", "'a'")),
    "time": (lambda _: study(day=["1", "2", "soon", "4"]), ("'soon'", "'day'")),
    "no outcome": (lambda _: study(mood=np.nan), ("'mood'",)),
    "two roles": (
        lambda _: Study.from_frame(TABLE, person="id", time="day", outcome="id"), ("'id'",),
    ),
    "remedy": (
        lambda _: apply_remedies(TABLE, [Remedy("mend", ("id",))]), ("'mend'", "indicators"),
    ),
    "values": (
        lambda _: apply_remedies(TABLE.astype(str), [Remedy("keep_one", ("day", "id"), to="c")]),
        ("'id'", "'c'"),
    ),
    "no file": (lambda path: read_table(path / "none.csv"), ("none.csv",)),
    "empty": (lambda path: read_table(written_file(path, "")), ("diary.csv",)),
    "header": (lambda path: read_table(written_file(path, "id,mood\n")), ("diary.csv",)),
    "cells": (
        lambda path: read_table(written_file(path, "id,mood\na,1\nb,2,3,4\n")),
        ("diary.csv", "3", "4", "2"),
    ),
    "model": (lambda path: load(path / "no-model.pt"), ("no-model.pt",)),
    "not fitted": (lambda _: NMEMLPRegressor().predict(X, groups=GROUPS), ("NMEMLPRegressor",)),
    "shape": (lambda _: NMEMLPRegressor().fit(X[:3], Y, groups=GROUPS), ("3", "(4,)")),
    "placement": (
        lambda _: NMEMLPRegressor(placement="middle").fit(X, Y, groups=GROUPS),
        ("'middle'", "NMEMLPRegressor", "last", "all"),
    ),
    "constant": (lambda _: NMEMLPRegressor().fit(X, Y * 0, groups=GROUPS), ()),
    "one class": (lambda _: NMEMLPClassifier().fit(X, ["calm"] * 4, groups=GROUPS), ()),
    "covariance": (
        lambda _: NMECRF(covariance="blocks").fit(X, list("xyxy"), groups=GROUPS),
        ("blocks", "diagonal", "full", "factor2", "factor"),
    ),
    "correction": (lambda _: adjust_p([0.1], "mine"), ("'mine'",)),
    "few people": (lambda _: hsic_test(X, Y), ("4",)),
    "labels": (
        lambda _: classification_metrics(["a", "b"], ["a"], np.zeros(2, dtype=np.intp), 1),
        ("(2,)", "(1,)"),
    ),
    "run": (lambda path: RunFolder(path / "run").data, ("data.json",)),
    "claim": (lambda _: Claim.of({"about": "person"}), ()),
}  # fmt: skip


def message(wrong: Callable[[Path], object], folder: Path) -> str:
    with pytest.raises(NMEError) as raised:
        wrong(folder)
    return str(raised.value)


@pytest.mark.parametrize("name", WRONG)
def test_an_error_is_said_in_german_with_its_names_and_numbers(name: str, tmp_path: Path) -> None:
    wrong, names = WRONG[name]
    english = message(wrong, tmp_path)
    assert said(english) == english
    with speaking("de"):
        german = said(english)
    assert GERMAN.search(german), german
    assert not ENGLISH.search(re.sub(r"'[^']*'|\S*[./_]\S+", "", german)), german
    for one in names:
        assert one in english
        assert one in german


@pytest.fixture
def brackets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A language in which every text stands in brackets."""
    with speaking_brackets(monkeypatch):
        yield


@pytest.mark.usefixtures("brackets")
@pytest.mark.parametrize("name", WRONG)
def test_every_word_of_an_error_can_be_translated(name: str, tmp_path: Path) -> None:
    wrong, names = WRONG[name]
    left = outside(said(message(wrong, tmp_path)))
    for one in sorted(names, key=len, reverse=True):
        left = left.replace(one, " ")
    left = re.sub(r"'[^']*'|\"[^\"]*\"|/\S*|\w+_\w+", " ", left)
    assert not re.search(r"[^\W\d_]{5,}", left), left


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "The table has no column 'x'. Its columns are 'a', 'b' and 'c'.",
            "Die Tabelle hat keine Spalte 'x'. Die Spalten sind 'a', 'b' und 'c'.",
        ),
        ("1,234 of 5,000 covariates", "1.234 von 5.000 Kovariaten"),
        ("−1.5 × 10⁻⁸", "−1,5 × 10⁻⁸"),
        (
            "No words of ours. Leave it out. No words of ours.",
            "No words of ours. Lassen Sie die Spalte weg. No words of ours.",
        ),
        (
            "Remedy: 'a' written alike: 'x' became 'y'; 'z' became 'y'; 2 cells changed.",
            "Änderung: 'a' gleich geschrieben: 'x' wurde zu 'y'; 'z' wurde zu 'y'; 2 Zellen "
            "geändert.",
        ),
        (
            "Candidate 'tanh': EM had not converged after 9 rounds; remove random effects that the "
            "data cannot tell apart.",
            "Kandidat 'tanh': EM war nach 9 Runden nicht konvergiert; entfernen Sie zufällige "
            "Effekte, die die Daten nicht unterscheiden können.",
        ),
        ("Covariance of calm and tense.", "Covariance of calm and tense."),
        ("calm, tense and people", "calm, tense und Personen"),
    ],
)
def test_a_message_is_said_as_a_whole_by_sentence_or_by_what_stands_in_a_row(
    english: str, german: str
) -> None:
    with speaking("de"):
        assert said(english) == german
        assert said(german) == german


def test_what_somebody_wrote_is_not_translated() -> None:
    error = MissingColumnError("people", ["time", "rows and days", "mood. Leave it out."])
    with speaking("de"):
        german = said(str(error))
    assert all(repr(name) in german for name in (error.column, *error.available))
