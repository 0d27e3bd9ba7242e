"""Texts that a language lacks, as JSON to fill in: ``python -m docs.untranslated de``.

Everything that the code passes through ``tr`` is a text: what stands in the call, and all that a
constant holds which is named in one.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from dashboard.words.pages import PAGE_GROUPS
from dashboard.words.terms import TERMS
from docs.templates import templates
from nme_core.figures.catalogue import KINDS
from nme_core.study.questionnaires import QUESTIONNAIRES
from nme_core.training.progress import Verdict
from nme_core.vocabulary.language import translations
from nme_core.vocabulary.settings import SETTINGS
from nme_core.vocabulary.terms import METRICS, MODELS
from nme_core.vocabulary.text import plural

#: Texts that are put together, or that a run has stored.
ALSO = (
    *Verdict, *(f"{unit}{s}" for unit in ("day", "hour", "minute", "second") for s in ("", "s")),
    "feature", "covariate", "outcome", "person", "time", "state", "sequence", "group", "week",
    "Rows", "Per person (median)", "at least one feature", "the person", "Numbers (CSV)",
    "Interactive (HTML)", "and", "or", "row {n}", "line {n}", "cell", "cells", "line", "lines",
    "comment lines", "id", "ids", "year", "month", "midnight", "spaces", "capitals", "marks",
    *(f"the {part}" for part in ("clock", "date", "day", "week", "weekday", "month", "offset")),
    "the time", "a number", "better", "worse", "conditional", "pooled", "transitions", "ordinal",
    "category", "date-time", "duration", "block-diagonal", "one-factor", "two-factor",
    "class", "train", "validation", "95% CI", "95% intervals.", "sums", "item means",
    "{multiple} times the sums", "neither sums nor item means of the {name}",
    *(kind.label for kind in KINDS.values()),
    *{label for one in QUESTIONNAIRES.values() for _, label in one.bands},
    "{what} of the {name} ({low} to {high})", "a score of the {name}", "an item mean of the {name}",
)  # fmt: skip
#: What stands in no message, or in English everywhere: the command line, programs, citations,
#: lists of words to recognise, and what passes through ``tr``.
NO_MESSAGES = (
    "nme_core/_", "nme_core/cli", "nme_core/figures", "nme_core/scoreboard", "nme_core/simulate",
    "nme_core/vocabulary/choices.py", "nme_core/vocabulary/language.py",
    "nme_core/vocabulary/messages.py", "nme_core/vocabulary/settings.py",
    "nme_core/vocabulary/shell.py", "nme_core/vocabulary/text.py", "nme_core/reports/script.py",
    "nme_core/reports/references.py", "nme_core/reports/bundle.py",
    "nme_core/study/questionnaires.py", "nme_core/study/clean/no_answer.py",
    "nme_core/study/roles/role_names.py", "nme_core/study/time/calendar_words.py",
)  # fmt: skip
#: Modules of which a single word with a capital is a text too, such as the head of a column.
HEADS = (
    "nme_core/reports/content.py", "nme_core/reports/correlations.py", "nme_core/reports/person.py",
    "nme_core/reports/tables.py", "nme_core/reports/trust.py", "nme_core/reports/words.py",
)  # fmt: skip
#: Modules with names of columns; of these only whole sentences and texts with places are messages.
COLUMN_NAMES = ("nme_core/study/formats/events.py", "nme_core/study/formats/exports.py")
ROOT = Path(__file__).resolve().parent.parent


@cache
def texts() -> dict[str, str]:
    """Every text that can be translated, and the module that it comes from."""
    found: dict[str, str] = {}
    for path in sorted(ROOT.glob("nme_core/**/*.py")) + sorted(ROOT.glob("dashboard/**/*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for words in _translated(path, module):
            found.setdefault(words, module)
    for words, module in _messages():
        found.setdefault(words, module)
    for one in SETTINGS.values():
        for words in (one.label, one.plain, one.blank, *_strings(one.choices or {})):
            found.setdefault(words, "nme_core.vocabulary.settings")
    for model in MODELS.values():
        for words in (model.short, model.text):
            found.setdefault(words, "nme_core.vocabulary.terms")
    for metric in METRICS.values():
        for words in (metric.short, metric.text, metric.what):
            found.setdefault(words, "nme_core.vocabulary.terms")
    for words in (*TERMS, *PAGE_GROUPS, *ALSO):
        found.setdefault(str(words), "docs.untranslated")
    found.pop("", None)
    return found


def untranslated(code: str) -> list[str]:
    """Texts without a translation in a language."""
    known = translations(code)
    return [text for text in texts() if text not in known]


def _messages() -> Iterator[tuple[str, str]]:
    """Texts that errors, warnings, notes, answers and reports are made from, and their modules."""
    paths = [*ROOT.glob("nme_core/**/*.py"), *ROOT.glob("dashboard/services/*.py")]
    for path in sorted(paths):
        module = path.relative_to(ROOT).as_posix()
        if module.startswith(NO_MESSAGES):
            continue
        for words in templates(path, heads=module in HEADS):
            if module not in COLUMN_NAMES or "{" in words or words.endswith("."):
                yield words, module


def _translated(path: Path, module: str) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    homes = {
        name.asname or name.name: (str(node.module), name.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    own = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        called = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if called == "count" and isinstance(node.args[-1], ast.Constant):
            yield from (str(node.args[-1].value), plural(str(node.args[-1].value)))
        elif called == "tr":
            parts = {
                id(part)
                for inner in ast.walk(node.args[0])
                if isinstance(inner, ast.Compare | ast.JoinedStr)
                for part in ast.walk(inner)
            }
            for inner in ast.walk(node.args[0]):
                if id(inner) in parts:
                    continue
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    yield inner.value
                elif isinstance(inner, ast.Name) and inner.id in own:
                    yield from _strings(getattr(import_module(module), inner.id))
                elif isinstance(inner, ast.Name) and inner.id in homes:
                    home, name = homes[inner.id]
                    yield from _strings(getattr(import_module(home), name, None))


def _strings(words: object) -> Iterator[str]:
    if isinstance(words, str):
        yield words
    elif isinstance(words, dict):
        for one in words.values():
            yield from _strings(one)
    elif isinstance(words, list | tuple):
        for one in words:
            yield from _strings(one)


if __name__ == "__main__":
    lacking = dict.fromkeys(untranslated(sys.argv[1]), "")
    sys.stdout.write(json.dumps(lacking, ensure_ascii=False, indent=1) + "\n")
