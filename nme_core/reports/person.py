"""The one page about one person, in plain words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from nme_core.analysis import Move, headline, n_apart, person_moves, person_rows
from nme_core.analysis.support import LEADING
from nme_core.exceptions import OptionError
from nme_core.figures import of_run as figures
from nme_core.figures.labels import number
from nme_core.figures.moves_of_person import move_words, never_words, observed_words
from nme_core.figures.run_figure import POPULATION, RunFigure
from nme_core.io import RunFolder
from nme_core.reports.blocks import Block, Items, Report, Section, Text
from nme_core.vocabulary.text import count

#: Transitions that are written out.
MOST_TRANSITIONS = 4
#: Response curves that are drawn.
MOST_CURVES = 2
#: The read-out in which people can be compared, as on the pages.
READOUT = "conditional"
_SHARES = (
    "These are the model's probabilities of the next state with all else at its average, so that "
    "people can be compared; they need not equal what was counted. The population is somebody "
    "like the average of all."
)
_RARE = (
    f"This person was in no state more than {LEADING - 1} times before another occasion, too "
    "seldom to say how they move."
)
_WARNING = (
    "This page describes recorded data, for research. It is no diagnosis and says nothing about "
    "risk or treatment."
)
_LIMITS = (
    "It does not show why: nothing here says what causes what.",
    "It does not show what would happen if something were changed.",
    "It does not show a disorder, a risk or a need for treatment.",
    "It describes the time that was recorded; other times may differ.",
)


def person_report(folder: RunFolder, person: str) -> Report:
    """One person beside all persons, how sure that is, and what it does not show.

    Raises
    ------
    OptionError
        Where the run has no such person.
    """
    effects = folder.table("random_effects")
    own = effects[effects["person"] == person]
    if own.empty:
        known = effects["person"].unique()
        raise OptionError(
            f"The run has no person {person!r}.",
            remedy=f"Its people are {', '.join(known[:5])}{', …' if len(known) > 5 else ''}.",
        )
    shown = _transitions(folder, person) or _curves(folder, person)
    sections = (
        Section(
            "What was recorded", (Text(_recorded(folder, own, len(effects["person"].unique()))),)
        ),
        Section("This person beside all people", tuple(shown)),
        Section("How sure this is", tuple(Text(text) for text in _sure(folder, person))),
        Section("What this page does not show", (Items(_LIMITS),)),
    )
    warning = Section("Research use, not diagnosis", (Text(_WARNING, strong=True),))
    kept = tuple(section for section in sections if section.blocks)
    lead = f"Outcome: {folder.roles['outcome']}. {count(int(own['n_obs'].iloc[0]), 'occasion')}."
    return Report(f"Person {person}", lead, (warning, *kept), contents=False)


def _recorded(folder: RunFolder, own: pd.DataFrame, n_persons: int) -> str:
    features = folder.roles["features"]
    return (
        f"{count(int(own['n_obs'].iloc[0]), 'occasion')} of this person went into the model, "
        f"beside those of {count(n_persons - 1, 'other person')}. The model learned how "
        f"{folder.roles['outcome']} depends on {', '.join(features)}: what all people share, and "
        "what is this person's own."
    )


def _transitions(folder: RunFolder, person: str) -> list[Block]:
    """What differs most, as on the pages; then whatever else differs clearly; then the figure."""
    if not folder.has_table("transitions"):
        return []
    table = folder.table("transitions")
    if not (table["person"] == person).any():
        return []
    moves = person_moves(table, person, READOUT)
    first = headline(moves)
    if first is None:
        said: list[Block] = [Text(_RARE)]
    else:
        said = [Text(f"Person {person} {_told(first)}"), *_further(moves, first)]
    caption = f"{never_words(person_rows(table, person, READOUT))} {_SHARES}".strip()
    drawn = figures.transitions(folder, person, READOUT)
    return [*said, *(replace(figure, sentence=caption) for figure in drawn)]


def _further(moves: list[Move], first: Move) -> list[Block]:
    """Other moves whose interval excludes the population's value, and how many there are."""
    apart = n_apart(moves)
    if apart is None:
        return []
    said: list[Block] = [
        Text(
            f"In all, {apart or 'none'} of {len(moves)} intervals "
            f"{'excludes' if apart == 1 else 'exclude'} the population's value; some may by chance."
        )
    ]
    others = [move for move in moves if move.apart and move.leads and move != first]
    lines = tuple(f"This person {_told(move)}" for move in others[: MOST_TRANSITIONS - 1])
    return [*said, Items(lines)] if lines else said


def _told(move: Move) -> str:
    return f"{move_words(move, READOUT)} {observed_words(move)}".rstrip()


def _curves(folder: RunFolder, person: str) -> list[Block]:
    drawn = list(figures.responses(folder, person))[:MOST_CURVES]
    return [*(Text(_response(figure, person)) for figure in drawn), *drawn]


def _response(figure: RunFigure, person: str) -> str:
    curves = figure.arguments["curves"]
    own = curves[curves["person"] == person].sort_values("x")
    shared = curves[curves["person"] == POPULATION].sort_values("x")
    low, high = own["x"].iloc[0], own["x"].iloc[-1]
    at = np.interp([low, high], shared["x"], shared["value"])
    return (
        f"From {figure.arguments['feature']} {number(low)} to {number(high)}, the predicted "
        f"{figure.arguments['outcome']} goes from {number(own['value'].iloc[0])} to "
        f"{number(own['value'].iloc[-1])} for this person, and from {number(at[0])} to "
        f"{number(at[1])} for all people."
    )


def _sure(folder: RunFolder, person: str) -> list[str]:
    said = []
    predictions = folder.table("predictions")
    chosen = predictions["model"].eq("nme") & predictions["split"].eq("test")
    rows = predictions[chosen & predictions["person"].eq(person)]
    rows = rows.dropna(subset=["observed", "predicted"])
    if rows.empty:
        said.append("There were too few occasions to check predictions for this person.")
    elif folder.data["outcome_kind"] == "class":
        right, alike = (
            int((rows["observed"] == rows[name]).sum())
            for name in ("predicted", "population_predicted")
        )
        said.append(
            f"On this person's last {count(len(rows), 'occasion')}, kept back for a check, a model "
            f"that had not seen them predicted {right} right; treating all people alike it would "
            f"have been {alike}."
        )
    else:
        error, typical = (
            number((rows["observed"] - rows[name]).abs().mean(), 2)
            for name in ("predicted", "population_predicted")
        )
        spread = rows["observed"].std()
        varied = (
            f"; the values themselves have an SD of {number(spread, 2)}" if len(rows) > 1 else ""
        )
        said.append(
            f"On this person's last {count(len(rows), 'occasion')}, kept back for a check, the "
            "predictions of a model that had not seen them were off by "
            f"{error} on average, treating all people alike by {typical}{varied}."
        )
    return said
