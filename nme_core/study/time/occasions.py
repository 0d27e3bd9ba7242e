"""Occasions in words: Day 3, t2, Baseline and Week 4, Woche 2 Montag, Day 1 Beep 3, 8:30 PM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from nme_core.study.time.calendar_words import (
    MONTHS,
    UNIT_WORDS,
    is_weekday,
    plain,
    weekday_numbers,
)
from nme_core.study.time.dates import LONGEST, clock_time

#: Days of each unit of time.
DAYS_OF = {
    "s": 1 / 86_400, "min": 1 / 1440, "h": 1 / 24, "d": 1.0, "w": 7.0, "mo": 30.4375, "y": 365.25,
}  # fmt: skip
_UNIT_NAMES = {
    "s": "seconds", "min": "minutes", "h": "hours", "d": "days", "w": "weeks", "mo": "months",
    "y": "years",
}  # fmt: skip

_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?:[:h](?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,6}))?)?)?"
    r"(?:\s*(?P<half>[ap])\.?\s?m\.?)?(?:\s*(?:uhr|h))?",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"(?P<word>[a-z]+)|(?P<number>(?:(?<=\s)-)?\d+(?:[.,]\d+)?)")
_ORDINAL = {"st", "nd", "rd", "th", "er", "e", "te", "ste", "ten"}
_MOST_WORDS = 3
_FILLER = {"study", "studien", "nr", "no", "number", "num", "of", "the", "am"}
#: Numbers in words, of cells without a digit; the first is 1.
_COUNTED = {
    word: number
    for number, words in enumerate(
        (
            "first erste erster erstes premier premiere primer primera primero eerste",
            "second zweite zweiter zweites deuxieme segundo segunda tweede",
            "third dritte dritter drittes troisieme tercer tercera tercero derde",
            "fourth vierte vierter viertes quatrieme cuarto cuarta vierde",
            "fifth funfte funfter funftes cinquieme quinto quinta vijfde",
            "sixth sechste sechster sechstes sixieme sexto sexta zesde",
            "seventh siebte siebter siebtes septieme septimo septima zevende",
            "eighth achte achter achtes huitieme octavo octava achtste",
            "ninth neunte neunter neuntes neuvieme noveno novena negende",
            "tenth zehnte zehnter zehntes dixieme decimo decima tiende",
        ),
        1,
    )
    for word in words.split()
}
#: Occasions that stand before all others, and what they are as a number.
_BASELINE = {"baseline", "bl", "base", "basislinie", "intake", "eingang", "aufnahme"}
#: Occasions that stand before the baseline, where there is one.
_SCREENING = {"screening", "scr", "prescreening", "vorscreening"}
#: Occasions that have an order but no distances.
_ORDERED = {
    "pre": 0, "pra": 0, "vorher": 0, "before": 0, "mid": 1, "during": 1, "post": 2, "nachher": 2,
    "after": 2, "followup": 3, "fu": 3, "katamnese": 3,
}  # fmt: skip


#: Words and numbers of a cell.
_Part = list[tuple[str, float | str]]


@dataclass(frozen=True)
class Occasions:
    """Occasions as numbers.

    Attributes
    ----------
    numbers : tuple of float
        One per cell.
    unit : str or None
        Their unit of time; None: a counter.
    words : str
        What they were read as.
    cycle : float or None
        After how many units they begin anew: weekdays after 7, times of day after 24.
    """

    numbers: tuple[float, ...]
    unit: str | None
    words: str
    cycle: float | None = None


def read_occasions(cells: Sequence[str]) -> Occasions | None:
    """Read distinct cells that all name an occasion in the same way; None where they do not."""
    if any(len(cell) > LONGEST for cell in cells):
        return None
    return (
        _clocks(cells) or _weekdays(cells) or _months(cells) or _counted(cells) or _ordered(cells)
    )


def is_no_time(cell: str) -> bool:
    """Whether a cell can be no time of any kind: without a digit only a few words are one."""
    if len(cell) > LONGEST or re.search(r"\d", cell):
        return len(cell) > LONGEST
    flat = plain(cell).strip(" .,")
    return not (is_weekday(flat) or flat in MONTHS or rank_of(cell) is not None)


def unreadable_occasion(cells: Sequence[str]) -> str | None:
    """The first cell that keeps the others, which are most, from being occasions."""
    parts = [_parts(cell) for cell in cells]
    shapes = [None if part is None else tuple(word for word, _ in part) for part in parts]
    usual = max(set(shapes), key=shapes.count) if shapes else None
    odd = [cell for cell, shape in zip(cells, shapes, strict=True) if shape not in (usual, ("",))]
    return odd[0] if usual is not None and 2 * len(odd) < len(cells) and odd else None


def _clocks(cells: Sequence[str]) -> Occasions | None:
    """Times of day."""
    matches = [_CLOCK.fullmatch(cell.strip()) for cell in cells]
    if any(m is None or (m["minute"] is None and m["half"] is None) for m in matches):
        return None
    times = [clock_time(match) for match in matches if match is not None]
    hours = [time / timedelta(hours=1) for time in times if time is not None]
    if len(hours) < len(cells):
        return None
    return Occasions(tuple(hours), "h", "hours since midnight", 24)


def _weekdays(cells: Sequence[str]) -> Occasions | None:
    """Weekdays alone."""
    words = [plain(cell).strip(" .,") for cell in cells]
    known = weekday_numbers(set(words))
    if known is None or len(words) < 2:
        return None
    return Occasions(tuple(known[word] for word in words), "d", "weekdays", 7)


def _months(cells: Sequence[str]) -> Occasions | None:
    """Months alone."""
    words = [plain(cell).strip(" .,") for cell in cells]
    if len(words) < 2 or any(word not in MONTHS for word in words):
        return None
    return Occasions(tuple(float(MONTHS[word]) for word in words), "mo", "months", 12)


def _counted(cells: Sequence[str]) -> Occasions | None:
    """A word and a number; or two of them, the second within the first."""
    parts = [_parts(cell) for cell in cells]
    if any(part is None for part in parts):
        return None
    known = _from_baseline([part for part in parts if part is not None])
    shapes = {tuple(word for word, _ in part) for part in known} - {("",)}
    if not shapes or any(len(shape) > 2 for shape in shapes):
        return None
    if all(len(shape) == 1 for shape in shapes):
        return _of_units(known, {shape[0] for shape in shapes})
    return _within(known, shapes.pop()) if len(shapes) == 1 and all(map(_full, known)) else None


def _from_baseline(parts: list[_Part]) -> list[_Part]:
    """Parts in which the screening is the baseline where no other occasion is it."""
    first = min((part[0][1] for part in parts if part[0][0] == ""), key=float, default=0.0)
    several = len({part[0][1] for part in parts if part[0][0] == ""}) > 1
    return [[("", 0.0)] if part == [("", first)] and not several else part for part in parts]


def _full(part: _Part) -> bool:
    return len(part) == 2


def _of_units(parts: Sequence[_Part], words: set[str]) -> Occasions | None:
    """One number each: of one word, or of words for units of time, which become days."""
    units = {UNIT_WORDS.get(word) for word in words}
    numbers = [float(part[0][1]) for part in parts]
    if len(units) == 1 and (len(words) == 1 or None not in units):
        unit = units.pop()
        what = next(iter(words)) if unit is None else _UNIT_NAMES[unit]
        return Occasions(tuple(numbers), unit, f"numbers ({what})")
    if None in units:
        return None
    days = [
        number * (DAYS_OF[UNIT_WORDS[part[0][0]]] if part[0][0] else 1)
        for number, part in zip(numbers, parts, strict=True)
    ]
    return Occasions(tuple(days), "d", "days (a month is 30.4 days)")


def _within(parts: Sequence[_Part], shape: tuple[str, ...]) -> Occasions | None:
    """Weeks with days, days with times of day, or a counter within a counter."""
    outer = [float(part[0][1]) for part in parts]
    unit, inner = UNIT_WORDS.get(shape[0]), [part[1][1] for part in parts]
    unit = "w" if unit is None and shape[0] == "w" else unit
    if shape[1] == "weekday":
        known = weekday_numbers({str(word) for word in inner})
        if known is None or unit != "w":
            return None
        days = [7 * (week - 1) + known[str(day)] for week, day in zip(outer, inner, strict=True)]
        return Occasions(tuple(days), "d", "days (Monday of week 1 is 0)")
    second = [float(number) for number in inner]
    if unit == "w" and (UNIT_WORDS.get(shape[1]) == "d" or shape[1] == "d"):
        days = [7 * (week - 1) + day for week, day in zip(outer, second, strict=True)]
        return Occasions(tuple(days), "d", "days (day 1 of week 1 is 1)")
    if shape[1] == "clock":
        if unit != "d" and shape[0] != "d":
            return None
        hours = [24 * (day - 1) + hour for day, hour in zip(outer, second, strict=True)]
        return Occasions(tuple(hours), "h", "hours since the midnight before day 1")
    width = max(second) - min(second) + 1
    low = min(second)
    counted = [width * (n - 1) + k - low + 1 for n, k in zip(outer, second, strict=True)]
    words = f"a counter: {shape[1]} within {shape[0]}"
    return Occasions(tuple(counted), None, words)


def _ordered(cells: Sequence[str]) -> Occasions | None:
    """Occasions such as pre and post: their order, without distances."""
    parts = [re.fullmatch(r"([a-z]+)(\d{0,2})", re.sub(r"[\W_]", "", plain(c))) for c in cells]
    known = [(part[1], int(part[2] or 0)) for part in parts if part is not None]
    ranks = {word: rank_of(word) for word, _ in known}
    if len(known) < len(cells) or len(set(known)) < 2 or None in ranks.values():
        return None
    last = max(_ORDERED.values())  # follow-ups are counted, others lie close together
    numbers = tuple(
        rank + (max(number - 1, 0) if rank == last else number / 100)
        for rank, number in ((ranks[word] or 0, number) for word, number in known)
    )
    if len(set(numbers)) < len(set(known)):
        return None
    return Occasions(numbers, None, "a counter in the order pre, mid, post, follow-up")


def rank_of(cell: str) -> int | None:
    """The rank of an occasion that is a word: pre 0, post 2; None for other words."""
    word = _letters(cell)
    return _ORDERED.get(word, 0 if word in _BASELINE | _SCREENING else None)


def is_baseline(word: str) -> bool:
    """Whether a word names the occasion before all others."""
    return _letters(word) in _BASELINE


def _letters(cell: str) -> str:
    return re.sub(r"[^a-z]", "", plain(cell))


def _names_weekday(word: str) -> bool:
    return word not in UNIT_WORDS and len(word) > 1 and is_weekday(word)


def _parts(cell: str) -> _Part | None:
    """Word and number of each part of a cell; ("", 0) is the baseline; None where it is neither."""
    if len(cell) > LONGEST:
        return None
    flat = plain(cell)
    if _letters(cell) in _BASELINE | _SCREENING:
        return [("", 0.0 if _letters(cell) in _BASELINE else -1.0)]
    clock = re.search(r"\b\d{1,2}:\d{2}\b", flat)
    end: _Part = []
    if clock:
        match = _CLOCK.fullmatch(flat[clock.start() :].strip())
        time = None if match is None else clock_time(match)
        if time is None:
            return None
        end, flat = [("clock", time / timedelta(hours=1))], flat[: clock.start()]
    words: list[str] = []
    numbers: list[float] = []
    if not re.search(r"\d", flat) and len(found := re.findall(r"[a-z]+", flat)) <= _MOST_WORDS:
        counted = [word for word in found if word in _COUNTED]
        rest = [word for word in found if word not in (*_COUNTED, *_FILLER)]
        if len(counted) == 1 and len(rest) < _MOST_WORDS:
            return [(rest[0] if rest else "occasion", float(_COUNTED[counted[0]]))]
    for token in _TOKEN.finditer(flat):
        if token["number"]:
            numbers.append(float(token["number"].replace(",", ".")))
        elif token["word"] in _FILLER or (numbers and token["word"] in _ORDINAL):
            continue
        elif _names_weekday(token["word"]):
            end.append(("weekday", token["word"]))
        else:
            words.append(token["word"])
    words = [_UNIT_NAMES[UNIT_WORDS[word]] if word in UNIT_WORDS else word for word in words]
    if re.sub(r"[\w\s.,:;#/()\[\]–-]", "", flat) or len(words) != len(numbers) or not words:
        return None
    return [*zip(words, numbers, strict=True), *end]
