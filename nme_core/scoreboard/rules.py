"""Simple rules: what a person's earlier outcomes say of later ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nme_core.metrics.simple_rules import ClassRules, Histories, NumberRules
from nme_core.scoreboard.sample import Floats, Numbers, Sample

#: Rules of all rows of a person that are known; the others are of the rows before.
_OF_ALL = ("mean", "frequent")


def number(name: str) -> Callable[[Sample, int], Floats]:
    """A rule for numbers."""

    def play(sample: Sample, seed: int) -> Floats:
        histories, rows = sample.histories(), np.flatnonzero(sample.test)
        learned = NumberRules(histories, sample.learned)
        return learned.predict(name, rows, _origin(name, histories)[rows])

    return play


def classes(name: str) -> Callable[[Sample, int], Floats]:
    """A rule for classes and states."""

    def play(sample: Sample, seed: int) -> Floats:
        histories, rows = sample.histories(), np.flatnonzero(sample.test)
        if sample.kind == "states":
            whole = ClassRules(sample.histories(hidden=False), sample.learned)
            return np.asarray(whole.path_losses(name, sample.test)[rows], dtype=np.float64)
        learned = ClassRules(histories, sample.learned)
        return learned.chances(name, rows, _origin(name, histories)[rows])

    return play


def _origin(name: str, histories: Histories) -> Numbers:
    """Row up to which outcomes are taken, for every row."""
    if name not in _OF_ALL:
        return histories.back(1)
    last = np.zeros(histories.n_people, dtype=np.intp)
    np.maximum.at(last, histories.person, np.arange(len(histories.person)))
    return np.asarray(last[histories.person], dtype=np.intp)
