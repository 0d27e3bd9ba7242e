"""What a run folder recorded of its study and its options, as they were."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pandas as pd

from nme_core.data import Study, read_any
from nme_core.data.gaps import NEVER
from nme_core.data.missing import fill_features
from nme_core.data.reading import has_sheets
from nme_core.data.remedies import as_remedies, make_long
from nme_core.exceptions import OptionError
from nme_core.experiment import FitOptions
from nme_core.io import RunFolder


def read_study(
    folder: RunFolder,
    long: str | os.PathLike[str],
    covariates: str | os.PathLike[str] | Sequence[str] | None = None,
) -> Study:
    """Read a study again, or another one, with the roles and changes that a run recorded.

    `covariates` may be the table of covariates, or the columns of `long` that are covariates.

    Raises
    ------
    OptionError
        Where the run had a table of covariates and none is given.
    """
    data, roles = folder.data, folder.roles
    if covariates is None and len(data["inputs"]) > 1:
        raise OptionError(
            f"The run was fitted with a table of covariates ({data['inputs'][1]['name']}).",
            remedy="Give it, or one like it: --covariates C.csv.",
        )
    study = Study.from_file(
        long,
        person=roles["person"],
        outcome=roles["outcome"],
        time=roles["time"],
        sequence=roles["sequence"],
        group=roles.get("groups", ()),
        features=roles["features"],
        exclude=data.get("exclude", ()),
        # Runs of earlier versions do not say which were named.
        covariates=data.get("named_covariates", list(roles["covariates"]))
        if covariates is None
        else covariates,
        outcome_kind=data["outcome_kind"],
        remedies=as_remedies(data.get("remedies", [])),
        max_gap=data.get("max_gap") or NEVER,
        **reading_of(folder, long),
    )
    return fill_features(study, data.get("missing", "indicator"))


def read_rows(folder: RunFolder, path: str | os.PathLike[str], **given: str | None) -> pd.DataFrame:
    """Read a file with new rows for a run: any format, wide where the run's file was wide.

    Parameters
    ----------
    folder : RunFolder
        The run.
    path : path
        The file.
    **given
        ``sheet``, ``encoding``, ``delimiter``, ``decimal``: how to read it, where that is said.
        What is not is read as the run's file was, where the user had said it then; else recognised.

    Raises
    ------
    DataError
        The file cannot be read, or is wide in another way than the run's.
    """
    roles = folder.roles
    ids = [roles[role] for role in ("person", "sequence") if roles[role] is not None]
    said = {name: value for name, value in given.items() if value is not None}
    reading = read_any(
        path, text=[*ids, *roles.get("groups", [])], **{**reading_of(folder, path), **said}
    )
    return make_long(
        reading.frame, as_remedies(folder.data.get("remedies", [])), needed=roles["features"]
    )


def reading_of(folder: RunFolder, path: str | os.PathLike[str]) -> dict[str, Any]:
    """How a file is read as the run's was: what the user said then, as far as it fits the file."""
    how = folder.data.get("how_read", {})
    said = {name: how[name] for name in how.get("given", []) if name in how}
    if "sheet" in said and not has_sheets(path):
        del said["sheet"]
    return said


def fit_options(config: dict[str, Any]) -> FitOptions:
    """The options of a run, from its ``config.json``; what a search found stands in for it."""
    known: dict[str, Any] = {
        field.name: config[field.name] for field in fields(FitOptions) if field.name in config
    }
    for name, value in known.items():
        known[name] = tuple(value) if isinstance(value, list) else value
    return FitOptions(**{**known, "tune": 0})
