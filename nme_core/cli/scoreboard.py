"""``nme scoreboard``: our models beside those of others, on public tables, by fixed protocols."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nme_core.cli.fits import Tasks, write_figure
from nme_core.cli.options import check_folder, takes, write_csv
from nme_core.exceptions import OptionError
from nme_core.io import durable

if TYPE_CHECKING:
    from nme_core.parallel import Outcome
    from nme_core.scoreboard import Game


_FIGURE = "scoreboard.png"


@takes(Tasks)
def scoreboard(
    tasks: Tasks,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for tables and figure.")],
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder with the tables that come with no package, such as FOLDER/parkinson/"
            "long.csv.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="TABLE", help="This table; may be repeated.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Fits of what depends on chance; the table says how many.")
    ] = 5,
) -> None:
    """Play all rivals on public tables, and say where NME wins and where it loses."""
    from nme_core.scoreboard import absent, play_all
    from nme_core.scoreboard.playing import KEPT, chosen_protocols

    check_folder(out)
    if (out / KEPT).exists() and not tasks.resume:
        raise OptionError(
            f"{out} holds the results of a scoreboard.",
            remedy="Add --resume to take them up, or name another folder.",
        )
    protocols = chosen_protocols(only or ())
    for name, what in absent().items():
        typer.echo(f"{name}: not installed ({what}); left out.")
    out.mkdir(parents=True, exist_ok=True)
    game = play_all(
        out,
        protocols=protocols,
        data=data,
        seeds=seeds,
        jobs=tasks.jobs,
        dask=tasks.dask,
        progress=_tell,
    )
    for name, why in game.left_out.items():
        typer.echo(f"{name}: left out. {why}")
    _write(out, game, seeds)


def _tell(outcome: Outcome, done: int, total: int) -> None:
    what = f"failed: {outcome.error}" if outcome.error else f"{outcome.seconds:.1f} s"
    typer.echo(f"{done} of {total}: {outcome.key}: {what}")


def _write(out: Path, game: Game, seeds: int) -> None:
    from nme_core.figures.run_figure import RunFigure
    from nme_core.scoreboard import markdown, standing

    if game.fits.empty:
        raise OptionError(
            "No table to play on was given.",
            remedy="Give --data FOLDER, or run: pip install 'neural-mixed-effects[scoreboard]'",
        )
    table = standing(game.scores, game.fits)
    write_csv(out / "scoreboard.csv", table)
    names = {name: name for name in table["protocol"]}
    arguments = {"rows": table, "names": names}
    figure = RunFigure("scoreboard_skill", "Scoreboard", "", arguments, columns=2)
    write_figure(out / _FIGURE, figure, dpi=150)
    command = f"nme scoreboard --out DIR --data FOLDER --seeds {seeds}"
    text = markdown(game, seeds=seeds, command=command, figure=_FIGURE)
    durable.write(out / "SCOREBOARD.md", text.encode(), private=False)
    typer.echo(text.split("\n## ")[1] if "\n## " in text else text)
    typer.echo(f"Wrote {out}.")
