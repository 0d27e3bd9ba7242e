"""The files of a study and how they are read, as tasks in other processes take them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from nme_core.runs.fit import FitOptions
from nme_core.study import Recipe, Study
from nme_core.study.formats.source import fingerprint
from nme_core.study.loading import Tables, read_tables


@dataclass(frozen=True)
class StudyFiles:
    """A study on disk.

    Attributes
    ----------
    long : Path
        The long table.
    second : Path or None
        The covariate table.
    recipe : Recipe
        How the study is made of them, to the end: also what is done about missing features.
    """

    long: Path
    second: Path | None
    recipe: Recipe

    @property
    def arguments(self) -> dict[str, Any]:
        """What `study_of` takes, such that JSON can hold it; it changes where the files do."""
        files = [path for path in (self.long, self.second) if path is not None]
        return {
            "long": str(self.long),
            "second": None if self.second is None else str(self.second),
            "recipe": self.recipe.to_json(),
            "sha256": [fingerprint(path) for path in files],
        }


def study_of(files: dict[str, Any], **changed: Any) -> Study:
    """Read the study that `StudyFiles.arguments` names; `changed` are fields of its recipe."""
    from nme_core.study.clean.missing import fill_features

    recipe = replace(Recipe.from_json(files["recipe"]), **changed)
    tables = _tables(json.dumps(files["recipe"]), files["long"], files["second"])
    return fill_features(tables.study(recipe), recipe.missing)


@lru_cache(maxsize=1)
def _tables(recipe: str, long: str, second: str | None) -> Tables:
    return read_tables(Recipe.from_json(json.loads(recipe)), long, second)


def as_json(options: FitOptions) -> dict[str, Any]:
    """Options of a fit as `fit_options` takes them back."""
    values = asdict(options)
    return {name: list(one) if isinstance(one, tuple) else one for name, one in values.items()}
