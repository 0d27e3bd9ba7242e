"""Events with a start and an end as steps of one length, one row each."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from nme_core.exceptions import OptionError
from nme_core.study.formats.events import Events
from nme_core.study.formats.result import Reading

#: Steps that events may become.
MOST_STEPS = 2_000_000
#: The state of a step in which there is no event.
NO_EVENT = "none"

_LENGTH = re.compile(r"(\d+(?:[.,]\d+)?)\s*(ms|s|sec|min|h)?", re.IGNORECASE)
_UNITS = {"ms": 0.001, "s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0}


def check_step(step: str | float) -> str:
    """A length of steps as text, or ``"none"``; OptionError for anything else."""
    said = str(step).strip().lower()
    if said != "none":
        _length(said)
    return said


def _length(step: str) -> float:
    match = _LENGTH.fullmatch(step)
    length = 0.0 if match is None else float(match[1].replace(",", "."))
    if match is None or length <= 0:
        raise OptionError(
            f"{step!r} is no length of steps.", remedy="Write for example 1s, 500ms or none."
        )
    return length * _UNITS[match[2] or "s"]


def in_steps(reading: Reading, step: str | None) -> Reading:
    """A reading whose events have become steps; without a length, it is said that they can.

    In each step and track stands the state that covers most of it, ``"none"`` where there is no
    event; events without a length are counted.

    Raises
    ------
    OptionError
        The file has no events, or there would be too many steps.
    """
    events = reading.events
    if events is None:
        if step not in (None, "none"):
            raise OptionError(
                "The file has no events with a start and an end that could become steps.",
                remedy="Leave the steps out.",
            )
        return reading
    offer = (
        "Each row is an event with a start and an end, whatever its length. To make steps of "
        f"one length of them, say how long (step {events.step})."
    )
    if step is None:
        return replace(reading, notes=(*reading.notes, offer))
    given = tuple(dict.fromkeys((*reading.how.given, "step")))
    notes = tuple(note for note in reading.notes if note != offer)
    reading = replace(reading, how=replace(reading.how, given=given), notes=notes)
    if step == "none":
        return reading
    length = _length(step)
    frame, crossed = _steps(events, length)
    named = set(events.track)
    tracks = [name for name in frame.columns if name in named]
    note = (
        f"{len(events.table)} events became {len(frame)} steps of {length:g} s: in each "
        f"stands the state that covers most of it, {NO_EVENT!r} where there is no event"
        + ("; events without a length are counted" if (events.stop <= events.start).any() else "")
        + (f"; in {crossed} steps several events of one kind overlap" if crossed else "")
        + "."
    )
    roles = {role: name for role, name in reading.roles.items() if name in frame}
    if "outcome" not in roles and tracks:
        roles["outcome"] = tracks[0]
    how = replace(reading.how, step=step)
    units = {name: unit for name, unit in reading.labels.units.items() if name in frame}
    labels = replace(reading.labels, units={**units, events.time: "seconds"})
    notes = (*reading.notes, note)
    return replace(reading, frame=frame, roles=roles, how=how, labels=labels, notes=notes)


def _steps(events: Events, length: float) -> tuple[pd.DataFrame, int]:
    """One row per step of every observation, and in how many steps events overlap."""
    keys = list(events.keys)
    span = float((events.stop.max() - events.start.min()) / length)
    whose = events.table[keys].astype("str") if keys else pd.DataFrame(index=events.table.index)
    groups = whose.groupby(keys, sort=False).indices if keys else {(): np.arange(len(whose))}
    if not np.isfinite(span) or span * len(groups) > MOST_STEPS:
        raise OptionError(
            f"There would be more than {MOST_STEPS:,} steps.", remedy="Make the steps longer."
        )
    long = (events.stop > events.start).to_numpy()
    names = list(dict.fromkeys(events.track[long]))
    points = list(dict.fromkeys(events.state[~long & events.start.notna().to_numpy()]))
    steady = _steady(events, keys)
    parts, crossed = [], 0
    for places in groups.values():
        start, stop = events.start.to_numpy()[places], events.stop.to_numpy()[places]
        known = np.isfinite(start)
        places, start, stop = places[known], start[known], stop[known]
        if not len(places):
            continue
        first = np.floor(start.min() / length)
        count = max(1, int(np.ceil(stop.max() / length - first - 1e-9)))
        part: dict[str, object] = {
            name: events.table[name].iloc[places[0]] for name in [*keys, *steady]
        }
        part[events.time] = np.round((first + np.arange(count)) * length, 6)
        for track in names:
            mine = long[places] & (events.track.to_numpy()[places] == track)
            column, overlaps = _states(
                start[mine] / length - first,
                stop[mine] / length - first,
                events.state.to_numpy()[places][mine],
                count,
            )
            part[track or events.outcome] = column
            crossed += overlaps
        for word in points:
            mine = ~long[places] & (events.state.to_numpy()[places] == word)
            at = np.minimum((start[mine] / length - first).astype(int), count - 1)
            part[f"n {word}"] = np.bincount(at, minlength=count)
        parts.append(pd.DataFrame(part))
    frame = pd.concat(parts, ignore_index=True)
    return frame.set_index(pd.RangeIndex(1, len(frame) + 1, name="row")), crossed


def _states(
    start: np.ndarray, stop: np.ndarray, state: np.ndarray, count: int
) -> tuple[np.ndarray, int]:
    """The state that covers most of each step, and how many steps hold more than they can."""
    words = list(dict.fromkeys(state))
    cover = np.zeros((count, len(words) + 1))
    for one, other, word in zip(start, stop, state, strict=True):
        first, last = int(one), min(count, int(np.ceil(other)))
        edges = np.arange(first, last)
        shares = np.minimum(other, edges + 1) - np.maximum(one, edges)
        cover[first:last, words.index(word)] += shares
    best = np.where(cover.max(axis=1) > 1e-9, cover.argmax(axis=1), len(words))
    return np.array([*words, NO_EVENT], dtype=object)[best], int(
        (cover.sum(axis=1) > 1 + 1e-6).sum()
    )


def _steady(events: Events, keys: list[str]) -> list[str]:
    """Columns that are the same in all events of an observation, and not everywhere the same."""
    taken = {*keys, events.time, events.outcome}
    rest = [name for name in events.table.columns if name not in taken]
    if not keys or not rest:
        return []
    distinct = events.table.groupby(keys, sort=False)[rest].nunique().max()
    return [name for name in rest if distinct[name] <= 1 and events.table[name].nunique() > 1]
