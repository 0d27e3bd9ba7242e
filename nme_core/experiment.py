"""From a study to a finished run folder: split, fit, judge, fit again on all rows, read out."""

from __future__ import annotations

import hashlib
import os
import platform
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nme_core import __version__
from nme_core.analysis import (
    approximations,
    can_be_certified,
    class_calibration,
    compare_with_mixedlm,
    covariance_table,
    fixed_effects_table,
    model_checks,
    number_calibration,
    person_summaries,
    random_effects_table,
    response_curves,
    summary_table,
    transitions_table,
)
from nme_core.data import SPLITS, Study, split_within_person
from nme_core.data.memory import give_back
from nme_core.data.remedies import as_records
from nme_core.data.scaling import TableRows
from nme_core.estimators import (
    GAUSSIAN,
    NMECRF,
    LinearMixedModel,
    NeuralMixedEffects,
    NMEMLPClassifier,
    NMEMLPRegressor,
    baseline,
    check_baselines,
)
from nme_core.estimators.threads import one_thread_for_few
from nme_core.exceptions import DataError, NMEWarning, OptionError
from nme_core.io import Journal, RunFolder, RunState
from nme_core.metrics import compare, evaluate
from nme_core.training import Progress
from nme_core.tuning import Judged, Settings, tune

MODELS = ("nme-mlp", "nme-crf")
#: Name in the history of the fit on all rows, which is interpreted.
ALL_ROWS = "nme (all rows)"
_MOST_CLASSES = 100
# Rough share of the time that each fit takes, for the progress bar.
_WEIGHT = {
    "nme": 0.4,
    ALL_ROWS: 0.4,
    "generic": 0.15,
    "specific": 0.05,
    "lme": 0.05,
    "mlp-lme": 0.1,
    "unregularised": 0.05,
}


@dataclass(frozen=True)
class FitOptions:
    """What is fitted; the names and values are those of ``nme fit``."""

    model: str
    placement: str | None = None
    family: str | None = None
    covariance: str = "diagonal"
    estimator: str = "variational"
    hidden: tuple[int, ...] | None = None
    baselines: tuple[str, ...] = ("generic", "specific")
    epochs: int | None = None
    seed: int = 0
    device: str = "cpu"
    refit: str = "all"
    tune: int = 0

    def estimator_for(self, study: Study) -> NeuralMixedEffects:
        """Return the unfitted model; OptionError where the options do not fit the study."""
        if self.model not in MODELS:
            raise OptionError(
                f"There is no model {self.model!r}.", remedy=f"Choose from {', '.join(MODELS)}."
            )
        if self.refit not in ("all", "none"):
            raise OptionError(f"refit={self.refit!r} does not exist.", remedy="all or none.")
        if len(study.classes) > _MOST_CLASSES:
            raise OptionError(
                f"{study.roles.outcome!r} has {len(study.classes)} different values, more than "
                f"the {_MOST_CLASSES} classes that a model may have.",
                remedy="Choose a column with fewer states or, for a number, nme-mlp.",
            )
        kind: type[NeuralMixedEffects]
        if self.model == "nme-crf":
            if study.outcome_kind != "class":
                raise OptionError(
                    "An NME-CRF needs states as outcome, not a number.",
                    remedy="Read the study with outcome_kind='class', or use nme-mlp.",
                )
            if self.family is not None:
                raise OptionError(
                    "An NME-CRF has no family; its states are classes.",
                    remedy="Leave --family out, or use nme-mlp.",
                )
            kind = NMECRF
        else:
            kind = NMEMLPClassifier if study.outcome_kind == "class" else NMEMLPRegressor
        given: dict[str, Any] = {
            "hidden": self.hidden,
            "placement": self.placement,
            "family": self.family,
        }
        model = kind(
            **{name: value for name, value in given.items() if value is not None},
            covariance=self.covariance,
            estimator=self.estimator,
            epochs=self.epochs,
            device=self.device,
            random_state=self.seed,
        )
        check_baselines(model, self.baselines)
        for name in set(GAUSSIAN) & set(self.baselines) if study.roles.groups else ():
            raise OptionError(
                f"The baseline {name!r} takes one grouping factor.",
                remedy="Leave it out, or the further groups.",
            )
        return model


def run_experiment(
    study: Study,
    options: FitOptions,
    folder: RunFolder,
    *,
    inputs: Sequence[str | os.PathLike[str]] = (),
    command: str = "",
    report: Callable[[str, float], None] | None = None,
) -> None:
    """Fit a model and its baselines to a study and write the run folder.

    Metrics, comparison and predictions come from the split within person: fitted on training rows,
    watched on validation rows, judged on test rows. With ``refit="all"`` effects, covariance,
    transitions and the saved model come from a second fit on all rows.

    Parameters
    ----------
    study : Study
        The data.
    options : FitOptions
        What to fit.
    folder : RunFolder
        Where to write.
    inputs : sequence of path
        Files that the study was read from; their SHA-256 goes into ``data.json``.
    command : str
        Command that repeats the run, for ``config.json``.
    report : callable, optional
        Called with what is being done and the part of the way behind, 0 to 1.

    Raises
    ------
    NMEError
        With what is wrong; ``status.json`` then says ``failed``. On KeyboardInterrupt it says
        ``cancelled``. What was finished is kept in both cases.
    """
    for path in inputs:
        if folder.writes(path):
            raise OptionError(
                f"The run would overwrite {Path(path).name}, which it is fitted on.",
                remedy="Give the run a folder of its own (--out).",
            )
    folder.clear()
    journal = Journal(folder, report)
    try:
        with one_thread_for_few(study.n_rows):
            _run(study, options, folder, journal, inputs=inputs, command=command)
    except KeyboardInterrupt:
        journal.close(RunState.CANCELLED, "Cancelled; what was finished before is kept.")
        raise
    except Exception as error:
        journal.close(RunState.FAILED, str(error) or type(error).__name__)
        raise
    journal.close(RunState.DONE, "Done")


def _run(
    study: Study,
    options: FitOptions,
    folder: RunFolder,
    journal: Journal,
    *,
    inputs: Sequence[str | os.PathLike[str]],
    command: str,
) -> None:
    sequential = options.model == "nme-crf"
    if not sequential:
        study = study.with_observed_outcome()
    model = options.estimator_for(study)  # refuses options that do not fit
    split = split_within_person(study.groups)
    split, note = _keep_known_groups(split, study)
    study = replace(study, notes=(*study.notes, *note))
    if not (split == "test").any():
        raise DataError(
            "No person has enough rows to hold some back for validation and test.",
            remedy="At least one person needs 5 rows.",
        )
    _refuse_unseen_classes(study, split)
    folder.write_covariates(study.covariates)
    _write_persons(study, folder)
    data = _describe(study, split, options, inputs)
    folder.write_json("data", data)
    config = {
        **asdict(options),
        "placement": model.placement,
        "hidden": list(model.hidden),
        "baselines": list(options.baselines),
        "outcome_kind": study.outcome_kind,
        "command": command,
        "versions": _versions(),
        "verdicts": {},
        "warnings": [],
        "approximate": [],
    }
    folder.write_json("config", config)

    rows = _Rows.of(study, sequential)
    trials = [f"trial {number}" for number in range(1, options.tune + 1)]
    fits = ["nme", *options.baselines, *([ALL_ROWS] if options.refit == "all" else [])]
    journal.plan(dict.fromkeys(trials, _WEIGHT["nme"]) | {name: _WEIGHT[name] for name in fits})
    if options.tune:
        options = _tuned(options, study, rows, split, folder, journal, config["warnings"])
        config |= {"hidden": list(options.hidden or ()), "covariance": options.covariance}
        folder.write_json("config", config)
    judged: list[pd.DataFrame] = []
    final: NeuralMixedEffects | None = None
    for name in ("nme", *options.baselines):
        nme = options.estimator_for(study)
        one = nme if name == "nme" else baseline(nme, name)
        if name == "nme" and options.refit == "none":
            final = nme
        with _noting(name, config["warnings"]):
            _fit_split(one, rows, split, _follow(journal, name))
        config["verdicts"][name] = one.verdict_
        for part in SPLITS:
            give_back()
            predictions = _predict(one, rows.take(split == part), name, part)
            metrics = evaluate(predictions, study.outcome_kind)
            folder.append_table("metrics", metrics)
            judged.append(metrics[(metrics["split"] == "test") & (metrics["scope"] == "person")])
            if part == "test" and not isinstance(one, LinearMixedModel):
                calibration = _calibration(one, rows.take(split == part), predictions)
                folder.append_table("calibration", calibration)
            folder.append_table(
                "predictions",
                predictions.drop(columns="loss", errors="ignore"),
                progress=_telling(journal, f"Writing the predictions of {name} ({part})"),
            )
        folder.write_table("comparison", compare(pd.concat(judged, ignore_index=True)))
        folder.write_json("config", config)

    if final is None:
        del one, nme  # their posteriors are as large as the one that follows
        give_back()
        final = options.estimator_for(study)
        with _noting(ALL_ROWS, config["warnings"]):
            final.fit(rows.X, rows.y, **rows.fit_arguments, progress=_follow(journal, ALL_ROWS))
        config["verdicts"][ALL_ROWS] = final.verdict_
        folder.write_json("config", config)
    journal.say("Writing the tables", 0.98)
    final.save(folder.model_path)
    folder.write_table("fixed_effects", fixed_effects_table(final))
    folder.write_table(
        "random_effects",
        random_effects_table(final),
        progress=_telling(journal, "Writing the random effects"),
    )
    folder.write_table("covariance", covariance_table(final))
    folder.write_table("summary", summary_table(final, rows.X))
    folder.write_json("config", {**config, "approximate": approximations(final)})
    journal.say("Simulating from the model", 0.99)
    folder.write_table(
        "checks",
        model_checks(
            final, rows.X, rows.y, rows.groups, sequence_ids=rows.sequence_ids, seed=options.seed
        ),
    )
    chosen = rows if options.refit == "all" else rows.take(split == "train")
    _certify(final, chosen, folder, data)
    if isinstance(final, NMECRF):
        folder.write_table("transitions", transitions_table(final))
    else:
        remark = ""
        if study.roles.groups:
            names = ", ".join(map(repr, study.roles.groups))
            remark = f"A person's response curves have {names} at the population's value."
        try:
            folder.write_table("response_curves", response_curves(final, study.X, study.groups))
        except OptionError as error:
            remark = str(error)
        if remark:
            folder.write_json("data", {**data, "notes": [*data["notes"], remark]})


def _certify(
    model: NeuralMixedEffects, rows: _Rows, folder: RunFolder, data: dict[str, Any]
) -> None:
    """Write the certificate of an exact linear model beside MixedLM's fit of the same rows."""
    if not isinstance(model, NMEMLPRegressor) or not can_be_certified(model, len(rows.y)):
        return
    try:
        found = compare_with_mixedlm(model, rows.X, rows.y, rows.persons)
    except OptionError as error:
        data["notes"].append(f"No certificate was written. {error}")
    else:
        folder.write_table("certificate", found.table)
        data["notes"].extend(("Certificate: " + found.verdict, *found.notes))
    folder.write_json("data", data)


def _write_persons(study: Study, folder: RunFolder) -> None:
    """Write what tests of the persons need later: summaries, and groups that hold them whole."""
    summaries = person_summaries(study.y, study.groups, study.sequence_ids, study.outcome_kind)
    folder.write_table("person_summaries", summaries)
    tables = [
        pd.DataFrame({"person": study.groups, "factor": name, "group": column}).drop_duplicates()
        for name, column in study.further_groups.items()
        if not (column.groupby(study.groups).nunique() > 1).any()
    ]
    if tables:
        folder.write_table("groups", pd.concat(tables, ignore_index=True))


def _tuned(
    options: FitOptions,
    study: Study,
    rows: _Rows,
    split: np.ndarray[Any, Any],
    folder: RunFolder,
    journal: Journal,
    notes: list[dict[str, str]],
) -> FitOptions:
    """Return the options with the settings that the validation rows favour."""
    metric = "mse" if study.outcome_kind == "number" else "log_loss"

    def judge(number: int, settings: Settings) -> Judged:
        what = f"Trial {number} of {options.tune}: {settings}"

        def follow(progress: Progress) -> None:
            message = f"{what}, epoch {progress.epoch}"
            journal.advance(f"trial {number}", progress.fraction, message)

        model = replace(options, **vars(settings)).estimator_for(study)
        with _noting(f"trial {number}", notes):
            _fit_split(model, rows, split, follow)
        held = _predict(model, rows.take(split == "validation"), "nme", "validation")
        metrics = evaluate(held, study.outcome_kind)
        pooled = metrics[(metrics["scope"] == "pooled") & (metrics["metric"] == metric)]
        return Judged(float(pooled["value"].iloc[0]), len(model.parameter_names()))

    asked = options.estimator_for(study)
    chosen = tune(
        Settings(tuple(asked.hidden), options.covariance),
        options.tune,
        judge,
        folder,
        widths_given=options.hidden is not None,
        seed=options.seed,
    )
    return replace(options, **vars(chosen))


def _fit_split(
    model: NeuralMixedEffects | LinearMixedModel,
    rows: _Rows,
    split: np.ndarray[Any, Any],
    progress: Callable[[Progress], None],
) -> None:
    """Fit on the training rows, watched on the validation rows."""
    give_back()
    rows = replace(rows, time=None)
    train, validation = rows.take(split == "train"), rows.take(split == "validation")
    model.fit(
        train.X,
        train.y,
        **train.fit_arguments,
        validation=validation.as_validation,
        progress=progress,
    )


def _keep_known_groups(
    split: np.ndarray[Any, Any], study: Study
) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Move rows into training whose further group no training row has; and say how many."""
    unseen = np.zeros(len(split), dtype=bool)
    for column in study.further_groups.columns:
        groups = study.further_groups[column]
        unseen |= (~groups.isin(groups[split == "train"].unique())).to_numpy()
    if not unseen.any():
        return split, []
    note = (
        f"{int(unseen.sum())} rows are used for training and not held back, because their group"
        " occurs only there."
    )
    return np.where(unseen, "train", split), [note]


def _refuse_unseen_classes(study: Study, split: np.ndarray[Any, Any]) -> None:
    """Raise DataError for a class that no training row has."""
    if study.outcome_kind == "number":
        return
    learned = set(study.y[split == "train"].dropna())
    unseen = [label for label in study.classes if label not in learned]
    if unseen:
        raise DataError(
            f"The class {unseen[0]!r} of {study.roles.outcome!r} occurs only in rows that are "
            "held back for validation and test.",
            remedy="Join rare classes with others, or empty the outcome of these rows.",
            column=study.roles.outcome,
        )


@dataclass(frozen=True)
class _Rows:
    """Rows of a study, with the state before each where the model is of sequences.

    Ids are categories, and chosen rows of X are only pointed at: a large study is held once.
    """

    X: Any  # a DataFrame, or TableRows of it
    y: pd.Series
    groups: pd.Series | pd.DataFrame
    time: pd.Series | None
    sequence_ids: pd.Series
    before: pd.Series | None

    @classmethod
    def of(cls, study: Study, sequential: bool) -> _Rows:
        before = study.y.groupby(study.sequence_ids).shift() if sequential else None
        groups = study.factors
        ids: pd.Series | pd.DataFrame
        if isinstance(groups, pd.DataFrame):
            ids = pd.DataFrame({name: _categories(groups[name]) for name in groups})
        else:
            ids = _categories(groups)
        same = study.roles.sequence is None  # then a person is a sequence
        sequences = ids if same and isinstance(ids, pd.Series) else _categories(study.sequence_ids)
        return cls(study.X, study.y, ids, study.time, sequences, before)

    def take(self, chosen: np.ndarray[Any, np.dtype[np.bool_]]) -> _Rows:
        """Return some of all rows."""
        rows: dict[str, Any] = {
            name: None if value is None else value[chosen]
            for name, value in vars(self).items()
            if name != "X"
        }
        return _Rows(TableRows(self.X, chosen), **rows)

    @property
    def persons(self) -> pd.Series:
        return self.groups.iloc[:, 0] if isinstance(self.groups, pd.DataFrame) else self.groups

    @property
    def fit_arguments(self) -> dict[str, Any]:
        if self.before is None:
            return {"groups": self.groups}
        return {"groups": self.groups, "sequence_ids": self.sequence_ids}

    @property
    def as_validation(self) -> tuple[Any, ...]:
        if self.before is None:
            return (self.X, self.y, self.groups)
        return (self.X, self.y, self.groups, self.sequence_ids, self.before)

    @property
    def predict_arguments(self) -> dict[str, Any]:
        if self.before is None:
            return {"groups": self.groups}
        return {
            "groups": self.groups,
            "sequence_ids": self.sequence_ids,
            "initial_states": self.before,
        }


def _categories(ids: pd.Series) -> pd.Series:
    """Ids as categories in order of appearance."""
    codes, levels = pd.factorize(ids)
    values = pd.Categorical.from_codes(codes, levels)
    return pd.Series(values, index=ids.index, name=ids.name)


def _predict(
    model: NeuralMixedEffects | LinearMixedModel, rows: _Rows, name: str, part: str
) -> pd.DataFrame:
    """Predictions for the rows of one part: the run folder's columns, and ``loss``."""
    table = pd.DataFrame(
        {
            "model": pd.Categorical([name]).repeat(len(rows.y)),
            "split": pd.Categorical([part]).repeat(len(rows.y)),
            "person": rows.persons,
            "sequence": rows.sequence_ids,
            "time": rows.time if rows.time is not None else np.nan,
            "observed": rows.y,
        },
        index=rows.y.index,
    ).reset_index(drop=True)
    arguments: dict[str, Any] = rows.predict_arguments
    table["predicted"] = model.predict(rows.X, **arguments)
    table["population_predicted"] = model.predict(rows.X, **arguments, level="population")
    if hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(rows.X, **arguments)
        for k, label in enumerate(model.classes_):
            table[f"p_{label}"] = probabilities[:, k]
    if isinstance(model, NMECRF):
        table["loss"] = model.sequence_loss(rows.X, rows.y, **arguments)
    return table


def _calibration(model: NeuralMixedEffects, rows: _Rows, predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``calibration`` of the rows that were held back."""
    if isinstance(model, NMEMLPRegressor):
        integral = model.probability_integral(rows.X, rows.y, rows.groups)
        name, split = str(predictions["model"].iloc[0]), str(predictions["split"].iloc[0])
        return number_calibration(integral, model=name, split=split)
    return class_calibration(predictions)


@contextmanager
def _noting(model: str, notes: list[dict[str, str]]) -> Iterator[None]:
    """Take note of the warnings of a fit, and let them pass."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        if issubclass(warning.category, NMEWarning):
            kind = warning.category.__name__
            notes.append({"model": model, "kind": kind, "message": str(warning.message)})
        warnings.warn(warning.message, warning.category, stacklevel=3)


def _telling(journal: Journal, what: str) -> Callable[[int, int], None]:
    """Return what shows how many rows of a large table have been written."""
    return lambda written, of: journal.tell(f"{what}: {written:,} of {of:,} rows")


def _follow(journal: Journal, name: str) -> Callable[[Progress], None]:
    """Return what records the epochs of one fit."""

    def record(progress: Progress) -> None:
        row = {"model": name, **vars(progress)}
        fraction = row.pop("fraction")
        journal.record(name, row, fraction, f"Fitting {name}: epoch {progress.epoch}")

    return record


def _describe(
    study: Study,
    split: np.ndarray[Any, Any],
    options: FitOptions,
    inputs: Sequence[str | os.PathLike[str]],
) -> dict[str, Any]:
    """Content of ``data.json``."""
    return {
        "roles": asdict(study.roles),
        "outcome_kind": study.outcome_kind,
        "n_rows": study.n_rows,
        "n_persons": study.n_persons,
        "n_sequences": int(study.sequence_ids.nunique()),
        "n_rows_by_split": {part: int((split == part).sum()) for part in SPLITS},
        "n_missing_features": {k: int(v) for k, v in study.X.isna().sum().items() if v},
        "n_missing_outcome": int(study.y.isna().sum()),
        "missing": study.missing,
        "missing_features": "mean of the training rows, beside an indicator input",
        "interpreted_from": "all rows" if options.refit == "all" else "training rows",
        "inputs": [{"name": Path(path).name, "sha256": fingerprint(Path(path))} for path in inputs],
        "how_read": {} if study.how_read is None else study.how_read.as_dict(),
        "notes": list(study.notes),
        "remedies": as_records(study.remedies),
        "max_gap": study.max_gap,
    }


def fingerprint(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _versions() -> dict[str, str]:
    packages = ("torch", "numpy", "pandas", "scipy")
    return {
        "neural-mixed-effects": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
