"""Figures of how well a run predicts and how it was trained, each with its sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from nme_core.analysis import predictions as tables
from nme_core.analysis.support import of_persons
from nme_core.figures import of_study
from nme_core.figures.figures_training import losses_sentence
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.words import (
    CALIBRATION,
    CONFUSION,
    INDIVIDUAL,
    PAIRED_FIGURE,
    PERSON_ERRORS,
    RESIDUALS,
    SHRINKAGE,
    SKILL_FIGURE,
    VARIANCE_TRACES,
)
from nme_core.io import RunFolder
from nme_core.vocabulary.language import tr, written
from nme_core.vocabulary.numbers import alike, fixed, number
from nme_core.vocabulary.terms import HIGHER_IS_BETTER, short_metric_name, short_model_name
from nme_core.vocabulary.text import count

#: People whose fits stand in one figure where nobody is named, and parameters in one figure.
MOST_PEOPLE, MOST_PARAMETERS = 6, 24
NME = "nme"


def observations(folder: RunFolder) -> RunFigure | None:
    """How many observations each person has."""
    effects = of_persons(folder.table("random_effects"))
    counts = effects.drop_duplicates("person").set_index("person")["n_obs"]
    return of_study.observations(counts) if len(counts) else None


def losses(history: pd.DataFrame) -> RunFigure:
    """Losses over epochs."""
    names = _models(history["model"])
    sentence, arguments = losses_sentence(history, names), {"history": history, "names": names}
    return RunFigure("loss_curves", tr("Training"), sentence, arguments, columns=2)


def variances(history: pd.DataFrame) -> RunFigure | None:
    """Residual and random-effect variance over epochs; None where there are none yet."""
    fixed_residual = (history["residual_variance"].dropna() == 1).all()
    if fixed_residual and history["mean_random_variance"].isna().all():
        return None
    arguments = {"history": history, "names": _models(history["model"])}
    title = tr("Variances by epoch")
    return RunFigure("variance_traces", title, tr(VARIANCE_TRACES), arguments, columns=2)


def differences(folder: RunFolder) -> RunFigure | None:
    """Other models minus NME, with intervals over people; None where nothing is compared."""
    rows = folder.table("comparison").dropna(subset=["difference"])
    if rows.empty:
        return None
    sentence = tr(PAIRED_FIGURE).format(apart=apart(rows) or tr("none"), all=len(rows))
    metrics = {str(metric): short_metric_name(metric) for metric in rows["metric"].unique()}
    arguments = {"rows": rows, "names": {**_models(rows["model"]), **metrics}}
    return RunFigure("paired_differences", tr("Paired differences"), sentence, arguments, columns=2)


def skill(folder: RunFolder) -> RunFigure | None:
    """What the model saves of the loss of every rival, by rows ahead; None without any."""
    if not folder.has_table("skill"):
        return None
    table = folder.table("skill")
    rows = table[(table["scope"] == "pooled") & table["skill"].notna()]
    if rows.empty:
        return None
    beaten = int((rows["ci_high"] < 0).sum())
    sentence = tr(SKILL_FIGURE).format(beaten=beaten or tr("none"), all=len(rows))
    arguments = {"rows": rows, "names": _models(rows["reference"])}
    return RunFigure("skill_by_horizon", tr("Skill by horizon"), sentence, arguments, columns=2)


def fits(
    folder: RunFolder,
    person: str | None = None,
    *,
    who: list[str] | None = None,
    outcome: str | None = None,
    plain: bool = False,
) -> RunFigure | None:
    """Observed, person-specific and population prediction of one person, or of several.

    Without `person` and `who`, of the first few. With `plain`, errors are said without terms.
    """
    predictions, words = folder.table("predictions"), tr(INDIVIDUAL)
    every = tables.by_occasion(predictions)
    people = [person] if person else who or list(dict.fromkeys(every.index))[:MOST_PEOPLE]
    if not people or not {*people} <= {*every.index}:
        return None
    rows = {one: every.loc[[one]].reset_index() for one in people}
    states = [] if is_number(folder) else tables.states_of(predictions)
    kind, outcome = "states" if states else "numbers", outcome or str(folder.roles["outcome"])
    alone = len(people) == 1
    title = tr("Fit of {first}") if alone else tr("Fits of {first} to {last}")
    what = words[f"several {kind}"].format(outcome=outcome)
    if alone:
        what = _how_near(rows[people[0]], people[0], states=bool(states), plain=plain)
    arguments = {
        "rows": rows, "outcome": outcome, "states": states,
        "time": _time_name(folder, predictions) or words["days"],
    }  # fmt: skip
    return RunFigure(
        "individual_fits", title.format(first=people[0], last=people[-1]),
        f"{what} {words[_cut(rows)]} {words[kind]}", arguments, columns=2,
    )  # fmt: skip


def _time_name(folder: RunFolder, predictions: pd.DataFrame) -> str | None:
    """What the study calls the time of a row, where its times are numbers; None otherwise."""
    name = folder.roles["time"]
    return str(name) if name is not None and is_numeric_dtype(predictions["time"]) else None


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


def mistakes(
    folder: RunFolder, *, model: str = NME, outcome: str | None = None
) -> RunFigure | None:
    """Which states are taken for which; of numbers, observed minus predicted."""
    predictions = folder.table("predictions")
    rows = tables.judged(predictions, model)
    if rows.empty:
        return None
    if is_number(folder):
        return _residuals(rows, model, outcome or str(folder.roles["outcome"]))
    return _confusion(tables.confusion_counts(predictions, model), model)


def _confusion(counts: pd.DataFrame, model: str) -> RunFigure:
    """Which states are taken for which; `counts` observed × predicted."""
    wrong = counts.where(~np.eye(len(counts), dtype=bool), 0).stack()
    most = ""
    if wrong.max() > 0:
        start, end = wrong.idxmax()
        most = tr(CONFUSION)["most"].format(
            start=start, end=end, n=int(wrong.max()), of=int(counts.loc[start].sum())
        )
    right, total = int(np.trace(counts.to_numpy())), int(counts.to_numpy().sum())
    sentence = tr(CONFUSION)["sentence"].format(
        right=written(f"{right:,}"), all=written(f"{total:,}"), most=most
    )
    arguments = {"counts": counts, "model": short_model_name(model)}
    return RunFigure("confusion", tr("Confusion {model}").format(model=model), sentence, arguments)


def _residuals(rows: pd.DataFrame, model: str, outcome: str) -> RunFigure:
    """What is left of numbers after the prediction; `rows` with observed and predicted."""
    left = rows["observed"] - rows["predicted"]
    sentence = tr(RESIDUALS).format(
        mean=number(float(left.mean()), 2),
        sd=number(float(left.std()), 2),
        n=written(f"{len(left):,}"),
    )
    arguments, title = {"rows": rows, "outcome": outcome}, tr("Residuals {model}")
    return RunFigure("residuals", title.format(model=model), sentence, arguments, columns=2)


def person_errors(folder: RunFolder, *, metric: str | None = None) -> RunFigure | None:
    """Each person's metric against their number of occasions; None where nobody has one."""
    metrics, predictions = folder.table("metrics"), folder.table("predictions")
    metric = metric or str(metrics["metric"].iloc[0])
    table = tables.metric_by_person(metrics, predictions, metric)
    own = table[table["model"] == NME]
    if own.empty:
        return None
    higher = metric in HIGHER_IS_BETTER
    worst = own.loc[own["value"].idxmin() if higher else own["value"].idxmax()]
    name = short_metric_name(metric)
    sentence = tr(PERSON_ERRORS).format(
        metric=name, median=number(float(own["value"].median())), people=count(len(own), "person"),
        worst=number(float(worst["value"])), person=worst["person"],
        occasions=count(int(worst["n_obs"]), "occasion"),
    )  # fmt: skip
    arguments = {"table": table, "metric": name, "names": _models(table["model"])}
    title = tr("{name} by person").format(name=name)
    return RunFigure("person_errors", title, sentence, arguments, columns=2)


def calibration(folder: RunFolder, *, model: str = NME) -> RunFigure | None:
    """Whether probabilities, or prediction intervals, hold; None where it was not computed."""
    if not folder.has_table("calibration"):
        return None
    table = tables.judged_calibration(folder.table("calibration"), model)
    if table.empty:
        return None
    arguments, title = {"calibration": table}, tr("Calibration {model}").format(model=model)
    intervals = table[table["kind"] == "interval"]
    if len(intervals):
        wide = intervals.sort_values("expected").iloc[-1]
        sentence = tr(CALIBRATION)["number"].format(
            expected=f"{100 * wide['expected']:.0f}",
            observed=f"{100 * wide['observed']:.0f}",
            n=f"{int(wide['n']):,}",
        )
        return RunFigure("calibration_numbers", title, sentence, arguments, columns=2)
    inside = (table["ci_low"] <= table["expected"]) & (table["expected"] <= table["ci_high"])
    sentence = tr(CALIBRATION)["class"].format(
        inside=int(inside.sum()), groups=count(len(table), "group")
    )
    return RunFigure("calibration_curve", title, sentence, arguments, columns=2)


def shrinkage(folder: RunFolder) -> RunFigure | None:
    """How far estimates are pulled to the population; None where the run does not say."""
    if not folder.has_table("summary"):
        return None
    rows = of_persons(folder.table("summary"))
    whole = rows[rows["parameter"] == ""].set_index("quantity")["value"]
    own = rows[rows["parameter"] != ""]
    if own.empty:
        return None
    wide = own.pivot(index="parameter", columns="quantity", values="value")
    wide = wide.dropna(subset=["shrinkage"])[["sd", "shrinkage", "mean_reliability"]]
    if wide.empty:
        return None
    told = (wide["sd"] * wide["mean_reliability"].fillna(0)).sort_values(ascending=False)
    shown, words = wide.loc[told.index[:MOST_PARAMETERS]], tr(SHRINKAGE)
    parts = [words["median"].format(
        median=fixed(float(wide["shrinkage"].median()), 2), parameters=count(len(wide), "parameter")
    )]  # fmt: skip
    if len(shown) < len(wide):
        parts.append(words["most"].format(shown=len(shown)))
    if "icc" in whole:
        parts.append(words["icc"].format(icc=fixed(float(whole["icc"]), 2)))
    arguments = {"summary": shown.rename(index=folder.parameter_names.words)}
    sentence = " ".join([*parts, words["limit"]])
    return RunFigure("shrinkage", tr("Shrinkage"), sentence, arguments, columns=2)


def is_number(folder: RunFolder) -> bool:
    """Whether the outcome of a run is a number."""
    return bool(folder.data["outcome_kind"] == "number")


def apart(rows: pd.DataFrame) -> int:
    """Intervals that leave 0 out."""
    return int(((rows["ci_low"] > 0) | (rows["ci_high"] < 0)).sum())


def _models(names: pd.Series) -> dict[str, str]:
    return {str(model): short_model_name(str(model)) for model in names.unique()}
