"""Stability of person parameters: do halves, weeks left out, and other seeds agree on them?"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.analysis import PersonParameters, person_effects, person_parameters
from nme_core.analysis.covariates import wide_effects
from nme_core.analysis.reliability import TOGETHER, has_seed
from nme_core.estimators import NMECRF, load
from nme_core.estimators.person_posterior import person_estimates
from nme_core.estimators.threads import one_thread_for_few
from nme_core.exceptions import DataError, FallbackWarning
from nme_core.io import RunFolder
from nme_core.parallel import Arguments, tell
from nme_core.runs.research.opening import arguments_of, opened
from nme_core.runs.research.tasks import Report, TaskOptions, kept_in, run_kept
from nme_core.runs.stability_weeks import agreement_without
from nme_core.study import Study

_Array = NDArray[np.float64]
#: What is read off a model, person × number.
_Reader = Callable[[Any], pd.DataFrame]

TOOL = "stability"

#: Below this number of persons agreement over persons says nothing.
MIN_PERSONS = 5


@dataclass(frozen=True)
class Halves:
    """A study cut in two, person by person.

    Attributes
    ----------
    half : array of int, shape (n_rows,)
        0 or 1.
    pieces : Series of text, shape (n_rows,)
        Sequence of each row, cut wherever the half changes.
    label : str
        What was compared, in words.
    """

    half: NDArray[np.int64]
    pieces: pd.Series
    label: str


def halves(study: Study, *, sequential: bool) -> Halves:
    """Cut every person's rows in two halves that take turns in time.

    Sequences take turns where at least half of the persons have several; else the calendar days
    where times are dates; else, for a model of sequences, the quarters of each sequence (the first
    and third against the second and fourth), and for a model of rows the rows. What stands at the
    end of a piece is not followed by the next piece: the transitions between them are lost.
    """
    rows = pd.DataFrame({"person": study.groups, "sequence": study.sequence_ids})
    several = rows.groupby("person")["sequence"].nunique() > 1
    position = rows.groupby("sequence").cumcount()
    if several.mean() >= 0.5:
        unit, label = rows["sequence"], "odd and even sequences"
    elif study.time is not None and pd.api.types.is_datetime64_any_dtype(study.time):
        unit, label = study.time.dt.normalize(), "odd and even days"
    elif sequential:
        size = rows.groupby("sequence")["person"].transform("size")
        quarter = (4 * position / size).astype(int)
        unit = rows["sequence"] + "/" + quarter.astype(str)
        label = "first and third against second and fourth quarter of each sequence"
    else:
        unit, label = position, "odd and even rows"
    turn = unit.groupby(rows["person"]).transform(lambda own: pd.factorize(own)[0])
    pieces = rows["sequence"] + "/" + turn.astype(str)
    return Halves((turn % 2).to_numpy(dtype=np.int64), pieces, label)


def stability(
    run: RunFolder,
    long: str | os.PathLike[str],
    covariates: str | os.PathLike[str] | None = None,
    *,
    seeds: int = 1,
    tasks: TaskOptions | None = None,
    report: Report | None = None,
) -> pd.DataFrame:
    """How well the person parameters of a run are reproduced.

    Split-half: the parameters of every person are estimated twice, from one half of the person's
    rows each (see `halves`), with all that persons share, Σ and σ² as the run learned them. That
    keeps the parameters of a network the same ones, which two separate fits would not (hidden units
    have no order). r is their correlation over persons; of the whole length the reliability is, by
    Spearman and Brown, 2r / (1 + \\|r\\|). The interval is Fisher's, carried through that.

    Weeks: people are estimated anew without each of their weeks (see `Weeks`), and likewise with
    all rows. `week_agreement` is the lowest correlation over people of the two, `week` the one
    that was left out there: where it is far below 1, people differ as they do because of it.

    Seeds: the model, of a mixture its leader, is fitted again on all rows with each of the next
    seeds, unless its estimate has none. `seed_agreement` is the correlation over persons of a
    parameter in both fits, of several seeds the lowest; it is missing for networks with hidden
    layers, whose single parameters do not correspond. For all parameters together it is the
    correlation of the distances between persons.

    Parameters
    ----------
    run : RunFolder
        A finished run, interpreted from all rows.
    long, covariates : path
        The files that it was fitted on; the second only where remedies are about it.
    seeds : int
        Fits with other seeds, each of which takes as long as the run's last fit; 0: none.
    tasks : TaskOptions, optional
        Where these run.
    report : callable, optional
        Called with what is being done and the part of the way behind, 0 to 1.

    Returns
    -------
    DataFrame
        The columns of ``stability.csv``; the last row, ``all``, is all parameters together: r is
        there the sum of the covariances over the root of the product of the sums of variances.

    Raises
    ------
    OptionError
        For another file, a run that was not fitted on all rows, or several grouping factors.
    DataError
        Where fewer than 5 persons have observations in both halves.
    """
    say = report or (lambda message, part: None)
    say("Reading the study", 0.0)
    given: dict[str, Any] = arguments_of(run, long, covariates)
    one = opened(*given.values())
    study = one.study
    model: Any = _without_intervals(load(run.model_path))
    sequential = isinstance(model, NMECRF)
    tested = person_parameters(run)
    read = _reader(tested, study.X)
    cut = halves(study, sequential=sequential)
    with one_thread_for_few(study.n_rows):
        say("Estimating people from halves of their rows", 0.05)
        first, second = _estimates_of_halves(model, study, cut, read)
        table = _agreement_of_halves(first, second)

        def estimate(kept: NDArray[np.bool_], pieces: pd.Series) -> pd.DataFrame:
            order, who = np.arange(int(kept.sum())), study.groups[kept]
            adapted = _adapted(model, study, kept, order, who + _mark(0), pieces[kept])
            return read(adapted).loc[list(who.unique() + _mark(0))].set_axis(who.unique())

        weeks = agreement_without(
            study, estimate, _agreement, MIN_PERSONS, lambda what, part: say(what, 0.1 + 0.1 * part)
        )
        table = pd.concat([table, weeks.reset_index(drop=True)], axis=1)
        table["seed_agreement"] = np.nan
        if seeds and has_seed(run.config):
            others = _refitted(run, given, one.options.seed, seeds, tasks or TaskOptions(), say)
            identified, own = tested.of != "weights" or not one.options.hidden, read(model)
            table["seed_agreement"] = np.min(
                [_agreement_of_seeds(own, two, identified=identified) for two in others], axis=0
            )
    return table.assign(halves=cut.label)


def _without_intervals(model: Any) -> Any:
    """The model; people whom it meets get estimates alone, in a tenth of the time."""
    for one in [model, *(candidate for _, candidate in model.candidates())]:
        one._posterior = replace(one._posterior, uncertainty=None)
    return model


def _reader(tested: PersonParameters, X: pd.DataFrame) -> _Reader:
    """How what is tested of a person is read off a model; every number in a unit of its own SD."""
    if tested.of != "slopes":
        return lambda model: person_estimates(model, tested.of)
    spread, names = tested.values.std().replace(0.0, np.inf), tested.values.columns
    return lambda model: wide_effects(person_effects(model, X), "estimate")[names] / spread


def _estimates_of_halves(
    model: Any, study: Study, cut: Halves, read: _Reader
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Parameters from each half, person × parameter, of persons observed in both."""
    half = pd.Series(cut.half, index=study.groups.index)
    observed = study.y.notna().groupby([study.groups, half]).sum().unstack(fill_value=0)
    both = (observed > 0).all(axis=1)
    persons = [who for who in study.persons if both[who]]
    if observed.shape[1] < 2 or len(persons) < MIN_PERSONS:
        raise DataError(
            f"{len(persons)} people have observations in both halves ({cut.label}); "
            f"{MIN_PERSONS} are needed.",
            remedy="A study needs several sequences, days or rows of each person.",
        )
    kept = study.groups.isin(persons).to_numpy()
    order = np.argsort(cut.half[kept], kind="stable")  # one half after the other, each in time
    names = study.groups[kept] + np.where(cut.half[kept] == 0, _mark(0), _mark(1))
    estimates = read(_adapted(model, study, kept, order, names, cut.pieces[kept]))
    first, second = (
        estimates.loc[[who + _mark(half) for who in persons]].set_axis(persons) for half in (0, 1)
    )
    return first, second


def _adapted(
    model: Any,
    study: Study,
    kept: NDArray[np.bool_],
    order: NDArray[np.intp],
    names: pd.Series,
    pieces: pd.Series,
) -> Any:
    """The model with people estimated from the rows that are kept, taken in this order."""
    context = {"sequence_ids": pieces.iloc[order]} if isinstance(model, NMECRF) else {}
    X, y = (part[kept].iloc[order] for part in (study.X, study.y))
    with warnings.catch_warnings():
        # what it warns of touches the intervals; only the estimates are read
        warnings.simplefilter("ignore", FallbackWarning)
        return model.adapt(X, y, groups=names.iloc[order], **context)


def _mark(half: int) -> str:
    return f"\x1fhalf {half + 1}"  # a separator that no id of a person holds


def _agreement_of_halves(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """One row per parameter and one for all together, without the seeds."""
    r = _agreement(first, second)
    width = 1.959964 / np.sqrt(max(len(first) - 3, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.arctanh(np.clip(r, -1.0, 1.0))
    return pd.DataFrame(
        {
            "parameter": [*first.columns, TOGETHER],
            "split_half": spearman_brown(r),
            "ci_low": spearman_brown(np.tanh(z - width)),
            "ci_high": spearman_brown(np.tanh(z + width)),
            "half_correlation": r,
            "n_persons": len(first),
        }
    )


def _agreement(first: pd.DataFrame, second: pd.DataFrame) -> _Array:
    """Correlation over people of each parameter, and of all of them together."""
    a, b = (side.to_numpy() - side.to_numpy().mean(axis=0) for side in (first, second))
    both, size_a, size_b = (a * b).sum(axis=0), np.square(a).sum(axis=0), np.square(b).sum(axis=0)
    return np.append(_ratio(both, size_a * size_b), _ratio(both.sum(), size_a.sum() * size_b.sum()))


def spearman_brown(r: _Array) -> _Array:
    """Reliability of the whole from the correlation of its halves, 2r / (1 + \\|r\\|)."""
    return np.asarray(2 * r / (1 + np.abs(r)), dtype=np.float64)


def _ratio(product: _Array | float, sizes: _Array | float) -> _Array:
    sizes = np.asarray(sizes, dtype=np.float64)
    ratio: _Array = np.full(sizes.shape, np.nan)
    np.divide(product, np.sqrt(sizes), out=ratio, where=sizes > 0)
    return ratio


def _refitted(
    run: RunFolder, given: Arguments, seed: int, seeds: int, tasks: TaskOptions, say: Report
) -> list[pd.DataFrame]:
    """Parameters of the same model fitted with each of the next seeds, person × parameter."""
    say("Fitting with other seeds", 0.25)
    found = run_kept(
        another_seed,
        {f"Seed {k}": {**given, "seed": k} for k in range(seed + 1, seed + seeds + 1)},
        kept_in(run.path, TOOL),
        tasks,
        lambda what, part: say(what, 0.25 + 0.75 * part),
    )
    kept_in(run.path, TOOL).unlink(missing_ok=True)
    return [pd.DataFrame(**one.value) for one in found.values() if not one.error]


def another_seed(
    run: str, long: str, covariates: str | None, sha256: str, config: str, seed: int
) -> dict[str, Any]:
    """What is read off the run's model once fitted with this seed: index, columns and data."""
    one = opened(run, long, covariates, sha256, config)
    model: Any = replace(one.options, seed=seed).estimator_for(one.study)
    with one_thread_for_few(one.study.n_rows):
        model.fit(
            one.rows.X,
            one.rows.y,
            **one.fit_arguments(model),
            uncertainty=False,
            progress=lambda now: tell(f"Seed {seed}: epoch {now.epoch}", now.fraction),
        )
        read = _reader(person_parameters(RunFolder(run)), one.study.X)(model)
    return dict(read.to_dict("split"))


def _agreement_of_seeds(own: pd.DataFrame, other: pd.DataFrame, *, identified: bool) -> _Array:
    """Correlation over persons of each parameter, and of the distances between persons."""
    from scipy.spatial.distance import pdist

    other = other.loc[own.index, own.columns]
    single = np.full(own.shape[1], np.nan)
    if identified:
        a, b = (side.to_numpy() - side.to_numpy().mean(axis=0) for side in (own, other))
        sizes = np.square(a).sum(axis=0) * np.square(b).sum(axis=0)
        single = _ratio((a * b).sum(axis=0), sizes)
    distances = [pdist(side.to_numpy()) for side in (own, other)]
    centred = [one - one.mean() for one in distances]
    size = float(np.square(centred[0]).sum() * np.square(centred[1]).sum())
    return np.append(single, _ratio(float(centred[0] @ centred[1]), size))
