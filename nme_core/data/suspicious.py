"""Values that look wrong: codes for missing, impossible values, outliers; and columns alike."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator

import numpy as np
import pandas as pd

from nme_core.data.columns import label
from nme_core.data.remedies import Remedy
from nme_core.data.report import Finding
from nme_core.data.study import Study

#: Numbers that files often use for "no value".
MISSING_NUMBERS = (
    -7, -8, -9, -77, -88, -99, -777, -888, -999, -9999, 77, 88, 99, 777, 888, 999, 9999,
)  # fmt: skip

#: A code lies this many standard deviations of the other values away from their mean; or is
#: negative where no other value is, and below -1.
CODE_DISTANCE = 6

#: An outlier lies this many robust standard deviations (1.4826 times the median absolute
#: deviation) from the median, also on a logarithmic scale where all values are positive; a column
#: has at most this share of them, and this many values at least.
OUTLIER_DISTANCE, OUTLIER_SHARE, OUTLIER_VALUES = 10, 0.01, 20

#: What columns with such names can hold. Where more than `OTHER_MEANING` of the values lie
#: outside, the column is something else (a standardised score, another unit).
LIMITS = (
    (r"age|alter", 0, 120, "an age in years"),
    (r"phq.?9|phq", 0, 27, "a PHQ-9 score"),
    (r"bdi.?(ii|2|1)?", 0, 63, "a BDI score"),
    (r"madrs", 0, 60, "a MADRS score"),
    (r"ces.?d", 0, 60, "a CES-D score"),
    (r"gad.?7|gad", 0, 21, "a GAD-7 score"),
    (r"heart.?rate|pulse|bpm", 20, 250, "a heart rate"),
    (r"percent|pct|prozent", 0, 100, "a percentage"),
    (r"hours?|stunden?|sleep.?h", 0, 24, "hours of a day"),
)
OTHER_MEANING = 0.2

#: Correlation of two features above which they count as one; and share of a feature's variance
#: that the others explain above which it can be computed from them.
COLLINEAR, COMPUTED = 0.95, 0.999
_MOST_FEATURES, _MOST_ROWS = 60, 20_000

#: Distinct values that one remedy may list.
_MOST_VALUES = 10


def find_suspicious(study: Study) -> Iterator[Finding]:
    """Find values that look wrong, in features, in an outcome that is a number, in covariates."""
    columns = [("feature", name, study.X[name]) for name in study.feature_names]
    if study.outcome_kind == "number":
        columns.append(("outcome", study.roles.outcome, study.y))
    columns += [
        ("covariate", str(name), study.covariates[name])
        for name in study.covariates
        if study.covariates[name].dtype == np.float64
    ]
    for kind, name, column in columns:
        present = column.dropna()
        codes = list(missing_codes(present))
        for code in codes:
            rest = present[present != code]
            yield Finding(
                "look",
                f"The {kind} {name!r} holds {code} ({int((present == code).sum())} times), "
                f"far from its other values ({rest.min():g} to {rest.max():g}).",
                name,
                "If it means a missing value, treat it as missing or leave these cells empty.",
                (Remedy("set_missing", (name,), (str(code),)),),
            )
        present = present[~present.isin(codes)]
        impossible = yield from _find_impossible(kind, name, present)
        yield from _find_outliers(kind, name, present[~present.isin(impossible)])


def missing_codes(present: pd.Series) -> Iterator[int]:
    """Codes for "no value" among the values of a column, judged by how the others lie."""
    for code in sorted(int(code) for code in set(MISSING_NUMBERS) & set(present.unique())):
        rest = present[(present != code) & ~present.isin(MISSING_NUMBERS)]
        if len(rest) < 2:
            continue
        negative = code < -1 and rest.min() >= 0
        outside = not rest.min() <= code <= rest.max()
        if outside and (negative or abs(code - rest.mean()) > CODE_DISTANCE * rest.std()):
            yield code


def _find_impossible(
    kind: str, name: str, present: pd.Series
) -> Generator[Finding, None, list[float]]:
    """Find impossible values, and return them."""
    for pattern, low, high, what in LIMITS:
        if not re.search(rf"(^|[_\W\d]){pattern}($|[_\W\d])", name, re.IGNORECASE):
            continue
        outside = present[(present < low) | (present > high)]
        if len(outside) == 0 or len(outside) > OTHER_MEANING * len(present):
            return []
        yield Finding(
            "look",
            f"The {kind} {name!r} holds {_shown(outside)}, which {what} cannot be "
            f"({low} to {high}).",
            name,
            "Correct the file, or treat these values as missing.",
            _empty(name, outside),
        )
        return list(outside.unique())
    return []


def _find_outliers(kind: str, name: str, present: pd.Series) -> Iterator[Finding]:
    if len(present) < OUTLIER_VALUES:
        return
    far = _far(present)
    if len(present) and present.min() > 0:
        far &= _far(np.log(present))
    outliers = present[far]
    if len(outliers) == 0 or len(outliers) > OUTLIER_SHARE * len(present):
        return
    rest = present[~far]
    yield Finding(
        "look",
        f"The {kind} {name!r} holds {_shown(outliers)}, far from its other values "
        f"({rest.min():g} to {rest.max():g}).",
        name,
        "Correct a slip of the pen in the file, or treat these values as missing; leave true "
        "values as they are.",
        _empty(name, outliers),
    )


def _far(values: pd.Series) -> pd.Series:
    distance = (values - values.median()).abs()
    spread = 1.4826 * distance.median()
    if spread == 0:
        return pd.Series(False, index=values.index)
    return distance > OUTLIER_DISTANCE * spread


def _empty(name: str, values: pd.Series) -> tuple[Remedy, ...]:
    texts = tuple(label(value) for value in sorted(values.unique()))
    return (Remedy("set_missing", (name,), texts),) if len(texts) <= _MOST_VALUES else ()


def _shown(values: pd.Series) -> str:
    counts = values.value_counts().sort_index()
    listed = ", ".join(f"{value:g}" for value in counts.index[:3])
    more = f" and {len(counts) - 3} more values" if len(counts) > 3 else ""
    times = "once" if len(values) == 1 else f"in {len(values)} rows"
    return f"{listed}{more} ({times})"


def find_collinear(study: Study) -> Iterable[Finding]:
    """Find features that say the same as another, or as several others together."""
    names = list(study.feature_names)[:_MOST_FEATURES]
    rows = study.X[names]
    step = max(1, len(rows) // _MOST_ROWS)
    complete = rows.iloc[::step].dropna()
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
                    f"The features {first!r} and {names[j]!r} say nearly the same "
                    f"(correlation {r[i, j]:.2f}).",
                    names[j],
                    "Leave one of them out; their effects cannot be told apart.",
                    tuple(Remedy("exclude_columns", (name,)) for name in (names[j], first)),
                )
    kept = [k for k, name in enumerate(names) if name not in said]
    yield from _find_computed([names[k] for k in kept], r[np.ix_(kept, kept)])


def _find_computed(names: list[str], r: np.ndarray) -> Iterable[Finding]:
    """Find features that those before them explain, from the correlations `r`."""
    for k in range(len(names) - 1, 1, -1):
        weights = np.linalg.lstsq(r[:k, :k], r[:k, k], rcond=1e-10)[0]
        if float(weights @ r[:k, k]) > COMPUTED:
            used = [names[i] for i in np.flatnonzero(np.abs(weights) > 0.01)]
            yield Finding(
                "look",
                f"The feature {names[k]!r} can be computed from "
                f"{', '.join(repr(name) for name in used[:5])}.",
                names[k],
                "Leave one of them out; their effects cannot be told apart.",
                (Remedy("exclude_columns", (names[k],)),),
            )
