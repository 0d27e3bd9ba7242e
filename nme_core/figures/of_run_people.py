"""Figures of how people differ, straight from a run's folder, each with its sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from nme_core.figures.figures_moves import RAREST, rarest_drawn
from nme_core.figures.of_run import MOST, matrix, of_people, told_best
from nme_core.figures.run_figure import POPULATION, RunFigure
from nme_core.figures.words import ARROWS, CATERPILLAR, MULTIPLES, QQ
from nme_core.io import RunFolder

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
    sentence = MULTIPLES.format(
        shown=f"{len(shown)}", all=len(people), order="in the order of the study"
    )
    arguments = {
        "matrices": {person: matrix(rows, person) for person in shown},
        "readout": READOUT,
        "notes": {},
    }
    yield RunFigure("transition_multiples", "Transitions of people", sentence, arguments, columns=2)


def arrows(folder: RunFolder, person: str | None = None) -> Iterator[RunFigure]:
    """Moves between states as arrows: of the population, and of `person` beside it."""
    rows = _transitions(folder)
    if rows.empty:
        return
    matrices = {} if person is None else {f"Person {person}": matrix(rows, person)}
    matrices["Population"] = matrix(rows, POPULATION)
    rarest = rarest_drawn(matrices)
    sentence = ARROWS["drawn"].format(
        word="conditional probability",
        instead="",
        rarest=f"{rarest:.2f}".removeprefix("0"),
        why=ARROWS["many"] if rarest > RAREST else "",
    )
    title = f"Moves of {person}" if person else "Moves of the population"
    yield RunFigure("transition_arrows", title, sentence, {"matrices": matrices}, columns=2)


def caterpillars(folder: RunFolder) -> Iterator[RunFigure]:
    """Everybody's estimate with its interval, the best known parameters first."""
    table = of_people(folder.table("random_effects"))
    if "ci_low" not in table:
        return
    for parameter in told_best(table)[:MOST]:
        rows = table[table["parameter"] == parameter].dropna(subset=["ci_low"])
        if rows.empty:
            continue
        name = folder.parameter_names.words(parameter)
        apart = int(((rows["ci_low"] > 0) | (rows["ci_high"] < 0)).sum())
        sentence = CATERPILLAR.format(apart=apart or "None", all=len(rows))
        arguments = {"rows": rows, "parameter": name}
        yield RunFigure("caterpillar", f"People's {name}", sentence, arguments, subject=name)


def quantiles(folder: RunFolder) -> Iterator[RunFigure]:
    """Estimates against a normal distribution, the best known parameters first."""
    table = of_people(folder.table("random_effects"))
    for parameter in told_best(table)[:MOST]:
        estimates = table.loc[table["parameter"] == parameter, "estimate"]
        if estimates.nunique() < 3:
            continue
        name = folder.parameter_names.words(parameter)
        arguments = {"estimates": estimates, "parameter": name}
        shown = RunFigure("effect_qq", f"Q–Q {name}", "", arguments).numbers()
        outside = int(
            ((shown["observed"] < shown["low"]) | (shown["observed"] > shown["high"])).sum()
        )
        sentence = QQ.format(outside=outside or "None", all=len(shown))
        yield RunFigure("effect_qq", f"Q–Q {name}", sentence, arguments, subject=name)


def _transitions(folder: RunFolder) -> pd.DataFrame:
    if not folder.has_table("transitions"):
        return pd.DataFrame(columns=["person", "readout"])
    table = folder.table("transitions")
    return table[table["readout"] == READOUT]
