"""A study from its files, each of them parsed once, and what keeps them from being one."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from nme_core.study.check.problems import problems_of
from nme_core.study.check.report import Finding, told_before
from nme_core.study.clean.missing import check_missing, fill_features
from nme_core.study.clean.taken import find_taken
from nme_core.study.formats.result import Reading, notes_of
from nme_core.study.recipe import Recipe
from nme_core.study.study import Study


@dataclass(frozen=True, eq=False)
class Tables:
    """The files of a study, as they were read.

    Attributes
    ----------
    long, second : Reading
        The long table, and the covariate table where there is one.
    stored : bool
        Whether they are tables that were stored (see `Kept`), not the user's files.
    """

    long: Reading
    second: Reading | None = None
    stored: bool = False

    def study(self, recipe: Recipe) -> Study:
        """The study that a recipe makes of them, missing features still missing."""
        return Study.of_readings(recipe, self.long, self.second, stored=self.stored)

    def lines(self) -> list[str]:
        """How they were read and what was changed, for a terminal."""
        notes = notes_of(self.long, self.second)
        return [f"Read: {self.long.how.words()}", *(f"Note: {note}" for note in notes)]

    def problems(self, recipe: Recipe) -> tuple[Finding, ...]:
        """Everything that keeps them from being a study."""
        second = None if self.second is None else self.second.frame
        found = problems_of(recipe, self.long.frame, second, stored=self.stored)
        return tuple(self._explained(one, recipe) for one in found)

    def _explained(self, problem: Finding, recipe: Recipe) -> Finding:
        """A problem with what may be a label and was read as missing."""
        for taken in find_taken(str(problem.column), self.long.labels, recipe.steps):
            if not set(taken.fixes) & set(problem.fixes):
                (told,) = told_before([taken], recipe.person, self.long.frame)
                effects = problem.effects or ("",) * len(problem.fixes)
                problem = replace(
                    problem,
                    remedy=f"{problem.remedy or ''} {taken.message} {taken.remedy}".strip(),
                    fixes=(*taken.fixes, *problem.fixes),
                    effects=(*told.effects, *effects),
                )
        return problem


def read_tables(
    recipe: Recipe,
    long: str | os.PathLike[str],
    covariates: str | os.PathLike[str] | None = None,
    covariates_sheet: str | None = None,
    **said: str | None,
) -> Tables:
    """Read the files of a study as a recipe says.

    Parameters
    ----------
    recipe : Recipe
        How they are read, where that was said.
    long, covariates : path
        The files.
    covariates_sheet : str, optional
        Sheet of the covariate table.
    **said
        How the long table is read, as `read_any` takes it; goes before what the recipe says.
    """
    stored = recipe.is_stored(long)
    second = None
    if covariates is not None:
        second = recipe.read_second(covariates, stored=stored, sheet=covariates_sheet)
    return Tables(recipe.read(long, stored=stored, **said), second, stored)


def load_study(
    recipe: Recipe, long: str | os.PathLike[str], covariates: str | os.PathLike[str] | None = None
) -> Study:
    """Read the files of a study, and make of them what a recipe says, to the end."""
    check_missing(recipe.missing)
    return fill_features(read_tables(recipe, long, covariates).study(recipe), recipe.missing)
