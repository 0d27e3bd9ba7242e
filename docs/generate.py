"""Write glossary.md, api.md and arrows.svg beside this file: ``python -m docs.generate``.

The glossary comes from the words of the app, the list of names from the code, the drawing from the
tables that tests/test_architecture.py holds; a test holds that all are current.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from dashboard.words.terms import TERMS
from docs.arrows import drawing
from nme_core.figures.words_moves import READOUTS
from nme_core.vocabulary import choices
from nme_core.vocabulary.choices import MODELS, PLACEMENTS
from nme_core.vocabulary.terms import METRICS

FOLDER = Path(__file__).resolve().parent
MODULES = (
    "nme_core", "nme_core.study", "nme_core.estimators", "nme_core.runs.fit", "nme_core.analysis",
    "nme_core.independence", "nme_core.metrics", "nme_core.reports", "nme_core.io",
)  # fmt: skip
_WRITTEN = "Written by `python -m docs.generate`; do not edit."


def glossary_page() -> str:
    """What the words of the app mean."""
    parts = [
        "# Glossary", _WRITTEN,
        _section("Terms", sorted(TERMS.items(), key=lambda item: item[0].lower())),
        _section("Read-outs of transitions", READOUTS.values()),
        _section("Metrics", ((one.short, one.what) for one in METRICS.values())),
        _section("Models", MODELS.values()),
        _section("Where people differ (placement)", PLACEMENTS.items()),
        _section("Estimators", choices.ESTIMATORS.items()),
        _section("Covariance of the random effects", choices.COVARIANCES.items()),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def api_page() -> str:
    """Public names of `nme_core` with their signatures, and what each is for."""
    parts = ["# Names in nme_core", f"{_WRITTEN} `help(name)` says more."]
    seen: set[object] = set()
    for module in MODULES:
        found = import_module(module)
        lines = []
        for name in sorted(found.__all__, key=str.lower):
            one = getattr(found, name)
            if callable(one) and one not in seen:
                seen.add(one)
                lines += _entry(name, one)
        parts += [f"## {module}", *([f"{_line(found)}"] if found.__doc__ else []), "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _section(title: str, entries: Iterable[tuple[str, str]]) -> str:
    rows = [f"| {word} | {meaning} |" for word, meaning in entries]
    return "\n".join([f"## {title}", "", "| word | meaning |", "|---|---|", *rows])


def _entry(name: str, one: object) -> list[str]:
    lines = [f"- `{name}{_signature(one)}` – {_line(one)}"]
    if not inspect.isclass(one) or issubclass(one, tuple):
        return lines
    for method, member in inspect.getmembers(one):
        own = inspect.isfunction(member) or inspect.ismethod(member)
        ours = own and member.__module__.startswith("nme_core")
        if ours and not method.startswith("_") and member.__doc__:
            lines.append(f"    - `.{method}{_signature(member)}` – {_line(member)}")
    return lines


def _signature(one: object) -> str:
    """The signature without types, which `help` shows."""
    try:
        signature = inspect.signature(one)  # type: ignore[arg-type]
    except ValueError:
        return "(…)"
    kept = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in signature.parameters.items()
        if name not in ("self", "cls")
    ]
    text = str(signature.replace(parameters=kept, return_annotation=inspect.Signature.empty))
    return re.sub(r"<[^<>]* at 0x[0-9a-f]+>|<factory>", "…", text)


def _line(one: object) -> str:
    """First paragraph of what explains it."""
    first = inspect.cleandoc(str(getattr(one, "__doc__", "") or "")).split("\n\n")[0]
    return " ".join(first.split())


#: What is generated, and what makes it.
MADE = {"glossary.md": glossary_page, "api.md": api_page, "arrows.svg": drawing}

if __name__ == "__main__":
    for name, make in MADE.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")
