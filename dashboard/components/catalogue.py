"""Every figure of a study or run, with its sentence; pages and the export page share them."""

from __future__ import annotations

import pandas as pd

from dashboard.components.figures import Figure, as_shown
from dashboard.components.findings import effect_limits, effect_name, effect_size
from dashboard.components.text import number, p_phrase, place
from dashboard.services import covariates as tests
from dashboard.services import people, results
from dashboard.services.terms import model_name
from dashboard.words.covariates import HSIC_LIMIT
from dashboard.words.effects import CURVE_INTERVAL, GROUPS_LIMIT, NOT_LEARNED
from dashboard.words.fit import VARIANCE_TRACES
from dashboard.words.look import HEATMAP_LIMIT
from dashboard.words.transitions import READOUTS
from nme_core.figures.figures_training import losses_sentence
from nme_core.figures.moves_of_person import comparison
from nme_core.figures.summaries import curve_changes
from nme_core.figures.words import CURVES, EFFECT_LIMIT, OBSERVATIONS_LIMIT, SCATTER_LIMIT
from nme_core.vocabulary.language import tr


def observations_figure(counts: pd.Series) -> Figure:
    """How many occasions each person has."""
    low, high = int(counts.min()), int(counts.max())
    spread = f"{low} observations each"
    if low < high:
        spread = f"{low} to {high} observations each, {counts.median():g} in the median"
    sentence = f"{len(counts)} people with {spread}. {tr(OBSERVATIONS_LIMIT)}"
    return Figure("observations_per_person", "Observations per person", sentence, {"n_obs": counts})


def outcome_figure(outcome: pd.Series, kind: str, name: str) -> Figure:
    """What the outcome looks like over all rows."""
    known = outcome.dropna()
    if kind == "class":
        share = known.value_counts(normalize=True)
        what = (
            f"The most frequent state is {share.index[0]}, {100 * share.iloc[0]:.0f} % of the rows"
        )
    else:
        # Squares of very large numbers would overflow.
        unit = known.abs().max() or 1.0
        mean, sd = unit * (known / unit).mean(), unit * (known / unit).std()
        what = f"The mean of {name} is {number(mean)}, the SD {number(sd)}"
    missing = int(outcome.isna().sum())
    sentence = f"{what}; {missing or 'no'} rows lack the outcome. People are pooled here."
    return Figure("outcome_overview", "Outcome", sentence, {"y": outcome, "kind": kind})


def missing_figure(grid: pd.DataFrame, by: str, time: str) -> Figure:
    """Where values of the outcome and the features are missing, over time."""
    share = grid.mean(axis=1)
    most = share.idxmax()
    what = f"Person {most}" if by == "person" else f"Column {most}"
    with_any = int((grid.max(axis=1) > 0).sum())
    kind = "people" if by == "person" else "columns"
    sentence = (
        f"{with_any} of {len(grid)} {kind} lack values; most are missing in {what}, "
        f"{100 * share[most]:.0f} % on average over the steps of time with rows. "
        f"{tr(HEATMAP_LIMIT)}"
    )
    return Figure(
        "missing_values",
        f"Missing values by {by}",
        sentence,
        {"grid": grid, "by": by, "time": time},
    )


def loss_figure(history: pd.DataFrame) -> Figure:
    """Losses over epochs."""
    names = _model_names(history)
    sentence, arguments = losses_sentence(history, names), {"history": history, "names": names}
    return Figure("loss_curves", "Training", sentence, arguments)


def variance_figure(history: pd.DataFrame) -> Figure | None:
    """Residual and random-effect variance over epochs; None where there are none yet."""
    fixed_residual = (history["residual_variance"].dropna() == 1).all()
    if fixed_residual and history["mean_random_variance"].isna().all():
        return None
    sentence = tr(VARIANCE_TRACES)
    arguments = {"history": history, "names": _model_names(history)}
    return Figure("variance_traces", "Variances by epoch", sentence, arguments)


def _model_names(history: pd.DataFrame) -> dict[str, str]:
    return {str(model): model_name(str(model)) for model in history["model"].unique()}


def transition_figure(run: str, person: str, readout: str) -> Figure:
    """One person beside the population."""
    own, shared = (people.moves_of(run, who, readout) for who in (person, results.POPULATION))
    title = f"Transitions of {person}, {tr(READOUTS)[readout][0]}"
    return as_shown(
        comparison(
            own, shared, label=person, title=title, readout=readout,
            limit=results.largest_gap(run, readout),
        )
    )  # fmt: skip


def random_effect_figure(run: str, parameter: str) -> Figure:
    """Persons' estimates of one parameter against the model's normal distribution."""
    rows = results.random_effect(run, parameter)
    variance = results.variance(run, parameter)
    name = results.names(run).words(parameter)
    sentence = (
        f"{len(rows)} people's deviations in {name} have an SD of "
        f"{number(rows['estimate'].std(), 2)}; the model's own SD is {number(variance**0.5, 2)}. "
        f"{tr(EFFECT_LIMIT)}"
    )
    if not results.is_learned(run, parameter):
        sentence = f"{tr(NOT_LEARNED)} {sentence}"
    return Figure(
        "random_effect_distribution",
        f"Random effect {name}",
        sentence,
        {"estimates": rows["estimate"], "variance": variance, "parameter": name},
    )


def response_figure(
    run: str, feature: str, outcome: str, label: str | None, person: str | None
) -> Figure:
    """What a feature does to the prediction, person by person."""
    curves = results.response_curves(run, feature, label)
    what = outcome if label is None else f"probability of {label}"
    own, others = (number(value, 2) for value in curve_changes(curves))
    sentence = tr(CURVES).format(what=what, feature=feature, own=own, others=others)
    if person is not None and curves.loc[curves["person"] == person, "ci_low"].notna().all():
        sentence += f" {tr(CURVE_INTERVAL).format(person=person, what=what)}"
    return Figure(
        "response_curves",
        f"Response to {feature}" if label is None else f"Response of {label} to {feature}",
        sentence,
        {"curves": curves, "feature": feature, "outcome": what, "person": person},
    )


def group_figure(
    run: str, covariate: str, feature: str, outcome: str, label: str | None
) -> Figure | None:
    """Mean response curves of persons low and high in a covariate; None without such groups."""
    curves = tests.group_curves(run, covariate, feature, label)
    if curves is None or curves.empty:
        return None
    what = f"predicted {outcome}" if label is None else f"predicted probability of {label}"
    side = curves.pivot(index="x", columns="group", values="value")
    side = side[list(curves["group"].unique())].dropna()
    apart = "The groups have no part of the feature in common."
    if len(side):
        at = (side.max(axis=1) - side.min(axis=1)).idxmax()
        means = [f"{number(value)} ({group})" for group, value in side.loc[at].items()]
        apart = (
            f"The groups' mean {what} differs most where {feature} is {place(at)}: "
            f"{', '.join(means)}."
        )
    return Figure(
        "group_curves",
        f"Response to {feature} by {covariate}" if label is None
        else f"Response of {label} to {feature} by {covariate}",
        f"{apart} {tr(GROUPS_LIMIT)}",
        {"curves": curves, "feature": feature, "outcome": what, "covariate_name": covariate},
    )  # fmt: skip


def hsic_figure(found: tests.CovariateResult, covariate: str) -> Figure:
    """The permutation null and the observed statistic."""
    row = found.hsic.set_index("covariate").loc[covariate]
    finding = "goes beyond" if row["p_adjusted"] < 0.05 else "lies within"
    sentence = (
        f"The dependence of people's {row['parameters']} on {covariate} {finding} what chance "
        f"gives in {int(row['reps']):,} permutations ({p_phrase(row['p'])}; corrected for "
        f"{len(found.hsic)} {'test' if len(found.hsic) == 1 else 'tests'} "
        f"{p_phrase(row['p_adjusted'])}; {int(row['n_persons'])} people). {tr(HSIC_LIMIT)}"
    )
    return Figure(
        "hsic_null",
        f"HSIC {covariate}",
        sentence,
        {
            "null": found.nulls[covariate],
            "statistic": float(row["statistic"]),
            "p": float(row["p"]),
            "covariate": covariate,
        },
    )


def scatter_figure(
    run: str, found: tests.CovariateResult, covariate: str, parameter: str
) -> Figure:
    """One parameter against the covariate."""
    effects = found.effects[found.effects["covariate"] == covariate]
    row = effects[effects["parameter"] == parameter].sort_values("p", kind="stable").iloc[0]
    effect = effect_name(row["kind"], covariate, row["group"])
    name = results.names(run).words(parameter)
    sentence = (
        f"For {name}, {effect} is {effect_size(row['kind'], row['effect'])}, "
        f"95 % interval {effect_limits(row['kind'], row['ci_low'], row['ci_high'])}, "
        f"corrected {p_phrase(row['p_adjusted'])}. {tr(SCATTER_LIMIT)}"
    )
    return Figure(
        "covariate_scatter",
        f"{name} and {covariate}",
        sentence,
        {
            "values": tests.parameters(run).values[parameter],
            "covariate": results.covariates(run)[covariate],
            "parameter": name,
            "covariate_name": covariate,
            "bands": tests.band_of_persons(run, covariate),
        },
    )
