"""``nme bundle`` and ``nme rerun``: a run for somebody else, and the same once more."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.options import Run, check_ending, check_folder, repeating_command
from nme_core.cli.progress import progress_bar
from nme_core.cli.report import Language, Title, in_language
from nme_core.exceptions import OptionError
from nme_core.io import RunFolder, durable
from nme_core.vocabulary.language import ENGLISH


def bundle(
    run: Run,
    out: Annotated[Path, typer.Option(metavar="BUNDLE.zip", help="Zip to write.")],
    with_data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A file that the run was fitted on, to be packed too; may be repeated.",
        ),
    ] = None,
    title: Title = None,
    language: Language = ENGLISH,
) -> None:
    """Pack a run with its tables, figures, report, script and notebook into one zip."""
    from nme_core.reports.bundle import write_bundle
    from nme_core.reports.render import bundle_files

    folder = RunFolder(run)
    check_ending(out, (".zip",))
    data = {path.name: path for path in with_data or []}
    _check_data(folder, data)
    with in_language(language):
        extra = bundle_files(folder, title)
    out.parent.mkdir(parents=True, exist_ok=True)
    members = write_bundle(folder, out, extra=extra, data=data)
    typer.echo(f"Wrote {out}: {len(members)} files, {'with' if data else 'without'} the data.")


def _check_data(folder: RunFolder, data: dict[str, Path]) -> None:
    """Raise OptionError for a file that the run was not fitted on."""
    prints = {one["sha256"] for one in folder.data["inputs"]}
    for path in data.values():
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() not in prints:
                raise OptionError(
                    f"The run was not fitted on {path}: its SHA-256 is another.",
                    remedy="Give the files as they were.",
                )


def rerun(
    first: Annotated[
        Path, typer.Argument(metavar="BUNDLE.zip|RUN", help="Zip of `nme bundle`, or run folder.")
    ],
    long: Annotated[Path, typer.Argument(metavar="LONG.csv", help="The data.")],
    out: Annotated[Path, typer.Option(metavar="RUN2", help="Folder to write.")],
    covariates: Annotated[
        Path | None, typer.Option(metavar="C.csv", help="One row per person.")
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            min=0, help="Share of a column's largest value that counts as the same; default 1e-6."
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on the terminal.")] = False,
) -> None:
    """Repeat a run, and say whether the numbers are the same and, if not, what changed.

    Exit code 0: the same, 1: not.
    """
    from nme_core.reports.bundle import run_of
    from nme_core.runs.rerun import rerun as repeat

    check_folder(out)
    with (
        durable.scratch() as scratch,
        progress_bar(quiet=quiet) as bar,
    ):
        repetition = repeat(
            run_of(first, scratch),
            RunFolder(out),
            long,
            covariates,
            command=repeating_command(
                RUN=out, BUNDLE_zip=first, LONG_csv=long, COVARIATES_csv=covariates
            ),
            tolerance=tolerance,
            report=bar.show,
        )
    typer.echo("\n".join(repetition.lines()))
    if not repetition.same:
        raise typer.Exit(1)
