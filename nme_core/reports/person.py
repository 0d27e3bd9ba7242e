"""The one page about one person, in plain words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nme_core.analysis import may_lead, supported
from nme_core.analysis.support import LEADING
from nme_core.exceptions import OptionError
from nme_core.figures import of_run as figures
from nme_core.figures.labels import count, number
from nme_core.figures.run_figure import POPULATION, RunFigure
from nme_core.io import RunFolder
from nme_core.reports.blocks import Block, Items, Report, Section, Text

#: Transitions that are written out.
MOST_TRANSITIONS = 4
#: Response curves that are drawn.
MOST_CURVES = 2
#: The read-out in which people can be compared, as on the pages.
READOUT = "conditional"
_SHARES = (
    "These are the model's probabilities of the next state with all else at its average, so that "
    "people can be compared; they need not equal what was counted. “For all persons” is the same "
    "of somebody like the average of all. A grey row: this person was never in that state."
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
            remedy=f"Its persons are {', '.join(known[:5])}{', …' if len(known) > 5 else ''}.",
        )
    shown = _transitions(folder, person) or _curves(folder, person)
    sections = (
        Section(
            "What was recorded", (Text(_recorded(folder, own, len(effects["person"].unique()))),)
        ),
        Section("This person beside all persons", tuple(shown)),
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
        f"{folder.roles['outcome']} goes with {', '.join(features)}: what all persons share, and "
        "what is this person's own."
    )


def _transitions(folder: RunFolder, person: str) -> list[Block]:
    if not folder.has_table("transitions"):
        return []
    table = folder.table("transitions")
    if not (table["person"] == person).any():
        return []
    both = _beside_all(table, person)
    if both.empty:
        return [Text(_RARE), Text(_SHARES), *figures.transitions(folder, person, READOUT)]
    intervals = both["ci_low"].notna().all()
    if intervals:
        outside = (both["value_all"] < both["ci_low"]) | (both["value_all"] > both["ci_high"])
        chosen = both[outside]
    else:
        chosen = both
    lines = tuple(_move(row) for _, row in chosen.head(MOST_TRANSITIONS).iterrows())
    if not lines:
        said = (
            "No step from one state to the next differs clearly from all persons: the value for "
            "all persons lies inside this person's 95 % interval each time."
        )
        return [Text(said), Text(_SHARES), *figures.transitions(folder, person, READOUT)]
    what = (
        "Steps where the value for all persons lies outside this person's 95 % interval "
        f"({len(chosen)} of {len(both)}; some may be chance, as many were looked at):"
        if intervals
        else "The largest differences; how sure they are is not known, and some may be chance:"
    )
    return [
        Text(what), Items(lines), Text(_SHARES), *figures.transitions(folder, person, READOUT)
    ]  # fmt: skip


def _beside_all(table: pd.DataFrame, person: str) -> pd.DataFrame:
    """Steps of the person with the population's value and counts, largest difference first.

    Only from states that the person was in often enough for a headline.
    """
    rows = table[(table["readout"] == READOUT) & may_lead(table)]
    rows = supported(rows).dropna(subset=["value"])
    own, shared = rows[rows["person"] == person], rows[rows["person"] == POPULATION]
    counted = table[(table["readout"] == "observed") & (table["person"] == person)]
    both = own.drop(columns="count").merge(counted[["from", "to", "count"]], on=["from", "to"])
    both = both.merge(shared[["from", "to", "value"]], on=["from", "to"], suffixes=("", "_all"))
    both["of"] = both.groupby("from")["count"].transform("sum")
    gap = (both["value"] - both["value_all"]).abs()
    return both.loc[gap.sort_values(ascending=False, kind="stable").index]


def _move(row: pd.Series) -> str:
    ends = ""
    if np.isfinite([row["ci_low"], row["ci_high"]]).all():
        ends = f" (95 % interval {_percent(row['ci_low'])} to {_percent(row['ci_high'])})"
    to = "the same again" if row["from"] == row["to"] else str(row["to"])
    return (
        f"After {row['from']} comes {to} in about {_percent(row['value'])}{ends}; for all persons "
        f"in about {_percent(row['value_all'])}. It was counted {row['count']:,.0f} of "
        f"{count(int(row['of']), 'time')}."
    )


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


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
        f"{number(at[1])} for all persons."
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
