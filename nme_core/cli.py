"""The command ``nme``: samples, data report, fits, tests against covariates, predictions."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from nme_core.exceptions import DataError, NMEError, OptionError
from nme_core.io import RunFolder

app = typer.Typer(
    help="Personalised models of repeated measurements. Research use, not diagnosis.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Long = Annotated[Path, typer.Argument(metavar="LONG.csv", help="One row per person and occasion.")]
Covariates = Annotated[
    Path | None, typer.Option(metavar="C.csv", help="One row per person, with the same id column.")
]
Person = Annotated[str, typer.Option(help="Column with the person's id.")]
Outcome = Annotated[str, typer.Option(help="Column to predict: a number, a class or a state.")]
Time = Annotated[str | None, typer.Option(help="Column that orders a person's rows.")]
Sequence = Annotated[str | None, typer.Option(help="Column with the session or sequence.")]
Features = Annotated[
    str | None,
    typer.Option(metavar="A,B,C", help="Columns to predict from; default: all that fit."),
]
Exclude = Annotated[str | None, typer.Option(metavar="D,E", help="Columns that are not used.")]
OutcomeKind = Annotated[
    str | None, typer.Option(metavar="number|class", help="Default: read off the column.")
]
Group = Annotated[
    list[str] | None,
    typer.Option(metavar="COL", help="Column of a further grouping factor; may be repeated."),
]
Remedies = Annotated[
    Path | None,
    typer.Option("--remedy", metavar="FILE.json", help="Changes to the table that are made first."),
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder that `nme fit` wrote.")]
_LARGEST_SEED = 2**32 - 1


@app.command()
def sample(
    name: Annotated[str, typer.Argument(help="dyads, mood or null.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
) -> None:
    """Write a simulated sample study: long.csv, covariates.csv, truth.json, README.md."""
    from nme_core.data.simulate import sample_study

    _check_folder(out)
    sample_study(name).write(out)
    typer.echo(f"Wrote the simulated study {name!r} to {out}; its README.md says how to use it.")


@app.command()
def check(
    long: Long,
    person: Person,
    outcome: Outcome,
    covariates: Covariates = None,
    time: Time = None,
    sequence: Sequence = None,
    group: Group = None,
    features: Features = None,
    exclude: Exclude = None,
    outcome_kind: OutcomeKind = None,
    remedies: Remedies = None,
) -> None:
    """Report what a study holds and what should be looked at. Exit code 0: usable, 2: not."""
    from nme_core.data import check_study

    report = check_study(
        _study(
            long,
            covariates,
            person,
            outcome,
            time,
            sequence,
            group,
            features,
            exclude,
            outcome_kind,
            remedies,
        )
    )
    typer.echo("\n".join(report.lines()))
    if not report.usable:
        raise DataError(
            "The study is not usable as it is.", remedy="The lines above that say STOP tell why."
        )


@app.command()
def fit(
    long: Long,
    person: Person,
    outcome: Outcome,
    model: Annotated[str, typer.Option(metavar="nme-mlp|nme-crf", help="Kind of model.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder to write.")],
    covariates: Covariates = None,
    time: Time = None,
    sequence: Sequence = None,
    group: Group = None,
    features: Features = None,
    exclude: Exclude = None,
    outcome_kind: OutcomeKind = None,
    remedies: Remedies = None,
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
            metavar="gaussian|poisson|categorical|ordinal",
            help="Kind of outcome of an nme-mlp; default: gaussian, or categorical for classes.",
        ),
    ] = None,
    covariance: Annotated[str, typer.Option(help="diagonal or full.")] = "diagonal",
    estimator: Annotated[
        str, typer.Option(help="variational, laplace or annealed.")
    ] = "variational",
    hidden: Annotated[
        str | None,
        typer.Option(metavar="32[,16…]", help="Units of each hidden layer; '' for none."),
    ] = None,
    baselines: Annotated[
        str, typer.Option(metavar="generic,specific|none", help="Models to compare with.")
    ] = "generic,specific",
    epochs: Annotated[
        int | None, typer.Option(help="Exactly so many; default: until converged.")
    ] = None,
    seed: Annotated[
        int,
        typer.Option(min=0, max=_LARGEST_SEED, help="Same seed, same machine, same numbers."),
    ] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "cpu",
    refit: Annotated[
        str, typer.Option(metavar="all|none", help="Fit again on all rows for what is interpreted.")
    ] = "all",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on the terminal.")] = False,
) -> None:
    """Fit a model and its baselines, and write a run folder."""
    from nme_core.experiment import FitOptions, run_experiment

    _check_folder(out)
    kind = "class" if model == "nme-crf" and outcome_kind is None else outcome_kind
    if family in ("categorical", "ordinal") and outcome_kind is None:
        kind = "class"
    study = _study(
        long, covariates, person, outcome, time, sequence, group, features, exclude, kind, remedies
    )
    options = FitOptions(
        model=model,
        placement=placement,
        family=family,
        covariance=covariance,
        estimator=estimator,
        hidden=None if hidden is None else _widths(hidden),
        baselines=tuple(_names(baselines) or ()) if baselines != "none" else (),
        epochs=epochs,
        seed=seed,
        device=device,
        refit=refit,
    )
    with _ProgressBar(shown=not quiet and sys.stderr.isatty()) as bar:
        run_experiment(
            study,
            options,
            RunFolder(out),
            inputs=[path for path in (long, covariates) if path is not None],
            command=shlex.join(["nme", *sys.argv[1:]]),
            report=bar.show,
        )
    if not quiet:
        _print_fit(RunFolder(out))


@app.command()
def hsic(
    run: Run,
    covariate: Annotated[list[str], typer.Option(help="Covariate to test; may be repeated.")],
    reps: Annotated[int, typer.Option(min=99, help="Permutations.")] = 2000,
    strata: Annotated[
        str,
        typer.Option(metavar="none|n_obs|COL", help="Permute among persons alike in this."),
    ] = "n_obs",
    adjust: Annotated[
        str, typer.Option(metavar="bh|holm", help="Correction for several tests.")
    ] = "bh",
    seed: Annotated[
        int, typer.Option(min=0, max=_LARGEST_SEED, help="Seed of the permutations.")
    ] = 0,
) -> None:
    """Test whether persons' parameters go with covariates; writes hsic.csv and effects.csv."""
    from nme_core import independence
    from nme_core.analysis import person_parameters

    folder = RunFolder(run)
    parameters = person_parameters(folder)
    covariates = folder.covariates
    if covariates.columns.empty:
        raise OptionError(
            f"The run {run} has no covariates.",
            remedy="Fit it with --covariates C.csv, a table with one row per person.",
        )
    result = independence.test_covariates(
        parameters.values,
        covariates,
        parameters.n_obs,
        parameters=parameters.label,
        reps=reps,
        strata=strata,
        adjust=adjust,
        seed=seed,
        standardise=parameters.standardise,
        columns=covariate,
    )
    folder.write_table("hsic", result.hsic)
    folder.write_table("effects", result.effects)
    typer.echo("\n".join(independence.hsic_lines(result.hsic)))
    typer.echo("\nStrongest single effects (of all that were tested, corrected together):")
    typer.echo("\n".join(independence.effects_lines(result.effects)))


@app.command()
def predict(
    run: Run,
    new: Annotated[Path, typer.Argument(metavar="NEW.csv", help="Rows to predict.")],
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where to write.")],
) -> None:
    """Predict the outcome of new rows; for new persons only the population's prediction."""
    from nme_core.data import read_table
    from nme_core.prediction import predict_rows

    folder = RunFolder(run)
    _check_file(out, new, folder)
    roles = folder.roles
    ids = [roles[role] for role in ("person", "sequence") if roles[role] is not None]
    ids += roles.get("groups", [])
    predictions = predict_rows(folder, read_table(new, text=ids))
    out.parent.mkdir(parents=True, exist_ok=True)
    predictions.to_csv(out, index=False, lineterminator="\n")
    unseen = predictions.loc[predictions["predicted"].isna(), "person"].nunique()
    note = f"; {unseen} persons are new: only population_predicted is filled" if unseen else ""
    typer.echo(f"Wrote {len(predictions)} predictions to {out}{note}.")


@app.command()
def adapt(
    run: Run,
    new: Annotated[
        Path, typer.Argument(metavar="NEWPERSONS.csv", help="Rows of persons new to the run.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")],
) -> None:
    """Learn the parameters of new persons, all else as it was learned; writes a run folder."""
    from nme_core.adaptation import adapt_run
    from nme_core.data import read_table

    _check_folder(out)
    folder = RunFolder(run)
    roles = folder.roles
    ids = [roles[role] for role in ("person", "sequence") if roles[role] is not None]
    adapted = RunFolder(out)
    persons = adapt_run(folder, read_table(new, text=ids), adapted, source=new)
    effects = adapted.table("random_effects")
    typer.echo(f"{'person':<24}{'rows':>8}{'reliability':>14}")
    for person in persons[:20]:
        own = effects[effects["person"] == person]
        reliability = own["reliability"].median()
        shown = "–" if reliability != reliability else f"{reliability:.2f}"
        typer.echo(f"{person:<24}{own['n_obs'].iloc[0]:>8}{shown:>14}")
    if len(persons) > 20:
        typer.echo(f"… and {len(persons) - 20} more")
    typer.echo(
        f"Wrote {out}: {len(persons)} new persons. Reliability (median over the parameters): 0 is"
        " the population, 1 the person's own."
    )


@app.command()
def dashboard(port: Annotated[int, typer.Option(min=1, max=65535)] = 8501) -> None:
    """Start the dashboard on http://127.0.0.1:PORT."""
    package = find_spec("dashboard")
    if package is None or package.origin is None:
        raise OptionError("The dashboard is not installed.", remedy="Install the whole project.")
    root = Path(package.origin).parent.parent
    typer.echo(f"The dashboard is on http://127.0.0.1:{port} (Ctrl-C stops it).")
    settings = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "browser.gatherUsageStats": "false",
    }
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py"]
    command += [f"--{name}={value}" for name, value in settings.items()]
    raise typer.Exit(subprocess.run(command, cwd=root).returncode)


def main() -> NoReturn:
    """Run the command; exit code 0 done, 2 bad input or usage, 130 on Ctrl-C."""
    warnings.showwarning = _show_warning
    try:
        code = app(sys.argv[1:] or ["--help"], prog_name="nme", standalone_mode=False)
    except NMEError as error:
        _stop(str(error))
    except (typer.Abort, KeyboardInterrupt):
        code = 130
    except typer.TyperException as error:
        _stop(error.format_message())
    except OSError as error:
        _stop(f"{error.strerror}: {error.filename}" if error.filename else str(error))
    except Exception as error:
        if os.environ.get("NME_DEBUG"):
            raise
        _stop(f"internal error: {error!r} (NME_DEBUG=1 shows where). Please report it.", code=1)
    if code == 130:  # typer turns Ctrl-C into this
        _stop("stopped; what was finished is kept.", code=130)
    sys.exit(code if isinstance(code, int) else 0)


def _stop(message: str, code: int = 2) -> NoReturn:
    typer.echo(f"nme: {' '.join(message.split())}", err=True)
    sys.exit(code)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    typer.echo(f"nme: warning: {' '.join(str(message).split())}", err=True)


def _study(
    long: Path,
    covariates: Path | None,
    person: str,
    outcome: str,
    time: str | None,
    sequence: str | None,
    group: list[str] | None,
    features: str | None,
    exclude: str | None,
    outcome_kind: str | None,
    remedies: Path | None,
) -> Any:
    from nme_core.data import Study, read_remedies

    return Study.from_csv(
        long,
        person=person,
        outcome=outcome,
        time=time,
        sequence=sequence,
        group=group or (),
        features=_names(features),
        exclude=_names(exclude) or (),
        covariates=covariates,
        outcome_kind=outcome_kind,  # type: ignore[arg-type]
        remedies=() if remedies is None else read_remedies(remedies),
    )


def _check_folder(out: Path) -> None:
    """Raise OptionError where a folder cannot be made, because a file has its name."""
    for path in (out, *out.parents):
        if path.exists() and not path.is_dir():
            raise OptionError(
                f"--out {out}: {path} is a file, not a folder.",
                remedy="Name a folder; it is made where there is none.",
            )


def _check_file(out: Path, new: Path, folder: RunFolder) -> None:
    """Raise OptionError where predictions would replace something else."""
    _check_folder(out.parent)
    if out.is_dir():
        raise OptionError(
            f"--out {out} is a folder.", remedy=f"Name a file, such as {out / 'predictions.csv'}."
        )
    own = folder.writes(out)
    if own or (out.exists() and new.exists() and out.samefile(new)):
        what = "a table of the run" if own else "the rows to predict"
        raise OptionError(
            f"The predictions would overwrite {out}, {what}.",
            remedy="Name another file (--out).",
        )


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _widths(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(width) for width in _names(text) or ())
    except ValueError:
        raise OptionError(
            f"--hidden {text!r} is not a list of numbers.", remedy="Write for example 32 or 32,16."
        ) from None


class _ProgressBar:
    """A tqdm bar on the terminal, or nothing."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown

    def __enter__(self) -> _ProgressBar:
        from tqdm import tqdm

        form = "{percentage:3.0f}% |{bar}| {elapsed}, {desc}"
        self._bar = tqdm(total=1.0, bar_format=form, disable=not self._shown, leave=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, message: str, progress: float) -> None:
        """Move the bar."""
        self._bar.set_description_str(message, refresh=False)
        self._bar.update(progress - self._bar.n)


def _print_fit(folder: RunFolder) -> None:
    """Print the test metrics of all models and how training ended."""
    metrics = folder.table("metrics").query("split == 'test' and scope == 'pooled'")
    if not metrics.empty:
        wide = metrics.pivot(index="model", columns="metric", values="value")
        typer.echo("On the test rows (each person's last fifth), all persons pooled:")
        typer.echo(wide.loc[metrics["model"].unique()].round(4).to_string())
    for model, verdict in folder.config["verdicts"].items():
        typer.echo(f"{model}: {verdict}.")
    typer.echo(f"Run folder: {folder.path}")
