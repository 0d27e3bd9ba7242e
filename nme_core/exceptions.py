"""Errors and warnings of nme_core.

Every error carries what is wrong and how to mend it, so that a caller can show both without
parsing text::

    NMEError
    ├── DataError            the table cannot be used as it is (column, person, row)
    │   └── MissingColumnError   a column that was named is not there
    ├── OptionError          an option, or a combination of options, does not exist
    ├── NotFittedError       the model has to be fitted first
    ├── UnknownPersonError   a prediction was asked for a person the model has not seen
    ├── TrainingError        training could not go on (the loss is no longer a finite number)
    ├── RunFolderError       a run folder is missing, unfinished or damaged
    └── StorageError         the disk is full, or a place cannot be written

    NMEWarning
    ├── ConvergenceWarning   training stopped at its limit, not because it had converged
    ├── BoundaryWarning      a variance of the random effects is estimated as 0
    ├── SingularWarning      a combination of random effects is: their correlations are at ±1
    ├── IdentificationWarning  the rows cannot tell effects apart; a weak prior decides
    ├── FallbackWarning      a simpler model was fitted in place of the one that was meant
    ├── DivergenceWarning    training broke down; its last good state is kept
    ├── ExtrapolationWarning new rows lie outside of what the model was fitted on
    ├── BlankWarning         new rows lack a feature that the model always had
    └── ReliabilityWarning   a test is of parameters that are mostly noise
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class NMEError(Exception):
    """Base of every error that nme_core raises on purpose.

    Parameters
    ----------
    message : str
        What is wrong, in one sentence.
    remedy : str, optional
        What the user can do about it, in one sentence.
    """

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message if remedy is None else f"{message} {remedy}")
        self.message = message
        self.remedy = remedy

    def tell(self, *sentences: str) -> None:
        """Say more about what the user can do."""
        self.remedy = " ".join([*([self.remedy] if self.remedy else []), *sentences])
        self.args = (f"{self.message} {self.remedy}",)


class DataError(NMEError, ValueError):
    """The data cannot be used as they are; says which column, person or row where it is known.

    `fixes` are remedies (`nme_core.study.Remedy`), each of which would do; to choose from.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        column: str | None = None,
        person: str | None = None,
        row: int | None = None,
        fixes: Iterable[Any] = (),
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.fixes = tuple(fixes)
        self.column = column
        self.person = person
        self.row = row


class MissingColumnError(DataError):
    """A column that was named does not exist in the table."""

    def __init__(self, column: str, available: Iterable[str], *, table: str = "table") -> None:
        self.available = list(available)
        shown = ", ".join(repr(name) for name in self.available[:20])
        more = f" and {len(self.available) - 20} more" if len(self.available) > 20 else ""
        super().__init__(
            f"The {table} has no column {column!r}.",
            remedy=f"Its columns are {shown}{more}." if shown else "It has no columns.",
            column=column,
        )


class OptionError(NMEError, ValueError):
    """An option, or a combination of options, that does not exist or makes no sense."""


class NotFittedError(NMEError, ValueError, AttributeError):
    """The model was asked for something that only a fitted model has.

    An AttributeError too, as in scikit-learn, so that ``hasattr(model, "random_effects_")`` is
    False before the fit.
    """

    def __init__(self, model: object) -> None:
        super().__init__(
            f"This {type(model).__name__} has not been fitted yet.",
            remedy="Call fit(X, y, groups=...) first.",
        )


class UnknownPersonError(NMEError, KeyError):
    """A person-specific prediction was asked for somebody the model has not been fitted on.

    Or for a group of another grouping factor (`factor`) that it has not been fitted on.
    """

    def __init__(self, persons: Iterable[object], factor: str = "person") -> None:
        self.persons = [str(person) for person in persons]
        shown = ", ".join(repr(person) for person in self.persons[:5])
        more = f" and {len(self.persons) - 5} more" if len(self.persons) > 5 else ""
        super().__init__(
            f"The model has not seen {factor} {shown}{more}.",
            remedy='Ask for the population instead (level="population").',
        )

    def __str__(self) -> str:
        return str(self.args[0])


class TrainingError(NMEError):
    """Training could not go on: the loss stopped being a finite number."""


class RunFolderError(NMEError):
    """A run folder is missing, not finished, or damaged."""


class StorageError(NMEError):
    """The disk is full, or a file or folder cannot be written where it was meant to be."""


class NMEWarning(UserWarning):
    """Base of every warning that nme_core gives."""


class ConvergenceWarning(NMEWarning):
    """Training stopped at its limit of epochs before it had converged."""


class BoundaryWarning(NMEWarning):
    """The variance of a random effect is estimated as 0: persons show no differences in it."""


class SingularWarning(NMEWarning):
    """The covariance of the random effects is singular although no variance of its own is 0.

    Random effects count as perfectly correlated.
    """


class IdentificationWarning(NMEWarning):
    """The rows cannot tell effects apart, or leave one without bound: a weak prior decides."""


class DispersionWarning(NMEWarning):
    """Counts vary more than the model lets them: intervals are too narrow."""


class FallbackWarning(NMEWarning):
    """A simpler model was fitted in place of the one that was meant; says which, and why."""


class DivergenceWarning(NMEWarning):
    """The loss stopped being a finite number; the last good state is kept."""


class ExtrapolationWarning(NMEWarning):
    """Features of new rows lie outside of what the model was fitted on."""


class BlankWarning(NMEWarning):
    """New rows lack values that were never missing in the rows that the model was fitted on."""


class PredictionWarning(NMEWarning):
    """Held-out rows are predicted worse than by a simple rule, or worse as training went on."""


class ReliabilityWarning(NMEWarning):
    """What is tested has a low reliability: most of how persons differ in it is noise."""
