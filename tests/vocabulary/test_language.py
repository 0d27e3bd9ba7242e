"""The language of the words that people read: of the session, complete, and alike in its fields."""

import ast
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dashboard.components import look
from docs.untranslated import texts, untranslated
from nme_core.vocabulary import language
from nme_core.vocabulary.language import kept, speaking, tr, translations, written
from nme_core.vocabulary.text import count, listed

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = [path.stem for path in (ROOT / "nme_core/vocabulary/languages").glob("*.json")]
#: What is filled in to fit English grammar alone; a translation may do without.
ENGLISH_ENDINGS = {"s", "verb", "which"}


def fields(text: str) -> set[str]:
    """Names of what is filled into a text."""
    return set(re.findall(r"(?<![%{])\{(\w+)[^{}]*\}(?!\})", text))


def with_thousands(text: str) -> set[str]:
    """Names of the numbers in a text whose thousands are marked."""
    return set(re.findall(r"(?<![%{])\{(\w+):,[^{}]*\}(?!\})", text))


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_text_is_translated_and_no_translation_is_left_over(code: str) -> None:
    assert not untranslated(code)
    assert not set(translations(code)) - set(texts())


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_translation_is_filled_in_like_its_text(code: str) -> None:
    assert set(translations(code)) & set(texts())
    for text, said in translations(code).items():
        assert fields(said) <= fields(text), text
        assert fields(text) - fields(said) <= ENGLISH_ENDINGS, text
        assert with_thousands(text) <= with_thousands(said) | ENGLISH_ENDINGS, text
        assert said.startswith(" ") == text.startswith(" "), text
        assert re.findall(r"%\{[^}]*\}|%\{\{[^}]*\}\}|<[^>]*>", text) == re.findall(
            r"%\{[^}]*\}|%\{\{[^}]*\}\}|<[^>]*>", said
        ), text


def test_the_language_is_that_of_whoever_asks() -> None:
    assert tr("Person by person") == "Person by person"
    with speaking("de"):
        assert tr("Person by person") == "Person für Person"
        assert tr({"key": ("Overview", 3)}) == {"key": ("Überblick", 3)}
        assert tr("no such text") == "no such text"
        assert count(1, "person") + count(2, "person") == "1 Person2 Personen"
        assert listed(["a", "b", "c"]) == "a, b und c"
        later = kept(lambda: tr("Overview"))
        with ThreadPoolExecutor(1) as other:
            assert other.submit(tr, "Overview").result() == "Overview"
    assert later() == "Überblick"
    assert tr("Overview") == "Overview"


def test_a_session_says_its_language_and_a_block_may_overrule_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(language, "_sessions", [lambda: "de"])
    assert tr("Overview") == "Überblick"
    with speaking("en"):
        assert tr("Overview") == "Overview"


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("1,234.5", "1.234,5"),
        ("−0.30", "−0,30"),
        (".05", "0,05"),
        ("< .001", "< 0,001"),
        ("7", "7"),
    ],
)
def test_numbers_are_written_as_the_language_does(english: str, german: str) -> None:
    assert written(english) == english
    with speaking("de"):
        assert written(english) == german


def test_no_module_looks_words_up_while_it_is_imported() -> None:
    for path in [*ROOT.glob("nme_core/**/*.py"), *ROOT.glob("dashboard/**/*.py")]:
        if path.parent.name == "pages":
            continue  # a page is a script that runs anew in each session
        tree = ast.parse(path.read_text(encoding="utf-8"))
        within = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for part in node.body
            for inner in ast.walk(part)
        }
        early = [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and getattr(node.func, "id", "") == "tr"
            and id(node) not in within
        ]
        assert not early, f"{path}: {early}"


def test_numbers_that_a_text_is_filled_in_with_are_written_in_its_language():
    with speaking("de"):
        assert tr("x {a:.2f} {b:,} {c} {d}").format(a=0.5, b=1200, c="0.5", d=np.float64(-1.5)) == (
            "x 0,50 1.200 0.5 -1,5"
        )
    assert tr("{a:.2f}").format(a=0.5) == "0.50"


def test_the_uploader_speaks_the_language_of_the_session(monkeypatch):
    shown = []
    monkeypatch.setattr(look.st, "html", shown.append)
    with speaking("de"):
        look.apply()
    assert 'content: "Hochladen"' in shown[0]
