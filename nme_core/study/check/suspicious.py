"""Values that look wrong: codes for missing, impossible values, outliers; and columns alike."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from nme_core.batches.blocks import Column, Floats, draw, draw_present, drawn_words, extent
from nme_core.study.check.report import Finding
from nme_core.study.clean.remedies import Remedy
from nme_core.study.columns import label
from nme_core.study.questionnaires import OTHER_MEANING, recognise
from nme_core.study.study import Study
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said

#: Numbers that files often use for "no value".
MISSING_NUMBERS = (
    -7, -8, -9, -77, -88, -99, -777, -888, -999, -9999, 77, 88, 99, 777, 888, 999, 9999,
)  # fmt: skip

#: A code lies this many standard deviations of the other values away from their mean; or is
#: negative where no other value is, and below -1.
CODE_DISTANCE = 6

#: Codes that stand close to a scale: 9 beside 1 to 5, 8 beside 0 to 4, -1 beside 1 to 7.
SCALE_CODES = (-1, 8, 9, 98, 99)
_SCALE = (3, 11)
#: So many steps between a scale and a code are far; and so many cells would be expected in all of
#: them, were they steps that people take, that none is no chance.
_FAR_BETWEEN, _BY_CHANCE = 3, 5

#: An outlier lies this many robust standard deviations (1.4826 times the median absolute
#: deviation) from the median, also on a logarithmic scale where all values are positive; a column
#: has at most this share of them, and this many values at least.
OUTLIER_DISTANCE, OUTLIER_SHARE, OUTLIER_VALUES = 10, 0.01, 20

#: What columns with such names can hold. Where more than `OTHER_MEANING` of the values lie
#: outside, the column is something else (a standardised score, another unit).
LIMITS = (
    (r"age|alter", 0, 120, "an age in years"),
    (r"heart.?rate|pulse|bpm", 20, 250, "a heart rate"),
    (r"percent|pct|prozent", 0, 100, "a percentage"),
    (r"hours?|stunden?|sleep.?h", 0, 24, "hours of a day"),
)

#: Correlation of two features above which they count as one; and share of a feature's variance
#: that the others explain above which it can be computed from them.
COLLINEAR, COMPUTED = 0.95, 0.999
_MOST_FEATURES, _MOST_ROWS = 60, 20_000

#: Values of a column by which is judged what lies far from the others.
_MOST_VALUES_DRAWN = 20_000

#: Distinct values that one remedy may list.
_MOST_VALUES = 10


def find_suspicious(study: Study, columns: Mapping[str, Column]) -> Iterator[Finding]:
    """Find values that look wrong, in features, in an outcome that is a number, in covariates.

    `columns` are the features, and the outcome where it is a number, as looked at once.
    """
    for name, known in columns.items():
        kind = "outcome" if name == study.roles.outcome else "feature"
        yield from _find_in_column(kind, name, known.values, known.low, known.high)
    for covariate, column in study.covariates.items():
        if column.dtype == np.float64:
            values = column.to_numpy()
            yield from _find_in_column("covariate", str(covariate), values, *extent(values))
    if study.outcome_kind == "class":
        states = pd.to_numeric(study.y, errors="coerce").to_numpy(dtype=np.float64)
        if np.isnan(states).sum() == study.y.isna().sum():  # their names are numbers
            for code in (codes := list(missing_codes(states))):
                rest = states[~np.isin(states, codes)]
                yield _code_finding("outcome", study.roles.outcome, states, code, rest)


def _find_in_column(
    kind: str, name: str, values: Floats, low: float, high: float
) -> Iterator[Finding]:
    codes = list(missing_codes(values, low, high))
    rest = np.where(np.isin(values, codes), np.nan, values) if codes else values
    for code in codes:
        yield _code_finding(kind, name, values, code, rest)
    if codes:
        values = rest
        low, high = extent(values)
    impossible = yield from _find_impossible(kind, name, values, low, high)
    if len(impossible):
        values = np.where(np.isin(values, impossible), np.nan, values)
        low, high = extent(values)
    yield from _find_outliers(kind, name, values, low, high)


def _code_finding(kind: str, name: str, values: Floats, code: int, rest: Floats) -> Finding:
    """`rest` are the values that are no codes."""
    (least, most), times = extent(rest), int((values == code).sum())
    return Finding(
        "look",
        tr(
            "The {kind} {name!r} holds {code} ({which}), far from its other values "
            "({least:g} to {most:g})."
        ).format(
            kind=tr(kind),
            name=name,
            code=code,
            which=tr("once") if times == 1 else tr("{n} times").format(n=times),
            least=least,
            most=most,
        ),
        name,
        tr("If it means a missing value, treat it as missing or leave these cells empty."),
        (Remedy("set_missing", (name,), (str(code),)),),
    )


def missing_codes(
    values: Floats, low: float | None = None, high: float | None = None
) -> Iterator[int]:
    """Codes for "no value" among the values of a column, judged by how the others lie.

    A code lies outside the other values, so that one is the lowest or the highest value; `low` and
    `high` are these, where they are known.
    """
    if low is None or high is None:
        low, high = extent(values)
    known = {*MISSING_NUMBERS, *SCALE_CODES}
    if low not in known and high not in known:
        return
    beside = _beside_scale(values)
    rest = values[~np.isin(values, (*MISSING_NUMBERS, *beside)) & ~np.isnan(values)]
    if len(rest) < 2:
        return
    (least, most), mean, spread = extent(rest), float(rest.mean()), float(rest.std(ddof=1))
    for code in sorted({*MISSING_NUMBERS, *beside}):
        times = np.count_nonzero(values == code)
        negative = code < -1 and least >= 0
        gap = max(least - code, code - most)
        apart = times > 1 and gap > max(most - least, 1)
        far = negative or apart or abs(code - mean) > CODE_DISTANCE * spread
        if times and gap > 0 and (far or code in beside):
            yield code


def _beside_scale(values: Floats) -> tuple[int, ...]:
    """Codes that stand apart from a scale of whole numbers without gaps.

    What lies between is missing by more than chance: were it given as often as the code and the end
    of the scale, it would not be. A value of a scale that few people gave stands there less often
    than its end, and next to it.
    """
    known, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    if len(known) > _SCALE[1] + len(SCALE_CODES):
        return ()
    scale = ~np.isin(known, (*SCALE_CODES, *MISSING_NUMBERS))
    inside = known[scale]
    if not _SCALE[0] <= len(inside) <= _SCALE[1] or np.any(np.diff(inside) != 1):
        return ()
    usual, times = np.median(counts[scale]), dict(zip(known, counts, strict=True))
    found: list[int] = []
    for code in SCALE_CODES:
        n = times.get(code, 0)
        end = inside[-1] if code > inside[-1] else inside[0]
        between = abs(code - end) - 1
        often = n >= times[end] or (between >= _FAR_BETWEEN and 4 * times[end] >= 3 * usual)
        often |= code < 0 < inside[0]  # no scale goes on from 1 to below 0
        if n > 1 and between > 0 and often and between * min(n, times[end]) >= _BY_CHANCE:
            found.append(code)
        elif n and code > inside[-1]:  # a value like the others: the scale goes on to it
            inside = np.append(inside, code)
    return tuple(found)


def without_codes(values: Floats) -> Floats:
    """Values with codes for "no value" as NaN."""
    return np.where(np.isin(values, list(missing_codes(values))), np.nan, values)


def _find_impossible(
    kind: str, name: str, values: Floats, least: float, most: float
) -> Generator[Finding, None, Floats]:
    """Find impossible values, and return them."""
    for low, high, what in _limits(name, values):
        if not (least < low or most > high):
            break
        outside = values[(values < low) | (values > high)]
        if len(outside) > OTHER_MEANING * np.count_nonzero(~np.isnan(values)):
            break
        yield Finding(
            "look",
            tr(
                "The {kind} {name!r} holds {shown}, which {what} cannot be ({low:g} to {high:g})."
            ).format(
                kind=tr(kind), name=name, shown=_shown(outside), what=said(what), low=low, high=high
            ),
            name,
            tr("Correct the file, or treat these values as missing."),
            _empty(name, outside),
        )
        return np.unique(outside)
    return values[:0]


def _limits(name: str, values: Floats) -> Iterator[tuple[float, float, str]]:
    """What values can be by the name of their column, and what that is."""
    known = recognise(name, values)
    if known is not None and known.kind != "unknown":
        yield (
            known.low,
            known.high,
            tr("{one} of the {name}").format(one=known.one, name=known.name),
        )
        return
    for pattern, low, high, what in LIMITS:
        if re.search(rf"(^|[_\W\d]){pattern}($|[_\W\d])", name, re.IGNORECASE):
            yield low, high, what
            return


def _find_outliers(
    kind: str, name: str, values: Floats, low: float, high: float
) -> Iterator[Finding]:
    drawn = draw_present(values, _MOST_VALUES_DRAWN)
    if len(drawn) < OUTLIER_VALUES:
        return
    least, most = _usual(drawn)
    if low > 0:
        least_log, most_log = _usual(np.log(drawn))
        with np.errstate(over="ignore"):
            least, most = min(least, np.exp(least_log)), max(most, np.exp(most_log))
    if not (low < least or high > most):
        return
    far = (values < least) | (values > most)
    outliers, n_present = values[far], int(np.count_nonzero(~np.isnan(values)))
    if len(outliers) > OUTLIER_SHARE * n_present:
        return
    rest = extent(values[~far])
    yield Finding(
        "look",
        tr(
            "The {kind} {name!r} holds {shown}, far from its other values ({first:g} to "
            "{rest:g}){drawn_words}."
        ).format(
            kind=tr(kind),
            name=name,
            shown=_shown(outliers),
            first=rest[0],
            rest=rest[1],
            drawn_words=drawn_words(n_present, _MOST_VALUES_DRAWN),
        ),
        name,
        tr(
            "Correct a slip of the pen in the file, or treat these values as missing; leave "
            "true values as they are."
        ),
        _empty(name, outliers),
    )


def _usual(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Between what values lie that are no outliers; everything where half of them are equal."""
    middle = np.median(values)
    with np.errstate(over="ignore"):
        width = OUTLIER_DISTANCE * 1.4826 * np.median(np.abs(values - middle))
        return (-np.inf, np.inf) if width == 0 else (float(middle - width), float(middle + width))


def _empty(name: str, values: Floats) -> tuple[Remedy, ...]:
    texts = tuple(label(value) for value in np.unique(values))
    return (Remedy("set_missing", (name,), texts),) if len(texts) <= _MOST_VALUES else ()


def _shown(values: Floats) -> str:
    different = np.unique(values)
    listed = ", ".join(f"{value:g}" for value in different[:3])
    more = (
        tr(" and {different} more values").format(different=len(different) - 3)
        if len(different) > 3
        else ""
    )
    times = tr("once") if len(values) == 1 else tr("in {values} rows").format(values=len(values))
    return f"{listed}{more} ({times})"


def find_collinear(study: Study) -> Iterable[Finding]:
    """Find features that say the same as another, or as several others together."""
    names = list(study.feature_names)[:_MOST_FEATURES]
    rows = study.X[names]
    complete = rows.iloc[draw(len(rows), _MOST_ROWS)].astype(np.float64).dropna()
    judged = drawn_words(len(rows), _MOST_ROWS)
    scale = complete.abs().max().replace(0, 1)  # squares of very large numbers would overflow
    centred = complete / scale - (complete / scale).mean()
    spread = np.sqrt((centred**2).mean())
    names = [name for name in names if spread[name] > 1e-9]
    if len(names) < 2 or len(complete) <= 2 * len(names):
        return
    z = (centred[names] / spread[names]).to_numpy()
    r = z.T @ z / len(z)
    said: set[str] = set()
    for i, first in enumerate(names):
        for j in range(i + 1, len(names)):
            if abs(r[i, j]) > COLLINEAR and names[j] not in said:
                said.add(names[j])
                yield Finding(
                    "look",
                    tr(
                        "The features {first!r} and {names!r} say nearly the same "
                        "(correlation {r:.2f}){judged}."
                    ).format(first=first, names=names[j], r=r[i, j], judged=judged),
                    names[j],
                    tr("Leave one of them out; their effects cannot be told apart."),
                    tuple(Remedy("exclude_columns", (name,)) for name in (names[j], first)),
                )
    kept = [k for k, name in enumerate(names) if name not in said]
    yield from _find_computed([names[k] for k in kept], r[np.ix_(kept, kept)], judged)


def _find_computed(names: list[str], r: np.ndarray, judged: str) -> Iterable[Finding]:
    """Find features that those before them explain, from the correlations `r`."""
    for k in range(len(names) - 1, 1, -1):
        weights = np.linalg.lstsq(r[:k, :k], r[:k, k], rcond=1e-10)[0]
        if float(weights @ r[:k, k]) > COMPUTED:
            used = [names[i] for i in np.flatnonzero(np.abs(weights) > 0.01)]
            yield Finding(
                "look",
                tr("The feature {names!r} can be computed from {each}{judged}.").format(
                    names=names[k], each=", ".join(repr(name) for name in used[:5]), judged=judged
                ),
                names[k],
                tr("Leave one of them out; their effects cannot be told apart."),
                (Remedy("exclude_columns", (names[k],)),),
            )
