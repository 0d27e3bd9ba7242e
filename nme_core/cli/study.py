"""``nme sample`` and ``nme check``: a study before anything is fitted."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nme_core.cli.options import StudyOptions, check_folder, takes_study
from nme_core.exceptions import DataError

if TYPE_CHECKING:
    import pandas as pd

    from nme_core.study import Reading


def sample(
    name: Annotated[str, typer.Argument(help="dyads, mood or null.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
) -> None:
    """Write a simulated sample study: long.csv, covariates.csv, truth.json, README.md."""
    from nme_core.simulate import sample_study

    check_folder(out)
    sample_study(name).write(out)
    typer.echo(f"Wrote the simulated study {name!r} to {out}; its README.md says how to use it.")


@takes_study
def check(
    study: StudyOptions,
    planned: Annotated[
        int | None, typer.Option(help="Occasions that were planned for each person.")
    ] = None,
) -> None:
    """Report what a study holds and what should be looked at. Exit code 0: usable, 2: not.

    Without --person and --outcome, propose what each column is and print the command that checks
    the study so.
    """
    from nme_core.study import check_study
    from nme_core.study.clean.missing import check_missing, fill_features

    if study.recipe is None and not (study.person and study.outcome):
        _propose(study)
        return
    check_missing(study.made.missing)
    try:
        table = study.read()
    except DataError:
        problems = study.problems()
        typer.echo("\n".join(study.tables.lines()))
        if len(problems) > 1 or any(problem.fixes for problem in problems):
            typer.echo("\n".join(line for problem in problems for line in problem.lines()))
        raise
    report = check_study(table, planned=planned)
    filled = fill_features(table, study.made.missing)
    new = filled.notes[len(table.notes) :]
    if table.how_read is not None:
        typer.echo(f"Read: {table.how_read.words()}")
    typer.echo("\n".join([*report.lines()[:-1], *(f"Note: {note}" for note in new)]))
    typer.echo(report.lines()[-1])
    if not report.usable:
        raise DataError(
            "The study is not usable as it is.", remedy="The lines above that say STOP tell why."
        )


def _propose(study: StudyOptions) -> None:
    """Print a proposal for the roles, why, and the command with it."""
    from nme_core.study import read_any
    from nme_core.study.clean.remedies import apply_remedies
    from nme_core.study.clean.remedy_files import as_json, read_remedies
    from nme_core.study.roles.proposal import column_type, propose_study

    reading = read_any(study.long, **study.reading)
    if study.step is None and reading.events is not None:
        study = replace(study, step=reading.events.step)
        reading = read_any(study.long, **study.reading)
        typer.echo(
            f"Events with a start and an end: steps of {study.step} are proposed (--step); "
            "--step none keeps one row per event."
        )
    typer.echo("\n".join(reading.lines()))
    given = () if study.remedy is None else read_remedies(study.remedy)
    table, notes = apply_remedies(reading.frame, given)
    sheet, people = _people(study, table, reading)
    second = None if people is None else people.frame
    proposal, frame, said = propose_study(table, second, reading.roles)
    told = () if people is None else (f"Covariate table: {line}" for line in people.told())
    typer.echo("".join(f"{line}\n" for line in (*told, *notes, *said)), nl=False)
    typer.echo("No roles were given. Proposed from names, values and structure:")
    for name, reason in proposal.reasons.items():
        column_in = frame if name in frame.columns else second
        kind = "" if column_in is None else f" ({column_type(column_in[name])})"
        typer.echo(f"  {name}{kind} – {reason}")
    if len(reading.instruments) > 1 and study.instrument is None:
        study = replace(study, instrument=reading.how.instrument)
        typer.echo(
            f"Not sure: Are the rows of {reading.how.instrument!r} the occasions? --instrument "
            f"takes others: {', '.join(one for one in reading.instruments[1:])}."
        )
    for question in proposal.questions:
        typer.echo(f"Not sure: {question}")
    if proposal.problem is not None:
        raise DataError(proposal.problem.message, remedy=proposal.problem.remedy or "")
    command = ["nme", "check", str(study.long)]
    if study.covariates is not None:
        command += ["--covariates", str(study.covariates)]
    command += [] if sheet is None else ["--covariates-sheet", sheet]
    for option in (
        "sheet",
        "encoding",
        "delimiter",
        "decimal",
        "header",
        "metadata",
        "step",
        "instrument",
    ):
        value = getattr(study, option)
        command += [] if value is None else [f"--{option}", str(value)]
    lacking = [role for role in ("person", "outcome") if getattr(proposal, role) is None]
    if lacking:
        raise DataError(
            f"No column seems to be the {' or the '.join(lacking)}.",
            remedy=f"Name {'it' if len(lacking) == 1 else 'them'} "
            f"({', '.join(f'--{role}' for role in lacking)}).",
        )
    for remedy in proposal.remedies:
        typer.echo(f"Needed first: {remedy}.")
    if remedies := [*given, *proposal.remedies]:
        command += ["--remedy", f"[{', '.join(map(as_json, remedies))}]"]
    typer.echo(shlex.join([*command, *proposal.options()]))


def _people(
    study: StudyOptions, table: pd.DataFrame, reading: Reading
) -> tuple[str | None, Reading | None]:
    """The sheet of the covariate table and what it holds: as was said, else as it is proposed."""
    from nme_core.study.reading import people_sheet, read_second
    from nme_core.study.roles.proposal import propose_roles

    person = propose_roles(table, None, reading.roles).person
    sheet, file = study.covariates_sheet, study.second
    if file is None and person is not None:
        sheet = people_sheet(study.long, None, person, table[person], but=reading.how.sheet)
        file = None if sheet is None else study.long
    return sheet, None if file is None else read_second(file, person, sheet=sheet)
