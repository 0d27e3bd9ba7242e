"""What is told and noted while a run goes on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nme_core.exceptions import NMEWarning
from nme_core.io import Journal, ParameterNames
from nme_core.training import Progress


@contextmanager
def noting(
    model: str, notes: list[dict[str, str]], names: ParameterNames | None = None
) -> Iterator[None]:
    """Take note of the warnings of a fit, and let them pass with its parameters in words."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        if issubclass(warning.category, NMEWarning):
            kind = warning.category.__name__
            notes.append({"model": model, "kind": kind, "message": str(warning.message)})
            text = str(warning.message) if names is None else names.in_text(str(warning.message))
            warnings.warn(f"{model}: {text}", warning.category, stacklevel=3)
        else:
            warnings.warn(warning.message, warning.category, stacklevel=3)


def telling(journal: Journal, what: str) -> Callable[[int, int], None]:
    """Return what shows how many rows of a large table have been written."""
    return lambda written, of: journal.tell(f"{what}: {written:,} of {of:,} rows")


def follow(journal: Journal, name: str) -> Callable[[Progress], None]:
    """Return what records the epochs of one fit."""

    def record(progress: Progress) -> None:
        row = {"model": name, **vars(progress)}
        fraction = row.pop("fraction")
        journal.record(name, row, fraction, f"Fitting {name}: epoch {progress.epoch}")

    return record
