"""Charts of how well a model predicts: by model, by person, occasion by occasion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nme_core.figures import theme
from nme_core.figures.charts import Chart, Layer, Matrix, Panel, Range
from nme_core.figures.labels import MINUS, cell, parameter_words
from nme_core.figures.summaries import even_ticks, histogram, padded, round_step
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import number

#: More occasions than this are drawn by every so-manieth.
MOST_POINTS = 2000


def paired_differences(rows: pd.DataFrame, *, names: Mapping[str, str]) -> Chart:
    """Other models minus NME with 95 % intervals over persons, one panel per metric.

    ``rows`` has the columns of ``comparison.csv``; ``names`` those of models and metrics.
    """
    models = list(dict.fromkeys(rows["model"]))
    colours = theme.model_colours(models)
    panels, n_panels = [], rows["metric"].nunique()
    for i, (metric, own) in enumerate(rows.groupby("metric", sort=False)):
        at = np.array([len(models) - 1 - models.index(model) for model in own["model"]], float)
        points = Layer(
            "points", own["difference"].to_numpy(), at, low=own["ci_low"].to_numpy(),
            high=own["ci_high"].to_numpy(), across="x", size=9,
            colours=[colours[model] for model in own["model"]],
            hover=[
                f"{names.get(row['model'], row['model'])}: {number(row['difference'], 2)} "
                f"({number(row['ci_low'], 2)} to {number(row['ci_high'], 2)})"
                for row in own.to_dict("records")
            ],
        )  # fmt: skip
        zero = Layer("line", np.zeros(2), np.array([-0.5, len(models) - 0.5]), colour=theme.INK,
                     width=1.2, dash="dash")  # fmt: skip
        ticks = [
            (len(models) - 1.0 - k, names.get(model, model).split(" (")[0] if i % 2 == 0 else "")
            for k, model in enumerate(models)
        ]
        panels.append(
            Panel(
                names.get(str(metric), str(metric)),
                tr("difference from NME") if i + 2 >= n_panels else "", "", [zero, points],
                y_range=(-0.5, len(models) - 0.5), y_ticks=ticks,
            )
        )  # fmt: skip
    down = -(-len(panels) // 2)
    return Chart(
        tr("Other models minus NME"), panels, rows, n_columns=2,
        height=90 + down * (120 + 26 * len(models)),
    )  # fmt: skip


def confusion(counts: pd.DataFrame, *, model: str) -> Chart:
    """How often each observed state (rows) was predicted as which (columns)."""
    values = counts.to_numpy(dtype=float)
    totals = values.sum(axis=1, keepdims=True)
    shares = np.divide(values, totals, out=np.full_like(values, np.nan), where=totals > 0)
    rows, columns = list(counts.index), list(counts.columns)
    matrix = Matrix(
        shares,
        rows,
        columns,
        theme.SEQUENTIAL,
        (0.0, 1.0),
        tr("share of the row"),
        texts=[cell(share) for share in shares.ravel()],
        hover=[
            tr("{a}, predicted as {b}: {values:,.0f} of {totals:,.0f}").format(
                a=a, b=b, values=values[i, k], totals=totals[i, 0]
            )
            for i, a in enumerate(rows)
            for k, b in enumerate(columns)
        ],
    )
    long = counts.rename_axis(index="observed", columns="predicted").stack().rename("count")
    numbers = long.reset_index().assign(share=shares.ravel())
    panel = Panel("", tr("predicted"), tr("observed"), matrix=matrix)
    return Chart(
        tr("Confusion, {model}").format(model=model), [panel], numbers,
        height=min(190 + 56 * len(rows), 620),
    )  # fmt: skip


def residuals(rows: pd.DataFrame, *, outcome: str) -> Chart:
    """Observed minus predicted: against the prediction, and as a histogram.

    ``rows`` has the columns person, observed, predicted.
    """
    table = rows.assign(residual=rows["observed"] - rows["predicted"])
    drawn = table.iloc[:: math.ceil(len(table) / MOST_POINTS)]
    bins = histogram(table["residual"], whole_numbers=False)
    x = drawn["predicted"].to_numpy()
    ends = padded(float(x.min()), float(x.max()), least=1e-9)
    points = Layer(
        "points",
        x,
        drawn["residual"].to_numpy(),
        size=4,
        colour=theme.PALETTE[0],
        hover=[
            tr("person {person}: observed {observed}, predicted {predicted}").format(
                person=row["person"],
                observed=number(row["observed"]),
                predicted=number(row["predicted"]),
            )
            for row in drawn.to_dict("records")
        ],
    )
    zero = Layer("line", np.array(ends), np.zeros(2), colour=theme.INK, width=1.2, dash="dash")
    bars = Layer("bars", bins.centres, bins.counts.astype(float), colour=theme.BARS)
    panels = [
        Panel(
            "",
            tr("predicted {outcome}").format(outcome=outcome),
            tr("observed minus predicted"),
            [points, zero],
            x_range=ends,
        ),
        Panel("", tr("observed minus predicted"), tr("occasions"), [bars]),
    ]
    return Chart(tr("Residuals"), panels, table, n_columns=2, height=360)


def person_errors(table: pd.DataFrame, *, metric: str, names: Mapping[str, str]) -> Chart:
    """Each person's metric against the person's number of training occasions, by model.

    ``table`` has the columns model, person, n_obs, value.
    """
    models = list(table["model"].unique())
    colours = theme.model_colours(models)
    # Models stand side by side, as many persons have the same number of occasions.
    step = 0.012 * max(float(np.ptp(table["n_obs"])), 1.0)
    layers = [
        Layer(
            "points",
            rows["n_obs"].to_numpy() + step * (i - (len(models) - 1) / 2),
            rows["value"].to_numpy(),
            names.get(str(model), str(model)),
            colours[str(model)],
            size=7,
            hollow=str(model) in theme.HOLLOW,
            hover=[
                tr("person {person}: {value}, {n_obs:.0f} occasions").format(
                    person=row["person"], value=number(row["value"]), n_obs=row["n_obs"]
                )
                for row in rows.to_dict("records")
            ],
        )
        for i, (model, rows) in enumerate(table.groupby("model", sort=False))
    ]
    panel = Panel("", tr("occasions fitted"), metric, layers)
    return Chart(tr("{metric}, person by person").format(metric=metric), [panel], table, height=380)


def individual_fits(
    rows: Mapping[str, pd.DataFrame],
    *,
    outcome: str,
    states: Sequence[str] = (),
    time: str = "",
) -> Chart:
    """Observed, person-specific and population prediction over a person's occasions.

    Parameters
    ----------
    rows : mapping from person to DataFrame
        Columns split, observed, predicted, population_predicted and, optionally, time, a number;
        rows in order of time.
    outcome : str
        Name of the outcome.
    states : sequence of str
        All states, where the outcome is one; then the panels are strips of colour.
    time : str, optional
        Name of the time, where there is one. Occasions are counted where anybody's times are
        missing or do not rise, as where they begin anew in each sequence.
    """
    alone, columns = len(rows) == 1, 1 if len(rows) == 1 else 2 if states else 3
    timed = bool(time) and all(map(_rises, rows.values()))
    rows = {
        person: own.assign(at=own["time"] if timed else np.arange(1.0, len(own) + 1))
        for person, own in rows.items()
    }
    x_title = time if timed else "occasion"
    if timed and states:
        x_title = tr("{time}, one cell per occasion").format(time=time)
    x_titles = [x_title if i + columns >= len(rows) else "" for i in range(len(rows))]
    if states:
        panels = [
            _strips(person, own, title, states)
            for (person, own), title in zip(rows.items(), x_titles, strict=True)
        ]
    else:
        ends, size = _common_range(list(rows.values())), 7.0 if alone else 4.0
        panels = [
            _lines(person, own, (title, outcome if i % columns == 0 else ""), ends, size)
            for i, ((person, own), title) in enumerate(zip(rows.items(), x_titles, strict=True))
        ]
    numbers = pd.concat([own.assign(person=person) for person, own in rows.items()])
    numbers = numbers.drop(columns="time", errors="ignore").rename(columns={"at": "time"})
    down = -(-len(panels) // columns)
    each = (210 if states else 330) if alone else (120 if states else 210)
    return Chart(
        tr("Individual fits"), panels, numbers, n_columns=columns, height=110 + each * down
    )


def shrinkage(summary: pd.DataFrame) -> Chart:
    """Shrinkage and mean reliability of each parameter; 0 to 1.

    ``summary`` has the parameters as index and the columns shrinkage and mean_reliability.
    """
    at = np.arange(len(summary), 0, -1, dtype=float) - 1
    layers = [
        Layer(
            "points", summary[column].to_numpy(), at + shift, name, colour, size=8,
            hover=[f"{p}: {name} {number(v, 2)}" for p, v in summary[column].items()],
        )
        for column, name, colour, shift in (
            ("shrinkage", "shrinkage", theme.PALETTE[1], 0.12),
            ("mean_reliability", tr("mean reliability"), theme.PALETTE[0], -0.12),
        )
    ]  # fmt: skip
    panel = Panel(
        "", tr("share"), "", layers, x_range=(-0.03, 1.03), y_range=(-0.7, len(summary) - 0.3),
        y_ticks=list(zip(at, summary.index.astype(str).map(parameter_words), strict=True)),
    )  # fmt: skip
    return Chart(
        tr("Shrinkage and reliability"), [panel], summary.reset_index(),
        height=150 + 24 * len(summary),
    )  # fmt: skip


def _rises(own: pd.DataFrame) -> bool:
    """Whether all times are known, each later than the one before."""
    return "time" in own and len(own) > 0 and bool((own["time"].diff().iloc[1:] > 0).all())


def _lines(
    person: str, own: pd.DataFrame, titles: tuple[str, str], ends: Range, size: float
) -> Panel:
    at = own["at"].to_numpy(dtype=float)
    hover = [
        tr(
            "person {person}, {tick}: observed {observed}, person {predicted}, population "
            "{population_predicted}"
        ).format(
            person=person,
            tick=_tick(row["at"]),
            observed=number(row["observed"]),
            predicted=number(row["predicted"]),
            population_predicted=number(row["population_predicted"]),
        )
        for row in own.to_dict("records")
    ]
    layers = [
        Layer("line", at, own["population_predicted"].to_numpy(), tr("population"),
              theme.POPULATION, dash="dash", width=1.5),
        Layer("line", at, own["predicted"].to_numpy(), tr("this person"), theme.PERSON),
        Layer("points", at, own["observed"].to_numpy(), tr("observed"), theme.PERSONS,
              size=size, hover=hover),
        *_unseen(own, ends),
    ]  # fmt: skip
    reach = padded(float(at.min()), float(at.max()), least=1.0)
    whole = bool((at == np.round(at)).all())
    ticks = even_ticks(*reach, most=10 if size > 5 else 5, whole=whole)
    return Panel(
        tr("Person {person}").format(person=person), *titles, layers, x_range=reach, y_range=ends,
        x_ticks=[(tick, _tick(tick)) for tick in ticks],
    )  # fmt: skip


def _tick(at: float) -> str:
    """A time as its axis shows it."""
    return f"{round(at, 6):,g}".replace("-", MINUS) if abs(at) < 1e6 else number(at)


def _fitted(own: pd.DataFrame) -> int:
    """How many occasions were fitted; 0 where they are all, as no line can part them then."""
    fitted = int((own["split"] == "train").sum())
    return fitted if fitted < len(own) else 0


def _unseen(own: pd.DataFrame, ends: Range) -> list[Layer]:
    """A line where what the model was fitted to ends."""
    fitted = _fitted(own)
    if not fitted:
        return []
    x = np.full(2, float(own["at"].iloc[fitted - 1 : fitted + 1].mean()))
    return [Layer("line", x, np.array(ends), tr("not fitted from here"), theme.MUTED, width=1.2,
                  dash="dot")]  # fmt: skip


def _strips(person: str, own: pd.DataFrame, x_title: str, states: Sequence[str]) -> Panel:
    codes = {state: i for i, state in enumerate(states)}
    strips = {
        tr("observed"): own["observed"], tr("person"): own["predicted"],
        tr("population"): own["population_predicted"],
    }  # fmt: skip
    values = np.array([[codes.get(label, np.nan) for label in strip] for strip in strips.values()])
    colours = theme.state_colours(states)
    every = max(1, round(round_step(len(own) / 10)))
    at = [_tick(one) for one in own["at"]]
    ticks = [text if i % every == 0 else "" for i, text in enumerate(at)]
    fitted = _fitted(own)
    unseen, missing = tr(", not fitted"), tr("missing")
    matrix = Matrix(
        values,
        list(strips),
        ticks,
        theme.SEQUENTIAL,
        (0, max(len(states) - 1, 1)),
        tr("state"),
        hover=[
            f"{when}{'' if part == 'train' else unseen}: {name} {label or missing}"
            for name, strip in strips.items()
            for when, part, label in zip(at, own["split"], strip, strict=True)
        ],
        legend=[(state, colours[state]) for state in states],
    )
    cut = np.full(2, fitted - 0.5)
    layers = [Layer("line", cut, np.array([-0.5, 2.5]), colour=theme.INK, width=2, dash="dot")]
    return Panel(
        tr("Person {person}").format(person=person),
        x_title,
        matrix=matrix,
        layers=layers if fitted else [],
    )


def _common_range(tables: list[pd.DataFrame]) -> Range:
    columns = ["observed", "predicted", "population_predicted"]
    values = np.concatenate([own[columns].to_numpy(dtype=float).ravel() for own in tables])
    return padded(float(np.nanmin(values)), float(np.nanmax(values)), least=1e-9)
