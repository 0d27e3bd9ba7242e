"""Cells that mean "no answer", by their label or by what they say; and states read as missing."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from nme_core.study.check.report import Finding
from nme_core.study.clean.no_answer import means_no_answer
from nme_core.study.clean.remedies import Remedy
from nme_core.study.clean.taken import find_taken
from nme_core.study.columns import as_labels, is_number
from nme_core.study.study import Study

_MOST_WORDS = 100


def find_answers(study: Study) -> Iterator[Finding]:
    """Look for values that mean no answer, and for states that were read as missing."""
    roles = study.roles
    columns = [(roles.outcome, "outcome", study.y)]
    columns += [(name, "feature", study.X[name]) for name in study.feature_names]
    columns += [(str(name), "covariate", column) for name, column in study.covariates.items()]
    for name, kind, column in columns:
        yield from _find_no_answer(study, name, kind, column)
    words = [name for name, _, column in columns if not is_number(column)]
    for name in [*words, *roles.groups, *([roles.sequence] if roles.sequence else ())]:
        yield from find_taken(name, study.labels, study.remedies)


def _find_no_answer(study: Study, name: str, kind: str, column: pd.Series) -> Iterator[Finding]:
    labels = study.labels.values.get(name, {})
    if is_number(column) and not labels:
        return
    counts = as_labels(column).value_counts()
    if not is_number(column) and len(counts) > _MOST_WORDS:
        return
    meant = {
        str(cell): labels.get(str(cell), str(cell))
        for cell in counts.index
        if means_no_answer(labels.get(str(cell), "" if is_number(column) else str(cell)))
    }
    if not meant:
        return
    said = " and ".join(
        repr(cell) if cell == words else f"{cell} ({words!r})" for cell, words in meant.items()
    )
    cells = int(counts[list(meant)].sum())
    yield Finding(
        "look",
        f"The {kind} {name!r} holds {said} in {cells} {'cell' if cells == 1 else 'cells'}: by "
        "what it is called, this is no answer, and it is used as one.",
        name,
        "Treat it as missing.",
        (Remedy("set_missing", (name,), tuple(meant)),),
    )
