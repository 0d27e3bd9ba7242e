"""``nme fit``: a model and its baselines become a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.options import (
    Covariance,
    Seed,
    StudyOptions,
    check_folder,
    layers,
    names,
    repeating_command,
    takes_study,
)
from nme_core.cli.progress import progress_bar
from nme_core.io import RunFolder
from nme_core.io.inputs import remember_inputs

#: Findings of the check that `nme fit` repeats, at most.
MOST_FINDINGS = 3


@takes_study
def fit(
    study: StudyOptions,
    model: Annotated[str, typer.Option(metavar="nme-mlp|nme-crf", help="Kind of model.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder to write.")],
    placement: Annotated[
        str | None,
        typer.Option(
            metavar="first|last|all|transitions|last+transitions|…",
            help="Where the person-specific parameters stand.",
        ),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(
            metavar="gaussian|poisson|negative_binomial|categorical|ordinal",
            help="Kind of outcome of an nme-mlp; default: gaussian, or categorical for classes.",
        ),
    ] = None,
    covariance: Covariance = "auto",
    estimator: Annotated[
        str, typer.Option(help="variational, laplace or annealed.")
    ] = "variational",
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="auto|none|32[,16…]",
            help="Units of each hidden layer; auto: several networks, weighted by the validation"
            " rows. Default: auto for nme-mlp, none for nme-crf.",
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(metavar="tanh|relu", help="What stands between named layers; default: relu."),
    ] = None,
    residual: Annotated[
        str,
        typer.Option(
            metavar="auto|iid|ar1",
            help="Residuals of a number: independent, or autocorrelated over --time; auto: "
            "autocorrelated where times are given and the model has no hidden layers.",
        ),
    ] = "auto",
    reml: Annotated[
        bool, typer.Option("--reml", help="Restricted likelihood, for a linear nme-mlp.")
    ] = False,
    shrink: Annotated[
        str,
        typer.Option(
            metavar="none|inputs",
            help="Shrink the effects of a linear nme-mlp's features as far as the rows say, for "
            "prediction from many features.",
        ),
    ] = "none",
    quadrature: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="Points of quadrature for a linear nme-mlp of classes or counts with one random "
            "effect; 1: Laplace's approximation. Take 7 or more for rare events and few rows each.",
        ),
    ] = 1,
    baselines: Annotated[
        str,
        typer.Option(
            metavar="generic,specific,lme,mlp-lme,unregularised|none",
            help="Models to compare with.",
        ),
    ] = "generic,specific",
    epochs: Annotated[
        int | None, typer.Option(help="Exactly so many; default: until converged.")
    ] = None,
    tune: Annotated[
        int,
        typer.Option(
            metavar="TRIALS",
            min=0,
            max=100,
            help="Choose hidden layers and covariance by the validation rows.",
        ),
    ] = 0,
    codebook: Annotated[
        Path | None,
        typer.Option(metavar="B.csv", help="What the columns are; made from the data otherwise."),
    ] = None,
    seed: Seed = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "cpu",
    refit: Annotated[
        str, typer.Option(metavar="all|none", help="Fit again on all rows for what is interpreted.")
    ] = "all",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on the terminal.")] = False,
) -> None:
    """Fit a model and its baselines, and write a run folder."""
    from nme_core.runs.fit import FitOptions, run_experiment
    from nme_core.study.codebook import read_codebook
    from nme_core.study.progress import reading_reported

    check_folder(out)
    states = model == "nme-crf" or family in ("categorical", "ordinal")
    with progress_bar(quiet=quiet) as bar, reading_reported(bar.show):
        table = study.read_filled(states=states)
    options = FitOptions(
        model=model,
        placement=placement,
        family=family,
        covariance=covariance,
        estimator=estimator,
        hidden=None if hidden is None else layers(hidden),
        activation=activation,
        residual=residual,
        reml=reml,
        shrink=shrink,
        quadrature=quadrature,
        baselines=tuple(names(baselines) or ()) if baselines != "none" else (),
        epochs=epochs,
        seed=seed,
        device=device,
        refit=refit,
        tune=tune,
    )
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
