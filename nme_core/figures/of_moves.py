"""Figures of the transitions of a run, each with its sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from nme_core.analysis import as_matrix, may_lead, person_rows, supported
from nme_core.analysis.groups import Groups, group_matrices
from nme_core.analysis.people import BY_ID, dwell_times, in_order, sequences
from nme_core.figures.figures_moves import RAREST, rarest_drawn
from nme_core.figures.moves_of_person import comparison
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.words_moves import (
    ARROWS,
    DWELL,
    GROUP_MEANS,
    MULTIPLES,
    ORDERS,
    PLAIN_READOUT,
    READOUTS,
    RIBBON,
    TWO_LIMIT,
)
from nme_core.io import POPULATION, RunFolder
from nme_core.io.parameter_names import MOVE
from nme_core.vocabulary.language import tr, written
from nme_core.vocabulary.numbers import fixed, number, p_phrase
from nme_core.vocabulary.terms import CORRELATIONS
from nme_core.vocabulary.text import count

#: People whose small matrices stand in one figure.
A_PAGE = 12


def transitions(
    folder: RunFolder, person: str | None = None, *, readout: str = PLAIN_READOUT
) -> RunFigure | None:
    """The population beside `person`, or beside whoever differs most from it (not named)."""
    if not folder.has_table("transitions"):
        return None
    table = folder.table("transitions")
    rows = table[table["readout"] == readout]
    gaps = _gaps(rows)
    label, who = person, None
    title = tr("Transitions of {person}, {first}").format(
        person=person, first=tr(READOUTS)[readout][0]
    )
    if person is None:
        leading = gaps[may_lead(rows).reindex(gaps.index)].dropna()
        if leading.empty:
            return None
        person = str((leading**2).groupby(rows["person"]).sum().idxmax())
        label, who = tr("who differs most"), tr("The person who differs most")
        title = tr("Transitions of the person {label} and of the population").format(label=label)
    own, shared = (person_rows(table, one, readout) for one in (person, POPULATION))
    limit = float(gaps.abs().max())
    return comparison(
        own, shared, label=str(label), title=title, readout=readout, who=who, limit=limit
    )


def _gaps(rows: pd.DataFrame) -> pd.Series:
    """Each person's values minus the population's, of one read-out."""
    own = supported(rows[rows["person"] != POPULATION])
    shared = rows[rows["person"] == POPULATION].set_index(["from", "to"])["value"]
    others = shared.reindex(pd.MultiIndex.from_frame(own[["from", "to"]]))
    return own["value"] - others.to_numpy()


def _matrix(folder: RunFolder, person: str, readout: str) -> pd.DataFrame:
    """From × to, without what is said of states that the person was never in."""
    rows = folder.table("transitions")
    return as_matrix(supported(rows[(rows["person"] == person) & (rows["readout"] == readout)]))


def multiples(
    folder: RunFolder, *, readout: str = PLAIN_READOUT, by: str = BY_ID, page: int = 1
) -> RunFigure | None:
    """One page of everybody's matrices, in one of `ORDERS` or by a covariate."""
    if not folder.has_table("transitions"):
        return None
    people, first = in_order(folder, by), (page - 1) * A_PAGE
    shown, notes = people[first : first + A_PAGE], {}
    if by not in ORDERS:
        values = folder.covariates[by].reindex(shown)
        notes = {person: f"({_written(value)})" for person, value in values.items()}
    sentence = tr(MULTIPLES).format(
        shown=tr("People {first} to {shown}").format(first=first + 1, shown=first + len(shown)),
        all=len(people),
        order=tr(ORDERS).get(by) or tr("ordered by {by}, lowest first").format(by=by),
    )
    matrices = {person: _matrix(folder, person, readout) for person in shown}
    arguments = {"matrices": matrices, "readout": readout, "notes": notes}
    title = tr("People by {by}, page {page}").format(by=by, page=page)
    return RunFigure("transition_multiples", title, sentence, arguments, columns=2)


def arrows(
    folder: RunFolder, person: str | None = None, *, readout: str = PLAIN_READOUT
) -> RunFigure | None:
    """Moves between states as arrows: of the population, and of `person` beside it."""
    if not folder.has_table("transitions"):
        return None
    drawn = PLAIN_READOUT if readout == "scores" else readout
    whose = {} if person is None else {tr("Person {person}").format(person=person): person}
    whose[tr("Population")] = POPULATION
    matrices = {name: _matrix(folder, who, drawn) for name, who in whose.items()}
    rarest = rarest_drawn(matrices)
    sentence = tr(ARROWS)["drawn"].format(
        word=tr(READOUTS)[drawn][0],
        instead=tr(ARROWS)["instead"] if drawn != readout else "",
        rarest=written(f"{rarest:.2f}".removeprefix("0")),
        why=tr(ARROWS)["many"] if rarest > RAREST else "",
    )
    title = tr("Moves of the population")
    if person is not None:
        title = tr("Moves of {person}").format(person=person)
    return RunFigure("transition_arrows", title, sentence, {"matrices": matrices}, columns=2)


def stays(folder: RunFolder, person: str | None = None) -> RunFigure | None:
    """How long states are kept, by the person (else the first one) and in the population."""
    if not folder.has_table("transitions"):
        return None
    person = person or in_order(folder)[0]
    table = dwell_times(folder.table("transitions"), person)
    by_state = table.set_index(["who", "how", "state"])
    own, shared = tr("person {person}").format(person=person), tr("population")
    steps = by_state["steps"]
    gap = (steps[own, "expected"] - steps[shared, "expected"]).abs()
    parts = [tr(DWELL)["what"]]
    if gap.notna().any():
        state = str(gap.idxmax())
        one, other = (_stay(by_state.loc[who].xs(state, level="state")) for who in (own, shared))
        largest = tr(
            "The largest difference is in {state}: {one} for {own}; {other} in the {shared}."
        )
        parts.append(largest.format(state=state, one=one, own=own, other=other, shared=shared))
    sentence = " ".join([*parts, tr(DWELL)["limit"]])
    title = tr("Dwell times of {person}").format(person=person)
    return RunFigure("dwell_times", title, sentence, {"table": table}, columns=2)


def _stay(stays: pd.DataFrame) -> str:
    """Expected and observed length of a stay in words; one row for each."""
    steps, low, high = (float(stays.at["expected", name]) for name in ("steps", "low", "high"))
    counted = float(stays.at["observed", "steps"])
    ends = ""
    if np.isfinite([low, high]).all():
        ends = tr(" (95 % interval {low} to {high})").format(
            low=number(low, 2), high=number(high, 2)
        )
    seen = tr(DWELL)["never"]
    if np.isfinite(counted):
        seen = tr("{counted} observed").format(counted=number(counted, 2))
    return tr("{steps} steps expected{ends}, {seen}").format(
        steps=number(steps, 2), ends=ends, seen=seen
    )


def pair(
    folder: RunFolder, *, first: str, second: str, readout: str = PLAIN_READOUT
) -> RunFigure | None:
    """Two people's matrices and their difference, the second in place of the population."""
    table = folder.table("transitions")
    one, other = (table[table["person"] == who] for who in (first, second))
    own, others = (_matrix(folder, who, readout) for who in (first, second))
    counts, other_counts = (_counts(rows) for rows in (one, other))
    leading = [state for state in own.index if all(_leads(rows, state) for rows in (one, other))]
    gap = (own - others).loc[leading].abs().stack()
    what = tr("{first} and {second} do not differ.").format(first=first, second=second)
    if not leading:
        what = tr(
            "{first} and {second} were in no state often enough to be compared there."
        ).format(first=first, second=second)
    elif gap.max() > 0:
        start, end = gap.idxmax()
        what = tr(
            "The largest difference is {start} to {end}: {own} for person {first}, "
            "{others} for person {second}."
        ).format(
            start=start, end=end, own=fixed(float(own.at[start, end]), 2), first=first,
            others=fixed(float(others.at[start, end]), 2), second=second,
        )  # fmt: skip
    arguments = {
        "person": own, "population": others, "person_label": first, "other": second,
        "readout": readout, "counts": counts, "other_counts": other_counts,
        "limit": float(_gaps(table[table["readout"] == readout]).abs().max()),
    }  # fmt: skip
    title = tr("Transitions of {first} and {second}").format(first=first, second=second)
    sentence = f"{what} {tr(TWO_LIMIT)}"
    return RunFigure("transition_comparison", title, sentence, arguments, columns=2)


def _counts(own: pd.DataFrame) -> pd.DataFrame | None:
    counted = own[own["readout"] == "observed"]
    return as_matrix(counted, "count") if counted["count"].notna().any() else None


def _leads(own: pd.DataFrame, state: str) -> bool:
    counted = own[(own["readout"] == "observed") & (own["from"] == state)]
    return bool(may_lead(counted).any())


def sequence(folder: RunFolder, person: str | None = None) -> RunFigure | None:
    """A person's states in all sequences, with the model's probabilities; the first's by itself."""
    predictions = folder.table("predictions")
    person = person or str(predictions["person"].iloc[0])
    rows = sequences(predictions, person)
    if rows is None or rows.empty:
        return None
    states = [name.removeprefix("p_") for name in rows.columns if name.startswith("p_")]
    unseen, n = int((rows["split"] != "train").sum()), rows["sequence"].nunique()
    words = tr(RIBBON)
    fitted = words["all" if not unseen else "none" if unseen == len(rows) else "part"]
    sentence = words["steps"].format(
        steps=count(len(rows), "step"),
        person=person,
        sequences=words["sequences"].format(n=n) if n > 1 else "",
        fitted=fitted.format(n=unseen),
    )
    arguments = {"rows": rows, "person": person, "states": states}
    title = tr("States of {person}").format(person=person)
    return RunFigure("state_ribbon", title, sentence, arguments, columns=2)


def by_group(
    folder: RunFolder, *, covariate: str, readout: str = PLAIN_READOUT, verdict: str | None = None
) -> RunFigure | None:
    """Mean matrices of groups by a covariate; None where it makes no groups.

    With the verdict of a test (a key of `GROUP_MEANS`, or "beyond") the sentence says what the test
    does of single moves and no more; without one it describes the largest difference.
    """
    if not folder.has_table("transitions"):
        return None
    groups = group_matrices(folder, readout, covariate)
    if groups is None:
        return None
    words = tr(GROUP_MEANS)
    if verdict is None:
        start, end = groups.difference.stack().abs().idxmax()
        what = words["differ"].format(**_cell(groups, readout, start, end))
    else:
        what = words.get(verdict) or ""
        if verdict == "beyond":
            what = _tested(folder, groups, readout, covariate)
    parts = [
        what,
        _left_out(groups, covariate),
        words["limit"] if verdict is None else "",
        words["pulled"] if readout != "observed" else "",
    ]
    arguments = {
        "groups": groups.means, "readout": readout, "covariate": covariate,
        "contrast": groups.contrast, "intervals": groups.intervals, "sizes": groups.sizes,
    }  # fmt: skip
    title = tr("Transitions by {covariate}").format(covariate=covariate)
    found = RunFigure("group_transitions", title, " ".join(filter(None, parts)), arguments)
    return replace(found, columns=2, subject=covariate)


def _tested(folder: RunFolder, groups: Groups, readout: str, covariate: str) -> str:
    """What a test says of single moves: the clearest one, in the direction that groups show too."""
    words, table = tr(GROUP_MEANS), folder.table("effects")
    effects = table[table["covariate"] == covariate]
    if "p_family" not in effects:
        return words["together"]
    for row in effects.sort_values(["p_family", "p"], kind="stable").to_dict("records"):
        found = MOVE.fullmatch(str(row["parameter"]))
        if not row["p_family"] < 0.05 or found is None or found[1].count(",") != 1:
            continue
        start, end = found[1].split(",")
        gap, low, high = _contrast(groups, start, end)
        opposite = row["kind"] in CORRELATIONS and gap * row["effect"] >= 0  # lowest − highest
        if opposite or low <= 0 <= high:
            continue  # what the figure shows would say something else
        about = _cell(groups, readout, start, end)
        return words["beyond"].format(covariate=covariate, p=p_phrase(row["p_family"]), **about)
    return words["together"]


def _contrast(groups: Groups, start: str, end: str) -> tuple[float, float, float]:
    """The first group minus the last one in one move, with its interval."""
    ends = groups.intervals[groups.contrast]
    gap, low, high = (float(one.at[start, end]) for one in (groups.difference, *ends))
    return gap, low, high


def _cell(groups: Groups, readout: str, start: str, end: str) -> dict[str, str]:
    """One cell of the first and the last group, and their difference, as text."""
    names = list(groups.means)
    lowest, highest = (
        float(groups.means[name][1].at[start, end]) for name in (names[0], names[-1])
    )
    gap, low, high = _contrast(groups, start, end)
    interval = tr(" (95 % interval {low} to {high})").format(low=fixed(low, 2), high=fixed(high, 2))
    return {
        "word": tr(READOUTS)[readout][0],
        "start": start,
        "end": end,
        "low": fixed(lowest, 2),
        "first": names[0],
        "high": fixed(highest, 2),
        "last": names[-1],
        "contrast": groups.contrast,
        "gap": fixed(gap, 2),
        "interval": interval if np.isfinite([low, high]).all() else "",
    }


def _left_out(groups: Groups, covariate: str) -> str:
    """How many people are in no group, and why; nothing where all are in one."""
    words = tr(GROUP_MEANS)
    both = ((groups.kind, groups.n_outside), ("unknown", groups.n_unknown))
    why = [(words[name].format(covariate=covariate), n) for name, n in both if n]
    if not why:
        return ""
    reasons = [reason if len(why) == 1 else f"{n} {reason}" for reason, n in why]
    n = sum(n for _, n in why)
    return words["left_out"].format(n=n, all=groups.n_persons, why=", ".join(reasons))


def _written(value: object) -> str:
    if pd.isna(value):
        return "–"
    return written(f"{value:g}") if isinstance(value, float) else str(value)
