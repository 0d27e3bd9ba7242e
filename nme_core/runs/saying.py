"""Texts of a run, some of them stored in English, in the language wanted now."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from nme_core.io import RunFolder
from nme_core.io.parameter_names import OUTCOME
from nme_core.vocabulary.messages import said

Say = Callable[[str], str]

#: What a class is compared with: ``tense (against calm)``.
_AGAINST = re.compile(r" \(against |\)$")


def speaker(folder: RunFolder) -> Say:
    """Says a text of a run; the study's own words stay as they are."""
    outputs = _own(folder.config.get("network_outputs"))
    states = {state for one in outputs for state in _AGAINST.split(one) if state}
    return partial(said, names={*_own(folder.roles), *states} - {OUTCOME})


def _own(names: Any) -> list[str]:
    """All texts in something that JSON holds."""
    if isinstance(names, str):
        return [names]
    if isinstance(names, dict):
        names = names.values()
    return [one for each in names or () for one in _own(each)]
