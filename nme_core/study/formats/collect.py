"""The columns of a file as they are converted, and what is told of how they became numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from nme_core.study.columns import cells_of
from nme_core.study.formats.cells import Converted
from nme_core.study.formats.result import Labels

_MOST_SHOWN = 5


@dataclass(eq=False)
class Collected:
    """Columns by name, with the words that stood in their cells.

    Attributes
    ----------
    columns : dict of Series
        The values of each column.
    labels : Labels
        Units and labels that stood beside numbers, and words that were taken as missing.
    notes : list of str
        What was read as numbers although something stood beside them.
    """

    columns: dict[str, pd.Series] = field(default_factory=dict)
    labels: Labels = field(default_factory=Labels)
    notes: list[str] = field(default_factory=list)
    _clocks: list[str] = field(default_factory=list)
    _digits: list[str] = field(default_factory=list)
    _commas: list[str] = field(default_factory=list)
    _units: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, converted: Converted) -> None:
        """Take in a column."""
        self.columns[name] = converted.values
        if converted.digits:
            self._digits.append(name)
        if converted.comma:
            self._commas.append(name)
        if converted.unit is not None:
            self.labels.units[name] = converted.unit
            beside = self._clocks if converted.clock else self._units.setdefault(converted.unit, [])
            beside.append(name)
        if converted.labels:
            self.labels.values[name] = converted.labels
        self.labels.codes.update(converted.codes)
        if converted.taken:
            self.labels.taken[name] = converted.taken
        if converted.joined:
            values = "1 value" if converted.joined == 1 else f"{converted.joined} values"
            self.notes.append(
                f"Spaces around the words in {name!r} were removed: {values} differed from others "
                "only in these."
            )
        for word, count in converted.kept.items():
            self.notes.append(
                f"{word!r} in {name!r} is kept as a word ({cells_of(count)}): other cells of the "
                "column are blank, so that it does not mean missing. If it does, treat it as "
                "missing."
            )

    def told(self) -> list[str]:
        """Sentences on what stood beside numbers."""
        notes = [*self.notes]
        if self._clocks:
            notes.append(
                f"Durations or times of day (7:30) are numbers of hours: {_names(self._clocks)}."
            )
        if self._digits:
            notes.append(f"Digits of another script were read as numbers: {_names(self._digits)}.")
        if self._commas:
            notes.append(f"A comma was read as the decimal mark in {_names(self._commas)}.")
        for unit, names in self._units.items():
            notes.append(
                f"Read as numbers, without the unit {unit!r} behind them: {_names(names)}."
            )
        for name, labels in self.labels.values.items():
            shown = [f"{text!r} is {number}" for number, text in labels.items()][:_MOST_SHOWN]
            more = f" and {len(labels) - len(shown)} more" if len(labels) > len(shown) else ""
            notes.append(
                f"The labels at some numbers of {name!r} were read as these numbers: "
                f"{', '.join(shown)}{more}."
            )
        return notes


def _names(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)
