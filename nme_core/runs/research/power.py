"""How many people and rows show an effect of a covariate: power, simulated from a fitted run."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from nme_core.estimators.transition_intervals import wilson
from nme_core.exceptions import NMEWarning, OptionError
from nme_core.independence import test_covariates
from nme_core.io import RunFolder
from nme_core.parallel import Outcome
from nme_core.runs.research.analytic import reliability_of, single_power
from nme_core.runs.research.person_numbers import Target, person_numbers, target_of
from nme_core.runs.research.power_source import Source
from nme_core.runs.research.tasks import Report, TaskOptions, kept_in, run_kept
from nme_core.runs.research.verdict import Verdict, write_tables
from nme_core.study.formats.source import fingerprint

COLUMNS = ("n_persons", "n_rows", "effect", "test", "power", "ci_low", "ci_high", "reps")
#: Chance of an error that the tests allow, permutations of each, and the power that is aimed at.
ALPHA, PERMUTATIONS, WANTED = 0.05, 499, 0.8
HSIC = "hsic"
_FEWEST_PEOPLE, _FEWEST_ROWS = 8, 2


@dataclass(frozen=True)
class PowerOptions:
    """What is simulated; the names and values are those of ``nme power``.

    Attributes
    ----------
    covariate : str
        A number, or two groups; new people have values like those of the run's people.
    effects : tuple of float
        By how many SDs of people the target moves with one SD of the covariate.
    persons, rows : tuple of int
        Numbers of people, and of rows of each.
    on : str, optional
        What moves, see `target_of`.
    reps : int
        Studies of each kind.
    adjust : str
        Correction of the single effects, as in ``nme hsic``.
    seed : int
    long, covariates : Path, optional
        The files of the run, whose rows give the features; else they are drawn with the mean and
        SD that the model has of each.
    """

    covariate: str
    effects: tuple[float, ...]
    persons: tuple[int, ...]
    rows: tuple[int, ...]
    on: str | None = None
    reps: int = 100
    adjust: str = "bh"
    seed: int = 0
    long: Path | None = None
    covariates: Path | None = None

    def check(self) -> None:
        """Raise OptionError for numbers that no study has."""
        if not (self.effects and self.persons and self.rows) or self.reps < 1:
            raise OptionError(
                "Nothing to simulate.",
                remedy="Give one number or more for --effect, --persons, --rows and --reps.",
            )
        if min(self.persons) < _FEWEST_PEOPLE or min(self.rows) < _FEWEST_ROWS:
            raise OptionError(
                f"{min(self.persons)} people with {min(self.rows)} rows are too few for a test.",
                remedy=f"Take {_FEWEST_PEOPLE} people and {_FEWEST_ROWS} rows or more.",
            )

    @property
    def cells(self) -> list[tuple[int, int, float]]:
        """People, rows and effect of each kind of study."""
        return [(n, m, d) for n in self.persons for m in self.rows for d in self.effects]


def power(
    run: RunFolder,
    options: PowerOptions,
    out: Path,
    tasks: TaskOptions | None = None,
    *,
    report: Report | None = None,
) -> tuple[pd.DataFrame, Verdict]:
    """Simulate studies from a fitted run, fit and test each, and count how often p < .05.

    Each study has new people, whose parameters come from the run's distribution and move with the
    covariate; it is fitted as the run was, by the exact engine, and tested as ``nme hsic`` does.

    Parameters
    ----------
    run : RunFolder
        A finished run without hidden layers; of a mixture its linear candidate stands in.
    options : PowerOptions
        What is simulated.
    out : Path
        Folder for ``power.csv`` and ``verdict.json``.
    tasks : TaskOptions, optional
        Where the fits run.
    report : callable, optional
        Called with what is being done and the part of the way behind.

    Returns
    -------
    table : DataFrame
        ``power.csv``; ``test``: ``hsic`` (all numbers of people together), ``spearman`` or ``mean
        difference`` (what moves, alone; not for several moves) and the same ``(bh)``, corrected
        over all numbers.
    verdict : Verdict

    Raises
    ------
    OptionError
        For a run or an option of which no study can be simulated.
    MissingColumnError
        For a covariate that the run does not have.
    TrainingError
        Where no study could be fitted.
    """
    options.check()
    source = Source.of(str(run.path), _text(options.long), _text(options.covariates))
    target = target_of(source.people.model, options.on)
    source.people.direction(target.matrix)  # refused before anything is simulated
    source.covariate(options.covariate)
    given = {
        "run": str(run.path),
        "sha256": fingerprint(run.model_path),
        "long": _text(options.long),
        "covariates": _text(options.covariates),
        "covariate": options.covariate,
        "on": target.name,
        "adjust": options.adjust,
        "seed": options.seed,
    }
    todo = {
        f"{n} people × {m} rows, effect {d:g}, study {rep + 1}": {
            **given, "n_persons": n, "n_rows": m, "effect": d, "rep": rep,
        }
        for rep in range(options.reps) for n, m, d in options.cells
    }  # fmt: skip
    kept = kept_in(out, "power")
    found = run_kept(one_study, todo, kept, tasks or TaskOptions(), report)
    table = _counted(found, todo, options)
    verdict = _verdict(table, options, source, target, sum(bool(o.error) for o in found.values()))
    write_tables(out, {"power": table})
    verdict.write(out)
    kept.unlink(missing_ok=True)
    return table, verdict


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def one_study(
    *, run: str, sha256: str, long: str | None, covariates: str | None, covariate: str, on: str,
    adjust: str, seed: int, n_persons: int, n_rows: int, effect: float, rep: int,
) -> dict[str, float]:  # fmt: skip
    """Draw one study, fit it, and test it: p by test.

    Studies of one `rep` that differ in their effect alone share their chance.
    """
    source = Source.of(run, long, covariates)
    target = target_of(source.people.model, on)
    rng = np.random.default_rng([seed, rep, n_persons, n_rows])
    known = source.covariate(covariate)
    z = known[rng.integers(len(known), size=n_persons)]
    if not z.std() > 0:
        z[0] = known[np.argmax(np.abs(known - z[0]))]  # a test needs two values
    shift = effect * source.people.direction(target.matrix)
    rows = source.people.draw(z, shift, n_rows, rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NMEWarning)
        model = clone(source.people.model).set_params(**source.refit, random_state=seed)
        model.fit(**rows, uncertainty=False)
        numbers = person_numbers(model, rows["X"])
    values: Any = pd.Series(z, index=list(dict.fromkeys(rows["groups"])), name=covariate)
    if source.is_group(covariate):
        values = values.gt(0).map({True: "second", False: "first"}).rename(covariate)
    tests = test_covariates(
        numbers, values.to_frame(), parameters=target.name, reps=PERMUTATIONS, strata="none",
        adjust=adjust, seed=seed,
    )  # fmt: skip
    own = tests.effects[tests.effects["parameter"].isin(target.parameters)]
    kind, found = str(tests.effects["kind"].iloc[0]), {HSIC: float(tests.hsic["p"].iloc[0])}
    if len(target.parameters) == 1:
        found[kind] = _smallest(own["p"])
    return {**found, f"{kind} ({adjust})": _smallest(own["p_adjusted"])}


def _smallest(p: pd.Series) -> float:
    """The smallest p; 1 where what moves has no variance in the fit, and so no test."""
    known = p.dropna()
    return float(known.min()) if len(known) else 1.0


def _counted(
    found: Mapping[str, Outcome], todo: Mapping[str, Mapping[str, Any]], options: PowerOptions
) -> pd.DataFrame:
    """What share of studies found the effect, with Wilson's intervals."""
    each = pd.DataFrame(
        [
            (*(todo[key][name] for name in COLUMNS[:3]), test, p < ALPHA)
            for key, one in found.items() if not one.error
            for test, p in one.value.items()
        ],
        columns=[*COLUMNS[:4], "found"],
    )  # fmt: skip
    by_test = each.groupby(list(COLUMNS[:4]), sort=False)["found"]
    table = by_test.agg(power="mean", reps="size").reset_index()
    low, high = wilson(table["power"].to_numpy(np.float64), table["reps"].to_numpy(np.float64))
    place = {cell: k for k, cell in enumerate(options.cells)}
    cells = table[list(COLUMNS[:3])].itertuples(index=False, name=None)
    order = np.argsort([place[cell] for cell in cells], kind="stable")
    return table.assign(ci_low=low, ci_high=high)[list(COLUMNS)].iloc[order].reset_index(drop=True)


def _analytic(source: Source, target: Target, options: PowerOptions) -> pd.DataFrame:
    """Power of the single effect where theory gives it: a linear model of a number."""
    known = {m: reliability_of(source.people, target.matrix, m) for m in options.rows}
    group = source.is_group(options.covariate)
    rows = [
        (n, m, d, known[m], single_power(d, n, known[m], group=group, alpha=ALPHA))
        for n, m, d in options.cells
        if np.isfinite(known[m])
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS[:3], "reliability", "power"])


def _verdict(
    table: pd.DataFrame, options: PowerOptions, source: Source, target: Target, failed: int
) -> Verdict:
    answers = [_answer(table, effect) for effect in options.effects]
    expected = _analytic(source, target, options)
    notes = [*source.notes, source.size(target)]
    if failed:
        notes.append(f"Studies that could not be fitted and do not count: {failed}.")
    if len(expected):
        notes.append("verdict.json also has the power of the single effect by theory (analytic).")
    answer = (
        f"Power to see by HSIC (p < .05) that {target.name} is associated with "
        f"{options.covariate}: {'; '.join(answers)}."
    )
    numbers = {
        "covariate": options.covariate, "on": target.name, "alpha": ALPHA, "wanted": WANTED,
        "power": table, "analytic": expected,
    }  # fmt: skip
    return Verdict("power", answer, numbers, tuple(notes))


def _answer(table: pd.DataFrame, effect: float) -> str:
    """The smallest study with enough power for one effect, or the best there is."""
    own = table[(table["effect"] == effect) & (table["test"] == HSIC)]
    if own.empty:
        return f"no study with an effect of {effect:g} could be fitted"
    size = own["n_persons"] * own["n_rows"]
    enough = own["power"] >= WANTED
    best: Any = size[enough].idxmin() if enough.any() and effect else own["power"].idxmax()
    one: Any = own.loc[best]
    share = (
        f"{100 * one['power']:.0f} % ({100 * one['ci_low']:.0f} to {100 * one['ci_high']:.0f} %) "
        f"with {one['n_persons']} people × {one['n_rows']} rows"
    )
    alone = len(own) == 1
    if effect == 0:
        return f"without an effect, {share}" if alone else f"without an effect, at most {share}"
    if enough.any():
        return (
            f"an effect of {effect:g}, {share}, the smallest study here with {100 * WANTED:.0f} %"
        )
    if alone:
        return f"an effect of {effect:g}, {share}"
    return f"an effect of {effect:g}, at most {share}"
