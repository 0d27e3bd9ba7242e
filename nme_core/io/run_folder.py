"""The run folder: UTF-8 CSV tables with a header, JSON, safetensors; no pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from nme_core.exceptions import RunFolderError
from nme_core.io import durable, manifest
from nme_core.io.parameter_names import ParameterNames
from nme_core.io.tables import TABLES, in_order, text_columns

#: Rows of a table that are written at once.
_ROWS_AT_ONCE = 200_000

#: Files that a run writes, but for ``status.json``.
FILES = (
    *(f"{name}.csv" for name in (*TABLES, "covariates")),
    *("config.json", "data.json", "recipe.json", "verdict.json", "model.safetensors"),
    manifest.NAME,
)
#: Those that the manifest names.
_SUMMED = {*FILES, "status.json"} - {manifest.NAME}


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Status:
    """Content of ``status.json``; times are ISO 8601 with time zone, progress is 0 to 1."""

    state: RunState
    started: str | None = None
    finished: str | None = None
    message: str = ""
    progress: float = 0.0
    pid: int | None = None
    born: str | None = None

    @property
    def alive(self) -> bool:
        """Whether it is running and its process is there; `born` guards against a reused id."""
        if self.state is not RunState.RUNNING or self.pid is None:
            return False
        birth = durable.born(self.pid)
        return birth is not None and self.born in (None, birth)


class RunFolder:
    """Reads and writes one run folder.

    Parameters
    ----------
    path : path
        The folder. It is made, with mode 0700, by the first thing that is written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    # -- JSON ---------------------------------------------------------------------------------

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write ``<name>.json`` in one step, so that a reader never sees half a file."""
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        self._replace(f"{name}.json", lambda file: file.write(text + "\n"))

    def read_json(self, name: str) -> dict[str, Any]:
        """Content of ``<name>.json``; RunFolderError where it is missing or damaged."""
        path = self.path / f"{name}.json"
        manifest.require(path)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunFolderError(
                f"{self.path} has no {path.name}.",
                remedy="Give the folder that `nme fit --out` wrote.",
            ) from None
        except (OSError, ValueError) as error:
            raise RunFolderError(
                f"{path} cannot be read ({error}).", remedy="Run the fit again."
            ) from error
        if not isinstance(content, dict):
            raise _damaged(path)
        return content

    @property
    def status(self) -> Status:
        """Where the run stands."""
        content = self.read_json("status")
        known: dict[str, Any] = {
            key: content[key] for key in Status.__dataclass_fields__ if key in content
        }
        try:
            return Status(**{**known, "state": RunState(str(content.get("state")))})
        except ValueError as error:
            raise _damaged(self.path / "status.json") from error

    def write_status(self, status: Status) -> None:
        """Write ``status.json``."""
        self.write_json("status", asdict(status))

    @property
    def config(self) -> dict[str, Any]:
        """Every option as run, versions, seed, and the command that reproduces the run."""
        return self.read_json("config")

    @property
    def data(self) -> dict[str, Any]:
        """Roles, counts, fingerprints of the inputs, what was dropped and why."""
        return self.read_json("data")

    @property
    def roles(self) -> dict[str, Any]:
        """Columns of the study that the run was fitted on; the fields of `Roles`."""
        roles = self.data.get("roles")
        if not isinstance(roles, dict):
            raise _damaged(self.path / "data.json")
        return roles

    @property
    def parameter_names(self) -> ParameterNames:
        """Words for the run's parameters; of features and classes where it recorded them."""
        return ParameterNames.of(self.config)

    # -- tables -------------------------------------------------------------------------------

    def has_table(self, name: str) -> bool:
        """Whether ``<name>.csv`` has been written; RunFolderError where it was and is missing."""
        path = self.path / f"{name}.csv"
        if path.is_file():
            return True
        manifest.require(path)
        return False

    def table(self, name: str) -> pd.DataFrame:
        """One table as a DataFrame; ids, names and labels are text, empty text is ``""``."""
        path = self.path / f"{name}.csv"
        manifest.require(path)
        if not path.is_file():
            raise RunFolderError(f"{self.path} has no {path.name}.", remedy="Has the run finished?")
        try:
            header = list(pd.read_csv(path, nrows=0).columns)
            text = text_columns(name, header)
            frame = pd.read_csv(
                path, dtype=dict.fromkeys(text, "str"), keep_default_na=False,
                na_values={column: [""] for column in header if column not in text},
            )  # fmt: skip
        except ValueError as error:
            raise _damaged(path) from error
        if not set(TABLES[name]) <= set(frame.columns):
            raise _damaged(path)
        return frame

    def write_table(
        self,
        name: str,
        frame: pd.DataFrame,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Write ``<name>.csv`` with the columns that `TABLES` names, then any extra ones.

        `progress` is told the number of rows written and of all rows, now and then.
        """
        columns = in_order(name, list(frame.columns))
        self._replace(f"{name}.csv", lambda file: _write_rows(file, frame, columns, True, progress))

    def append_table(
        self,
        name: str,
        frame: pd.DataFrame,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Add rows to ``<name>.csv``, or begin it; all of them, or none where it is interrupted.

        The columns have to be those of the rows that are there.
        """
        path, columns = self.path / f"{name}.csv", in_order(name, list(frame.columns))
        if not path.is_file():
            self.write_table(name, frame, progress=progress)
            return
        header = list(pd.read_csv(path, nrows=0).columns)
        if header != columns:
            raise ValueError(f"table {name!r} has the columns {header}, not {columns}")
        if (self.path / manifest.NAME).is_file():
            raise ValueError(f"table {name!r} is of a finished run: write it whole")
        before = path.stat().st_size
        try:
            with path.open("a", encoding="utf-8", newline="") as file:
                _write_rows(file, frame, columns, False, progress)
        except BaseException:
            os.truncate(path, before)
            raise

    # -- covariates of the persons (so that a later test needs no other file) -----------------

    @property
    def covariates(self) -> pd.DataFrame:
        """Person-level covariates, index ``person`` (text); no columns where there are none."""
        path = self.path / "covariates.csv"
        manifest.require(path)
        if not path.is_file():
            return pd.DataFrame(index=pd.Index([], name="person", dtype="str"))
        try:
            first = str(pd.read_csv(path, nrows=0).columns[0])
            frame = pd.read_csv(path, dtype={first: "str"}, keep_default_na=False, na_values=[""])
        except (ValueError, IndexError) as error:
            raise _damaged(path) from error
        return frame.set_index(first).rename_axis("person")

    def write_covariates(self, covariates: pd.DataFrame) -> None:
        """Write ``covariates.csv``; index: person, which is the file's first column."""
        first = "person"
        while first in covariates.columns:
            first += "_"
        frame = covariates.rename_axis(first).reset_index()
        self._replace(
            "covariates.csv", lambda file: frame.to_csv(file, index=False, lineterminator="\n")
        )

    @property
    def model_path(self) -> Path:
        """Where the weights lie; RunFolderError where they are no longer as they were written."""
        path = self.path / "model.safetensors"
        try:
            manifest.require(path)
        except RunFolderError as error:
            command = self.config.get("command") or "nme fit"
            raise RunFolderError(
                f"{error.message} It holds the weights of the model, which the tables of the run "
                "do not have.",
                remedy=f"Take it from a copy or a bundle, or fit the run again: {command}",
            ) from error
        return path

    # -- the folder as a whole ----------------------------------------------------------------

    def writes(self, path: str | os.PathLike[str]) -> bool:
        """Whether a file is one of those that a run writes here."""
        file = Path(path).resolve()
        return file.parent == self.path.resolve() and file.name in FILES

    def finish(self, status: Status) -> None:
        """Write the last status; ``manifest.json`` has the sums of all files from now on."""
        manifest.write(self.path, sorted(_SUMMED))
        self.write_status(status)

    def require_whole(self) -> None:
        """Raise RunFolderError for the first file that is cut, changed or missing.

        Runs of earlier versions have no manifest, and are not looked at.
        """
        manifest.require_all(self.path)

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A file to write in place of one of the folder; the manifest, if any, follows."""
        durable.make_folder(self.path)
        with ExitStack() as until_replaced, durable.beside(self.path / name) as new:
            yield new
            if name in _SUMMED:
                until_replaced.enter_context(manifest.replacing(self.path, name, new))

    def _replace(self, name: str, write: Callable[[TextIO], object]) -> None:
        with self.writing(name) as new, new.open("w", encoding="utf-8", newline="") as file:
            write(file)


def _write_rows(
    file: TextIO,
    frame: pd.DataFrame,
    columns: list[str],
    header: bool,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Write rows as CSV, a part at a time, so that large tables take little memory."""
    for start in range(0, max(len(frame), 1), _ROWS_AT_ONCE):
        part = frame.iloc[start : start + _ROWS_AT_ONCE]
        part.to_csv(
            file, columns=columns, index=False, header=header and start == 0, lineterminator="\n"
        )
        if progress is not None and len(frame) > _ROWS_AT_ONCE:
            progress(start + len(part), len(frame))


def _damaged(path: Path) -> RunFolderError:
    return RunFolderError(f"{path} is damaged.", remedy="Run the fit again.")
