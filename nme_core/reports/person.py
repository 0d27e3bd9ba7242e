"""The one page about one person, in plain words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from nme_core.analysis import Move, headline, n_apart, person_moves, person_rows
from nme_core.analysis.support import LEADING
from nme_core.exceptions import OptionError
from nme_core.figures.catalogue import every
from nme_core.figures.moves_of_person import move_words, never_words, observed_words, short_move
from nme_core.figures.run_figure import RunFigure
from nme_core.io import POPULATION, RunFolder
from nme_core.reports.blocks import Block, Items, Report, Section, Text
from nme_core.runs.skill import plain_verdict
from nme_core.vocabulary.text import count, listed, number, place

#: Transitions that are written out.
MOST_TRANSITIONS = 3
#: Features that are named.
MOST_FEATURES = 4
#: Response curves that are drawn.
MOST_CURVES = 2
#: The read-out in which people can be compared, as on the pages.
READOUT = "conditional"
_SHARES = (
    "Probabilities of the model with all features at their average, so that people can be "
    "compared; they need not equal what was counted. The population is somebody like the average."
)
_RARE = (
    f"This person was in no state more than {LEADING - 1} times before another occasion, too "
    "seldom to say how they move."
)
_WARNING = "This page describes recorded data: no diagnosis, and nothing about risk or treatment."
_LIMITS = (
    "Nothing here says what causes what, or what would happen if something were changed. Times "
    "that were not recorded may differ."
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
        Section(
            "How sure this is",
            tuple(Text(text) for text in (*_sure(folder, person), _account(folder, person))),
        ),
        Section("Research use, not diagnosis", (Text(f"{_WARNING} {_LIMITS}", strong=True),)),
    )
    kept = tuple(section for section in sections if section.blocks)
    lead = f"Outcome: {folder.roles['outcome']}."
    return Report(f"Person {person}", lead, kept, contents=False)


def _recorded(folder: RunFolder, own: pd.DataFrame, n_persons: int) -> str:
    features = folder.roles["features"]
    return (
        f"{count(int(own['n_obs'].iloc[0]), 'occasion')} of this person went into the model, "
        f"beside those of {count(n_persons - 1, 'other person')}. The model learned how "
        f"{folder.roles['outcome']} depends on {_some(features)}: what all people share, and "
        "what is this person's own."
    )


def _some(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    shown = names if len(names) <= MOST_FEATURES + 1 else names[:MOST_FEATURES]
    more = len(names) - len(shown)
    return listed([*shown, f"{more} more"] if more else shown)


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
    drawn = every(folder, "transitions", person)
    return [*said, *(replace(figure, sentence=caption) for figure in drawn)]


def _further(moves: list[Move], first: Move) -> list[Block]:
    """Other moves whose interval excludes the population's value, and how many there are."""
    apart = n_apart(moves)
    if apart is None:
        return []
    verb = "excludes" if apart == 1 else "exclude"
    told = f"In all, {apart or 'none'} of {len(moves)} intervals {verb} the population's value"
    others = [move for move in moves if move.apart and move.leads and move != first]
    lines = tuple(
        f"{short_move(move)}. {observed_words(move)}" for move in others[: MOST_TRANSITIONS - 1]
    )
    if not lines:
        return [Text(f"{told}; some may by chance.")]
    return [Text(f"{told}; some may by chance. The next ones:"), Items(lines)]


def _told(move: Move) -> str:
    return f"{move_words(move, READOUT)} {observed_words(move)}".rstrip()


def _curves(folder: RunFolder, person: str) -> list[Block]:
    drawn = list(every(folder, "curves", person))[:MOST_CURVES]
    return [*(Text(_response(figure, person)) for figure in drawn), *drawn]


def _response(figure: RunFigure, person: str) -> str:
    curves = figure.arguments["curves"]
    own = curves[curves["person"] == person].sort_values("x")
    shared = curves[curves["person"] == POPULATION].sort_values("x")
    low, high = own["x"].iloc[0], own["x"].iloc[-1]
    at = np.interp([low, high], shared["x"], shared["value"])
    return (
        f"From {figure.arguments['feature']} {place(low)} to {place(high)}, the predicted "
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
            f"On what came last of this person ({count(len(rows), 'occasion')}, kept back for a "
            f"check) a model that had not seen it predicted {right} right; treating all people "
            f"alike it would have been {alike}."
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
            f"On what came last of this person ({count(len(rows), 'occasion')}, kept back for a "
            "check) the predictions of a model that had not seen it were off by "
            f"{error} on average, treating all people alike by {typical}{varied}."
        )
    return said


def _account(folder: RunFolder, person: str) -> str:
    """The simple rule to beat, how often such intervals are right, and what would narrow them."""
    said = [plain_verdict(folder.table("skill"))] if folder.has_table("skill") else []
    table = "transitions" if folder.has_table("transitions") else "response_curves"
    notes = folder.config.get("approximate")
    if notes is not None:
        own = [str(note["reason"]) for note in notes if note["table"] == table]
        said += own or [
            "In simulations of such studies the 95 % intervals contained the true value in 92 to "
            "97 %."
        ]
    return " ".join(part for part in [*said, *_narrower(folder, person)] if part)


def _narrower(folder: RunFolder, person: str) -> list[str]:
    rows = folder.table("predictions")
    rows = rows[(rows["person"] == person) & (rows["model"] == "nme")]
    missing = int(rows["observed"].isna().sum())
    said = [f"{count(missing, 'occasion')} of this person had no answer."] if missing else []
    on = f"{count(int(rows['observed'].notna().sum()), 'answer')} of this person"
    if folder.has_table("transitions"):
        first = headline(person_moves(folder.table("transitions"), person, READOUT))
        if first is None or np.isnan(first.visits):
            return said
        on = f"{count(int(first.visits), 'visit')} to the state {first.start}"
    return [f"This rests on {on}; about four times as many would halve the interval.", *said]
