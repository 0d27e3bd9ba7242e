"""A new run in a folder: it leaves what was finished, or nothing; never half of two runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nme_core.exceptions import OptionError, RunFolderError
from nme_core.io import durable, manifest
from nme_core.io.run_folder import FILES, RunFolder, RunState

_NEW = "run"
_EARLIER, _UNFINISHED = "earlier", "unfinished"

#: Files of results that a run finishes before its end.
_RESULTS = ("metrics.csv", "tuning.csv")


@contextmanager
def renewed(folder: RunFolder) -> Iterator[RunFolder]:
    """Where a new run is to be written, which is in `folder` once the block has ended well.

    A finished run that stands there is replaced only then, and kept in ``earlier``. Where the
    block is left by an error, what a run had finished (its metrics, its trials) is kept: in the
    folder, or in ``unfinished`` below a finished run. Of one that had finished nothing, nothing is
    left.

    Raises
    ------
    OptionError
        Another process is writing a run there.
    """
    if folder.path.is_dir():
        recover(folder)
    _refuse_busy(folder)
    if _finished_at(folder) is None:
        with _in_place(folder) as new:
            yield new
        return
    new = RunFolder(durable.name_beside(folder.path / _NEW, "part"))
    try:
        yield new
        _take(folder, new)
    except BaseException:
        if _has_results(new):
            with suppress(OSError, RunFolderError):
                _keep(new, folder.path / _UNFINISHED, new.status.finished)
        raise
    finally:
        durable.remove(new.path)


def recover(folder: RunFolder) -> None:
    """Put a new run in its place that was finished when its process was killed; sweep."""
    for path in folder.path.glob(f".{_NEW}.*.part"):
        new = RunFolder(path)
        if durable.is_leftover(path.name) and (path / manifest.NAME).is_file():
            with suppress(RunFolderError):
                if new.status.state is RunState.DONE:
                    _take(folder, new)
    durable.sweep(folder.path, folder.path / _EARLIER, folder.path / _UNFINISHED)


def clear(folder: RunFolder) -> Path | None:
    """Make room for a new run in a folder; files that no run wrote stay where they are.

    A finished run, or one whose status cannot be read, is kept in the folder
    ``earlier/<when it finished>``, which is returned; of one that did not finish nothing is kept.
    """
    if not (folder.path / "status.json").is_file():
        return None
    kept = None
    if (finished := _finished_at(folder)) is not None:
        kept = _keep(folder, folder.path / _EARLIER, finished)
        (folder.path / "status.json").unlink()
    for name in (manifest.NAME, *FILES):
        (folder.path / name).unlink(missing_ok=True)
    return kept


def _has_results(run: RunFolder) -> bool:
    return any((run.path / name).is_file() for name in _RESULTS)


def _finished_at(folder: RunFolder) -> str | None:
    """When the run here finished; ``unknown`` where nobody can say, None where it did not."""
    if not (folder.path / "status.json").is_file():
        return None
    try:
        status = folder.status
    except RunFolderError:
        return "unknown"  # it may have
    return (status.finished or "unknown") if status.state is RunState.DONE else None


def _keep(run: RunFolder, where: Path, finished: str | None) -> Path:
    """Keep a copy of a run's files in a folder of its own below `where`; which is returned."""
    name = (finished or "unknown").replace(":", "-")
    names = (name + end for end in ("", *(f" ({n})" for n in range(2, 999))))
    kept = next(path for one in names if not (path := where / one).exists())
    with durable.folder_beside(kept) as new:
        for file in (*FILES, "status.json"):
            if (run.path / file).is_file():
                shutil.copy2(run.path / file, new / file)
    return kept


@contextmanager
def _in_place(folder: RunFolder) -> Iterator[RunFolder]:
    """Write where no finished run stands; leave no trace of one that had finished nothing."""
    known = (folder.path / "status.json").is_file()
    there = {name for name in FILES if (folder.path / name).is_file()} if not known else set()
    clear(folder)
    made = durable.make_folder(folder.path)
    try:
        yield folder
    except BaseException:
        if not known and not _has_results(folder):
            for name in {*FILES, "status.json"} - there:
                (folder.path / name).unlink(missing_ok=True)
            with suppress(OSError):  # somebody else has put something there
                for path in reversed(made):
                    path.rmdir()
        raise


def _take(folder: RunFolder, new: RunFolder) -> None:
    """Put a finished run in the place of another, which is kept; can be repeated."""
    summed = manifest.read(new.path)
    assert summed is not None
    if (finished := _finished_at(folder)) is not None and not (
        (mark := new.path / "kept").is_file()
    ):
        _keep(folder, folder.path / _EARLIER, finished)
        durable.write(mark, b"")
    for name in FILES:
        if (new.path / name).is_file() and name != manifest.NAME:
            os.replace(new.path / name, folder.path / name)
        elif name not in summed.sha256 and name != manifest.NAME:
            (folder.path / name).unlink(missing_ok=True)
    durable.write(folder.path / manifest.NAME, (new.path / manifest.NAME).read_bytes())
    os.replace(new.path / "status.json", folder.path / "status.json")


def _refuse_busy(folder: RunFolder) -> None:
    try:
        status = folder.status
    except RunFolderError:
        return
    if status.alive and status.pid != os.getpid():
        raise OptionError(
            f"Another process ({status.pid}) is writing a run into {folder.path}.",
            remedy="Wait for it, or name another folder (--out).",
        )
