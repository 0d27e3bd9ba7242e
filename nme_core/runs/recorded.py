"""What a run folder recorded of its study, as it was."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from nme_core.exceptions import DataError, OptionError, RunFolderError
from nme_core.io import RunFolder
from nme_core.study import Recipe, Study
from nme_core.study.clean.missing import fill_features
from nme_core.study.clean.remedies import restored
from nme_core.study.clean.remedy_files import as_remedies
from nme_core.study.formats.result import HowRead
from nme_core.study.formats.source import fingerprint
from nme_core.study.loading import load_study, read_tables
from nme_core.study.time.gaps import NEVER


def recipe_of(folder: RunFolder) -> Recipe:
    """How the study of a run was made; of runs of earlier versions as far as they say it.

    Raises
    ------
    RunFolderError
        There is neither ``recipe.json`` nor ``data.json``, or ``data.json`` is damaged.
    DataError
        ``recipe.json`` is damaged, or of a later version.
    """
    if (folder.path / "recipe.json").is_file():
        return Recipe.from_json(folder.read_json("recipe"))
    data, roles = folder.data, folder.roles
    try:
        return _of_data(data, roles)
    except (LookupError, TypeError, ValueError) as error:
        raise RunFolderError(
            f"{folder.path}/data.json is damaged ({error}).", remedy="Run the fit again."
        ) from error


def _of_data(data: dict[str, Any], roles: dict[str, Any]) -> Recipe:
    """The recipe of a run that has no ``recipe.json``."""
    # Some do not say which covariates were named.
    named = data.get("named_covariates", roles.get("covariates", []))
    return Recipe(
        roles["person"],
        roles["outcome"],
        roles["time"],
        roles["sequence"],
        tuple(roles.get("groups", ())),
        features=tuple(roles["features"]),
        exclude=tuple(data.get("exclude", ())),
        covariates=None if named is None else tuple(named),
        outcome_kind=data["outcome_kind"],
        remedies=as_remedies(data.get("remedies", [])),
        max_gap=data.get("max_gap") or NEVER,
        missing=data.get("missing", "indicator"),
        reading=HowRead.of_dict(data.get("how_read")),
    )


def read_study(
    folder: RunFolder,
    long: str | os.PathLike[str],
    covariates: str | os.PathLike[str] | Sequence[str] | None = None,
) -> Study:
    """Read a study again, or another one, as the recipe of a run says.

    `covariates` may be the table of covariates, or the columns of `long` that are covariates.

    Raises
    ------
    OptionError
        Where the run had a table of covariates and none is given.
    """
    recipe, inputs = recipe_of(folder), folder.data["inputs"]
    if isinstance(covariates, Sequence) and not isinstance(covariates, str):
        return load_study(replace(recipe, covariates=tuple(covariates)), long)
    tables = read_tables(recipe, long, covariates)
    named = recipe.covariates is not None and {*recipe.covariates} <= {*tables.long.frame.columns}
    if covariates is None and len(inputs) > 1 and not named:
        raise OptionError(
            f"The run was fitted with a table of covariates ({inputs[1]['name']}).",
            remedy="Give it, or one like it: --covariates C.csv.",
        )
    return fill_features(tables.study(recipe), recipe.missing)


def read_same_study(
    folder: RunFolder,
    long: str | os.PathLike[str],
    covariates: str | os.PathLike[str] | None = None,
) -> Study:
    """Read the study of a run again, from the very file that it was fitted on.

    Raises
    ------
    OptionError
        For another file, a run that was not fitted on all rows, or several grouping factors.
    """
    data = folder.data
    if data["interpreted_from"] != "all rows":
        raise OptionError(
            "This run was not fitted on all rows, so nothing can be compared.",
            remedy="Fit it with --refit all.",
        )
    if recipe_of(folder).groups:
        raise OptionError("This takes a run with one grouping factor, the people.")
    if fingerprint(Path(long)) not in {one["sha256"] for one in data["inputs"]}:
        raise OptionError(
            f"{long} is not the file that {folder.path} was fitted on.",
            remedy="Give that file, unchanged; data.json names it.",
        )
    study = read_study(folder, long, [] if covariates is None else covariates)
    return study if folder.config["model"] == "nme-crf" else study.with_observed_outcome()


def read_rows(
    folder: RunFolder,
    path: str | os.PathLike[str],
    *,
    stored: bool = False,
    **given: str | None,
) -> pd.DataFrame:
    """Read a file with new rows for a run, as `read_new` does; the rows alone."""
    return read_new(folder, path, stored=stored, **given)[0]


def read_new(
    folder: RunFolder,
    path: str | os.PathLike[str],
    *,
    stored: bool = False,
    **given: str | None,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a file with new rows for a run: any format, wide where the run's file was wide.

    Parameters
    ----------
    folder : RunFolder
        The run.
    path : path
        The file.
    stored : bool
        Whether it has the form of tables that were stored, not that of the user's files.
    **given
        ``sheet``, ``encoding``, ``delimiter``, ``decimal``, ``header``: how to read it, where that
        is said. What is not is read as the run's file was, where the user had said it then; else
        recognised.

    Returns
    -------
    rows : DataFrame
        The rows.
    notes : tuple of str
        What was left out or changed in reading them.

    Raises
    ------
    DataError
        The file cannot be read, does not name its columns, or is wide in another way than the
        run's.
    """
    recipe = recipe_of(folder)
    stored = stored or recipe.is_stored(path)
    reading = recipe.read(path, stored=stored, **given)
    if reading.how.header == "none" and recipe.person not in reading.frame.columns:
        ordered = [name for name in (recipe.time, recipe.sequence) if name is not None]
        named = [recipe.person, *recipe.groups, *ordered, *(recipe.features or ())]
        columns = ", ".join(dict.fromkeys(named))
        raise DataError(
            f"No line of {os.path.basename(path)} names the columns.",
            remedy=f"Write their names in its first line, as in the run's file: {columns}.",
        )
    rows, told = recipe.lengthen(restored(reading.frame, reading.labels.taken, recipe.steps))
    return rows, (*reading.notes, *told)
