"""Words that were read as missing and may be labels; errors that come of how a file was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nme_core.exceptions import DataError, MissingColumnError
from nme_core.study.check.report import Finding
from nme_core.study.clean.remedies import Remedy
from nme_core.study.formats.result import Labels, Reading


def find_taken(name: str, labels: Labels, remedies: Iterable[Remedy]) -> Iterator[Finding]:
    """A word that was read as missing, and may be a state or an id: NA, negative affect."""
    taken = labels.taken.get(name, {})
    words = [word for word in taken if word and word not in labels.codes]
    if not words or any(one.kind == "fill_missing" and name in one.columns for one in remedies):
        return
    cells = {word: "1 cell" if taken[word] == 1 else f"{taken[word]} cells" for word in words}
    told = " and ".join(f"{word!r} in {cells[word]}" for word in words)
    alone = set(taken) == set(words[:1])
    yield Finding(
        "look",
        f"In {name!r}, {told} {'was' if len(words) == 1 else 'were'} read as missing.",
        name,
        "If it is a state or a label of its own, keep it."
        if alone
        else "If it is a state or a label of its own, write it in another way in the file: other "
        "cells of the column are empty, too.",
        (Remedy("fill_missing", (name,), to=words[0]),) if alone else (),
    )


def explain(error: DataError, reading: Reading, remedies: Iterable[Remedy]) -> None:
    """Add to an error what the reading of the file has to do with it."""
    if isinstance(error, MissingColumnError):
        if error.available == [*map(str, reading.frame.columns)]:
            error.tell(*reading.notes)
        return
    for found in find_taken(str(error.column), reading.labels, remedies):
        error.tell(f"{found.message} {found.remedy}")
        error.fixes = (*found.fixes, *error.fixes)
