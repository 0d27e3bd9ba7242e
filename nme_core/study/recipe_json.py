"""What ``recipe.json`` holds, checked entry by entry; and what was done before storing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from nme_core.exceptions import DataError
from nme_core.study.clean.privacy import Privacy
from nme_core.study.clean.remedies import Remedy
from nme_core.study.clean.remedy_files import as_remedies
from nme_core.study.formats.result import HowRead

#: Version of the form in which recipes are stored.
VERSION = 1
#: Entries of a recipe that are roles of columns.
ROLES = (
    *("person", "outcome", "time", "sequence", "groups", "features", "exclude", "covariates"),
    "outcome_kind",
)


@dataclass(frozen=True)
class Kept:
    """What was done to the tables before they were stored; the key to codes is no part of it.

    Attributes
    ----------
    remedies : tuple of Remedy
        Changes that were made first, such as wide to long, in order.
    privacy : Privacy
        What was done about ids, dates and ages then.
    days : tuple of str
        Columns that hold days since the person's first instead of dates.
    notes : tuple of str
        In words, all of that.
    sha256 : str or None
        Fingerprint of the stored long table: a file that has it is not changed once more.
    """

    remedies: tuple[Remedy, ...] = ()
    privacy: Privacy = field(default_factory=lambda: Privacy(dates=False, ages=False))
    days: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sha256: str | None = None


def arguments_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `Recipe`, each checked for what it has to be."""
    roles = {name: _role(name, content["roles"][name]) for name in ROLES}
    steps = as_remedies(content["remedies"])
    kept, before = None, 0
    if content["privacy"] is not None:
        said = dict(content["privacy"])
        before = int(said["remedies_before_storing"])
        kept = Kept(
            steps[:before],
            Privacy(**{one.name: bool(said[one.name]) for one in fields(Privacy)}),
            _texts(said["days"]),
            _texts(said["notes"]),
            _text_or_none(said["sha256_stored"]),
        )
    missing = _text_or_none(content["missing"])
    return {
        **roles,
        "remedies": steps[before:],
        "max_gap": _text_or_none(content["gap"]),
        "missing": "indicator" if missing is None else missing,
        "reading": HowRead.of_dict(content["reading"]),
        "second": HowRead.of_dict(content["covariates"]["reading"]),
        "kept": kept,
    }


def _role(name: str, value: Any) -> Any:
    if name in ("person", "outcome") and not isinstance(value, str):
        raise TypeError(f"{name} is no column")
    if name == "outcome_kind" and value not in (None, "number", "class"):
        raise ValueError(f"no kind of outcome is called {value!r}")
    if name in ("groups", "exclude") or (name in ("features", "covariates") and value is not None):
        return _texts(value)
    return _text_or_none(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise TypeError(f"{value!r} is no list of texts")
    return tuple(value)


def _text_or_none(value: Any) -> str | None:
    if not isinstance(value, str | None):
        raise TypeError(f"{value!r} is no text")
    return value


def damaged(why: str) -> DataError:
    """The error of a recipe that cannot be read."""
    return DataError(
        f"recipe.json cannot be read: {why}.", remedy="Make it again from the study's file."
    )
