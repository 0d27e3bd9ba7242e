"""Keeps the status and the history of a run up to date while models are fitted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import pandas as pd

from nme_core.io import durable
from nme_core.io.run_folder import RunFolder, RunState, Status

# Least time from one writing to the next, and the part of the time that writing may take: the
# history grows, and is written anew each time.
_WRITE_EVERY_S, _WRITE_SHARE = 0.5, 0.02
# Part of the way after which all fits are done and the tables are written.
_FITTED = 0.97


class Journal:
    """Writes ``status.json`` and ``history.csv``; the run counts as running from now on.

    Parameters
    ----------
    folder : RunFolder
        The run.
    report : callable, optional
        Also told what is being done, and the part of the way behind, 0 to 1.
    """

    def __init__(
        self, folder: RunFolder, report: Callable[[str, float], None] | None = None
    ) -> None:
        self._folder, self._report = folder, report
        self._status = Status(
            RunState.RUNNING,
            started=_now(),
            message="Starting",
            pid=os.getpid(),
            born=durable.born(os.getpid()),
        )
        self._history: list[dict[str, Any]] = []
        self._due = 0.0
        self._spans: dict[str, tuple[float, float]] = {}
        folder.write_status(self._status)

    def plan(self, weights: Mapping[str, float]) -> None:
        """Divide the way among the fits that are to come, in proportion to their weights."""
        total = sum(weights.values())
        ends = [_FITTED * part / total for part in accumulate(weights.values())]
        self._spans = dict(zip(weights, zip([0.0, *ends], ends, strict=False), strict=True))

    def record(self, fit: str, row: dict[str, Any], fraction: float, message: str) -> None:
        """Add a row to the history; `fraction` is the part of this fit that lies behind."""
        self._history.append(row)
        self.advance(fit, fraction, message)

    def advance(self, fit: str, fraction: float, message: str) -> None:
        """Show what is being done; `fraction` is the part of this fit that lies behind."""
        start, end = self._spans[fit]
        self._show(message, start + (end - start) * fraction)
        if time.monotonic() >= self._due:
            self._write()

    def say(self, message: str, progress: float) -> None:
        """Show where the run is."""
        self._show(message, progress)
        self._write()

    def tell(self, message: str) -> None:
        """Show what is being done; the part of the way behind stays the same."""
        self._show(message, self._status.progress)
        if time.monotonic() >= self._due:
            self._write()

    def close(self, state: RunState, message: str) -> None:
        """Write the last status, and the manifest of what was written."""
        done = 1.0 if state is RunState.DONE else self._status.progress
        self._show(message, done)
        self._status = replace(self._status, state=state, finished=_now())
        self._write_history()
        self._folder.finish(self._status)

    def _show(self, message: str, progress: float) -> None:
        self._status = replace(self._status, message=message, progress=round(progress, 4))
        if self._report is not None:
            self._report(message, progress)

    def _write(self) -> None:
        start = time.monotonic()
        self._write_history()
        self._folder.write_status(self._status)
        end = time.monotonic()
        self._due = end + max(_WRITE_EVERY_S, (end - start) / _WRITE_SHARE)

    def _write_history(self) -> None:
        if self._history:
            self._folder.write_table("history", pd.DataFrame(self._history))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
