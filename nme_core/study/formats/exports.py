"""Exports of survey tools, diaries and actigraphs: known by their columns, with their roles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.exceptions import OptionError
from nme_core.study.clean.personal import dates_of
from nme_core.study.columns import as_labels, is_number
from nme_core.study.formats.result import Reading
from nme_core.study.roles.role_names import is_time

#: Name of a column made of a date and a time of day.
DATE_TIME = "date_time"

_PERSON = re.compile(
    r"(?i)(participant|subject|person|patient|proband|vp|pid|id)([_ .-]?(id|nr|no|code))?"
)
_DATES = ("Date", "date", "full_date")
_EPOCHS = {"off-wrist status", "sleep/wake", "interval status", "axis1", "vector magnitude"}
_EPOCH_OUTCOMES = ("Sleep/Wake", "Interval Status", "Activity", "Axis1", "Vector Magnitude")
_DEVICE_OF = ("Identity", "Subject ID", "Subject", "Serial Number", "Actiwatch Serial Number")


def qualtrics(reading: Reading) -> Reading | None:
    """Qualtrics: a response is one row; who answered stands in a field of the survey."""
    frame = reading.frame
    if "ResponseId" not in frame.columns:
        return None
    candidates = ["ExternalReference", "ExternalDataReference", *frame.columns, "ResponseId"]
    person = next((n for n in candidates if _may_be_person(frame, str(n))), None)
    time = _first(frame, ("StartDate", "EndDate", "RecordedDate"))
    notes = ["The columns are those of Qualtrics."]
    if person is None:
        notes.append(
            "Every row has a ResponseId of its own, so that it does not tell people apart."
        )
    for name, word in (("Status", "Survey Preview"), ("DistributionChannel", "preview")):
        if name in frame.columns and (previews := int((frame[name] == word).sum())):
            notes.append(
                f"{previews} rows are previews of the survey ({name!r} is {word!r}); they are "
                "still in the table."
            )
            break
    return _known(reading, "Qualtrics", notes, person=person, time=time)


def _may_be_person(frame: pd.DataFrame, name: str) -> bool:
    known = name in ("ExternalReference", "ExternalDataReference", "ResponseId")
    if name not in frame.columns or not (known or _PERSON.fullmatch(name)):
        return False
    column = frame[name].dropna()
    return 1 < column.nunique() < len(column)


#: Stands for the rows that belong to no repeating instrument; none can be called so.
NO_INSTRUMENT = "none"


def redcap(reading: Reading) -> Reading | None:
    """REDCap: events and repeating instruments are rows; what is asked once fills one of them.

    Raises
    ------
    OptionError
        The instrument that `reading.how` asks for is not there.
    """
    frame = reading.frame
    event, instrument, instance = (
        _first(frame, (f"redcap_{name}",))
        for name in ("event_name", "repeat_instrument", "repeat_instance")
    )
    if event is None and instance is None:
        return None
    notes = ["The columns are those of REDCap."]
    own = [str(name) for name in frame.columns if not str(name).startswith("redcap_")]
    if not own:
        return None
    person = own[0]
    frame, filled = _filled(frame, person)
    if instrument is not None and frame[instrument].notna().any():
        reading, frame, told = _of_instrument(reading, frame, person, instrument)
        notes.append(told)
    repeats = instance in frame and frame[instance].notna().any()
    if filled:
        listed = ", ".join(repr(name) for name in filled[:10])
        notes.append(f"What a person has one value of was filled into all rows: {listed}.")
    time, sequence = instance if repeats else None, event if repeats else None
    if not repeats and event is not None:
        order = list(dict.fromkeys(frame[event].dropna()))
        frame = frame.assign(
            event_number=frame[event].map({word: k for k, word in enumerate(order)})
        )
        time = "event_number"
        notes.append(
            f"Events are numbered in the order of the file: {', '.join(map(str, order[:10]))}."
        )
    time = None if _is_dated(frame, person) else time
    several = sequence is not None and sequence in frame and frame[sequence].nunique() > 1
    return _known(
        replace(reading, frame=frame), "REDCap", notes,
        person=person, time=time, sequence=sequence if several else None,
    )  # fmt: skip


def _is_dated(frame: pd.DataFrame, person: str) -> bool:
    """Whether a date tells the rows of each person apart, so that no count needs to."""
    names = (str(n) for n in frame.columns if is_time(str(n)) and frame[n].notna().all())
    return any(
        dates_of(frame[name]) is not None and not frame.duplicated([person, name]).any()
        for name in names
    )


def _of_instrument(
    reading: Reading, frame: pd.DataFrame, person: str, instrument: str
) -> tuple[Reading, pd.DataFrame, str]:
    """The rows of one repeating instrument, or of none: the one asked for, else with most rows."""
    belongs = as_labels(frame[instrument]).fillna(NO_INSTRUMENT)
    counts = belongs.value_counts()
    there = tuple(sorted(counts.index, key=lambda one: one == NO_INSTRUMENT))
    chosen = reading.how.instrument or there[0]
    if chosen not in there:
        raise OptionError(
            f"The export of REDCap has no repeating instrument {chosen!r}.",
            remedy=f"Choose one of {', '.join(there)}.",
        )
    keep = (belongs == chosen).to_numpy()
    what = "no repeating instrument" if chosen == NO_INSTRUMENT else f"the instrument {chosen!r}"
    told = (
        f"The {int(keep.sum())} rows of {what} are the occasions; {int((~keep).sum())} other rows "
        "were left out"
    )
    if lost := frame[person].nunique() - frame.loc[keep, person].nunique():
        told += (
            f", and with them {lost} {'person who has' if lost == 1 else 'people who have'} none"
        )
    others = [
        f"of none ({counts[one]} rows)" if one == NO_INSTRUMENT else f"{one!r} ({counts[one]} rows)"
        for one in there
        if one != chosen
    ]
    told += "."
    if others:
        told += f" To take others, choose the instrument: {', '.join(others)}."
    kept = frame[keep]
    how = replace(reading.how, instrument=chosen)
    reading = replace(reading, how=how, instruments=there)
    return reading, kept.loc[:, kept.notna().any().to_numpy()], told


def _filled(frame: pd.DataFrame, person: str) -> tuple[pd.DataFrame, list[str]]:
    """A table in which cells of columns with one value per person stand in all of its rows."""
    rest = [n for n in frame.columns if n != person and not str(n).startswith("redcap_")]
    if not rest:
        return frame, []
    distinct = frame.groupby(person)[rest].nunique()
    filled = [n for n in rest if distinct[n].max() == 1 and frame[n].isna().any()]
    filled = [n for n in filled if frame[n].notna().sum() <= frame[person].nunique()]
    if not filled:
        return frame, []
    values = frame.groupby(person)[filled].transform("first")
    return frame.assign(**{name: values[name] for name in filled}), [str(n) for n in filled]


def daylio(reading: Reading) -> Reading | None:
    """Daylio: mood in words, a date, a weekday and a time of day."""
    frame = reading.frame
    names = set(frame.columns)
    if not {"weekday", "mood", "time"} <= names or not names & {"full_date", "year"}:
        return None
    date = frame["full_date"] if "full_date" in names else None
    if date is None:
        date = frame["date"].astype("str") + " " + frame["year"].astype("str")
    reading = _with_date_time(reading, date, "time")
    return _known(
        reading, "Daylio", ["The columns are those of Daylio."], time=DATE_TIME, outcome="mood"
    )


def actigraphy(reading: Reading) -> Reading | None:
    """Epochs of an Actiwatch or ActiGraph: a date, a time of day, counts of activity."""
    frame, above = reading.frame, reading.above
    names = [str(name) for name in frame.columns]
    made = any("ActiGraph" in key for key in above)
    date, clock = _first(frame, _DATES), _first(frame, ("Time", "time"))
    epochs = {name.casefold() for name in names} & _EPOCHS
    if not (made or (date and clock and epochs)):
        return None
    if date is not None and clock is not None:
        reading = _with_date_time(reading, _in_form(frame[date], above), clock)
    elif made and DATE_TIME not in names:
        reading = _with_epochs(reading)
    person = next((n for n in names if _PERSON.fullmatch(n)), None)
    device = next((above[key] for key in _DEVICE_OF if above.get(key)), None)
    if person is None and device is not None:
        person = "identity"
        reading = replace(reading, frame=reading.frame.assign(identity=device))
    outcome = _first(frame, _EPOCH_OUTCOMES)
    time = DATE_TIME if DATE_TIME in reading.frame else None
    name = "ActiGraph" if made else "actigraphy"
    notes = [f"The columns are those of {name} (epochs)."]
    return _known(reading, name, notes, person=person, time=time, outcome=outcome)


def _form(above: Mapping[str, str]) -> str | None:
    """How dates are written, where a line above the table says it: mm/dd/yyyy."""
    said = [above.get("Date", ""), *above, *above.values()]
    found = (re.search(r"(?i)\b([md]{1,2})[-/.]([md]{1,2})[-/.]y{2,4}\b", text) for text in said)
    return next((match[1][0].lower() for match in found if match), None)


def _in_form(date: pd.Series, above: Mapping[str, str]) -> pd.Series:
    """Dates, where a line above the table says what comes first in them."""
    form = _form(above)
    if form is None or not isinstance(date.dtype, pd.StringDtype):
        return date
    dates = pd.to_datetime(date, dayfirst=form == "d", format="mixed", errors="coerce")
    return dates if dates.notna().equals(date.notna()) else date


def _with_epochs(reading: Reading) -> Reading:
    """The time of each epoch, from the start and the length of epochs above the table."""
    above = reading.above
    start = f"{above.get('Start Date', '')} {above.get('Start Time', '')}"
    first = pd.to_datetime(start, dayfirst=_form(above) == "d", errors="coerce")
    length = pd.to_timedelta(above.get("Epoch Period (hh:mm:ss)", ""), errors="coerce")
    if pd.isna(first) or pd.isna(length) or not pd.Timedelta(0) < length < pd.Timedelta(days=1):
        return reading
    times = first + length * np.arange(len(reading.frame))
    note = f"The time of each epoch ({DATE_TIME!r}) is counted from the start above the table."
    frame = reading.frame.assign(**{DATE_TIME: times})
    return replace(reading, frame=frame, notes=(*reading.notes, note))


def _with_date_time(reading: Reading, date: pd.Series, clock: str) -> Reading:
    """A reading with one column for the date and the time of day."""
    frame = reading.frame
    if is_datetime64_any_dtype(date.dtype):
        date = date.dt.strftime("%Y-%m-%d")
    times = frame[clock]
    if is_number(times):
        seconds = (times * 3600).round()
        parts = [seconds // 3600, seconds // 60 % 60, seconds % 60]
        times = parts[0].map("{:02.0f}".format)
        for part in parts[1:]:
            times = times + ":" + part.map("{:02.0f}".format)
    joined = (date.astype("str") + " " + times.astype("str")).mask(
        date.isna() | frame[clock].isna()
    )
    note = f"The date and {clock!r} together are the time ({DATE_TIME!r})."
    return replace(reading, frame=frame.assign(**{DATE_TIME: joined}), notes=(*reading.notes, note))


def _first(frame: pd.DataFrame, names: Iterable[str]) -> str | None:
    return next((name for name in names if name in frame.columns), None)


def _known(reading: Reading, layout: str, notes: Sequence[str], **roles: str | None) -> Reading:
    """A reading with its layout, and the roles that this tells."""
    found = {role: str(name) for role, name in roles.items() if name is not None}
    return replace(reading, layout=layout, roles=found, notes=(*reading.notes, *notes))
