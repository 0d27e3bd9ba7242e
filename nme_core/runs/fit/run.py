"""A whole run: split, fit, judge, fit again on all rows, read out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nme_core.analysis import likelihood_row
from nme_core.batches.memory import give_back, return_large_arrays
from nme_core.batches.splits import SPLITS
from nme_core.estimators import (
    LinearMixedModel,
    NeuralMixedEffects,
    NMEMLPRegressor,
    baseline,
    linear_twin,
)
from nme_core.estimators.options import AUTO
from nme_core.estimators.threads import one_thread_for_few
from nme_core.exceptions import (
    FallbackWarning,
    NMEError,
    NMEWarning,
    OptionError,
    PredictionWarning,
)
from nme_core.io import Journal, RunFolder, RunState
from nme_core.io.renewal import renewed
from nme_core.metrics import compare, evaluate
from nme_core.metrics.regression import SPREAD_METRICS
from nme_core.nn import COUNTS
from nme_core.runs.fit.candidates import (
    as_json,
    candidates_table,
    named_layers,
    warn_of_gap,
    warn_of_rise,
)
from nme_core.runs.fit.following import follow, noting, telling
from nme_core.runs.fit.judging import (
    calibration,
    fit_split,
    one_step_ahead,
    predict,
    validation_loss,
    with_spread,
)
from nme_core.runs.fit.options import FitOptions
from nme_core.runs.fit.readouts import (
    certify,
    write_checks,
    write_parameters,
    write_transitions_or_curves,
)
from nme_core.runs.fit.record import (
    asked_for,
    describe,
    findings_table,
    found_by,
    structure_of,
    words_of,
    write_persons,
)
from nme_core.runs.fit.rivals import Rivals
from nme_core.runs.fit.rows import MANY, StudyRows, refuse_no_counts, refuse_without_moves
from nme_core.runs.skill import simple_is_as_good, skill_sentences
from nme_core.runs.tuning import Judged, Settings, tune
from nme_core.study import Study
from nme_core.study.codebook import study_codebook
from nme_core.study.held_back import plan_split
from nme_core.training import Progress
from nme_core.vocabulary.terms import LINEAR

#: Name in the history of the fit on all rows, which is interpreted.
ALL_ROWS = "nme (all rows)"
# Rough share of the time that each fit takes, for the progress bar.
_WEIGHT = {
    "nme": 0.4,
    ALL_ROWS: 0.4,
    "generic": 0.15,
    "specific": 0.05,
    "lme": 0.05,
    "mlp-lme": 0.1,
    "unregularised": 0.05,
    LINEAR: 0.05,
}


def run_experiment(
    study: Study,
    options: FitOptions,
    folder: RunFolder,
    *,
    inputs: Sequence[str | os.PathLike[str]] = (),
    command: str = "",
    codebook: pd.DataFrame | None = None,
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
    codebook : DataFrame, optional
        What the columns are, where the user has said it (see `study_codebook`).
    report : callable, optional
        Called with what is being done and the part of the way behind, 0 to 1.

    Raises
    ------
    NMEError
        With what is wrong; ``status.json`` then says ``failed``. On KeyboardInterrupt it says
        ``cancelled``. What was finished is kept in both cases; where nothing was, nothing is left.
        A finished run in the folder is replaced once this one is done (see `renewed`).
    """
    for path in inputs:
        if folder.writes(path):
            raise OptionError(
                f"The run would overwrite {Path(path).name}, which it is fitted on.",
                remedy="Give the run a folder of its own (--out).",
            )
    written = study_codebook(study, codebook)
    if study.n_rows >= MANY:
        return_large_arrays()
    with renewed(folder) as new:
        _follow(study, options, new, written, Journal(new, report), inputs, command)


def _follow(
    study: Study,
    options: FitOptions,
    folder: RunFolder,
    written: pd.DataFrame,
    journal: Journal,
    inputs: Sequence[str | os.PathLike[str]],
    command: str,
) -> None:
    """Run it, and let the journal say how it ended."""
    try:
        folder.write_table("codebook", written)
        folder.write_table("findings", findings_table(study))
        with one_thread_for_few(study.n_rows):
            run = _Run.begin(study, options, folder, journal, inputs=inputs, command=command)
            run.tune()
            run.interpret(run.judge())
    except KeyboardInterrupt:
        journal.close(RunState.CANCELLED, "Cancelled; what was finished before is kept.")
        raise
    except Exception as error:
        journal.close(RunState.FAILED, str(error) or type(error).__name__)
        raise
    journal.close(RunState.DONE, "Done")


@dataclass
class _Run:
    """A run on its way; `data` and `config` are what the files of these names hold."""

    study: Study
    options: FitOptions
    folder: RunFolder
    journal: Journal
    rows: StudyRows
    split: pd.Categorical
    data: dict[str, Any]
    config: dict[str, Any]

    @classmethod
    def begin(
        cls,
        study: Study,
        options: FitOptions,
        folder: RunFolder,
        journal: Journal,
        *,
        inputs: Sequence[str | os.PathLike[str]],
        command: str,
    ) -> _Run:
        """Split the rows and write what is known before anything is fitted."""
        sequential = options.model == "nme-crf"
        if not sequential:
            study = study.with_observed_outcome()
        model = options.estimator_for(study)  # refuses options that do not fit
        if options.family in COUNTS and study.outcome_kind == "number":
            refuse_no_counts(study)
        plan = plan_split(study)
        split, told = plan.parts, () if plan.classes is None else (plan.classes,)
        study = replace(study, notes=(*study.notes, *plan.notes, *told))
        if sequential:
            refuse_without_moves(study, plan.parts)
        folder.write_covariates(study.covariates)
        write_persons(study, folder)
        data = describe(study, split, options, inputs)
        folder.write_json("data", data)
        folder.write_json("recipe", study.recipe.to_json())
        config = asked_for(study, options, model, command)
        folder.write_json("config", config)
        trials = [f"trial {number}" for number in range(1, options.tune + 1)]
        rivals = [*options.baselines, *([] if linear_twin(model) is None else [LINEAR])]
        fits = ["nme", *rivals, *([ALL_ROWS] if options.refit == "all" else [])]
        journal.plan(dict.fromkeys(trials, _WEIGHT["nme"]) | {name: _WEIGHT[name] for name in fits})
        rows = StudyRows.of(study, sequential)
        return cls(study, options, folder, journal, rows, split, data, config)

    def tune(self) -> None:
        """Take the settings that the validation rows favour, where that was asked for."""
        if not self.options.tune:
            return
        asked = self.options.estimator_for(self.study)
        chosen = tune(
            Settings(named_layers(asked), asked.covariance_),
            self.options.tune,
            self._try,
            self.folder,
            widths_given=self.options.hidden is not None,
            seed=self.options.seed,
        )
        self.options = replace(self.options, **vars(chosen))
        self.config |= {"hidden": as_json(chosen.hidden), "covariance": chosen.covariance}
        self.folder.write_json("config", self.config)

    def _try(self, number: int, settings: Settings) -> Judged:
        what = f"Trial {number} of {self.options.tune}: {settings}"

        def progress(now: Progress) -> None:
            message = f"{what}, epoch {now.epoch}"
            self.journal.advance(f"trial {number}", now.fraction, message)

        model = replace(self.options, **vars(settings)).estimator_for(self.study)
        with noting(f"trial {number}", self.config["warnings"]):
            fit_split(model, self.rows, self.split, progress)
        held = self.rows.take(self.split == "validation")
        loss = validation_loss(model, held, self.study.outcome_kind)
        return Judged(loss, len(model.parameter_names()))

    def judge(self) -> NeuralMixedEffects | None:
        """Fit and judge all models on the split; return what `interpret` needs of the first."""
        classes = None if self.study.outcome_kind == "number" else [*map(str, self.study.classes)]
        rivals = Rivals(self.rows, self.split, classes)
        simple = rivals.metrics()
        rules = simple[(simple["split"] == "test") & (simple["scope"] == "person")]
        judged: list[pd.DataFrame] = []
        kept: NeuralMixedEffects | None = None
        try:
            for name, one in self._models():
                own = one if isinstance(one, NeuralMixedEffects) and name == "nme" else None
                if own is not None and (self.options.refit == "none" or own.hidden == AUTO):
                    kept = own
                if not self._fit(name, one, read_off=one is kept and self.options.refit == "none"):
                    continue
                self.config["verdicts"][name] = one.verdict_
                if isinstance(own, NMEMLPRegressor):
                    self.config |= structure_of(own, self.config["covariance"])
                self._note_likelihood(one, name)
                parts = {part: self._judge(one, name, part, rivals) for part in SPLITS}
                test = parts["test"][parts["test"]["scope"] == "person"]
                judged.append(test[~test["metric"].isin(SPREAD_METRICS)])
                if own is not None:
                    self._judge_further(own, parts)
                    with noting("nme", self.config["warnings"]):
                        warn_of_gap(parts["train"], parts["test"])
                self.folder.write_json("config", self.config)
        finally:
            if judged:  # of a run that is cancelled, too
                compared = compare(pd.concat([*judged, rules], ignore_index=True))
                self.folder.write_table("comparison", compared)
        self.folder.append_table("metrics", simple)
        skill = rivals.table()
        self.folder.write_table("skill", skill)
        if simple_is_as_good(skill):
            with noting("nme", self.config["warnings"]):
                warnings.warn(skill_sentences(skill)[0], PredictionWarning, stacklevel=2)
            self.folder.write_json("config", self.config)
        return kept

    def _models(self) -> Iterator[tuple[str, NeuralMixedEffects | LinearMixedModel]]:
        """The model of the run, then all that it is compared with; none is fitted yet."""
        made = partial(self.options.estimator_for, self.study)
        yield "nme", made()
        for name in self.options.baselines:
            yield name, baseline(made(), name)
        if (twin := linear_twin(made(), 1 + len(self.study.roles.groups))) is not None:
            yield LINEAR, twin

    def _fit(
        self, name: str, model: NeuralMixedEffects | LinearMixedModel, *, read_off: bool
    ) -> bool:
        """Fit one model to the training rows; False where the linear twin cannot be fitted.

        Nobody asked for the twin, and nothing but its predictions is shown.
        """
        with noting(name, self.config["warnings"], words_of(model, self.study, self.options)):
            progress = follow(self.journal, name)
            if name != LINEAR:
                fit_split(model, self.rows, self.split, progress, uncertainty=read_off)
                return True
            try:
                self.rows.refuse_many()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", NMEWarning)
                    fit_split(model, self.rows, self.split, progress)
            except NMEError as error:
                told = f"The exact linear model is not among those compared: {error}"
                warnings.warn(told, FallbackWarning, stacklevel=2)
                return False
        return True

    def _judge_further(self, model: NeuralMixedEffects, judged: Mapping[str, pd.DataFrame]) -> None:
        """Write metrics one step ahead and the candidates; warn where validation loss rose."""
        held = np.asarray((self.split == "test").astype(bool))
        if (metrics := one_step_ahead(model, self.rows, held)) is not None:
            self.folder.append_table("metrics", metrics)
        kind = self.study.outcome_kind
        table = candidates_table(model, self.rows, self.split, kind, judged)
        self.folder.write_table("candidates", table)
        with noting("nme", self.config["warnings"]):
            warn_of_rise(model)

    def _note_likelihood(self, model: NeuralMixedEffects | LinearMixedModel, name: str) -> None:
        row = likelihood_row(model, name)
        if len(row):
            self.folder.append_table("likelihood", row)

    def _judge(
        self, model: NeuralMixedEffects | LinearMixedModel, name: str, part: str, rivals: Rivals
    ) -> pd.DataFrame:
        """Write what one model says of one part of the rows; return its metrics."""
        give_back()
        rows = self.rows.take(self.split == part)
        predictions = predict(model, rows, name, part)
        if part == "test":
            predictions = with_spread(model, rows, predictions)
        give_back()
        metrics = evaluate(predictions, self.study.outcome_kind)
        self.folder.append_table("metrics", metrics)
        if part == "test":
            rivals.add(name, model, predictions)
        if part == "test" and not isinstance(model, LinearMixedModel):
            self.folder.append_table("calibration", calibration(model, predictions))
        self.folder.append_table(
            "predictions",
            predictions.drop(columns=["loss", "crps", "integral"], errors="ignore"),
            progress=telling(self.journal, f"Writing the predictions of {name} ({part})"),
        )
        return metrics

    def interpret(self, kept: NeuralMixedEffects | None) -> None:
        """Read out the model that was kept, or one that is fitted on all rows.

        A mixture keeps the weights that the validation rows gave it.
        """
        if kept is not None and self.options.refit == "none":
            rows, model = self.rows.take(self.split == "train"), kept
        else:
            rows, model = self.rows, self.options.estimator_for(self.study)
            give_back()
            words = words_of(model, self.study, self.options)
            with noting(ALL_ROWS, self.config["warnings"], words):
                fit = model.fit if kept is None else kept.refit
                progress = follow(self.journal, ALL_ROWS)
                times = rows.times_for(model)
                model = fit(rows.X, rows.y, **rows.fit_arguments, **times, progress=progress)
            self.config["verdicts"][ALL_ROWS] = model.verdict_
            self._note_likelihood(model, ALL_ROWS)
            self.folder.write_json("config", self.config)
        self.journal.say("Writing the tables", 0.98)
        told = telling(self.journal, "Writing the random effects")
        write_parameters(model, self.rows, self.folder, told)
        self.config |= found_by(model, self.study, self.config["covariance"])
        self.folder.write_json("config", self.config)
        self.journal.say("Simulating from the model", 0.99)
        notes = write_checks(model, self.rows, self.folder, self.options.seed)
        notes += certify(model, rows, self.folder)
        notes += write_transitions_or_curves(model, self.study, self.folder)
        if notes:
            self.data["notes"] += notes
            self.folder.write_json("data", self.data)
