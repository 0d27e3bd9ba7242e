"""How far the reading of a file has come, for whoever wants to show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import BinaryIO

Report = Callable[[str, float], None]

_LISTENER: ContextVar[Report | None] = ContextVar("listener", default=None)


@contextmanager
def reading_reported(report: Report) -> Iterator[None]:
    """Within this, `report` is told what is being read and the part of the way behind, 0 to 1.

    What it raises ends the reading.
    """
    token = _LISTENER.set(report)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def tell(what: str, part: float) -> None:
    """Tell whoever listens."""
    report = _LISTENER.get()
    if report is not None:
        report(what, part)


class Told:
    """A file that tells how much of it has been read, between two parts of the whole way.

    Parameters
    ----------
    file : file of bytes
        What is read.
    size : int
        Its bytes.
    what : str
        What is being done.
    span : tuple of float
        Part of the way behind at its start and at its end.
    """

    closed = False

    def __init__(self, file: BinaryIO, size: int, what: str, span: tuple[float, float]) -> None:
        self._file, self._size, self._what, self._span = file, max(size, 1), what, span
        self._report = _LISTENER.get()  # a reader may read in a thread of its own

    def read(self, n: int = -1) -> bytes:
        """Bytes of the file."""
        if self._report is not None:
            start, end = self._span
            part = min(1.0, self._file.tell() / self._size)
            self._report(self._what, start + (end - start) * part)
        return self._file.read(n)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        self.closed = True
