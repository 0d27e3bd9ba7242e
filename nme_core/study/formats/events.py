"""Tables of events with a start and an end: BORIS's exports and ELAN's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from nme_core.study.columns import is_number
from nme_core.study.formats.result import Reading

#: Lengths of steps that are proposed, in seconds.
_ROUND = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
#: What BORIS calls the subject of behaviours that have none.
_NOBODY = {"no focal subject", "nosubject", "no subject", ""}

_START = ("Start (s)", "Start", "Start time", "Start (seconds)")
_STOP = ("Stop (s)", "Stop", "Stop time", "Stop (seconds)")
_ELAN = re.compile(r"(Begin|End) Time(?: - (ss\.msec|msec|hh:mm:ss\.ms))?")
_SECONDS = {"ss.msec": 1.0, "msec": 0.001, "hh:mm:ss.ms": 3600.0, None: 1.0}


@dataclass(frozen=True, eq=False)
class Events:
    """Events, one a row, and which columns say what of them.

    Attributes
    ----------
    table : DataFrame
        The rows, with the columns of the file.
    start, stop : Series of float
        Seconds; the same where an event is a point in time.
    state : Series of text
        What happens.
    track : Series of text
        Which events exclude each other: a category, a tier.
    keys : tuple of str
        Columns that say whose events they are, and in which observation.
    time, outcome : str
        Names for the time and for the states of a single track.
    """

    table: pd.DataFrame
    start: pd.Series
    stop: pd.Series
    state: pd.Series
    track: pd.Series
    keys: tuple[str, ...]
    time: str
    outcome: str

    @property
    def step(self) -> str:
        """A length of steps in which few events are lost."""
        lengths = (self.stop - self.start)[self.stop > self.start]
        short = float(lengths.quantile(0.25)) if len(lengths) else 1.0
        fitting = [length for length in _ROUND if length <= short]
        return f"{max(fitting, default=_ROUND[0]):g}s"


def boris(reading: Reading) -> Reading | None:
    """BORIS's aggregated events, or its tabular events, whose starts and stops are rows."""
    frame = reading.frame
    names = {str(name).casefold(): str(name) for name in frame.columns}
    behavior = names.get("behavior")
    if behavior is None:
        return None
    if "Observation id" in reading.above and "observation id" not in names:
        frame = frame.assign(**{"Observation id": reading.above["Observation id"]})
    begin, end = _first(names, _START), _first(names, _STOP)
    status = _first(names, ("Behavior type", "Status"))
    kind = "aggregated events"
    if begin is None or end is None:
        if status is None or "time" not in names or not _has_starts(frame[status]):
            return None
        kind, begin, end = "tabular events", names["time"], "Stop"
    keys = _whose(frame)
    if not keys:
        return None
    notes = [f"The columns are those of BORIS ({kind})."]
    if kind == "tabular events":
        table, unpaired = _paired(frame, [*keys, behavior], begin, end, str(status))
        if unpaired:
            notes.append(f"{unpaired} starts have no stop, or stops no start; they have no length.")
    else:
        table = frame
    events = Events(
        table,
        _seconds(reading, table, begin),
        _seconds(reading, table, begin, end),
        table[behavior].astype("str"),
        _tracks(table),
        keys,
        begin,
        behavior,
    )
    roles = {"time": begin, "outcome": behavior}
    roles |= dict(zip(("person", "sequence"), keys, strict=False))
    return replace(
        reading,
        frame=frame,
        layout="BORIS",
        roles=roles,
        events=events,
        notes=(*reading.notes, *notes),
    )


def elan(reading: Reading) -> Reading | None:
    """ELAN's export as tab-delimited text, with one row per annotation."""
    frame = reading.frame
    found: dict[str, dict[str | None, str]] = {"Begin": {}, "End": {}}
    for name in map(str, frame.columns):
        match = _ELAN.fullmatch(name)
        if match:
            found[match[1]][match[2]] = name
    unit = next((one for one in _SECONDS if all(one in places for places in found.values())), "")
    if unit == "":
        return None
    times = [found[which][unit] for which in ("Begin", "End")]
    columns = [str(n) for n in frame.columns if not re.match(r"(Begin|End) Time|Duration", str(n))]
    who = [n for n in columns if n in ("Participant", "File", "File Name", "File Path")]
    keys = tuple(n for n in who if frame[n].nunique() > 1) or tuple(who[:1])
    tier = next((name for name in columns if name == "Tier"), None)
    said = [n for n in columns if n not in (*who, tier) and not is_number(frame[n])]
    if not said:
        return None
    if tier is None:
        cells = frame[said].melt(var_name="track", value_name="state", ignore_index=False)
        rows = cells.dropna().sort_index(kind="stable")
    else:
        rows = pd.DataFrame({"state": frame[said[0]], "track": frame[tier]}).dropna()
        if "Participant" in keys:
            rows["track"] = _without_person(rows["track"], frame.loc[rows.index, "Participant"])
    table = frame.loc[rows.index]
    factor = _SECONDS[unit]
    events = Events(
        table.reset_index(drop=True),
        (pd.to_numeric(table[times[0]], errors="coerce") * factor).reset_index(drop=True),
        (pd.to_numeric(table[times[1]], errors="coerce") * factor).reset_index(drop=True),
        rows["state"].astype("str").reset_index(drop=True),
        rows["track"].astype("str").reset_index(drop=True),
        keys,
        times[0],
        said[0],
    )
    roles = {"time": times[0], "outcome": said[0]}
    roles |= dict(zip(("person", "sequence"), keys, strict=False))
    note = "The columns are those of ELAN (annotations)."
    return replace(reading, layout="ELAN", roles=roles, events=events, notes=(*reading.notes, note))


def _without_person(tiers: pd.Series, people: pd.Series) -> pd.Series:
    """Names of tiers without the person's, gaze@A and gaze-B, so that all people have the same."""
    names = []
    for tier, person in zip(tiers.astype("str"), people.astype("str"), strict=True):
        bare = re.sub(rf"^{re.escape(person)}[@_. -]+|[@_. -]+{re.escape(person)}$", "", tier)
        names.append(bare or tier)
    return pd.Series(names, index=tiers.index)


def _first(names: dict[str, str], wanted: Sequence[str]) -> str | None:
    return next((names[one.casefold()] for one in wanted if one.casefold() in names), None)


def _has_starts(status: pd.Series) -> bool:
    words = set(status.dropna().astype("str").str.upper())
    return bool(words & {"START", "STOP"}) and words <= {"START", "STOP", "POINT"}


def _whose(frame: pd.DataFrame) -> tuple[str, ...]:
    """The subject where there are several, and the observation."""
    names = {str(name).casefold(): str(name) for name in frame.columns}
    subject, observation = names.get("subject"), names.get("observation id")
    if subject is not None:
        words = set(frame[subject].dropna().astype("str").str.casefold()) - _NOBODY
        subject = subject if len(words) > 1 or observation is None else None
    return tuple(name for name in (subject, observation) if name is not None)


def _seconds(
    reading: Reading, table: pd.DataFrame, begin: str, end: str | None = None
) -> pd.Series:
    """Times in seconds; without an end, an event ends where it starts."""
    start = pd.to_numeric(table[begin], errors="coerce")
    times = start if end is None else pd.to_numeric(table[end], errors="coerce").fillna(start)
    return times.astype("float64") * (3600 if reading.labels.units.get(begin) == "hours" else 1)


def _tracks(table: pd.DataFrame) -> pd.Series:
    """The category of each behaviour, where there are several."""
    for name in table.columns:
        if str(name).casefold() == "behavioral category" and table[name].nunique() > 1:
            return table[name].astype("str").fillna("no category")
    return pd.Series("", index=table.index)


def _paired(
    frame: pd.DataFrame, keys: Sequence[str], begin: str, end: str, status: str
) -> tuple[pd.DataFrame, int]:
    """One row per event, with its stop; and how many starts and stops have no partner."""
    rows: list[int] = []
    stops: list[float] = []
    unpaired = 0
    times = pd.to_numeric(frame[begin], errors="coerce")
    words = frame[status].astype("str").str.upper()
    order = frame.assign(**{end: times}).sort_values(end, kind="stable").index
    whose = frame[list(keys)].astype("str").fillna("").agg("\x1f".join, axis=1)
    opened: dict[str, tuple[int, int]] = {}
    for row in order:
        key, word, place = whose[row], words[row], len(rows)
        if word == "STOP" and key in opened:
            stops[opened.pop(key)[1]] = float(times[row])
            continue
        unpaired += word == "STOP" or (word == "START" and key in opened)
        if word == "START":
            opened[key] = (row, place)
        rows.append(row)
        stops.append(float(times[row]))
    table = frame.loc[rows].copy()
    table[end] = np.array(stops)
    return table, unpaired + len(opened)
