"""``nme compare``: runs of the same rows beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.options import check_folder
from nme_core.exceptions import OptionError
from nme_core.io import RunFolder


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN1 RUN2 [RUN3…]", help="Folders that `nme fit` wrote."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for the tables and verdict.json."),
    ] = None,
) -> None:
    """Compare runs of the same rows: held-back rows, likelihoods, what they say of people."""
    from nme_core.runs.comparing import compare_runs

    if out is not None:
        check_folder(out)
        if (out / "status.json").exists() or (out / "config.json").exists():
            raise OptionError(f"--out {out} is the folder of a run.", remedy="Name another folder.")
    found = compare_runs([RunFolder(path) for path in runs])
    typer.echo(found.text())
    if out is not None:
        found.write(out)
        typer.echo(f"\nWrote {out}.")
