"""Is Σ diagonal? The model of a run with each structure of Σ, side by side.

Two kinds of evidence. The correlations of people's estimates against what the diagonal model would
give (`effect_correlations`), corrected over all pairs; and the likelihood ratio of the full Σ,
χ² with as many degrees of freedom as there are covariances. The second decides where the full Σ
adds covariances alone and there are 5 people for each of them; else the first does.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from nme_core.analysis import effect_correlations, person_effects, transitions_table
from nme_core.estimators import NMECRF, NeuralMixedEffects
from nme_core.estimators.threads import one_thread_for_few
from nme_core.exceptions import NMEWarning, OptionError
from nme_core.io import RunFolder
from nme_core.metrics import evaluate
from nme_core.runs.fit.judging import fit_split, predict
from nme_core.runs.research.covariance_evidence import STRUCTURES, pooled, weigh
from nme_core.runs.research.covariance_words import ALPHA, answer, notes
from nme_core.runs.research.opening import Opened, arguments_of, opened
from nme_core.runs.research.tasks import Report, TaskOptions, kept_in, run_kept
from nme_core.runs.research.verdict import Verdict
from nme_core.study.held_back import plan_split
from nme_core.training.covariance import BLOCKS, FACTORS, saves_numbers
from nme_core.training.structure_choice import DIAGONAL, FULL

TOOL = "covariance"


@dataclass(frozen=True)
class CovarianceModels:
    """What was found.

    Attributes
    ----------
    table : DataFrame
        ``covariance_models``: one row per structure of Σ.
    verdict : Verdict
        The answer.
    """

    table: pd.DataFrame
    verdict: Verdict

    def write(self, run: RunFolder) -> None:
        """Write ``covariance_models.csv`` and ``verdict.json`` into the run's folder."""
        run.write_table("covariance_models", self.table)
        self.verdict.write(run.path)


def covariance_models(
    run: RunFolder,
    long: str | os.PathLike[str],
    covariates: str | os.PathLike[str] | None = None,
    *,
    tasks: TaskOptions | None = None,
    report: Report | None = None,
) -> CovarianceModels:
    """Fit the model of a run with every structure of Σ, and say which one the rows ask for.

    Between the diagonal and the full Σ stand, for a model without hidden layers, one or two
    factors, Σ = L Lᵀ + D, of four (five) person-specific parameters or more, and for such an
    NME-MLP blocks (the intercept, and two or more slopes). Of a mixture its leader is fitted.

    Parameters
    ----------
    run : RunFolder
        A finished run, interpreted from all rows.
    long, covariates : path
        The files that it was fitted on; the second only where remedies are about it.
    tasks : TaskOptions, optional
        Where the fits run.
    report : callable, optional
        Called with what is being done and the part of the way behind.

    Raises
    ------
    OptionError
        For another file, several grouping factors, or fewer than two person-specific parameters.
    TrainingError
        Where no structure could be fitted.
    """
    given: dict[str, Any] = arguments_of(run, long, covariates)
    one = opened(*given.values())
    n_random = _n_random(run)
    if n_random < 2:
        raise OptionError(
            "People have fewer than two parameters of their own in this model: Σ has no"
            " correlations to ask for.",
            remedy="Fit with another --placement, such as all.",
        )
    found = run_kept(
        refit,
        {kind: {**given, "covariance": kind} for kind in _structures(one, n_random)},
        kept_in(run.path, TOOL),
        tasks or TaskOptions(),
        report,
    )
    fits = {kind: outcome.value for kind, outcome in found.items() if not outcome.error}
    failed = {kind: outcome.error for kind, outcome in found.items() if outcome.error}
    evidence = weigh(run, fits, n_random)
    table = _table(fits, failed, evidence.chosen)
    numbers = {"models": table, **vars(evidence), "failed": failed}
    kept_in(run.path, TOOL).unlink(missing_ok=True)
    lacking = [kind for kind, fit in fits.items() if fit["aic"] is None]
    lacking = lacking if len(lacking) < len(fits) else []  # of networks none has one
    told = notes(evidence, failed, list(fits), lacking)
    return CovarianceModels(table, Verdict(TOOL, answer(evidence), numbers, told))


def refit(
    run: str, long: str, covariates: str | None, sha256: str, config: str, covariance: str
) -> dict[str, Any]:
    """Fit one structure to all rows, and to the training rows; return what is compared."""
    one = opened(run, long, covariates, sha256, config)
    options = replace(one.options, covariance=covariance)
    with warnings.catch_warnings(), one_thread_for_few(one.study.n_rows):
        warnings.simplefilter("ignore", NMEWarning)
        whole = options.estimator_for(one.study)
        whole.fit(one.rows.X, one.rows.y, **one.fit_arguments(whole))
        held = options.estimator_for(one.study)
        split = plan_split(one.study).parts
        fit_split(held, one.rows, split, lambda _: None)
        tested = predict(held, one.rows.take(split == "test"), covariance, "test")
    metrics = evaluate(tested, one.study.outcome_kind)
    metric = "mse" if one.study.outcome_kind == "number" else "log_loss"
    likelihood = whole.likelihood()
    known = likelihood is not None and np.isfinite(likelihood.aic)
    return {
        "log_likelihood": None if likelihood is None else likelihood.value,
        "method": None if likelihood is None else likelihood.method,
        "n_parameters": likelihood.n_parameters if likelihood is not None and known else None,
        "aic": likelihood.aic if likelihood is not None and known else None,
        "verdict": whole.verdict_,
        "n_at_zero": int((~whole.effects().differs).sum()),
        "metrics": metrics[metrics["metric"] == metric].to_dict("records"),
        "readouts": _readouts(whole, one),
        "correlations": _furthest(whole) if covariance == DIAGONAL else None,
    }


def _n_random(run: RunFolder) -> int:
    return int(run.table("random_effects")["parameter"].nunique())


def _structures(one: Opened, n_random: int) -> list[str]:
    """Structures that the exact engine offers for this model."""
    options = one.options
    exact = options.estimator in ("variational", "laplace") and options.epochs is None
    linear = exact and options.hidden in (None, (), "none")
    between: list[str] = []
    if linear and options.shrink == "none":
        both = options.model == "nme-mlp" and options.placement in (None, "first", "last", "all")
        between += [BLOCKS] if both and n_random > 2 else []
        between += [kind for kind in FACTORS if saves_numbers(kind, n_random)]
    return [DIAGONAL, *between, FULL]


def _readouts(model: NeuralMixedEffects, one: Opened) -> dict[str, list[Any]]:
    """People's moves, or levels and slopes: estimates and half widths of their intervals."""
    if isinstance(model, NMECRF):
        table = transitions_table(model)
        table = table[table["readout"] == "conditional"].rename(columns={"value": "estimate"})
        table["effect"] = table["from"] + " → " + table["to"]
    else:
        table = person_effects(model, one.study.X)
    own = table[(table["person"] != "") & table["estimate"].notna()]
    half = (own["ci_high"] - own["ci_low"]) / 2
    return {
        "key": (own["person"] + "\x1f" + own["effect"].astype(str)).tolist(),
        "estimate": own["estimate"].tolist(),
        "half": half.fillna(0.0).tolist(),
    }


def _furthest(model: NeuralMixedEffects) -> dict[str, Any] | None:
    """The pair of parameters furthest from what a diagonal Σ gives; None where nothing is known."""
    table = effect_correlations(model, seed=int(model.random_state))
    table = table[table["p_adjusted"].notna()]
    if table.empty:
        return None
    at: Any = table["p_adjusted"].idxmin()
    best = table.loc[at]
    shown = ("parameter", "parameter_2", "correlation", "simulated_low", "simulated_high")
    return {name: best[name] for name in shown} | {
        "p_adjusted": float(best["p_adjusted"]),
        "n_pairs": len(table),
        "n_outside": int((table["p_adjusted"] < ALPHA).sum()),
    }


def _table(fits: Mapping[str, Any], failed: Mapping[str, str], chosen: str) -> pd.DataFrame:
    rows = []
    for kind in STRUCTURES:
        if kind in fits:
            one = fits[kind]
            shown = {key: one[key] for key in ("log_likelihood", "n_parameters", "aic")}
            rows.append(
                {"covariance": kind, **shown, "test_loss": pooled(one), "chosen": kind == chosen,
                 "method": one["method"] or "", "note": _ending(one)}
            )  # fmt: skip
        elif kind in failed:
            rows.append({"covariance": kind, "chosen": False, "method": "", "note": failed[kind]})
    names = ["covariance", "log_likelihood", "n_parameters", "aic", "test_loss", "chosen",
             "method", "note"]  # fmt: skip
    table = pd.DataFrame(rows).reindex(columns=names)
    return table.astype({"log_likelihood": float, "n_parameters": float, "aic": float})


def _ending(fit: Mapping[str, Any]) -> str:
    """What has to be known of a fit that did not converge."""
    verdict = str(fit["verdict"])
    return "" if verdict == "converged" else verdict
