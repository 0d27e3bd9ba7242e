"""``nme report``: a finished run as one file to read, to print or to paste from."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.options import Run, check_ending
from nme_core.exceptions import OptionError
from nme_core.io import RunFolder, durable
from nme_core.vocabulary.language import ENGLISH, MARKS, speaking

Title = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="What the report calls the run; default: the name of its folder.",
    ),
]

Language = Annotated[
    str,
    typer.Option(metavar="CODE", help="Language of the words: en or de (German)."),
]

_FORMATS = (".html", ".pdf", ".docx", ".txt", ".bib")


def report(
    run: Run,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="report.html or report.pdf; methods, results and tables as .docx; methods and "
            "results as .txt; references as .bib.",
        ),
    ],
    person: Annotated[
        str | None,
        typer.Option(metavar="ID", help="One page about this person, in plain words."),
    ] = None,
    title: Title = None,
    language: Language = ENGLISH,
) -> None:
    """Write a report of a run as one file that opens offline."""
    folder = RunFolder(run)
    check_report(out, folder, person)
    with in_language(language):
        content = content_of(folder, out.suffix.lower(), person, title)
    out.parent.mkdir(parents=True, exist_ok=True)
    durable.write(out, content, private=False)
    typer.echo(f"Wrote {out}.")


def in_language(code: str) -> AbstractContextManager[None]:
    """Words in this language within the block; OptionError where there are none."""
    if code not in (ENGLISH, *MARKS):
        raise OptionError(
            f"There are no words in {code!r}.", remedy=f"Choose {', '.join([ENGLISH, *MARKS])}."
        )
    return speaking(code)


def check_report(out: Path, folder: RunFolder, person: str | None) -> None:
    """Raise OptionError where a report cannot be written so."""
    check_ending(out, _FORMATS)
    if person is not None and out.suffix.lower() not in _FORMATS[:2]:
        raise OptionError(
            "The page about a person is .html or .pdf.", remedy="Name such a file (--out)."
        )


def content_of(
    folder: RunFolder, ending: str, person: str | None = None, title: str | None = None
) -> bytes:
    """The file of a report."""
    from nme_core.reports import words
    from nme_core.reports.render import render

    if ending in _FORMATS[:2]:
        return render(folder, ending[1:], person=person, title=title)
    said = words(folder)
    if ending == ".docx":
        return said.docx
    return (said.text if ending == ".txt" else said.bibtex).encode()
