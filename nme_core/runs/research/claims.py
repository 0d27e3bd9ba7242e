"""One claim about a person or a covariate: read from JSON, and asked of a fitted model."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from nme_core.analysis.levels_and_slopes import person_effects
from nme_core.estimators import NMECRF
from nme_core.exceptions import OptionError
from nme_core.independence import effects_table
from nme_core.runs.research.person_numbers import STAY, person_numbers, target_of

_KEYS = ("about", "person", "covariate", "parameter", "direction", "choices")
_UP, _DOWN, _ANY = "above", "below", "any"
_DIRECTIONS = {
    **dict.fromkeys(("above", "higher", "positive", "more", "+"), _UP),
    **dict.fromkeys(("below", "lower", "negative", "less", "-"), _DOWN),
    **dict.fromkeys(("any", "different", "either", ""), _ANY),
}  # fmt: skip
_FEWEST = 5


@dataclass(frozen=True)
class Found:
    """What one fit says of a claim.

    Attributes
    ----------
    estimate, low, high : float
        With its 95 % interval; the claim is that it is not 0.
    """

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Claim:
    """A claim about one number of a person, or about what goes with a covariate.

    Attributes
    ----------
    about : {"person", "covariate"}
    name : str
        The person's id, or the covariate.
    parameter : str or None
        ``level``, ``slope:<feature>``, ``stay`` or ``<state>><state>``; None: the first of these.
    direction : {"above", "below", "any"}
        Of the person against the population; of a covariate ``above``: more with more of it.
    choices : mapping of str to list
        Values of choices that the claim's author names.
    """

    about: str
    name: str
    parameter: str | None = None
    direction: str = _ANY
    choices: Mapping[str, list[Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Claim:
        """Read a claim from a file; OptionError says what is wrong with it."""
        try:
            content = json.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise OptionError(f"{path} cannot be read ({error.strerror}).",
                              remedy="Name the file that holds the claim.") from error  # fmt: skip
        except ValueError as error:
            raise _wrong(f"{path} is no JSON ({error})") from error
        return cls.of(content)

    @classmethod
    def of(cls, content: Any) -> Claim:
        """A claim from what its JSON holds."""
        if not isinstance(content, dict):
            raise _wrong("A claim is an object")
        unknown = [str(key) for key in content if key not in _KEYS]
        if unknown:
            raise _wrong(f"A claim has no {unknown[0]!r}")
        named = [key for key in ("person", "covariate") if content.get(key) is not None]
        about = content.get("about") or (named[0] if len(named) == 1 else None)
        if about not in ("person", "covariate") or named != [about]:
            raise _wrong("A claim is about one person or one covariate")
        direction = str(content.get("direction") or _ANY).strip().lower()
        if direction not in _DIRECTIONS:
            raise _wrong(f"No direction is called {direction!r}")
        choices = content.get("choices") or {}
        if not isinstance(choices, dict):
            raise _wrong("choices is an object of lists")
        parameter = content.get("parameter")
        return cls(
            about, str(content[about]), None if parameter is None else str(parameter),
            _DIRECTIONS[direction],
            {str(k): v if isinstance(v, list) else [v] for k, v in choices.items()},
        )  # fmt: skip

    def words(self, parameter: str) -> str:
        """The claim as a sentence without its end."""
        said = {
            _UP: f"{parameter} rises with {self.name}",
            _DOWN: f"{parameter} falls with {self.name}",
            _ANY: f"{parameter} changes with {self.name}",
        }
        if self.about == "person":
            said = {
                _UP: f"{parameter} of {self.name} is above the population's",
                _DOWN: f"{parameter} of {self.name} is below the population's",
                _ANY: f"{parameter} of {self.name} differs from the population's",
            }
        return said[self.direction]

    def holds(self, found: Found) -> bool:
        """Whether the interval leaves out 0, on the side of the claim."""
        up, down = found.low > 0, found.high < 0
        return {_UP: up, _DOWN: down, _ANY: up or down}[self.direction]

    def ask(self, model: Any, X: pd.DataFrame, covariates: pd.DataFrame) -> tuple[str, Found]:
        """What it is about, by name, and what a fitted model says of it.

        Raises
        ------
        OptionError
            Where the model has no such person, or people share the parameter.
        """
        if self.about == "covariate":
            return self._associated(model, X, covariates[self.name])
        if self.name not in {str(one) for one in model.groups_}:
            raise OptionError(f"{self.name!r} is left out.", remedy="Name a person of the study.")
        if isinstance(model, NMECRF):
            return self._move(model)
        target = target_of(model, self.parameter)
        table = person_effects(model, X).set_index(["person", "effect"])
        own: Any = table.loc[(self.name, target.name)]
        return target.name, Found(*(float(own[name]) for name in ("estimate", "ci_low", "ci_high")))

    def _move(self, model: NMECRF) -> tuple[str, Found]:
        """The probability of a move less the population's, with the person's interval."""
        states = [str(one) for one in model.classes_]
        ends = [part.strip() for part in (self.parameter or "").split(">")]
        if len(ends) != 2 or not {*ends} <= {*states}:
            raise OptionError(
                f"A claim about a person's moves names one, not {self.parameter!r}.",
                remedy=f'Write "parameter": "{states[0]}>{states[-1]}"; {STAY} is for covariates.',
            )
        start, end = (states.index(one) for one in ends)
        place = list(map(str, model.groups_)).index(self.name)
        values = model.transition_matrices("conditional")[:, start, end]
        low, high = (
            float(ends[place, start, end]) for ends in model.transition_intervals("conditional")
        )
        shared = float(values[-1])
        name = f"{states[start]}>{states[end]}"
        return name, Found(float(values[place]) - shared, low - shared, high - shared)

    def _associated(self, model: Any, X: pd.DataFrame, covariate: pd.Series) -> tuple[str, Found]:
        """Spearman's ρ, or the difference of two groups, of people's numbers."""
        target = target_of(model, self.parameter)
        numbers = person_numbers(model, X)
        own = numbers[[name for name in target.parameters if name in numbers]].mean(axis=1)
        if own.notna().sum() < _FEWEST or own.std() == 0 or own.isna().all():
            return target.name, Found(0.0, -math.inf, math.inf)  # people do not differ in it
        table = effects_table(own.to_frame(target.name), covariate, adjust="none")
        if len(table) > 1:
            raise OptionError(
                f"{self.name!r} has several groups; a claim is about a number or two groups.",
                remedy="Join its groups to two.",
            )
        ends = ("effect", "ci_low", "ci_high")
        return target.name, Found(*(float(table[name].iloc[0]) for name in ends))

    def check(self, persons: list[str], covariates: pd.DataFrame) -> None:
        """Raise OptionError where the study has no such person or covariate."""
        known = persons if self.about == "person" else [str(one) for one in covariates.columns]
        if self.name not in known:
            shown = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
            raise OptionError(
                f"The study has no {self.about} {self.name!r}.",
                remedy=f"It has {shown or 'none'}.",
            )


def _wrong(what: str) -> OptionError:
    example = {"about": "covariate", "covariate": "depression", "parameter": "level",
               "direction": "positive"}  # fmt: skip
    return OptionError(f"{what}.", remedy=f"A claim is JSON such as {json.dumps(example)}.")
