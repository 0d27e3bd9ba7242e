"""``nme fit``: a model and its baselines become a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.options import StudyOptions, check_folder, repeating_command, takes
from nme_core.cli.progress import progress_bar
from nme_core.io import RunFolder
from nme_core.io.inputs import remember_inputs
from nme_core.vocabulary.settings import FitSettings

#: Findings of the check that `nme fit` repeats, at most.
MOST_FINDINGS = 3


@takes(StudyOptions, FitSettings)
def fit(
    study: StudyOptions,
    settings: FitSettings,
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder to write.")],
    codebook: Annotated[
        Path | None,
        typer.Option(metavar="B.csv", help="What the columns are; made from the data otherwise."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on the terminal.")] = False,
) -> None:
    """Fit a model and its baselines, and write a run folder."""
    from nme_core.runs.fit import FitOptions, run_experiment
    from nme_core.study.codebook import read_codebook
    from nme_core.study.progress import reading_reported

    check_folder(out)
    with progress_bar(quiet=quiet) as bar, reading_reported(bar.show):
        table = study.read_filled(states=settings.are_states)
    options = FitOptions(**vars(settings))
    options.estimator_for(table)  # what does not fit is refused before a folder is emptied
    with progress_bar(quiet=quiet) as bar:
        run_experiment(
            table,
            options,
            RunFolder(out),
            inputs=study.files,
            command=repeating_command(RUN=out, CODEBOOK_csv=codebook, **study.named_files),
            codebook=None if codebook is None else read_codebook(codebook),
            report=bar.show,
        )
    remember_inputs(
        {one["sha256"]: path
         for one, path in zip(RunFolder(out).data["inputs"], study.files, strict=False)}
    )  # fmt: skip
    if not quiet:
        _say_findings(RunFolder(out))
        _print_fit(RunFolder(out))


def _say_findings(folder: RunFolder) -> None:
    """Repeat what the check of the data found, as not everybody runs it."""
    table = folder.table("findings").query("severity == 'look'")
    if table.empty:
        return
    shown = " ".join(table["message"].head(MOST_FINDINGS))
    more = f" And {len(table) - MOST_FINDINGS} more." if len(table) > MOST_FINDINGS else ""
    typer.echo(f"Look: {shown}{more} `nme check` says what can be done.")


def _print_fit(folder: RunFolder) -> None:
    """Print the test metrics of all models, what they amount to, and how training ended."""
    from nme_core.batches.splits import tested_rows
    from nme_core.runs.skill import skill_sentences

    metrics = folder.table("metrics").query("split == 'test' and scope == 'pooled'")
    if not metrics.empty:
        wide = metrics.pivot(index="model", columns="metric", values="value")
        rows = tested_rows(folder.data)
        typer.echo(f"On the test rows ({rows}), all people pooled:")
        typer.echo(wide.loc[metrics["model"].unique()].round(4).to_string(na_rep=""))
    typer.echo("\n".join(skill_sentences(folder.table("skill"))))
    for finding in folder.table("findings").query("severity != 'info'").itertuples():
        typer.echo(f"Look: {finding.message} {finding.remedy}".rstrip())
    for model, verdict in folder.config["verdicts"].items():
        typer.echo(f"{model}: {verdict}.")
    if (choice := folder.config.get("covariance_choice")) is not None:
        typer.echo(choice["words"])
    unseen = [one["table"] for one in folder.config["approximate"] if one["status"] != "missing"]
    if unseen and folder.data["interpreted_from"] == "all rows":
        which = ", ".join(f"{name}.csv" for name in dict.fromkeys(unseen))
        typer.echo(
            f"How often intervals of {which} contain the truth in this study: nme calibrate."
        )
    typer.echo(f"Run folder: {folder.path}")
