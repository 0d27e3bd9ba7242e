"""Charts of random effects."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from nme_core.figures import theme
from nme_core.figures.charts import Chart, Layer, Matrix, Panel
from nme_core.figures.labels import cell, parameter_words
from nme_core.figures.summaries import MOST_PERSONS, lies_outside, padded
from nme_core.vocabulary.language import tr, written
from nme_core.vocabulary.numbers import number, p_phrase

#: Pairs of parameters whose bands are drawn.
MOST_PAIRS = 15


def caterpillar(rows: pd.DataFrame, *, parameter: str) -> Chart:
    """Each person's estimate with its 95 % interval, in order of the estimate.

    ``rows`` has the persons as index and the columns estimate, ci_low and ci_high; where these are
    missing there is no interval. Of very many persons every so-manieth is drawn; the numbers have
    all.
    """
    table = rows.sort_values("estimate", kind="stable")
    table = table.assign(rank=np.arange(1, len(table) + 1))
    drawn = table.iloc[:: math.ceil(len(table) / MOST_PERSONS)]
    known = drawn["ci_low"].notna().all()
    apart = (drawn["ci_low"] > 0) | (drawn["ci_high"] < 0)
    low, high = (drawn[name].to_numpy() if known else None for name in ("ci_low", "ci_high"))
    layers = [
        Layer(
            "points",
            drawn["estimate"].to_numpy(),
            drawn["rank"].to_numpy(dtype=float),
            tr("person"),
            low=low,
            high=high,
            across="x",
            size=5,
            legend=False,
            colours=[theme.PERSON if one else theme.PERSONS for one in apart],
            hover=[
                tr("person {person}: {estimate}").format(
                    person=person, estimate=number(row["estimate"])
                )
                + (f" ({number(row['ci_low'])} to {number(row['ci_high'])})" if known else "")
                for person, row in drawn.iterrows()
            ],
        ),
        Layer(
            "line",
            np.zeros(2),
            np.array([0.0, len(table) + 1]),
            tr("population"),
            theme.INK,
            width=1.2,
            dash="dash",
        ),
    ]
    panel = Panel(
        "", tr("estimate (difference from the population)"), tr("people, in order"), layers,
        y_range=(0, len(table) + 1),
    )  # fmt: skip
    return Chart(
        tr("People in order: {parameter}").format(parameter=parameter_words(parameter)),
        [panel],
        table.reset_index(),
        height=min(260 + 4 * len(drawn), 620),
    )


def effect_qq(estimates: pd.Series, *, parameter: str) -> Chart:
    """Ordered estimates against quantiles of the normal distribution, with a 95 % band.

    Estimates are standardised; the band is pointwise, from the distribution of order statistics
    (beta) of a normal sample of this size.
    """
    known = estimates.dropna().sort_values()
    n = len(known)
    ranks = np.arange(1, n + 1)
    expected = stats.norm.ppf((ranks - 0.375) / (n + 0.25))
    spread = float(known.std())
    observed = (known - known.mean()) / (spread if spread > 0 else 1.0)
    low, high = (
        stats.norm.ppf(stats.beta.ppf(level, ranks, n + 1 - ranks)) for level in (0.025, 0.975)
    )
    table = pd.DataFrame(
        {"person": known.index, "expected": expected, "observed": observed.to_numpy(),
         "low": low, "high": high}
    )  # fmt: skip
    layers = [
        Layer("band", expected, expected, tr("95 % band"), theme.PERSONS, low, high),
        Layer("line", expected, expected, tr("normal"), theme.INK, width=1.2),
        Layer(
            "points",
            expected,
            observed.to_numpy(),
            tr("people"),
            theme.PALETTE[0],
            size=6,
            hover=[
                tr("person {person}: {v} SD").format(person=person, v=number(v))
                for person, v in observed.items()
            ],
        ),
    ]
    panel = Panel("", tr("quantile of the normal distribution"), tr("estimate, in SD"), layers)
    return Chart(
        tr("Q–Q plot: {parameter}").format(parameter=parameter_words(parameter)), [panel], table
    )


def effect_correlations(table: pd.DataFrame) -> Chart:
    """Correlations of the persons' estimates across parameters, written where there is room.

    ``table`` has the columns of ``correlations.csv``. Framed where a correlation lies outside the
    band that the model expects.
    """
    table = table.assign(outside=lies_outside(table, "correlation"))
    keys = list(dict.fromkeys([*table["parameter"], *table["parameter_2"]]))
    place = {key: i for i, key in enumerate(keys)}
    at = (table["parameter"].map(place).to_numpy(), table["parameter_2"].map(place).to_numpy())
    values = np.eye(len(keys))
    marks = np.zeros(values.shape, dtype=bool)
    hover = np.empty(values.shape, dtype=object)
    names = [parameter_words(key) for key in keys]
    np.fill_diagonal(hover, names)
    for i, k in ((0, 1), (1, 0)):
        values[at[i], at[k]] = table["correlation"]
        marks[at[i], at[k]] = table["outside"]
        hover[at[i], at[k]] = [_pair_text(row) for row in table.to_dict("records")]
    matrix = Matrix(
        values, names, names, theme.DIVERGING, (-1.0, 1.0), tr("correlation"),
        texts=[cell(v, compact=True) for v in values.ravel()] if len(values) <= 10 else (),
        marks=marks, hover=hover.ravel().tolist(),
    )  # fmt: skip
    return Chart(
        tr("Correlations across parameters"), [Panel(matrix=matrix)], table,
        height=min(260 + 34 * len(names), 700),
    )  # fmt: skip


def correlation_bands(table: pd.DataFrame) -> Chart:
    """The pairs that leave what the model expects furthest: estimates' correlations and the band.

    ``table`` has the columns of ``correlations.csv``, its simulated ones known.
    """
    table = table.assign(outside=lies_outside(table, "correlation"))
    half = (table["simulated_high"] - table["simulated_low"]) / 2
    away = (table["correlation"] - table["simulated_mean"]).abs() / half
    drawn = table.loc[away.sort_values(kind="stable").index[-MOST_PAIRS:]]
    rank = np.arange(1.0, len(drawn) + 1)
    hover = [_pair_text(row) for row in drawn.to_dict("records")]
    layers = [
        Layer(
            "points",
            drawn["simulated_mean"].to_numpy(),
            rank,
            tr("expected by the model, with 95 %"),
            theme.PERSONS,
            low=drawn["simulated_low"].to_numpy(),
            high=drawn["simulated_high"].to_numpy(),
            across="x",
            size=4,
            hover=hover,
        ),
        Layer(
            "points",
            drawn["correlation"].to_numpy(),
            rank,
            tr("people's estimates"),
            theme.PERSON,
            size=8,
            hover=hover,
        ),
    ]
    labels = [
        f"{parameter_words(row['parameter'])}, {parameter_words(row['parameter_2'])}"
        for row in drawn.to_dict("records")
    ]
    panel = Panel(
        "", tr("correlation over people"), "", layers, x_range=(-1.02, 1.02),
        y_range=(0.4, len(drawn) + 0.6), y_ticks=list(zip(rank, labels, strict=True)),
    )  # fmt: skip
    return Chart(
        tr("Correlations beside those that the model expects"), [panel], table,
        height=150 + 26 * len(drawn),
    )  # fmt: skip


def reliability_by_observations(rows: pd.DataFrame, *, parameter: str) -> Chart:
    """Reliability of each person's estimate against the number of observations.

    ``rows`` has the persons as index and the columns n_obs and reliability.
    """
    known = rows.dropna(subset=["reliability"])
    layer = Layer(
        "points",
        known["n_obs"].to_numpy(dtype=float),
        known["reliability"].to_numpy(),
        tr("person"),
        hover=[
            tr("person {person}: {n_obs:.0f} observations, {reliability}").format(
                person=person, n_obs=row["n_obs"], reliability=number(row["reliability"], 2)
            )
            for person, row in known.iterrows()
        ],
    )
    panel = Panel("", tr("observations"), tr("reliability"), [layer], y_range=(-0.02, 1.02))
    numbers = known.reset_index()[["person", "n_obs", "reliability"]]
    return Chart(
        tr("Reliability: {parameter}").format(parameter=parameter_words(parameter)),
        [panel],
        numbers,
    )


def person_map(
    places: pd.DataFrame, shares: list[float], covariate: pd.Series, *, covariate_name: str
) -> Chart:
    """Persons on the two directions in which they differ most, coloured by a covariate.

    ``places`` has the persons as index and the columns first and second; persons without the
    covariate are grey. Numbers with more than six values are coloured in three thirds.
    """
    side = covariate.reindex(places.index)
    groups = _thirds(side, covariate_name)
    names = [name for name in dict.fromkeys(groups) if name != _UNKNOWN]
    names = sorted(names, key=lambda name: _position(name, groups, side))
    palette = _colours(names, ordered=_has_thirds(side))
    layers = [
        Layer(
            "points",
            rows["first"].to_numpy(),
            rows["second"].to_numpy(),
            tr(name) if name == _UNKNOWN else name,
            palette.get(name, theme.EMPTY),
            size=9,
            hover=[
                tr("person {person}, {covariate_name} {side}").format(
                    person=person, covariate_name=covariate_name, side=side[person]
                )
                for person in rows.index
            ],
        )
        for name in [*names, _UNKNOWN]
        if len(rows := places[(groups == name).to_numpy()])
    ]
    titles = [
        tr("{word} component ({share:.0f} % of the variance)").format(word=word, share=100 * share)
        for word, share in zip((tr("first"), tr("second")), [*shares, 0.0, 0.0], strict=False)
    ]
    panel = Panel(
        "", titles[0], titles[1], layers, x_range=padded(*_ends(places["first"])),
        y_range=padded(*_ends(places["second"])),
    )  # fmt: skip
    numbers = places.assign(**{covariate_name: side}).reset_index()
    return Chart(
        tr("People, by {covariate_name}").format(covariate_name=covariate_name),
        [panel],
        numbers,
        height=460,
    )


_UNKNOWN = "not known"


def _pair_text(row: dict[str, Any]) -> str:
    names = tr("{parameter} and {parameter_2}").format(
        parameter=parameter_words(row["parameter"]), parameter_2=parameter_words(row["parameter_2"])
    )
    own = number(row["model_correlation"], 2)
    text = tr("{names}: {correlation}, in Σ {own}").format(
        names=names, correlation=number(row["correlation"], 2), own=own
    )
    if not math.isfinite(row["simulated_low"]):
        return text
    low, high = number(row["simulated_low"], 2), number(row["simulated_high"], 2)
    return tr("{text}, expected {low} to {high}, corrected {p_adjusted}").format(
        text=text, low=low, high=high, p_adjusted=p_phrase(row["p_adjusted"])
    )


def _colours(names: list[str], *, ordered: bool) -> dict[str, str]:
    """Blue for the lowest third and orange for the highest, as differences are; else by kind."""
    colours = theme.THIRDS if ordered else theme.PALETTE
    return {name: colours[i % len(colours)] for i, name in enumerate(names)}


def _ends(values: pd.Series) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 1, high + 1)


def _thirds(side: pd.Series, name: str) -> pd.Series:
    """What each person is coloured by, in words."""
    if _has_thirds(side):
        low, high = side.quantile([1 / 3, 2 / 3])
        lowest, highest = side[side <= low].max(), side[side >= high].min()
        words = [
            tr("{name} up to {lowest:.3g}").format(name=name, lowest=lowest),
            tr("between"),
            tr("{name} from {highest:.3g}").format(name=name, highest=highest),
        ]
        cut = np.select([side <= low, side < high], words[:2], words[2])
        return pd.Series(cut, index=side.index).where(side.notna(), _UNKNOWN)
    shown = side.map(lambda one: written(f"{one:g}") if isinstance(one, float) else str(one))
    return shown.where(side.notna(), _UNKNOWN)


def _position(name: str, groups: pd.Series, side: pd.Series) -> tuple[float, str]:
    own = side[groups == name]
    return (float(own.min()) if pd.api.types.is_numeric_dtype(side) else 0.0, name)


def _has_thirds(side: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(side)) and side.nunique() > 6
