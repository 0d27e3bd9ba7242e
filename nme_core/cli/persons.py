"""``nme predict`` and ``nme adapt``: new rows, and persons whom the run has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nme_core.cli.options import (
    Decimal,
    Delimiter,
    Encoding,
    Header,
    Run,
    Sheet,
    check_file,
    check_folder,
    mark,
    write_csv,
)
from nme_core.io import RunFolder


def predict(
    run: Run,
    new: Annotated[Path, typer.Argument(metavar="NEW.csv", help="Rows to predict.")],
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where to write.")],
    sheet: Sheet = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    header: Header = None,
) -> None:
    """Predict the outcome of new rows; for new persons only the population's prediction.

    The file may have any format that `nme fit` takes; it is read as the run's file was.
    """
    from nme_core.runs.prediction import predict_rows, read_new_rows
    from nme_core.runs.recorded import read_new

    folder = RunFolder(run)
    check_file(out, new, folder)
    table, told = read_new(
        folder,
        new,
        sheet=sheet,
        encoding=encoding,
        delimiter=mark(delimiter),
        decimal=decimal,
        header=header,
    )
    rows = read_new_rows(folder, table)
    notes = dict.fromkeys((*told, *rows.notes))
    typer.echo("".join(f"Note: {note}\n" for note in notes), nl=False)
    predictions = predict_rows(folder, rows)
    write_csv(out, predictions)
    unseen = predictions.loc[predictions["predicted"].isna(), "person"].nunique()
    note = f"; {unseen} people are new: only population_predicted is filled" if unseen else ""
    if unseen and any(name.startswith("p_") for name in predictions.columns):
        note += ", and p_<class> with the population's probabilities"
    typer.echo(f"Wrote {len(predictions)} predictions to {out}{note}.")


def adapt(
    run: Run,
    new: Annotated[
        Path, typer.Argument(metavar="NEWPERSONS.csv", help="Rows of people new to the run.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")],
    sheet: Sheet = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    header: Header = None,
) -> None:
    """Learn the parameters of new persons, all else as it was learned; writes a run folder."""
    from nme_core.runs.adaptation import adapt_run
    from nme_core.runs.recorded import read_new

    check_folder(out)
    folder = RunFolder(run)
    rows, told = read_new(
        folder,
        new,
        sheet=sheet,
        encoding=encoding,
        delimiter=mark(delimiter),
        decimal=decimal,
        header=header,
    )
    adapted = RunFolder(out)
    persons = adapt_run(folder, rows, adapted, source=new)
    notes = dict.fromkeys((*told, *adapted.data["notes"]))
    typer.echo("".join(f"Note: {note}\n" for note in notes), nl=False)
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
        f"Wrote {out}: {len(persons)} new people. Reliability (median over the parameters): 0 is"
        " the population, 1 the person's own."
    )
