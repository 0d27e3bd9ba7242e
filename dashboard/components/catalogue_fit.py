"""Figures of how well a model predicts and whether it holds, with their sentences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from dashboard.components.figures import Figure, as_shown
from dashboard.services import fit, results
from dashboard.services.terms import model_name
from dashboard.words.fit import (
    CHECKS,
    CHECKS_BY_PERSON,
    INDIVIDUAL,
    METRICS,
    PERSON_ERRORS,
    SHRINKAGE,
    STATE_STATISTICS,
)
from nme_core.figures import described
from nme_core.figures.labels import parameter_words
from nme_core.figures.summaries import MOST_PERSONS
from nme_core.figures.words import PERSON_STATISTICS, STATISTICS
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said
from nme_core.vocabulary.numbers import alike, fixed, number
from nme_core.vocabulary.text import count

#: Persons whose fits stand on one page, and parameters in one figure.
A_PAGE, MOST_PARAMETERS = 12, 24
#: Statistics that a sentence names.
MOST_NAMED = 5


def paired_figure(run: str) -> Figure | None:
    """Other models minus NME; None where there is nothing to compare."""
    rows = results.table(run, "comparison")
    metrics = {name: tr(METRICS)[name][0] for name in rows["metric"].unique()}
    return as_shown(described.differences(rows, metrics))


def skill_figure(run: str) -> Figure | None:
    """Skill against every rival by horizon; None where there is nothing to show."""
    if not results.has_table(run, "skill"):
        return None
    return as_shown(described.skill(results.table(run, "skill")))


def individual_figure(run: str, who: list[str], outcome: str, *, plain: bool = False) -> Figure:
    """Observed, person-specific and population prediction of one person, or of several.

    With ``plain``, errors are said without terms.
    """
    rows, words = fit.individual(run, who), tr(INDIVIDUAL)
    states = [] if fit.is_number(run) else fit.states(run)
    kind = "states" if states else "numbers"
    title = (
        tr("Fit of {first}").format(first=who[0])
        if len(who) == 1
        else tr("Fits of {first} to {last}").format(first=who[0], last=who[-1])
    )
    what = words[f"several {kind}"].format(outcome=outcome)
    if len(who) == 1:
        what = _how_near(rows[who[0]], who[0], states=bool(states), plain=plain)
    sentence = f"{what} {words[_cut(rows)]} {words[kind]}"
    arguments = {
        "rows": rows, "outcome": outcome, "states": states,
        "time": fit.time_name(run) or words["days"],
    }  # fmt: skip
    return Figure("individual_fits", title, sentence, arguments)


def _cut(rows: dict[str, pd.DataFrame]) -> str:
    """Whose occasions a line parts into those that were fitted and others: all, some or none."""
    fitted = [own["split"].eq("train") for own in rows.values()]
    parted = [one.any() and not one.all() for one in fitted]
    if any(parted):
        return "all cut" if all(parted) else "some cut"
    return "none fitted" if not any(one.any() for one in fitted) else "none cut"


def _how_near(rows: pd.DataFrame, person: str, *, states: bool, plain: bool) -> str:
    words = tr(INDIVIDUAL)
    test = rows[rows["split"] == "test"].dropna(subset=["observed"])
    test = test[test["observed"] != ""]
    if test.empty:
        return words["untested"].format(person=person)
    kind = "right" if states else "off" if plain else "rmse"
    both = [
        _nearness(test["observed"], test[name], kind)
        for name in ("predicted", "population_predicted")
    ]
    own, shared = [f"{100 * value:.0f}" for value in both] if states else alike(both)
    return words[kind].format(n=count(len(test), "occasion"), person=person, own=own, shared=shared)


def _nearness(observed: pd.Series, predicted: pd.Series, kind: str) -> float:
    """Share of right predictions, mean absolute error, or root of the mean squared error."""
    if kind == "right":
        return float((predicted == observed).mean())
    error = (observed - predicted).abs()
    return float(error.mean() if kind == "off" else np.sqrt(np.square(error).mean()))


def confusion_figure(run: str, model: str) -> Figure:
    """Which states are taken for which."""
    return as_shown(
        described.confusion(fit.confusion(run, model), model),
        tr("Confusion {model}").format(model=model),
    )


def residual_figure(run: str, model: str, outcome: str) -> Figure:
    """What is left of numbers after the prediction."""
    return as_shown(
        described.residuals(fit.judged(run, model), outcome),
        tr("Residuals {model}").format(model=model),
    )


def person_error_figure(run: str, metric: str) -> Figure | None:
    """Each person's metric against their number of occasions; None where nobody has one."""
    table = fit.by_person(run, metric)
    own = table[table["model"] == fit.NME]
    if own.empty:
        return None
    higher = metric in results.HIGHER_IS_BETTER
    worst = own.loc[own["value"].idxmin() if higher else own["value"].idxmax()]
    name = tr(METRICS)[metric][0]
    sentence = tr(PERSON_ERRORS).format(
        metric=name, median=number(float(own["value"].median())), n=len(own),
        worst=number(float(worst["value"])), person=worst["person"], obs=int(worst["n_obs"]),
    )  # fmt: skip
    names = {model: model_name(model) for model in table["model"].unique()}
    arguments = {"table": table, "metric": name, "names": names}
    return Figure("person_errors", tr("{name} by person").format(name=name), sentence, arguments)


def check_figures(run: str) -> list[Figure]:
    """Simulated against observed; none where the run has no checks."""
    table = fit.checks(run)
    if table is None:
        return []
    names = ["check_numbers"] if fit.is_number(run) else ["check_states", "check_transitions"]
    titles = {
        "check_numbers": tr("Simulated and observed"),
        "check_states": tr("States, simulated and observed"),
        "check_transitions": tr("Transitions, simulated and observed"),
    }
    found = []
    for name in names:
        figure = Figure(name, titles[name], "", {"checks": table})
        shown = figure.numbers()
        is_move = shown["check"] == "transition"
        shown = shown[is_move if name == "check_transitions" else ~is_move]
        found.append(replace(figure, sentence=_misses(shown)))
    return found


def _misses(rows: pd.DataFrame) -> str:
    """How many statistics of all persons lie outside, and which, those furthest out first."""
    outside = rows[rows["outside"]].assign(beyond=_beyond(rows)[rows["outside"]])
    outside = outside.sort_values("beyond", ascending=False, kind="stable")
    names = [
        _statistic(check, statistic)
        for check, statistic in zip(outside["check"], outside["statistic"], strict=True)
    ]
    more = (
        tr(" and {most_named} more").format(most_named=len(names) - MOST_NAMED)
        if len(names) > MOST_NAMED
        else ""
    )
    which = f" ({', '.join(names[:MOST_NAMED])}{more})" if names else ""
    return tr(CHECKS).format(outside=len(names) or tr("None"), all=len(rows), which=which)


def _statistic(check: str, statistic: str) -> str:
    """A statistic of all persons in words."""
    if check == "transition":
        return parameter_words(statistic)
    if (check, statistic) in STATISTICS:
        return tr(STATISTICS)[check, statistic]
    state = statistic.removeprefix("sd of share of ")
    return tr(STATE_STATISTICS)[check].format(state=state)


def _beyond(rows: pd.DataFrame) -> pd.Series:
    """How far observed values lie outside of the simulated ones, in widths of the interval."""
    low = rows["simulated_low"] - rows["observed"]
    high = rows["observed"] - rows["simulated_high"]
    width = (rows["simulated_high"] - rows["simulated_low"]).replace(0, np.nan)
    # Where every simulation is alike there is no width: as far out as can be.
    return (np.maximum(low, high) / width).fillna(np.inf)


def person_check_figure(run: str) -> Figure | None:
    """Simulated against observed person by person; None where the run has no such checks."""
    table = fit.checks(run)
    if table is None or not (table["check"] == "person").any():
        return None
    figure = Figure("check_persons", tr("Simulated and observed by person"), "", {"checks": table})
    rows = figure.numbers()
    each = [
        tr("{sum} of {own:,} in the {person_statistics}").format(
            sum=int(own["outside"].sum()),
            own=len(own),
            person_statistics=tr(PERSON_STATISTICS).get(str(statistic)) or said(str(statistic)),
        )
        for statistic, own in rows.groupby("statistic", sort=False)
    ]
    n = rows["person"].nunique()
    sentence = tr(CHECKS_BY_PERSON)["outside"].format(each=", ".join(each), worst=_worst(rows))
    step = -(-n // MOST_PERSONS)
    thinned = tr(CHECKS_BY_PERSON)["thinned"].format(step=step) if step > 1 else ""
    return replace(figure, sentence=f"{sentence}{thinned}")


def _worst(rows: pd.DataFrame) -> str:
    """The person furthest outside, in words; nothing where nobody is."""
    outside = rows[rows["outside"]]
    if outside.empty:
        return ""
    row = outside.loc[_beyond(outside).idxmax()]
    what = tr(PERSON_STATISTICS).get(row["statistic"], row["statistic"])
    return tr(CHECKS_BY_PERSON)["worst"].format(
        person=row["person"], what=what, n=f"{rows['person'].nunique():,}",
        observed=number(row["observed"]), low=number(row["simulated_low"]),
        high=number(row["simulated_high"]),
    )  # fmt: skip


def calibration_figure(run: str, model: str) -> Figure | None:
    """Whether probabilities, or prediction intervals, hold; None where it was not computed."""
    table = fit.calibration(run, model)
    title = tr("Calibration {model}").format(model=model)
    return None if table is None else as_shown(described.calibration(table), title)


def shrinkage_figure(run: str) -> Figure | None:
    """How far estimates are pulled to the population; None where the run does not say."""
    found = fit.summary(run)
    if found is None:
        return None
    table, icc = found
    shown = table.head(MOST_PARAMETERS)
    parts = [tr(SHRINKAGE)["median"].format(
        median=fixed(float(table["shrinkage"].median()), 2), n=len(table)
    )]  # fmt: skip
    if len(shown) < len(table):
        parts.append(tr(SHRINKAGE)["most"].format(shown=len(shown)))
    if icc is not None:
        parts.append(tr(SHRINKAGE)["icc"].format(icc=fixed(icc, 2)))
    parts.append(tr(SHRINKAGE)["limit"])
    return Figure(
        "shrinkage",
        tr("Shrinkage"),
        " ".join(parts),
        {"summary": shown.rename(index=results.names(run).words)},
    )
