"""``nme predict`` and ``nme adapt``: new rows, and people whom the run has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nme_core.cli.options import (
    Decimal,
    Delimiter,
    Encoding,
    Header,
    Instrument,
    Run,
    Sheet,
    check_file,
    check_folder,
    mark,
    takes,
    write_csv,
)
from nme_core.io import RunFolder

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class NewRows:
    """A run, a file with new rows for it, and how that is read; each field is an option."""

    run: Run
    new: Annotated[Path, typer.Argument(metavar="NEW.csv", help="New rows, in any format.")]
    sheet: Sheet = None
    encoding: Encoding = None
    delimiter: Delimiter = None
    decimal: Decimal = None
    header: Header = None
    instrument: Instrument = None

    @property
    def folder(self) -> RunFolder:
        """The run."""
        return RunFolder(self.run)

    def read(self) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """The rows, and what is to be said of how they were read."""
        from nme_core.runs.recorded import read_new

        return read_new(
            self.folder,
            self.new,
            sheet=self.sheet,
            encoding=self.encoding,
            delimiter=mark(self.delimiter),
            decimal=self.decimal,
            header=self.header,
            instrument=self.instrument,
        )


@takes(NewRows)
def predict(
    given: NewRows,
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where to write.")],
) -> None:
    """Predict the outcome of new rows; for new people only the average over people.

    The file may have any format that `nme fit` takes; it is read as the run's file was.
    """
    from nme_core.runs.prediction import predict_rows, read_new_rows

    check_file(out, given.new, given.folder)
    table, told = given.read()
    rows = read_new_rows(given.folder, table)
    _tell(*told, *rows.notes)
    predictions = predict_rows(given.folder, rows)
    write_csv(out, predictions)
    unseen = predictions.loc[predictions["predicted"].isna(), "person"].nunique()
    who = "1 person is" if unseen == 1 else f"{unseen} people are"
    note = f"; {who} new: only population_predicted is filled" if unseen else ""
    if unseen and any(name.startswith("p_") for name in predictions.columns):
        note += ", and p_<class> with the average probabilities over people"
    typer.echo(f"Wrote {len(predictions)} predictions to {out}{note}.")


@takes(NewRows)
def adapt(
    given: NewRows, out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")]
) -> None:
    """Learn the parameters of new people, all else as it was learned; writes a run folder."""
    from nme_core.reports.methods import interval_notes
    from nme_core.runs.adaptation import OF_RUN, adapt_run

    check_folder(out)
    rows, told = given.read()
    adapted = RunFolder(out)
    persons = adapt_run(given.folder, rows, adapted, source=given.new)
    of_new = [note for note in adapted.config["approximate"] if note["table"] not in OF_RUN]
    _tell(*told, *adapted.data["notes"], *interval_notes({"approximate": of_new}))
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
        f"Wrote {out}: {_new(len(persons))}. Reliability (median over the parameters): 0 is"
        " the population, 1 the person's own."
    )


def _tell(*notes: str) -> None:
    typer.echo("".join(f"Note: {note}\n" for note in dict.fromkeys(notes)), nl=False)


def _new(n: int) -> str:
    return "1 new person" if n == 1 else f"{n} new people"
