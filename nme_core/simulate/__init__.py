"""Simulated studies with known truth: `dyads`, `mood` and `null`."""

from __future__ import annotations

from collections.abc import Callable

from nme_core.exceptions import OptionError
from nme_core.simulate.mood import simulate_mood
from nme_core.simulate.sample import SampleStudy
from nme_core.simulate.sequences import simulate_dyads, simulate_null

_GENERATORS: dict[str, Callable[[], SampleStudy]] = {
    "dyads": simulate_dyads,
    "mood": simulate_mood,
    "null": simulate_null,
}

#: Names of the sample studies.
SAMPLES = tuple(_GENERATORS)


def sample_study(name: str) -> SampleStudy:
    """One of the sample studies, always the same.

    Raises
    ------
    OptionError
        There is no such study.
    """
    if name not in _GENERATORS:
        raise OptionError(
            f"No sample study is called {name!r}.", remedy=f"Choose one of {', '.join(SAMPLES)}."
        )
    return _GENERATORS[name]()


__all__ = [
    "SAMPLES",
    "SampleStudy",
    "sample_study",
    "simulate_dyads",
    "simulate_mood",
    "simulate_null",
]
