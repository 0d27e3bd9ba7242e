"""Where should person-specific parameters stand, for how much data?

Each placement is fitted to shares of every person's rows – the last ones before those that are held
back, so that all shares are judged on the same rows, as far ahead – and compared with one model for
all people, paired over people.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.batches.splits import SPLITS
from nme_core.estimators import NMECRF, baseline
from nme_core.exceptions import NMEWarning, OptionError
from nme_core.metrics import evaluate
from nme_core.parallel import Outcome
from nme_core.runs.fit import FitOptions
from nme_core.runs.fit.judging import fit_split, predict
from nme_core.runs.fit.options import fit_options
from nme_core.runs.fit.rows import StudyRows
from nme_core.runs.research.ablation_summary import GENERIC, summarised
from nme_core.runs.research.study_files import StudyFiles, as_json, study_of
from nme_core.runs.research.tasks import Report, TaskOptions, kept_in, run_kept
from nme_core.runs.research.verdict import Verdict, write_tables
from nme_core.study import Study
from nme_core.study.held_back import plan_split

COLUMNS = ("placement", "share", "n_persons", "seed", "model", "metric", "value")


@dataclass(frozen=True)
class AblateOptions:
    """The grid; the names and values are those of ``nme ablate``.

    Attributes
    ----------
    placements : tuple of str
        Where the person-specific parameters stand.
    shares : tuple of float
        Parts of each person's rows that are learned from, up to 1.
    seeds : int
        Fits of each kind, with one seed after the other; of models whose fit has no chance in it
        they differ only in which people are taken.
    persons : tuple of int
        Numbers of people; empty: all.
    """

    placements: tuple[str, ...]
    shares: tuple[float, ...]
    seeds: int = 3
    persons: tuple[int, ...] = ()

    def check(self, study: Study) -> None:
        """Raise OptionError for shares and numbers that the study cannot have."""
        if not self.placements or not self.shares or self.seeds < 1:
            raise OptionError(
                "Nothing to compare.",
                remedy="Give a placement, a share and a seed, or more.",
            )
        for share in self.shares:
            if not 0 < share <= 1:
                raise OptionError(
                    f"--shares {share:g} is no part of a person's rows.",
                    remedy="Give numbers above 0, up to 1, such as 0.25,0.5,1.",
                )
        n = len(study.persons)
        for some in self.persons:
            if not 2 <= some <= n:
                raise OptionError(
                    f"--persons {some}: the study has {n} people.", remedy=f"Give 2 to {n}."
                )


def ablate(
    files: StudyFiles,
    study: Study,
    options: FitOptions,
    grid: AblateOptions,
    out: Path,
    tasks: TaskOptions | None = None,
    *,
    report: Report | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, Verdict]:
    """Fit every placement to every share of rows, and say from where on which one pays.

    Parameters
    ----------
    files : StudyFiles
        Where the study is, for tasks in other processes.
    study : Study
        The same study, read.
    options : FitOptions
        What is fitted but for the placement.
    grid : AblateOptions
        Placements, shares, seeds, people.
    out : Path
        Folder for ``ablation.csv``, ``ablation_summary.csv`` and ``verdict.json``.
    tasks, report
        As `run_kept` takes them.

    Returns
    -------
    table : DataFrame
        ``ablation.csv``: metrics of the test rows, all people pooled.
    summary : DataFrame
        ``ablation_summary.csv``, see `summarised`.
    verdict : Verdict

    Raises
    ------
    OptionError
        For placements or numbers that do not exist.
    TrainingError
        Where nothing could be fitted.
    """
    grid.check(study)
    models = [replace(options, placement=one).estimator_for(study) for one in grid.placements]
    for model in models:
        model._check_options()  # refused before anything is fitted
    grid, notes = _different(grid, [not model.hidden for model in models])
    if grid.seeds > 1 and not grid.persons and all(_is_exact(model) for model in models):
        grid = replace(grid, seeds=1)
        notes.append("One seed: the fit of a model without hidden layers has no chance in it.")
    given = {"files": files.arguments, "options": as_json(replace(options, baselines=()))}
    cells = [
        (placement, share, n, seed)
        for n in grid.persons or (len(study.persons),)
        for share in sorted(set(grid.shares))
        for seed in range(options.seed, options.seed + grid.seeds)
        for placement in (GENERIC, *dict.fromkeys(grid.placements))
    ]
    todo = {
        f"{placement}, share {share:g}, {n} people, seed {seed}": {
            **given, "placement": placement, "share": share, "n_persons": n, "seed": seed,
            "like": grid.placements[0],
        }
        for placement, share, n, seed in cells
    }  # fmt: skip
    kept = kept_in(out, "ablate")
    found = run_kept(one_fit, todo, kept, tasks or TaskOptions(), report)
    table, people = _tables(found, todo)
    summary, answer, numbers = summarised(people, grid.placements, seed=options.seed)
    failed = [key for key, one in found.items() if one.error]
    if failed:
        why = found[failed[0]].error
        notes.append(f"{len(failed)} of {len(found)} fits failed; {failed[0]}: {why}")
    verdict = Verdict("ablate", answer, numbers, tuple(notes))
    write_tables(out, {"ablation": table, "ablation_summary": summary})
    verdict.write(out)
    kept.unlink(missing_ok=True)
    return table, summary, verdict


def _different(grid: AblateOptions, flat: list[bool]) -> tuple[AblateOptions, list[str]]:
    """Placements that differ: without hidden layers first, last and all layers are the same one."""
    kept: dict[str, str] = {}
    notes = []
    for one, same in zip(grid.placements, flat, strict=True):
        layer = one.replace("first", "last").replace("all", "last") if same else one
        if layer in kept and kept[layer] != one:
            notes.append(
                f"Without hidden layers the placement {one} is the same as {kept[layer]}; "
                "--hidden auto has layers, layers.0.bias is people's level alone."
            )
        kept.setdefault(layer, one)
    return replace(grid, placements=tuple(kept.values())), notes


def _is_exact(model: Any) -> bool:
    return not model.hidden and model.estimator != "annealed" and model.epochs is None


def one_fit(
    *, files: dict[str, Any], options: dict[str, Any], placement: str, share: float,
    n_persons: int, seed: int, like: str,
) -> dict[str, Any]:  # fmt: skip
    """Fit one placement, or one model for all (of the shape that `like` has), and judge it."""
    chosen = like if placement == GENERIC else placement
    said = replace(fit_options(options), placement=chosen, seed=seed)
    study = _some_people(study_of(files), n_persons, seed)
    if said.model != "nme-crf":
        study = study.with_observed_outcome()
    model: Any = said.estimator_for(study)
    if placement == GENERIC:
        model = baseline(model, "generic")
    rows = StudyRows.of(study, sequential=isinstance(model, NMECRF))
    split = shortened(plan_split(study).parts, study.groups, share)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NMEWarning)  # of single fits among many
        fit_split(model, rows, split, lambda _: None)
    held = predict(model, rows.take(np.asarray(split == "test")), "nme", "test")
    metrics = evaluate(held, study.outcome_kind)
    pooled = metrics[metrics["scope"] == "pooled"]
    loss = "mse" if study.outcome_kind == "number" else "log_loss"
    own = metrics[(metrics["scope"] == "person") & (metrics["metric"] == loss)]
    learned = pd.Series(study.groups[np.asarray(split == "train")]).value_counts()
    return {
        "metrics": dict(zip(pooled["metric"], pooled["value"].astype(float), strict=True)),
        "loss": loss,
        "people": dict(zip(own["person"].astype(str), own["value"].astype(float), strict=True)),
        "rows": float(learned.median()),
    }


def _some_people(study: Study, n: int, seed: int) -> Study:
    """The first n of the people in an order of chance; more people include fewer ones."""
    if n >= len(study.persons):
        return study
    order = np.random.default_rng(seed).permutation(len(study.persons))
    chosen = {study.persons[k] for k in order[:n]}
    return study.take(study.groups.isin(chosen).to_numpy())


def shortened(parts: pd.Categorical, groups: pd.Series, share: float) -> pd.Categorical:
    """Keep a share of the rows before those that are tested, the last ones, divided as before.

    Parameters
    ----------
    parts : Categorical
        Training, validation or test of each row; a person's rows in order of time.
    groups : Series
        Person of each row.
    share : float
        Of a person's rows for training and validation; two are kept at least.

    Returns
    -------
    Categorical
        Missing for rows that are left out.
    """
    codes = np.array(parts.codes, dtype=np.int8)
    indices: Any = pd.Series(np.arange(len(codes))).groupby(groups.to_numpy()).indices
    for rows in indices.values():
        before = rows[codes[rows] < 2]
        held = int((codes[before] == 1).sum())
        n = min(len(before), max(2, math.ceil(share * len(before) - 1e-9)))
        few = round(held * n / len(before)) if n > 1 and len(before) else 0
        few = min(max(few, 1), n - 1) if held else 0
        codes[before] = -1
        kept: NDArray[np.intp] = before[len(before) - n :]
        codes[kept[: n - few]] = 0
        codes[kept[n - few :]] = 1
    kind = pd.CategoricalDtype(list(SPLITS))
    return cast(pd.Categorical, pd.Categorical.from_codes(codes.tolist(), dtype=kind))


def _tables(
    found: Mapping[str, Outcome], todo: Mapping[str, Mapping[str, Any]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Metrics of each fit, and losses of each fit by person."""
    rows, people = [], []
    for key, one in found.items():
        if one.error:
            continue
        placement, share, n, seed = (
            todo[key][name] for name in ("placement", "share", "n_persons", "seed")
        )
        model, shown = ("generic", "") if placement == GENERIC else ("nme", placement)
        rows += [
            (shown, share, n, seed, model, metric, value)
            for metric, value in one.value["metrics"].items()
        ]
        people += [
            (placement, share, n, seed, who, loss, one.value["rows"], one.value["loss"])
            for who, loss in one.value["people"].items()
        ]
    columns = ["placement", "share", "n_persons", "seed", "person", "value", "rows", "metric"]
    return pd.DataFrame(rows, columns=list(COLUMNS)), pd.DataFrame(people, columns=columns)
