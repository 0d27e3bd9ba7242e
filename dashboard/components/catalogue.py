"""Every figure of a study or run, with its sentence; pages and the export page share them."""

from __future__ import annotations

import pandas as pd

from dashboard.components.figures import Figure, as_shown
from dashboard.components.findings import effect_name, effect_words
from dashboard.services import covariates as tests
from dashboard.services import people, results
from dashboard.services.terms import model_name
from dashboard.words.covariates import HSIC_LIMIT
from dashboard.words.effects import CURVE_INTERVAL, GROUPS_LIMIT, NOT_LEARNED
from dashboard.words.fit import VARIANCE_TRACES
from dashboard.words.look import HEATMAP_LIMIT
from dashboard.words.transitions import GROUP_MEANS, READOUTS
from nme_core.figures import described
from nme_core.figures.figures_training import losses_sentence
from nme_core.figures.moves_of_person import comparison
from nme_core.figures.words import EFFECT_LIMIT, OBSERVATIONS_LIMIT, SCATTER_LIMIT
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said
from nme_core.vocabulary.numbers import number, p_phrase, place


def observations_figure(counts: pd.Series) -> Figure:
    """How many occasions each person has."""
    low, high = int(counts.min()), int(counts.max())
    spread = tr("{low} observations each").format(low=low)
    if low < high:
        spread = tr("{low} to {high} observations each, {median:g} in the median").format(
            low=low, high=high, median=counts.median()
        )
    sentence = tr("{counts} people with {spread}. {observations_limit}").format(
        counts=len(counts), spread=spread, observations_limit=tr(OBSERVATIONS_LIMIT)
    )
    return Figure(
        "observations_per_person", tr("Observations per person"), sentence, {"n_obs": counts}
    )


def outcome_figure(outcome: pd.Series, kind: str, name: str) -> Figure:
    """What the outcome looks like over all rows."""
    known = outcome.dropna()
    if kind == "class":
        share = known.value_counts(normalize=True)
        what = tr("The most frequent state is {first}, {first_2:.0f} % of the rows").format(
            first=share.index[0], first_2=100 * share.iloc[0]
        )
    else:
        # Squares of very large numbers would overflow.
        unit = known.abs().max() or 1.0
        mean, sd = unit * (known / unit).mean(), unit * (known / unit).std()
        what = tr("The mean of {name} is {mean}, the SD {sd}").format(
            name=name, mean=number(mean), sd=number(sd)
        )
    missing = int(outcome.isna().sum())
    sentence = tr("{what}; {missing} rows lack the outcome. People are pooled here.").format(
        what=what, missing=missing or tr("no")
    )
    return Figure("outcome_overview", tr("Outcome"), sentence, {"y": outcome, "kind": kind})


def missing_figure(grid: pd.DataFrame, by: str, time: str) -> Figure:
    """Where values of the outcome and the features are missing, over time."""
    share = grid.mean(axis=1)
    most = share.idxmax()
    what = (
        tr("Person {most}").format(most=most)
        if by == "person"
        else tr("Column {most}").format(most=most)
    )
    with_any = int((grid.max(axis=1) > 0).sum())
    kind = tr("people") if by == "person" else tr("columns")
    sentence = tr(
        "{with_any} of {grid} {kind} lack values; most are missing in {what}, "
        "{share:.0f} % on average over the steps of time with rows. {heatmap_limit}"
    ).format(
        with_any=with_any,
        grid=len(grid),
        kind=kind,
        what=what,
        share=100 * share[most],
        heatmap_limit=tr(HEATMAP_LIMIT),
    )
    return Figure(
        "missing_values",
        tr("Missing values by {by}").format(by=by),
        sentence,
        {"grid": grid, "by": by, "time": time},
    )


def loss_figure(history: pd.DataFrame) -> Figure:
    """Losses over epochs."""
    names = _model_names(history)
    sentence, arguments = losses_sentence(history, names), {"history": history, "names": names}
    return Figure("loss_curves", tr("Training"), sentence, arguments)


def variance_figure(history: pd.DataFrame) -> Figure | None:
    """Residual and random-effect variance over epochs; None where there are none yet."""
    fixed_residual = (history["residual_variance"].dropna() == 1).all()
    if fixed_residual and history["mean_random_variance"].isna().all():
        return None
    sentence = tr(VARIANCE_TRACES)
    arguments = {"history": history, "names": _model_names(history)}
    return Figure("variance_traces", tr("Variances by epoch"), sentence, arguments)


def _model_names(history: pd.DataFrame) -> dict[str, str]:
    return {str(model): model_name(str(model)) for model in history["model"].unique()}


def transition_figure(run: str, person: str, readout: str) -> Figure:
    """One person beside the population."""
    own, shared = (people.moves_of(run, who, readout) for who in (person, results.POPULATION))
    title = tr("Transitions of {person}, {first}").format(
        person=person, first=tr(READOUTS)[readout][0]
    )
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
    sentence = tr(
        "{rows} people's deviations in {name} have an SD of {std}; the model's own SD is "
        "{variance}. {effect_limit}"
    ).format(
        rows=len(rows),
        name=name,
        std=number(rows["estimate"].std(), 2),
        variance=number(variance**0.5, 2),
        effect_limit=tr(EFFECT_LIMIT),
    )
    if not results.is_learned(run, parameter):
        sentence = f"{tr(NOT_LEARNED)} {sentence}"
    return Figure(
        "random_effect_distribution",
        tr("Random effect {name}").format(name=name),
        sentence,
        {"estimates": rows["estimate"], "variance": variance, "parameter": name},
    )


def response_figure(
    run: str, feature: str, outcome: str, label: str | None, person: str | None
) -> Figure:
    """What a feature does to the prediction, person by person."""
    curves = results.response_curves(run, feature, label)
    what = outcome if label is None else tr("probability of {label}").format(label=label)
    sentence = described.curve_sentence(curves, feature=feature, what=what, person=person)
    if person is not None and curves.loc[curves["person"] == person, "ci_low"].notna().all():
        sentence += f" {tr(CURVE_INTERVAL).format(person=person, what=what)}"
    return Figure(
        "response_curves",
        tr("Response to {feature}").format(feature=feature)
        if label is None
        else tr("Response of {label} to {feature}").format(label=label, feature=feature),
        sentence,
        {"curves": curves, "feature": feature, "outcome": what, "person": person},
    )


def group_figure(
    run: str,
    covariate: str,
    feature: str,
    outcome: str,
    label: str | None,
    verdict: str | None = None,
) -> Figure | None:
    """Mean response curves of persons low and high in a covariate; None without such groups.

    Where a test did not find more than chance gives, the sentence names no difference.
    """
    curves = tests.group_curves(run, covariate, feature, label)
    if curves is None or curves.empty:
        return None
    what = (
        tr("predicted {outcome}").format(outcome=outcome)
        if label is None
        else tr("predicted probability of {label}").format(label=label)
    )
    side = curves.pivot(index="x", columns="group", values="value")
    side = side[list(curves["group"].unique())].dropna()
    apart = tr("The groups have no part of the feature in common.")
    if verdict not in (None, "beyond"):
        apart = tr(GROUP_MEANS)[verdict]
    elif len(side):
        at = (side.max(axis=1) - side.min(axis=1)).idxmax()
        means = [f"{number(value)} ({group})" for group, value in side.loc[at].items()]
        apart = tr("The groups' mean {what} differs most where {feature} is {at}: {means}.").format(
            what=what, feature=feature, at=place(at), means=", ".join(means)
        )
    return Figure(
        "group_curves",
        tr("Response to {feature} by {covariate}").format(feature=feature, covariate=covariate)
        if label is None
        else tr("Response of {label} to {feature} by {covariate}").format(
            label=label, feature=feature, covariate=covariate
        ),
        f"{apart} {tr(GROUPS_LIMIT)}",
        {"curves": curves, "feature": feature, "outcome": what, "covariate_name": covariate},
    )


def hsic_figure(found: tests.CovariateResult, covariate: str) -> Figure:
    """The permutation null and the observed statistic."""
    row = found.hsic.set_index("covariate").loc[covariate]
    finding = tr("goes beyond") if row["p_adjusted"] < 0.05 else tr("lies within")
    sentence = tr(
        "The dependence of people's {parameters} on {covariate} {finding} what chance "
        "gives in {reps:,} permutations ({p}; corrected for {hsic} {which} {p_adjusted}; "
        "{n_persons} people). {hsic_limit}"
    ).format(
        parameters=said(row["parameters"]),
        covariate=covariate,
        finding=finding,
        reps=int(row["reps"]),
        p=p_phrase(row["p"]),
        hsic=len(found.hsic),
        which=tr("test") if len(found.hsic) == 1 else tr("tests"),
        p_adjusted=p_phrase(row["p_adjusted"]),
        n_persons=int(row["n_persons"]),
        hsic_limit=tr(HSIC_LIMIT),
    )
    return Figure(
        "hsic_null",
        tr("HSIC {covariate}").format(covariate=covariate),
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
    size, limits = effect_words(row["kind"], row["effect"], row["ci_low"], row["ci_high"])
    name = results.names(run).words(parameter)
    sentence = tr(
        "For {name}, {effect} is {size}, 95 % interval {limits}, corrected {p}. {scatter_limit}"
    ).format(
        name=name, effect=effect, size=size, limits=limits,
        p=p_phrase(row["p_adjusted"]), scatter_limit=tr(SCATTER_LIMIT),
    )  # fmt: skip
    return Figure(
        "covariate_scatter",
        tr("{name} and {covariate}").format(name=name, covariate=covariate),
        sentence,
        {
            "values": tests.parameters(run).values[parameter],
            "covariate": results.covariates(run)[covariate],
            "parameter": name,
            "covariate_name": covariate,
            "bands": tests.band_of_persons(run, covariate),
        },
    )
