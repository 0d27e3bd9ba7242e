"""Roles as the user left them, remembered for the same file and for files with the same header.

Names of columns only; nothing of what is in them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dashboard.services.drafts import ChosenRoles, Draft
from dashboard.services.home import home, write_json
from dashboard.services.roles import Proposal
from nme_core.io import durable

#: Files of one header that are told apart.
_MOST_FILES = 20


def remember(draft: Draft, roles: ChosenRoles) -> None:
    """Remember the roles of a file, and as the latest for its header."""
    path = _path(draft)
    files = {**_known(path), draft.token: asdict(roles)}
    latest = dict(list(files.items())[-_MOST_FILES:])
    durable.make_folder(path.parent)
    write_json(path, latest)


def recall_group(draft: Draft) -> str | None:
    """The grouping factor as it was left for this file, or for one with the same header."""
    files = _known(_path(draft))
    known = files.get(draft.token) or list(files.values() or [{}])[-1]
    group: str | None = known.get("group")
    return group


def recall(draft: Draft) -> tuple[Proposal, str | None]:
    """The proposal for a draft, and the outcome kind where roles are remembered.

    The same file comes first, then the latest file with the same header; else what was guessed.
    """
    files = _known(_path(draft))
    if not files:
        return draft.guess, None
    known: dict[str, Any] = files.get(draft.token) or list(files.values())[-1]
    same = "this file" if draft.token in files else "a file with the same columns"
    names = [known["person"], known["time"], known["sequence"], known["outcome"]]
    names.append(known.get("group"))
    used = [name for name in [*names, *known["features"], *known["covariates"]] if name]
    return replace(
        draft.guess,
        person=known["person"],
        time=known["time"],
        sequence=known["sequence"],
        outcome=known["outcome"],
        features=list(known["features"]),
        covariates=list(known["covariates"]),
        reasons={
            **dict.fromkeys(map(str, draft.long.columns), "no role"),
            **dict.fromkeys(used, f"as you left it for {same}."),
        },
    ), known["outcome_kind"]


def _path(draft: Draft) -> Path:
    """The file for a draft's header: the names of its columns, in order, of both tables."""
    second = [] if draft.covariates is None else list(map(str, draft.covariates.columns))
    header = json.dumps([list(map(str, draft.long.columns)), second])
    return home() / "remembered" / f"{hashlib.sha256(header.encode()).hexdigest()[:32]}.json"


def _known(path: Path) -> dict[str, Any]:
    """What is remembered; a damaged file counts as none, since the guess is always there."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for roles in content.values():
            ChosenRoles(**roles)
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    return dict(content)
