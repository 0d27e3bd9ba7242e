"""``nme figure``: one figure of a run as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.options import Run, check_ending
from nme_core.exceptions import OptionError
from nme_core.io import RunFolder, durable

_FORMATS = (".png", ".svg", ".pdf", ".html")


def figure(
    run: Run,
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="What is drawn; without it, the names are listed."),
    ] = None,
    person: Annotated[
        str | None, typer.Option(metavar="ID", help="Whose figure it is, where it is one person's.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="figure.png, .svg or .pdf for print, or .html."),
    ] = None,
    dpi: Annotated[int, typer.Option(min=50, max=1200, help="Dots per inch of a PNG.")] = 300,
) -> None:
    """Write one figure of a run, or list the figures that it has."""
    from nme_core import figures
    from nme_core.figures.drawing import Paper
    from nme_core.reports import require_finished

    folder = RunFolder(run)
    require_finished(folder)
    if name is None:
        for one in figures.names(folder):
            personal = one.partition(":")[0] in figures.PERSONAL
            typer.echo(f"{one}{'  (of one person: --person ID)' if personal else ''}")
        return
    if out is None:
        raise OptionError(
            "No file is named.", remedy=f"Name one of {', '.join(_FORMATS)}: --out figure.png."
        )
    check_ending(out, _FORMATS)
    found = figures.figure(folder, name, person)
    content = found.file(out.suffix.lower()[1:], Paper(found.columns, dpi=dpi))
    out.parent.mkdir(parents=True, exist_ok=True)
    durable.write(out, content, private=False)
    typer.echo(f"Wrote {out}. {found.title}. {found.sentence}")
