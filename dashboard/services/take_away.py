"""What a run leaves the app as: reports and the bundle, made by `nme` in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nme_core
from dashboard.services.caching import shared
from dashboard.services.home import NMEError, home
from dashboard.services.results import effects, run_folder
from dashboard.services.runs import run_record
from dashboard.services.studies import study_record
from nme_core.io import durable
from nme_core.reports import TABLE_FORMATS, ResultTable, Words
from nme_core.reports import words as words_of
from nme_core.vocabulary.language import language

#: Longest that a file may take.
_MOST_SECONDS = 600


def report(identity: str, kind: str, person: str | None = None) -> bytes:
    """The report of a run (``html``, ``pdf``), or the page about one person."""
    chosen = _title(identity) if person is None else ["--person", person]
    return _made(identity, "report", f"report.{kind}", *chosen)


def bundle(identity: str) -> bytes:
    """The run as one zip, without the data."""
    return _made(identity, "bundle", "bundle.zip", *_title(identity))


def words(identity: str) -> Words:
    """Methods, results, references and tables of a finished run, with all that it holds now."""
    return _words(identity, run_folder(identity).path.stat().st_mtime_ns)


@shared(8)
def _words(identity: str, changed: int) -> Words:
    return words_of(run_folder(identity))


def persons(identity: str) -> list[str]:
    """Persons whom the run knows, in its order."""
    return list(effects(identity)["person"].unique())


def table_file(one: ResultTable, kind: str) -> bytes:
    """One table as ``csv``, ``html``, ``tex`` or ``docx``."""
    return TABLE_FORMATS[kind](one)


def _title(identity: str) -> list[str]:
    """What the report calls a run: the names that its users gave to study and run."""
    run = run_record(identity)
    record = None if run is None else study_record(run.study)
    names = [one.name for one in (record, run) if one is not None]
    if len(names) == 2 and names[1].startswith(names[0]):
        names = names[1:]  # a run that nobody named has the study's name in its own
    return ["--title", ", ".join(names)] if names else []


def _made(identity: str, command: str, name: str, *words: str) -> bytes:
    """Let `nme` make a file of a run; NMEError with its last words where it cannot."""
    path = run_folder(identity).path
    with durable.scratch(home()) as folder:
        out = folder / name
        done = subprocess.run(
            [sys.executable, "-m", "nme_core", command, path, "--out", out, *words,
             "--language", language()],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=Path(nme_core.__file__).parent.parent,
            timeout=_MOST_SECONDS,
        )  # fmt: skip
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            raise NMEError(said[-1].removeprefix("nme: ") if said else f"{name} was not made.")
        return out.read_bytes()
