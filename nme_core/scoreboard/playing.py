"""Let the rivals play: tasks by protocol, rival, fold and seed; losses by person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core import parallel
from nme_core.exceptions import NMEError, OptionError
from nme_core.scoreboard.protocols import FOLDS, PROTOCOLS, Protocol
from nme_core.scoreboard.rivals import RIVALS, rival
from nme_core.scoreboard.sample import Floats, Sample, digest, draw, read

#: File of an output folder that keeps what is finished.
KEPT = "results.jsonl"
#: Least probability that is counted.
_LEAST = 1e-12


@dataclass(frozen=True)
class Game:
    """What was played.

    Attributes
    ----------
    scores : DataFrame
        One row per protocol, rival, fold, seed and person: ``loss`` (sum) and ``n`` (rows).
    fits : DataFrame
        One row per fit: ``seconds``, ``error``.
    left_out : dict of str to str
        Protocols whose table is not to be had, with the reason.
    absent : dict of str to str
        Rivals that are not installed, with what is missing.
    """

    scores: pd.DataFrame
    fits: pd.DataFrame
    left_out: dict[str, str]
    absent: dict[str, str]


def absent() -> dict[str, str]:
    """Rivals that are not installed, with what is missing."""
    return {one.name: one.missing for one in RIVALS if one.missing}


def chosen_protocols(names: Iterable[str]) -> tuple[Protocol, ...]:
    """Protocols by name, all where none is named."""
    known = {protocol.name: protocol for protocol in PROTOCOLS}
    for name in names:
        if name not in known:
            raise OptionError(
                f"No table is called {name!r}.", remedy=f"Choose from {', '.join(known)}."
            )
    return tuple(known[name] for name in dict.fromkeys(names)) or PROTOCOLS


def play_all(
    out: Path,
    *,
    protocols: Sequence[Protocol] = PROTOCOLS,
    data: Path | None = None,
    seeds: int = 5,
    jobs: int = 1,
    dask: str | None = None,
    progress: parallel.Told | None = None,
) -> Game:
    """Play all protocols; what `out` keeps from before is not played again.

    Parameters
    ----------
    out : Path
        Folder, where ``results.jsonl`` keeps what is finished.
    protocols : sequence of Protocol
        Which.
    data : Path, optional
        Folder with the tables that come with no package.
    seeds : int
        Fits of each rival whose answer depends on the seed; of five folds one each.
    jobs, dask, progress
        As in `nme_core.parallel.run_tasks`.
    """
    tasks: dict[str, dict[str, Any]] = {}
    left_out = {}
    missing = absent()
    for protocol in protocols:
        try:
            table = read(protocol, data)
        except OptionError as error:
            left_out[protocol.name] = str(error)
            continue
        for task in _tasks(protocol, digest(table), seeds, missing):
            key = f"{task['protocol']}, {task['name']}, fold {task['fold']}, seed {task['seed']}"
            tasks[key] = {**task, "data": None if data is None else str(data)}
    found = parallel.run_tasks(
        play, tasks, jobs=jobs, dask=dask, kept=out / KEPT, progress=progress
    )
    fits, scores = [], []
    for key, outcome in found.items():
        task = {name: tasks[key][name] for name in ("protocol", "name", "fold", "seed")}
        fits.append({**task, "seconds": outcome.seconds, "error": outcome.error})
        if not outcome.error:
            scores.append(pd.DataFrame({**outcome.value, **task}))
    table = pd.concat(scores, ignore_index=True) if scores else pd.DataFrame()
    return Game(table, pd.DataFrame(fits), left_out, missing)


def _tasks(
    protocol: Protocol, table: str, seeds: int, missing: dict[str, str]
) -> Iterable[dict[str, Any]]:
    folds = FOLDS if protocol.split == "folds" else 1
    for one in RIVALS:
        if one.name in missing or one.declines(protocol):
            continue
        # five folds are five fits already
        times = seeds if one.random and folds == 1 else 1
        for fold in range(folds):
            for seed in range(times):
                yield {
                    "protocol": protocol.name, "name": one.name, "fold": fold, "seed": seed,
                    "table": table,
                }  # fmt: skip


def play(
    protocol: str, name: str, fold: int, seed: int, table: str, data: str | None
) -> dict[str, list[Any]]:
    """One fit: every person's loss, summed over held-back rows, and how many these are."""
    (rules,) = chosen_protocols([protocol])
    read_table = _read(protocol, data)
    if digest(read_table) != table:
        raise OptionError(
            f"The table of {protocol} is another one here.", remedy="Give all workers the same."
        )
    sample = draw(rules, read_table, fold)
    said = rival(name, rules).play(sample, seed)
    loss = losses(sample, said)
    person = sample.person[sample.test]
    n = np.bincount(person)
    some = np.flatnonzero(n)
    return {
        "person": sample.groups.iloc[:, 0].groupby(sample.person).first().iloc[some].tolist(),
        "loss": np.bincount(person, loss)[some].tolist(),
        "n": n[some].tolist(),
    }


@lru_cache(maxsize=2)
def _read(protocol: str, data: str | None) -> pd.DataFrame:
    return read(chosen_protocols([protocol])[0], data)


def losses(sample: Sample, said: Floats) -> NDArray[np.float64]:
    """Loss of every held-back row; NMEError where something is not a number."""
    y = sample.y[sample.test]
    if len(said) != len(y):
        raise NMEError(f"It says something of {len(said)} rows, not of {len(y)}.")
    if sample.kind == "number":
        found = np.square(y - said)
    elif sample.kind == "class":
        found = -np.log(np.clip(said[np.arange(len(y)), y.astype(np.intp)], _LEAST, 1.0))
    else:
        found = said
    if not np.isfinite(found).all():
        raise NMEError("It does not say something finite of every held-back row.")
    return np.asarray(found, dtype=np.float64)
