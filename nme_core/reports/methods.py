"""The methods paragraphs of a run: what was fitted and tested, as it was."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nme_core.io import ParameterNames, RunFolder
from nme_core.reports.methods_of_tests import tests
from nme_core.runs.recorded import recipe_of
from nme_core.study import Recipe
from nme_core.study.clean.remedy_files import as_records
from nme_core.vocabulary.choices import SIGMA
from nme_core.vocabulary.terms import (
    FAMILIES,
    LINEAR,
    SIMPLE_RULES,
    estimation,
    family_of,
    in_steps,
    metric_name,
    model_name,
    network_name,
    placement_name,
)
from nme_core.vocabulary.text import count, listed, number

#: Of the training, as `nme_core.training.loop.Schedule` has them,
LEARNING_RATE, NETWORK_RATE, FLAT = "0.01", "0.03", "0.01 %"
#: and of `nme_core.estimators.draws`.
DRAWS = 64

#: What the paragraphs say in words of their own; any other setting is named with its value.
_SAID = {
    "model", "placement", "family", "covariance", "estimator", "hidden", "activation", "residual",
    "reml", "shrink", "quadrature", "baselines", "epochs", "seed", "device", "refit", "tune",
    "outcome_kind", "command", "versions", "verdicts", "warnings",
}  # fmt: skip


def methods(folder: RunFolder) -> list[str]:
    """Paragraphs for a methods section, filled from a run folder.

    Parameters
    ----------
    folder : RunFolder
        A run of `nme fit`; what was not done in it is not spoken of.

    Returns
    -------
    list of str
        Data, model, evaluation, convergence and, where covariates were tested, the tests. Plain
        text.

    Raises
    ------
    RunFolderError
        Where ``config.json`` or ``data.json`` is missing.
    """
    config, data = folder.config, folder.data
    paragraphs = [
        _data(data, recipe_of(folder)),
        _model(config, data),
        _evaluation(folder, config, data),
    ]
    paragraphs.append(_convergence(config))
    paragraphs += _intervals(config)
    if folder.has_table("hsic"):
        paragraphs.append(tests(folder))
    return paragraphs


_TABLES = {"person_effects": "levels and slopes of people", "summary": "how much people differ"}


def interval_notes(config: dict[str, Any]) -> list[str]:
    """What is approximate or was not examined, each with the tables that it concerns."""
    tables: dict[str, list[str]] = {}
    for note in config.get("approximate", []):
        name = str(note["table"])
        tables.setdefault(str(note["reason"]), []).append(_TABLES.get(name, name.replace("_", " ")))
    return [f"{', '.join(names).capitalize()}: {reason}" for reason, names in tables.items()]


def _intervals(config: dict[str, Any]) -> list[str]:
    """What simulations say of the intervals, in a run that has recorded it."""
    if "network_inputs" not in config or "approximate" not in config:
        return []
    right = (
        "In simulations of such studies 95% intervals of parameters contained the true value in "
        "92 to 97%."
    )
    return [
        " ".join(["95% intervals.", *interval_notes(config)]) if config["approximate"] else right
    ]


def _data(data: dict[str, Any], recipe: Recipe) -> str:
    roles, n_persons = data["roles"], data["n_persons"]
    kind = "number" if data["outcome_kind"] == "number" else "class"
    said = [
        f"The analysis used {count(data['n_rows'], 'observation')} of "
        f"{count(n_persons, 'person')}"
        + (f" in {count(data['n_sequences'], 'sequence')}" if roles["sequence"] else "")
        + "."
    ]
    features = roles["features"]
    said.append(
        f"The outcome was {roles['outcome']} (a {kind}), predicted from "
        f"{count(len(features), 'feature')} ({listed(features)})."
    )
    if roles.get("groups"):
        said.append(f"Further grouping factors: {listed(roles['groups'])}.")
    missing = data["n_missing_features"]
    if missing and not any("missing feature values" in note for note in data["notes"]):
        said.append(
            f"{count(sum(missing.values()), 'missing value')} in "
            f"{count(len(missing), 'feature')} took the {data['missing_features']}."
        )
    if data["n_missing_outcome"]:
        said.append(
            f"{count(data['n_missing_outcome'], 'observation')} without the outcome stayed in "
            "their sequences; the missing label was summed out of the likelihood."
        )
    if recipe.reading is not None:
        said.append(f"The table was read as: {recipe.reading.words()}")
    if recipe.second is not None:
        said.append(f"The table of covariates was read as: {recipe.second.words()}")
    if recipe.steps:
        said.append(
            "Changes made to the table before the analysis: "
            f"{listed([_remedy(one) for one in as_records(recipe.steps)])}."
        )
    said += [note if note.endswith(".") else f"{note}." for note in data["notes"]]
    return " ".join(said)


def _remedy(remedy: dict[str, Any]) -> str:
    kind = str(remedy["kind"]).replace("_", " ").replace("persons", "people")
    words = f"{kind} ({', '.join(remedy['columns'])}"
    # Ids of persons do not belong into a paper.
    values = [] if remedy["kind"] == "exclude_persons" else remedy.get("values") or []
    words += f": {', '.join(values)}" if values else ""
    if remedy["kind"] == "exclude_persons":
        words += f": {count(len(remedy['values']), 'person')}"
    return words + (f" → {remedy['to']})" if remedy.get("to") else ")")


def _model(config: dict[str, Any], data: dict[str, Any]) -> str:
    network = network_name(config["hidden"], config.get("activation"))
    place = placement_name(config["placement"])
    if config["model"] == "nme-crf":
        what = (
            "A neural mixed effects conditional random field (NME-CRF; Wörtwein et al., 2023) "
            f"with emission scores from a network {network}"
        )
    else:
        what = (
            "A neural mixed effects network (NME-MLP; Wörtwein et al., 2023) "
            f"{network} for {FAMILIES[family_of(config)]}"
        )
    factors = ["person", *data["roles"].get("groups", [])]
    said = [
        f"{what} was fitted.",
        f"Parameters of {place} differed by {listed(factors)}: each was the sum of a fixed effect "
        "and a random effect with the distribution N(0, Σ), Σ being"
        f" {SIGMA[config['covariance']]}.",
        estimation(config),
    ]
    said += _training(config)
    said += _likelihood(config)
    if config["epochs"] is not None:
        said.append(f"Training was set to {count(config['epochs'], 'epoch')}.")
    if config.get("tune"):
        said.append(
            "Hidden layers and covariance were chosen by the validation observations among "
            f"{count(config['tune'], 'setting')}."
        )
    further = {
        name: value
        for name, value in config.items()
        if name not in _SAID and isinstance(value, str | int | float | bool) and value
    }
    if further:
        said.append(
            f"Further options: {listed([f'{name} = {value}' for name, value in further.items()])}."
        )
    versions = config["versions"]
    said.append(
        f"The seed was {config['seed']}; the software was Neural Mixed Effects "
        f"{versions['neural-mixed-effects']} with PyTorch {versions['torch']} (Paszke et al., "
        f"2019) and Python {versions['python']}."
    )
    return " ".join(said)


def _likelihood(config: dict[str, Any]) -> list[str]:
    """What was said of the residuals of a linear model, and which likelihood was maximised."""
    said = []
    process = config.get("residual_autocorrelation")
    if process:
        low, high = process["low"], process["high"]
        ends = "" if low is None else f", 95 % interval {number(low)} to {number(high)}"
        said.append(
            "Residuals of a person followed a continuous-time autoregressive process of order 1, "
            f"with an estimated correlation of {number(process['rho'])} over one unit of time (one"
            f" day where times are dates){ends}."
        )
    choice = config.get("covariance_choice")
    if choice:
        said.append(f"Whether Σ is diagonal or full was left to AIC. {choice['words']}")
    dispersion = config.get("dispersion")
    if dispersion:
        low, high = dispersion["ci"]
        ends = "" if low is None else f" (95 % interval {number(low)} to {number(high)})"
        said.append(
            "Counts varied beyond Poisson's, with the variance μ + μ²/k at a mean of μ; "
            f"k was estimated as {number(dispersion['size'])}{ends}."
        )
    if config.get("reml"):
        said.append("Variances maximised the restricted likelihood (REML).")
    if config.get("quadrature", 1) > 1:
        said.append(f"Quadrature took {config['quadrature']} points.")
    if config.get("shrink") == "inputs":
        said.append(
            "For prediction, the effects of each feature were shrunk towards 0 by a normal prior "
            "whose variance was learned from the observations."
        )
    return said


def _training(config: dict[str, Any]) -> list[str]:
    """How features were scaled, what was minimised and how, and what the draws are for."""
    family = family_of(config)
    gaussian = config["model"] == "nme-mlp" and family == "gaussian"
    scaled = "Features and outcome" if gaussian else "Features"
    said = [f"{scaled} were standardised by their mean and standard deviation in the fit's rows."]
    if not in_steps(config):
        return said
    if config["estimator"] in ("variational", "laplace"):
        said.append(
            "Shared weights had normal priors around 0, with variances estimated along with them. "
            "The objective was minimised by Adam (Kingma & Ba, 2015) with a learning rate of "
            f"{NETWORK_RATE if config['hidden'] else LEARNING_RATE}, lowered to 0 by a cosine "
            + (
                f"once its mean over 100 epochs no longer moved (by less than {FLAT}, or by less "
                "than its draws let be told)."
                if config["epochs"] is None
                else "over the second half of the epochs."
            )
        )
        if config["outcome_kind"] == "class":
            said.append(f"Predicted probabilities are means over {DRAWS} posterior draws.")
    else:
        said.append(
            "The objective was minimised by Adam (Kingma & Ba, 2015) with a learning rate of "
            f"{LEARNING_RATE}."
        )
    return said


def _evaluation(folder: RunFolder, config: dict[str, Any], data: dict[str, Any]) -> str:
    parts = data["n_rows_by_split"]
    said = [
        "As most people have fewer than 5 observations, only the last one of some was held back: "
        f"n = {parts['validation']:,} for validation and n = {parts['test']:,} for the test, with "
        f"all others for fitting (n = {parts['train']:,}). The test therefore concerns later "
        "observations of the same people, not new people."
        if data.get("held_back") == "last row"
        else "Each person's observations were split in order of time: the first 60% for fitting "
        f"(n = {parts['train']:,}), the next 20% for validation (n = {parts['validation']:,}), "
        f"and the last 20% for the test (n = {parts['test']:,}); people with fewer than 5 "
        "observations were used for fitting only. The test therefore concerns later observations "
        "of the same people, not new people.",
    ]
    baselines = [*config["baselines"], *([LINEAR] if LINEAR in config["verdicts"] else [])]
    if baselines:
        said.append(f"NME was compared with {listed([model_name(name) for name in baselines])}.")
    if folder.has_table("comparison") and len(folder.table("comparison")):
        comparison = folder.table("comparison")
        names = [metric_name(metric) for metric in comparison["metric"].unique()]
        n_models = comparison["model"].nunique()
        said.append(
            f"Models were compared in pairs over people on {listed(names)}: mean difference "
            "between a person's own metrics, with 95% studentised bootstrap intervals over "
            "people (Efron & Tibshirani, 1993) and two-sided sign-flip permutation tests. "
            + (
                "With one comparison on each metric, p values were not corrected."
                if n_models == 1
                else f"p values were corrected over the {n_models:,} comparisons on each metric "
                "(Holm, 1979), and not over the metrics."
            )
        )
    said.append(
        "What is interpreted (effects, covariance"
        + (", transitions" if config["model"] == "nme-crf" else "")
        + ") comes from "
        + (
            "a second fit of the same model to all observations."
            if data["interpreted_from"] == "all rows"
            else "the fit to the training observations."
        )
    )
    if folder.has_table("skill") and len(folder.table("skill")):
        said.append(_skill(folder.table("skill")))
    return " ".join(said)


def _skill(table: pd.DataFrame) -> str:
    rules = [name for name in table["reference"].unique() if name in SIMPLE_RULES]
    ahead = listed([f"{steps:g}" for steps in sorted(table["horizon"].dropna().unique())])
    return (
        "All models were judged beside simple rules, which know a person's earlier outcomes only: "
        f"{listed([model_name(name) for name in rules])}. Skill is 1 − loss of the model / loss "
        "of the other, with a 95% percentile interval over 999 resamples of people, for the rows "
        f"held back as a block and for {ahead} observations ahead by rolling origin."
    )


def _convergence(config: dict[str, Any]) -> str:
    verdicts: dict[str, list[str]] = {}
    for model, verdict in config["verdicts"].items():
        verdicts.setdefault(verdict, []).append(model)
    said = [
        f"Training of {listed(models)}: {verdict.rstrip('.')}."
        for verdict, models in verdicts.items()
    ]
    on_all = config.get("refit") == "all"
    judged = {"nme": "nme (fitted to the training observations, not interpreted)"} if on_all else {}
    names = ParameterNames.of(config)
    said += [
        f"Warning for {judged.get(note['model'], note['model'])}: {names.in_text(note['message'])}"
        for note in config["warnings"]
    ]
    return " ".join(said) or "No model had been fitted to its end."
