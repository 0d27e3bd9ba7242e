"""Figures of how people differ, straight from a run's folder, each with its sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from nme_core.analysis import as_matrix, supported
from nme_core.figures import described
from nme_core.figures.figures_moves import RAREST, rarest_drawn
from nme_core.figures.of_run import MOST, of_people, told_best
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.words import ARROWS, MULTIPLES
from nme_core.io import POPULATION, RunFolder
from nme_core.vocabulary.language import tr

#: People whose matrices stand in one figure.
MOST_MATRICES = 12
READOUT = "conditional"


def multiples(folder: RunFolder) -> Iterator[RunFigure]:
    """The transitions of the first people, one small matrix each."""
    rows = _transitions(folder)
    people = list(dict.fromkeys(rows["person"])) if len(rows) else []
    people = [person for person in people if person != POPULATION]
    if not people:
        return
    shown = people[:MOST_MATRICES]
    sentence = tr(MULTIPLES).format(
        shown=f"{len(shown)}", all=len(people), order=tr("in the order of the study")
    )
    arguments = {
        "matrices": {person: as_matrix(rows[rows["person"] == person]) for person in shown},
        "readout": READOUT,
        "notes": {},
    }
    yield RunFigure(
        "transition_multiples", tr("Transitions of people"), sentence, arguments, columns=2
    )


def arrows(folder: RunFolder, person: str | None = None) -> Iterator[RunFigure]:
    """Moves between states as arrows: of the population, and of `person` beside it."""
    rows = _transitions(folder)
    if rows.empty:
        return
    whose = {} if person is None else {tr("Person {person}").format(person=person): person}
    whose["Population"] = POPULATION
    matrices = {title: as_matrix(rows[rows["person"] == who]) for title, who in whose.items()}
    rarest = rarest_drawn(matrices)
    sentence = tr(ARROWS)["drawn"].format(
        word=tr("conditional probability"),
        instead="",
        rarest=f"{rarest:.2f}".removeprefix("0"),
        why=tr(ARROWS)["many"] if rarest > RAREST else "",
    )
    title = (
        tr("Moves of {person}").format(person=person) if person else tr("Moves of the population")
    )
    yield RunFigure("transition_arrows", title, sentence, {"matrices": matrices}, columns=2)


def caterpillars(folder: RunFolder) -> Iterator[RunFigure]:
    """Everybody's estimate with its interval, the best known parameters first."""
    for name, rows in _by_parameter(folder):
        if "ci_low" in rows and rows["ci_low"].notna().any():
            yield described.caterpillar(rows, name)


def quantiles(folder: RunFolder) -> Iterator[RunFigure]:
    """Estimates against a normal distribution, the best known parameters first."""
    for name, rows in _by_parameter(folder):
        if rows["estimate"].nunique() > 2:
            yield described.quantiles(rows["estimate"], name)


def _by_parameter(folder: RunFolder) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and rows, persons as index, of the best known parameters."""
    table = of_people(folder.table("random_effects"))
    for parameter in told_best(table)[:MOST]:
        rows = table[table["parameter"] == parameter].set_index("person")
        yield folder.parameter_names.words(parameter), rows


def _transitions(folder: RunFolder) -> pd.DataFrame:
    """The default read-out, without what is said of states that a person was never in."""
    if not folder.has_table("transitions"):
        return pd.DataFrame(columns=["person", "readout"])
    table = folder.table("transitions")
    return supported(table[table["readout"] == READOUT])
