"""One line of the table, and how a ratio is measured."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

HEADER = ("what", "target", "measured", "met", "remark")


@dataclass(frozen=True)
class Row:
    """One measured figure; `met` is None where there is no target.

    `why` says what keeps it from its target; it is shown where that is missed.
    """

    what: str
    target: str
    measured: str
    met: bool | None
    remark: str = ""
    why: str = ""

    @classmethod
    def ratio(
        cls, what: str, value: float, at_most: float | None, remark: str = "", *, why: str = ""
    ) -> Row:
        """Make a row of a ratio that should be at most so large."""
        target = "" if at_most is None else f"≤ {at_most:g}"
        met = None if at_most is None else value <= at_most
        if met is False and at_most:
            why = f"over by {value / at_most - 1:.0%}: {why}" if why else ""
        return cls(what, target, f"{value:.3g}", met, remark, why)

    def cells(self) -> tuple[str, ...]:
        """Texts of the row."""
        met = {None: "", True: "yes", False: "NO"}[self.met]
        said = [self.remark, self.why if self.met is False else ""]
        return (self.what, self.target, self.measured, met, "; ".join(filter(None, said)))


def markdown(rows: list[Row]) -> str:
    """Render rows as a Markdown table."""
    lines = ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    return "\n".join(lines + ["| " + " | ".join(row.cells()) + " |" for row in rows])


def seconds(*runs: Callable[[], object], repeats: int = 5) -> list[float]:
    """Median time of each, taken in turns so that a busy moment hits all; one warm-up each."""
    for run in runs:
        run()
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats):
        for run, taken in zip(runs, times, strict=True):
            start = time.perf_counter()
            run()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]
