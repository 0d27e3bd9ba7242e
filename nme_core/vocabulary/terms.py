"""What the options and names of a run folder are called in a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from nme_core.vocabulary.language import tr
from nme_core.vocabulary.text import listed


@dataclass(frozen=True)
class MetricTerm:
    """What a metric is called, and whether its size cannot exceed 1.

    Attributes
    ----------
    short : str
        In a table or a legend.
    text : str
        Inside a sentence of a paper.
    what : str
        What it is, in plain words.
    bounded : bool
        Whether it cannot exceed 1 in size.
    """

    short: str
    text: str
    what: str
    bounded: bool = False


#: Every metric, and what it is called.
METRICS = {
    "mse": MetricTerm(
        "MSE",
        "mean squared error",
        "mean squared error, in squared units of the outcome; lower is better",
    ),
    "mae": MetricTerm(
        "MAE",
        "mean absolute error",
        "mean absolute error, in units of the outcome; lower is better",
    ),
    "pearson": MetricTerm(
        "Pearson r",
        "Pearson's r",
        "correlation of predicted and observed; higher is better",
        bounded=True,
    ),
    "ccc": MetricTerm(
        "CCC",
        "concordance correlation",
        "concordance: agreement in correlation, mean and spread; higher is better",
        bounded=True,
    ),
    "crps": MetricTerm(
        "CRPS",
        "continuous ranked probability score",
        "distance of the predicted distribution from what happened, in units of the outcome: "
        "the absolute error, with uncertainty counted; lower is better",
    ),
    "coverage_95": MetricTerm(
        "coverage of 95 % intervals",
        "coverage of 95 % prediction intervals",
        "share of occasions inside their 95 % prediction interval; .95 is right, less means "
        "that the intervals are too narrow",
        bounded=True,
    ),
    "accuracy": MetricTerm(
        "accuracy",
        "accuracy",
        "share of occasions predicted right; higher is better",
        bounded=True,
    ),
    "balanced_accuracy": MetricTerm(
        "balanced accuracy",
        "balanced accuracy",
        "share predicted right of each state, averaged: a rare state counts as much as a "
        "frequent one; higher is better",
        bounded=True,
    ),
    "kappa": MetricTerm(
        "Cohen's κ",
        "Cohen's κ",
        "agreement beyond chance; higher is better",
        bounded=True,
    ),
    "alpha": MetricTerm(
        "Krippendorff's α",
        "Krippendorff's α",
        "agreement beyond chance, with observed and predicted states taken alike; higher is better",
        bounded=True,
    ),
    "macro_f1": MetricTerm(
        "macro F1",
        "macro F1",
        "mean over states of F1, the harmonic mean of precision and recall; higher is better",
        bounded=True,
    ),
    "log_loss": MetricTerm(
        "log-loss",
        "log-loss per step",
        "minus log probability of what happened, per step; for an NME-CRF of all labels of a "
        "person's held-out segment together, given the label before it, not label by label; "
        "lower is better",
    ),
}
#: Metrics of which more is better; of the others less is.
HIGHER_IS_BETTER = {
    "pearson", "ccc", "accuracy", "balanced_accuracy", "kappa", "alpha", "macro_f1",
}  # fmt: skip


@dataclass(frozen=True)
class ModelTerm:
    """What a model is called.

    Attributes
    ----------
    short : str
        In a table or a legend.
    text : str
        Inside a sentence of a paper.
    what : str
        What it is, in plain words.
    """

    short: str
    text: str
    what: str


#: Every model that a run can hold, and what it is called; nothing else names them.
MODELS = {
    "nme": ModelTerm(
        "NME (person-specific)",
        "the NME model",
        "people have parameters of their own, which a prior holds together",
    ),
    "nme (all rows)": ModelTerm(
        "NME on all rows",
        "the NME model, fitted to all rows",
        "the same model fitted once more to all rows; it is interpreted",
    ),
    "nme (one step ahead)": ModelTerm(
        "NME, one step ahead",
        "the NME model, one step ahead",
        "the same model, told every outcome before the one that it predicts",
    ),
    "generic": ModelTerm(
        "generic (one for all)",
        "one network for all people (generic)",
        "one model for all people",
    ),
    "specific": ModelTerm(
        "specific (one per person)",
        "one network per person with nothing shared (specific)",
        "one model per person, nothing shared",
    ),
    "unregularised": ModelTerm(
        "unregularised (no prior)",
        "the same network without a prior on people's deviations (unregularised)",
        "people's own parameters without the prior that holds them together",
    ),
    "lme": ModelTerm("linear mixed model", "a linear mixed model (lme)", "linear mixed model"),
    "linear": ModelTerm(
        "exact linear",
        "the same model without hidden layers, fitted exactly (linear)",
        "the same model without a network: straight lines only",
    ),
    "mlp-lme": ModelTerm(
        "network + linear mixed",
        "a network whose last hidden layer carries linear random effects (mlp-lme)",
        "network whose last layer is a linear mixed model",
    ),
    "mean": ModelTerm("person's mean", "each person's mean", "the mean of earlier occasions"),
    "last": ModelTerm("last value", "the last value", "what was last observed, again"),
    "ewma": ModelTerm(
        "weighted mean", "an exponentially weighted mean", "a mean in which recent ones count more"
    ),
    "ar1": ModelTerm(
        "own AR(1)", "each person's own AR(1)", "the last value, drawn back to the person's mean"
    ),
    "frequent": ModelTerm(
        "most frequent", "each person's most frequent class", "what was most frequent so far"
    ),
    "markov": ModelTerm(
        "table of moves", "each person's table of moves", "how often the person went where so far"
    ),
}

#: Simple rules, which every run is judged beside.
SIMPLE_RULES = ("mean", "last", "ewma", "ar1", "frequent", "markov")
#: The same model without hidden layers, which every network is judged beside.
LINEAR = "linear"
#: Rivals that nobody chooses: they are always there.
ALWAYS = (*SIMPLE_RULES, LINEAR)
#: Models that one can ask to be compared with, and what they are.
BASELINES = {
    name: term.what
    for name, term in MODELS.items()
    if not name.startswith("nme") and name not in ALWAYS
}

#: How parameters of an NME were found (its ``method_``).
METHODS = {
    "exact": "maximum likelihood (exact, as the model is linear with Gaussian residuals)",
    "marginal": "maximum marginal likelihood by Newton's method, random effects being integrated "
    "out by Laplace's approximation",
    "quadrature": "maximum marginal likelihood by Newton's method, random effects being integrated "
    "out by adaptive Gauss–Hermite quadrature",
    "variational": "variational inference (maximisation of the evidence lower bound; normal "
    "approximation to each person's posterior)",
    "laplace": "the Laplace approximation with EM updates of the covariance",
    "annealed": "the annealed point estimates of Wörtwein et al. (2023)",
}
#: Those that go by steps of an optimiser.
STEPWISE = {"variational", "laplace", "annealed"}

FAMILIES = {
    "gaussian": "a Gaussian outcome",
    "poisson": "a Poisson outcome",
    "negative_binomial": "a negative binomial outcome",
    "categorical": "a categorical outcome",
    "ordinal": "an ordinal outcome",
}

CORRECTIONS = {"bh": "Benjamini–Hochberg", "holm": "Holm", "none": "no"}

#: Kind of effect: how its direction and size are given.
EFFECTS = {
    "spearman": "Spearman's ρ (interval of Bonett and Wright, t approximation)",
    "partial spearman": "partial Spearman's ρ (correlation of what linear regressions of the ranks "
    "leave)",
    "mean difference": "mean differences between groups (Welch's interval and test)",
    "adjusted mean difference": "mean differences between groups adjusted by linear regression",
}

#: Kinds of effect that are correlations.
CORRELATIONS = {"spearman": "Spearman's ρ", "partial spearman": "partial Spearman's ρ"}

_PLACES = {
    "first": "the first layer",
    "last": "the last layer",
    "all": "all layers",
    "transitions": "the transition scores",
}


def metric_name(metric: str) -> str:
    """A metric in a text; its own name where it is not known."""
    return tr(METRICS[metric].text) if metric in METRICS else metric


def short_metric_name(metric: str) -> str:
    """A metric in a table; its own name where it is not known."""
    return tr(METRICS[metric].short) if metric in METRICS else metric


def metric_meaning(metric: str) -> str:
    """What a metric is, in plain words."""
    return tr(METRICS[metric].what)


def is_bounded(metric: str) -> bool:
    """Whether a metric cannot exceed 1 in size."""
    return metric in METRICS and METRICS[metric].bounded


def model_name(model: str) -> str:
    """A model in a text; its own name where it is not known."""
    if model in MODELS:
        return tr(MODELS[model].text)
    return tr("the model {name!r}").format(name=model)


def short_model_name(model: str) -> str:
    """A model in a table; its own name where it is not known."""
    return tr(MODELS[model].short) if model in MODELS else model


def placement_name(placement: str) -> str:
    """Where the person-specific parameters stand."""
    parts = placement.split("+")
    other = tr("the parameter {name}")
    return listed([tr(_PLACES).get(part, other.format(name=part)) for part in parts])


#: Units of hidden layers by activation.
UNITS = {"relu": "rectified linear units", "tanh": "hyperbolic tangent units"}


def network_name(hidden: str | list[int], activation: str | None = None) -> str:
    """The hidden layers."""
    if isinstance(hidden, str):
        return (
            "that is a mixture of candidates (a linear model and networks with one hidden layer of"
            " 32 rectified linear or hyperbolic tangent units), weighted by the log density that"
            " they gave the validation rows,"
        )
    if not hidden:
        return "without a hidden layer (linear in the inputs)"
    units = listed([str(width) for width in hidden])
    return f"with {'one hidden layer' if len(hidden) == 1 else f'{len(hidden)} hidden layers'} " + (
        f"of {units} {UNITS[activation or 'relu']}"
    )


def family_of(config: dict[str, Any]) -> str:
    """The family of the outcome that a run was fitted with."""
    if config["family"]:
        return str(config["family"])
    return "gaussian" if config["outcome_kind"] == "number" else "categorical"


def estimation(config: dict[str, Any]) -> str:
    """A sentence on how parameters were estimated."""
    found = [METHODS[name] for name in config.get("methods", []) if name in METHODS]
    if not found:  # runs of before do not say
        return f"The estimator was {config['estimator']!r}."
    if len(found) == 1:
        return f"Parameters were estimated by {found[0]}."
    return (
        f"Parameters of the linear candidate were estimated by {found[0]}; those of the others by "
        f"{listed(found[1:])}."
    )


def in_steps(config: dict[str, Any]) -> bool:
    """Whether something was found by steps of an optimiser rather than at a maximum."""
    return bool(STEPWISE & {*config.get("methods", [])})


def arrangement(row: pd.Series) -> list[str]:
    """Sentences on how a covariate was tested, beyond strata; `row` is one of ``hsic.csv``."""
    known = row.reindex(["guard", "blocks", "permute", "given"]).fillna("")
    said = []
    if known["guard"] == "reliability":
        said.append(
            "Every person's deviations from the population were first divided by the square root "
            "of their reliability, so that they vary equally however often people were observed."
        )
    elif known["guard"] == "draws":
        said.append(
            "Draws from the posterior of the parameters were tested; p is twice the median over "
            "the draws (Meinshausen et al., 2009)."
        )
    if known["permute"] == "whole":
        said.append(f"The covariate was permuted over whole blocks of {known['blocks']}.")
    elif known["blocks"]:
        said.append(f"People were permuted within {known['blocks']}, whose means were removed.")
    held = [name for name in known["given"].split("; ") if name]
    if row.get("incremental", False):
        held.append("each person's simple summaries (mean and variability, or shares of states)")
    if held:
        said.append(
            f"The tests were conditional on {', '.join(held)}, by permutation of residuals of "
            "linear regressions (Freedman & Lane, 1983)."
        )
    return said


def strata_name(strata: str) -> str:
    """Among whom a test permuted."""
    if strata == "none":
        return "among all people"
    if strata == "n_obs":
        return "within quintiles of the number of observations per person"
    return f"within strata of {strata}"


#: What intervals of ``calibration_study.csv`` are of, as a sentence calls it.
QUANTITIES = {
    "fixed_effects": "fixed effects",
    "random_effects": "people's effects",
    "person_effects": "people's levels and slopes",
    "variances": "variances between people",
    "residual_variance": "the residual variance",
    "autocorrelation": "the residual autocorrelation",
    "conditional": "people's moves",
    "population_conditional": "the population's moves",
    "scores": "people's transition scores",
    "population_scores": "the population's transition scores",
}

#: The question that each research tool answers.
QUESTIONS = {
    "covariance": "Do people's parameters vary independently of each other?",
    "calibrate": "Do this study's 95 % intervals contain the truth as often as they should?",
    "power": "How many people and rows would show an effect of a covariate?",
    "ablate": "Where should parameters differ between people, given the rows per person?",
    "multiverse": "Does a claim depend on how the study is analysed?",
    "replicate": "Does a finding replicate?",
}
