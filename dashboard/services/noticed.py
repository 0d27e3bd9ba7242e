"""What in a draft tells who somebody is, noticed before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.services.caching import per_session
from dashboard.services.drafts import ChosenRoles, Draft
from nme_core.study.clean.privacy import Personal, Privacy, find_personal, has_old_ages, holds_dates
from nme_core.study.time.times import is_dated

__all__ = ["Noticed", "Personal", "Privacy", "notice"]


@dataclass(frozen=True)
class Noticed:
    """What was noticed in a draft before anything is stored.

    Attributes
    ----------
    personal : tuple of Personal
        Columns that may tell who somebody is.
    dates : bool
        Whether the study would hold dates.
    old_ages : bool
        Whether the study would hold ages above 89.
    """

    personal: tuple[Personal, ...]
    dates: bool
    old_ages: bool


def notice(draft: Draft, roles: ChosenRoles | None) -> Noticed:
    """Look for what tells who somebody is; dates and ages in what would be stored."""
    return _notice(draft.token, draft, roles)


@per_session(8)
def _personal(token: str, _draft: Draft) -> tuple[Personal, ...]:
    """Found once, whichever roles are chosen."""
    given = [table for table in (_draft.long, _draft.covariates) if table is not None]
    return tuple({one.column: one for table in given for one in find_personal(table)}.values())


@per_session(8)
def _notice(token: str, _draft: Draft, roles: ChosenRoles | None) -> Noticed:
    """`token` stands for the draft in the cache."""
    given = [table for table in (_draft.long, _draft.covariates) if table is not None]
    personal = _personal(token, _draft)
    if roles is None:
        return Noticed(personal, False, False)
    used = {*roles.columns, *roles.covariates}
    stored = [table[[name for name in table.columns if name in used]] for table in given]
    dates = any(
        holds_dates(table[name]) or (name == roles.time and is_dated(table[name]))
        for table in stored
        for name in table.columns
    )
    return Noticed(personal, dates, any(has_old_ages(table) for table in stored))
