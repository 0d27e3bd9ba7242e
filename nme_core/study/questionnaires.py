"""Questionnaires by the names of their columns: range, usual bands, sum or item mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

#: Where each band of a score begins, and what it is called.
Bands = tuple[tuple[float, str], ...]
Kind = Literal["sum", "item mean", "multiple", "unknown"]

#: Values of a column that may lie outside of a scale, as slips of the pen; where there are more,
#: the column is something else.
OTHER_MEANING = 0.2
#: Sums are mostly whole: at least this share of them (people who skipped an item have others).
_WHOLE = 0.8
#: Different values that a score has at least.
_FEWEST = 3
#: End of the name of a single item.
_ITEM = re.compile(r"[_\W](item|frage|q|i)?[_\W]?\d{1,2}$", re.IGNORECASE)


@dataclass(frozen=True)
class Questionnaire:
    """A questionnaire; its usual score is the sum of its items.

    Attributes
    ----------
    pattern : str
        Columns that seem to hold it, by their name.
    n_items : int
    low, high : float
        Least and largest answer to an item.
    bands : Bands
        Of the sum; empty where none are usual.
    source : str
        Who proposed them.
    multiple : float
        What some multiply the sum by (WHO-5: 4).
    """

    pattern: str
    n_items: int
    low: float
    high: float
    bands: Bands = ()
    source: str = ""
    multiple: float = 1.0

    def factor(self, kind: Kind) -> float:
        """Scores of a kind are the sum times this."""
        return {"item mean": 1 / self.n_items, "multiple": self.multiple}.get(kind, 1.0)

    def range(self, kind: Kind) -> tuple[float, float]:
        """Least and largest score of a kind."""
        factor = self.factor(kind) * self.n_items
        return round(self.low * factor, 6), round(self.high * factor, 6)


@dataclass(frozen=True)
class Recognised:
    """What a column holds of a questionnaire.

    Attributes
    ----------
    name : str
        The questionnaire.
    kind : str
        ``"sum"``, ``"item mean"``, ``"multiple"`` (of the sum) or ``"unknown"``.
    low, high : float
        What such scores can be; infinite where the kind is not known.
    bands : Bands
        The usual ones on the scale of the values; empty where they do not fit.
    """

    name: str
    kind: Kind
    low: float
    high: float
    bands: Bands

    @property
    def one(self) -> str:
        """A single score, with its article."""
        return "an item mean" if self.kind == "item mean" else "a score"

    def __str__(self) -> str:
        if self.kind == "unknown":
            return f"neither sums nor item means of the {self.name}"
        what = {"sum": "sums", "item mean": "item means"}.get(self.kind)
        if what is None:
            what = f"{QUESTIONNAIRES[self.name].multiple:g} times the sums"
        return f"{what} of the {self.name} ({self.low:g} to {self.high:g})"


def _bands(*starts: float, names: str) -> Bands:
    return tuple(zip(starts, names.split(", "), strict=True))


def _cut(at: float) -> Bands:
    return ((0, "below the cut-off"), (at, "from the cut-off"))


_FOUR = "minimal, mild, moderate, severe"
_FIVE = "minimal, mild, moderate, moderately severe, severe"
_DASS = "normal, mild, moderate, severe, extremely severe"
_HADS = _bands(0, 8, 11, names="normal, borderline, elevated")
_LOVIBOND, _ZIGMOND = "Lovibond and Lovibond (1995)", "Zigmond and Snaith (1983)"

#: Those that are known; of several patterns that fit, the first counts.
QUESTIONNAIRES: dict[str, Questionnaire] = {
    "PHQ-2": Questionnaire(r"phq.?2", 2, 0, 3, _cut(3), "Kroenke and others (2003)"),
    "PHQ-4": Questionnaire(
        r"phq.?4", 4, 0, 3, _bands(0, 3, 6, 9, names=_FOUR), "Kroenke and others (2009)"
    ),
    "PHQ-8": Questionnaire(
        r"phq.?8", 8, 0, 3, _bands(0, 5, 10, 15, 20, names=_FIVE), "Kroenke and others (2009)"
    ),
    "PHQ-9": Questionnaire(
        r"phq.?9?", 9, 0, 3, _bands(0, 5, 10, 15, 20, names=_FIVE),
        "Kroenke, Spitzer and Williams (2001)",
    ),
    "BDI-II": Questionnaire(
        r"bdi.?(ii|2)", 21, 0, 3, _bands(0, 14, 20, 29, names=_FOUR),
        "Beck, Steer and Brown (1996)",
    ),
    "BDI": Questionnaire(
        r"bdi.?1?", 21, 0, 3, _bands(0, 10, 19, 30, names=_FOUR), "Beck, Steer and Garbin (1988)"
    ),
    "BAI": Questionnaire(
        r"bai", 21, 0, 3, _bands(0, 8, 16, 26, names=_FOUR), "Beck and Steer (1993)"
    ),
    "MADRS-S": Questionnaire(
        r"madrs.?s", 9, 0, 6, _bands(0, 13, 20, 35, names=_FOUR), "Svanborg and Åsberg (2001)"
    ),
    "MADRS": Questionnaire(
        r"madrs", 10, 0, 6, _bands(0, 7, 20, 35, names="none, mild, moderate, severe"),
        "Snaith and others (1986)",
    ),
    "HAM-D": Questionnaire(
        r"ham.?d(.?17)?|hdrs(.?17)?|hrsd(.?17)?", 17, 0, 52 / 17,
        _bands(0, 8, 17, 24, names="none, mild, moderate, severe"), "Zimmerman and others (2013)",
    ),
    "QIDS": Questionnaire(
        r"qids(.?sr)?(.?16)?", 9, 0, 3,
        _bands(0, 6, 11, 16, 21, names="none, mild, moderate, severe, very severe"),
        "Rush and others (2003)",
    ),
    "CES-D-10": Questionnaire(r"ces.?d.?10", 10, 0, 3, _cut(10), "Andresen and others (1994)"),
    "CES-D": Questionnaire(r"ces.?d(.?20)?", 20, 0, 3, _cut(16), "Radloff (1977)"),
    "EPDS": Questionnaire(r"epds", 10, 0, 3, _cut(13), "Cox, Holden and Sagovsky (1987)"),
    "GDS-15": Questionnaire(
        r"gds.?15", 15, 0, 1, _bands(0, 5, 9, 12, names="normal, mild, moderate, severe"),
        "Sheikh and Yesavage (1986)",
    ),
    "GAD-2": Questionnaire(r"gad.?2", 2, 0, 3, _cut(3), "Kroenke and others (2007)"),
    "GAD-7": Questionnaire(
        r"gad.?7?", 7, 0, 3, _bands(0, 5, 10, 15, names=_FOUR), "Spitzer and others (2006)"
    ),
    "HADS-A": Questionnaire(r"hads?.?a(nx\w*)?", 7, 0, 3, _HADS, _ZIGMOND),
    "HADS-D": Questionnaire(r"hads?.?d(ep\w*)?", 7, 0, 3, _HADS, _ZIGMOND),
    "HADS": Questionnaire(r"hads(.?(t|total|sum))?", 14, 0, 3),
    "DASS-21 depression": Questionnaire(
        r"dass.?(21)?.?d(ep\w*)?", 7, 0, 3, _bands(0, 5, 7, 10.5, 14, names=_DASS), _LOVIBOND, 2
    ),
    "DASS-21 anxiety": Questionnaire(
        r"dass.?(21)?.?a(nx\w*)?", 7, 0, 3, _bands(0, 4, 5, 7.5, 10, names=_DASS), _LOVIBOND, 2
    ),
    "DASS-21 stress": Questionnaire(
        r"dass.?(21)?.?s(tr\w*)?", 7, 0, 3, _bands(0, 7.5, 9.5, 13, 17, names=_DASS), _LOVIBOND, 2
    ),
    "DASS-21": Questionnaire(r"dass(.?21)?", 21, 0, 3, multiple=2),
    "PANAS": Questionnaire(r"panas(.?(pa|na|p|n|pos\w*|neg\w*))?", 10, 1, 5),
    "PSS-4": Questionnaire(r"pss.?4", 4, 0, 4),
    "PSS-10": Questionnaire(
        r"pss(.?10)?", 10, 0, 4, _bands(0, 14, 27, names="low, moderate, high"), "Cohen (1994)"
    ),
    "WHO-5": Questionnaire(
        r"who.?5", 5, 0, 5, ((0, "low well-being"), (13, "not low")), "Topp and others (2015)", 4
    ),
    "ISI": Questionnaire(
        r"isi", 7, 0, 4, _bands(0, 8, 15, 22, names="none, subthreshold, moderate, severe"),
        "Bastien, Vallières and Morin (2001)",
    ),
    "PSQI": Questionnaire(
        r"psqi", 7, 0, 3, ((0, "good sleep"), (6, "poor sleep")), "Buysse and others (1989)"
    ),
    "PCL-5": Questionnaire(r"pcl.?5", 20, 0, 4, _cut(33), "Bovin and others (2016)"),
    "STAI": Questionnaire(r"stai(.?[xy]?[12])?(.?(s|t|state|trait))?", 20, 1, 4),
    "SPIN": Questionnaire(
        r"spin", 17, 0, 4,
        _bands(0, 21, 31, 41, 51, names="none, mild, moderate, severe, very severe"),
        "Connor and others (2000)",
    ),
    "K6": Questionnaire(r"k-?6|kessler.?6", 6, 0, 4, _cut(13), "Kessler and others (2003)"),
    "K10": Questionnaire(
        r"k-?10|kessler.?10", 10, 1, 5,
        _bands(10, 20, 25, 30, names="likely well, mild, moderate, severe"),
        "Andrews and Slade (2001)",
    ),
    "AUDIT": Questionnaire(
        r"audit", 10, 0, 4,
        _bands(0, 8, 16, 20, names="low risk, hazardous, harmful, possible dependence"),
        "Babor and others (2001)",
    ),
    "SWLS": Questionnaire(r"swls", 5, 1, 7),
}  # fmt: skip


def proposed(name: str) -> str | None:
    """The questionnaire that a column seems to hold, by its name; the first that fits."""
    for known, one in QUESTIONNAIRES.items():
        if re.search(rf"(?<![a-z])({one.pattern})(?![a-z0-9])", name.lower()):
            return known
    return None


def recognise(name: str, values: Iterable[float]) -> Recognised | None:
    """What a column holds of the questionnaire that its name tells; None where it tells none.

    A column of two values, or of a single item (``phq9_3``), is none.

    Sum or item mean is told by the range and steps of the values: sums are whole numbers, item
    means lie between the least and the largest answer.
    """
    known = proposed(name)
    given = np.asarray(list(values) if not isinstance(values, np.ndarray) else values, np.float64)
    given = given[np.isfinite(given)]
    if known is None or len(np.unique(given)) < _FEWEST:
        return None
    one = QUESTIONNAIRES[known]
    if _ITEM.search(name) and np.isin(given, np.arange(one.low, one.high + 1)).all():
        return None
    kind = _kind(one, given, name.lower())
    low, high = (-np.inf, np.inf) if kind == "unknown" else one.range(kind)
    factor = one.factor(kind)
    bands = tuple((round(start * factor, 4), label) for start, label in one.bands)
    return Recognised(known, kind, low, high, () if kind == "unknown" else bands)


def _kind(one: Questionnaire, values: npt.NDArray[np.float64], name: str) -> Kind:
    fits: dict[Kind, bool] = {
        kind: _outside(values, *one.range(kind)) <= OTHER_MEANING
        for kind in ("sum", "item mean", "multiple")
    }
    whole = float(np.mean(values == np.round(values))) >= _WHOLE
    if fits["item mean"] and (not fits["sum"] or not whole or "mean" in name):
        return "item mean"
    if one.multiple != 1 and fits["multiple"] and _outside(values, *one.range("sum")) > 0:
        steps = float(np.mean(values % one.multiple == 0))
        if steps >= _WHOLE or not fits["sum"]:
            return "multiple"
    return "sum" if fits["sum"] else "unknown"


def _outside(values: npt.NDArray[np.float64], low: float, high: float) -> float:
    return float(np.mean((values < low - 1e-9) | (values > high + 1e-9)))
