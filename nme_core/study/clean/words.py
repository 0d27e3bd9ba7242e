"""Columns of words as features: yes and no, places, activities, several answers in one cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.exceptions import DataError
from nme_core.study.check.report import Finding
from nme_core.study.clean.cell_changes import SEVERAL
from nme_core.study.clean.no_answer import means_no_answer
from nme_core.study.clean.personal import holds_dates
from nme_core.study.clean.remedies import Remedy
from nme_core.study.columns import as_labels, cells_of, is_number, is_text, place
from nme_core.study.formats.numerals import (
    Numerals,
    find_numerals,
    has_number,
    is_limit,
    is_slip,
)

#: With so many steps or more a scale is likely.
_STEPS_OF_SCALE = 4
_YES = re.compile(
    "yes|y|ja|j|oui|o|si|sí|sì|s|sim|tak|t|jo|да|true|wahr|vrai|vero|verdadero|verdadeiro|waar|sant"
    "|prawda|on|present"
)
_NO = re.compile(
    "no|n|nein|non|não|nao|nee|nie|nej|нет|false|falsch|faux|falso|onwaar|falskt|fałsz|off|absent"
)

#: Words among numbers are taken as codes for "missing" where at most this share of the cells and
#: so many different words are no numbers.
WORDS_SHARE, MOST_CODES = 0.5, 10

#: Cells beside plain numbers are slips of the pen where at most this share of all are.
_SLIPS = 0.2

#: What the lowest step of a scale is called, and the most numbers between both ends.
_LEAST = re.compile(
    "(not|nothing|none) ?(at all)?|never|no .*|(very )?(low|little|rarely|bad)|minimum|least|lowest"
    "|strongly disagree|(gar|überhaupt) ?nicht|nie(mals)?|kein(e|er)?|sehr (niedrig|wenig|schlecht)"
    "|(pas|rien) du tout|aucune?|jamais|très (faible|mal|peu)|nada|ningun[oa]?|nunca|muy (mal|poco)"
    "|helemaal niet|nooit|geen|heel weinig"
)
_LONGEST_SCALE = 100

#: A column with more different words than this is no feature; each stands in so many cells.
MOST_WORDS, _FEWEST_CELLS = 12, 2
#: What is written into the empty cells of boxes that were ticked; it stands before other words.
_NOT = "(no)"
_SEVERAL = re.compile(r"\s*[;|,/+]\s*")


def two_words(column: pd.Series) -> tuple[str, str] | None:
    """The two words of a column, the one that is 1 last: yes; else they stand in their order.

    None where there are not exactly two, whatever their capitals, or one is a number or no answer.
    """
    if not is_text(column):
        return None
    words = _words(column)
    if words is None or len(words) != 2:
        return None
    first, second = sorted(words, key=str.casefold)
    if _YES.fullmatch(first.casefold()) and _NO.fullmatch(second.casefold()):
        return second, first
    return first, second


def yes_no_remedies(table: pd.DataFrame, features: Iterable[str]) -> tuple[Remedy, ...]:
    """What makes 0 and 1 of features that hold two words."""
    named = [name for name in features if name in table.columns]
    found = {name: two_words(table[name]) for name in named}
    return tuple(Remedy("indicators", (name,), words) for name, words in found.items() if words)


def word_columns(column: pd.Series, *, labelled: bool = False) -> Remedy | None:
    """The remedy that makes columns of 0 and 1 of a few words that repeat; None for other text.

    The commonest word is the one that the others are compared with. With `labelled`, words may have
    a number in front: 1 = home.
    """
    name = str(column.name)
    words = _words(column, labelled=labelled)
    cells = as_labels(column).dropna()
    parts = _words(cells.str.split(_SEVERAL).explode())
    if parts is not None and len(parts) < cells.nunique():  # other cells hold several of them
        return Remedy("indicators", (name,), tuple(parts), SEVERAL)
    return None if words is None else Remedy("indicators", (name,), tuple(words))


def _words(column: pd.Series, *, labelled: bool = False) -> list[str] | None:
    """The different words of a column, the commonest first; None where they do not repeat."""
    labels = as_labels(column).dropna()
    counts = labels.str.casefold().value_counts()
    if not 2 <= len(counts) <= MOST_WORDS or counts.min() < min(_FEWEST_CELLS, len(labels) // 8):
        return None
    written = labels.groupby(labels.str.casefold()).agg(lambda cells: cells.value_counts().index[0])
    words = [str(written[word]) for word in counts.index]
    if any((has_number(word) and not labelled) or means_no_answer(word) for word in words):
        return None
    return words


def find_words(column: pd.Series, kind: str) -> Iterator[Finding]:
    """Find words in a column that otherwise holds numbers, and text where numbers are needed.

    Parameters
    ----------
    column : Series
        A column that is to be numbers.
    kind : str
        ``"feature"`` or ``"outcome"``; words as outcome are states.
    """
    if is_number(column) or isinstance(column.dtype, pd.CategoricalDtype):
        return
    cells = as_labels(column).dropna()
    distinct = cells.drop_duplicates()
    worded = pd.to_numeric(distinct, errors="coerce").isna()
    words = distinct[worded & ~distinct.map(has_number)]
    if len(words) == 0:
        words = _slips(cells, distinct[worded])
    in_cells = cells[cells.isin(words)]
    if is_datetime64_any_dtype(column.dtype) or len(in_cells) > WORDS_SHARE * len(cells):
        yield from _text(column, cells, distinct) if kind == "feature" else ()
    elif len(words):
        yield _among_numbers(column, kind, words, in_cells)
    elif len(distinct):
        shown = distinct[worded] if worded.any() else distinct  # "inf" is read as a number here
        yield from _beside_numbers(column, kind, shown, find_numerals(distinct))


def is_scale(column: pd.Series) -> bool:
    """Whether all cells of a column of text are numbers with a label, such as 3 (often)."""
    if is_number(column) or is_datetime64_any_dtype(column.dtype) or column.dropna().empty:
        return False
    found = find_numerals(as_labels(column).dropna().drop_duplicates())
    return found is not None and bool(found.labels) and not found.limits


def find_scale(outcome: pd.Series) -> Finding | None:
    """Say that the words of an outcome have numbers, which may be those of a scale."""
    if not is_scale(outcome) or outcome.nunique() < _STEPS_OF_SCALE:
        return None
    name = str(outcome.name)
    return Finding(
        "look",
        f"Do the words of {name!r}, such as {str(outcome.dropna().iloc[0])!r}, stand on a scale? "
        "They are taken as states without an order.",
        name,
        "If so, read their numbers.",
        (Remedy("read_numbers", (name,)),),
    )


def covariate_words(column: pd.Series) -> Iterator[Finding]:
    """Find words in a covariate that otherwise holds numbers; they may all be labels."""
    for found in find_words(column, "covariate"):
        labels = Remedy("as_labels", (str(column.name),))
        hint = f"{found.remedy} Or take all of them as labels."
        yield replace(found, remedy=hint, fixes=(*found.fixes, labels))


@contextmanager
def naming_fixes(findings: Callable[[], Iterable[Finding]]) -> Iterator[None]:
    """Give an error of a column the fixes that are found for it."""
    try:
        yield
    except DataError as error:
        error.fixes = error.fixes or next((one.fixes for one in findings()), ())
        raise


def _among_numbers(column: pd.Series, kind: str, words: pd.Series, in_cells: pd.Series) -> Finding:
    name, codes = str(column.name), tuple(sorted(words))
    if (ends := _ends(column, words, in_cells)) is not None:
        (low, least), (high, most) = ends
        return Finding(
            "stop",
            f"The {kind} {name!r} holds numbers, but also {_listed((low, high))} (in "
            f"{cells_of(len(in_cells))}; the first is {_first(column, in_cells)}), which seem to"
            " be the ends of the scale.",
            name,
            f"If so, write {low!r} as {least} and {high!r} as {most}: take both remedies, or the "
            "numbers that they had in the questionnaire.",
            (
                Remedy("merge_states", (name,), (low,), str(least)),
                Remedy("merge_states", (name,), (high,), str(most)),
            ),
        )
    return Finding(
        "stop",
        f"The {kind} {name!r} holds numbers, but also {_listed(codes)} (in"
        f" {cells_of(len(in_cells))}; the first is {_first(column, in_cells)}).",
        name,
        "Treat these cells as missing, or correct them in the file.",
        (Remedy("set_missing", (name,), codes),) if len(codes) <= MOST_CODES else (),
    )


def _ends(
    column: pd.Series, words: pd.Series, in_cells: pd.Series
) -> tuple[tuple[str, int], tuple[str, int]] | None:
    """The words at the low and the high end of a scale of whole numbers, and what they are there.

    None where they are no two words, or one means no answer, or neither says that it is the least.
    """
    low = next((word for word in words if _LEAST.fullmatch(word.strip().casefold())), None)
    if low is None or len(words) != 2 or any(map(means_no_answer, words)):
        return None
    rest = as_labels(column).dropna().drop(in_cells.index)
    steps = pd.to_numeric(rest.drop_duplicates(), errors="coerce")
    if steps.isna().any() or (steps % 1 != 0).any() or not 2 <= len(steps) <= _LONGEST_SCALE:
        return None
    high = next(word for word in words if word != low)
    return (low, int(steps.min()) - 1), (high, int(steps.max()) + 1)


def _beside_numbers(
    column: pd.Series, kind: str, worded: pd.Series, found: Numerals | None
) -> Iterator[Finding]:
    """All cells are numbers, but it is not certain what the words beside them make of them."""
    name = str(column.name)
    if kind == "outcome" and (found is None or not found.limits):
        return
    examples = f"{_listed(tuple(worded))}; the first is {_first(column, worded)}"
    read = Remedy("read_numbers", (name,))
    if found is None:
        labelled = find_numerals(as_labels(column).dropna().drop_duplicates(), alike=False)
        yield Finding(
            "stop",
            f"The {kind} {name!r} holds numbers in several units, or with several labels at one "
            f"number ({examples}).",
            name,
            "Read the numbers, whatever their labels are, or leave the column out."
            if labelled is not None
            else "Write all cells in one way, or leave the column out.",
            (*(() if labelled is None else (read,)), Remedy("exclude_columns", (name,))),
        )
        return
    if found.limits:
        limits = tuple(cell for cell in worded if is_limit(cell))
        yield Finding(
            "stop",
            f"The {kind} {name!r} holds limits instead of numbers ({examples}).",
            name,
            "Take the limits as values, which makes small values too large and large ones too "
            "small, or treat them as missing.",
            (read, Remedy("set_missing", (name,), limits)),
        )
        return
    kinds = word_columns(column, labelled=True)
    yield Finding(
        "stop",
        f"The {kind} {name!r} holds numbers that all have a label ({examples}).",
        name,
        "Are they steps of a scale? Read the numbers. Are they kinds? Make a column of each.",
        (read, *(() if kinds is None else (kinds,))),
    )


def _text(column: pd.Series, cells: pd.Series, distinct: pd.Series) -> Iterator[Finding]:
    name = str(column.name)
    no_answer = tuple(cell for cell in distinct if means_no_answer(cell))
    if no_answer and len(no_answer) < len(distinct) <= MOST_WORDS:
        rows = cells[cells.isin(no_answer)]
        yield Finding(
            "stop",
            f"The feature {name!r} holds words, among them {_listed(no_answer)} (in "
            f"{cells_of(len(rows))}), which means no answer.",
            name,
            "Treat these cells as missing first.",
            (Remedy("set_missing", (name,), no_answer),),
        )
        return
    kinds = None if holds_dates(column) else word_columns(column)
    if len(distinct) == 1 and len(cells) < len(column) and not holds_dates(column):
        (word,) = distinct
        yield Finding(
            "stop",
            f"The feature {name!r} holds one word, {str(word)[:40]!r}, or nothing.",
            name,
            f"Where an empty cell means no, write it; then {name!r} is 1 where it says "
            f"{str(word)[:40]!r}, and 0 elsewhere. Else leave the column out.",
            (Remedy("fill_missing", (name,), to=_NOT), Remedy("exclude_columns", (name,))),
        )
        return
    first = f"{place(cells.index, 0)} holds {cells.iloc[0][:40]!r}" if len(cells) else "it is empty"
    yield Finding(
        "stop",
        f"The feature {name!r} is not numeric: {first}.",
        name,
        "Leave the column out, or write numbers."
        if kinds is None
        else "Make a column of 0 and 1 of each word, or leave the column out.",
        (*(() if kinds is None else (kinds,)), Remedy("exclude_columns", (name,))),
    )


def _slips(cells: pd.Series, worded: pd.Series) -> pd.Series:
    """A few cells beside plain numbers that are numbers written wrongly: 1O, 12.5.1."""
    slips = worded[worded.map(is_slip)]
    few = len(slips) == len(worded) and cells.isin(worded).mean() <= _SLIPS
    return slips if few and find_numerals(worded) is None else slips[:0]


def _first(column: pd.Series, cells: pd.Series) -> str:
    return place(column.index, int(np.flatnonzero(column.index.isin(cells.index))[0]))


def _listed(words: tuple[str, ...]) -> str:
    more = f" and {len(words) - 5} more" if len(words) > 5 else ""
    return ", ".join(repr(word[:40]) for word in words[:5]) + more
