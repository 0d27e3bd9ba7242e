"""Curves for the screen (plotly): of training, of people, of groups."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from nme_core.figures import tables, theme
from nme_core.figures.labels import all_for_screen, for_screen
from nme_core.figures.summaries import (
    LOSS_PARTS,
    is_logarithmic,
    padded,
    parted,
    settling_range,
    whole_step,
)
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.text import count

_TITLE = 70
_DASH = {"train": "dot", "validation": "solid"}


def loss_curves(history: pd.DataFrame, *, names: Mapping[str, str] | None = None) -> go.Figure:
    """Loss in training (dotted) and validation (solid) by epoch, one colour per model.

    Parameters
    ----------
    history : DataFrame
        Columns model, epoch, train_loss, validation_loss; NaN where there is none. The loss axis
        is logarithmic where losses are positive and span more than a factor of 30; losses of the
        first 5 % of epochs do not widen it.
    names : mapping, optional
        What the models are called.
    """
    table = tables.loss_curves(history)
    figure = theme.plotly_figure(tr("Loss by epoch"))
    colours = theme.model_colours(table["model"].unique())
    validated = table["part"] == "validation"
    for (model, part), found in table.groupby(["model", "part"], sort=False):
        rows = parted(found)
        solid = part == "validation" or not (validated & (table["model"] == model)).any()
        figure.add_scatter(
            x=rows["epoch"], y=rows["loss"], legendgroup=for_screen(model),
            name=for_screen((names or {}).get(str(model), model), 30),
            mode="lines+markers" if len(rows) < 3 else "lines", showlegend=solid,
            line={"color": colours[str(model)], "width": 2, "dash": _DASH[str(part)]},
            hovertemplate=tr("{part}, epoch %{{x}}<br>loss "
"%{{y:.4g}}<extra>%{{fullData.name}}</extra>").format(part=tr(LOSS_PARTS)[str(part)]),
        )  # fmt: skip
    for part in table["part"].unique():
        figure.add_scatter(
            x=[None], y=[None], mode="lines", name=tr(LOSS_PARTS)[str(part)], hoverinfo="skip",
            line={"color": theme.INK, "width": 1.5, "dash": _DASH[str(part)]},
        )  # fmt: skip
    ends = settling_range(table)
    settled = table["loss"] if ends is None else table["loss"][table["loss"].between(*ends)]
    last, logarithmic = int(table["epoch"].max()), is_logarithmic(settled)
    figure.update_xaxes(
        title_text=tr("epoch"),
        tickformat=",d",
        range=[0, max(last, 5) * 1.01],
        dtick=whole_step(last),
    )
    figure.update_yaxes(
        title_text=tr("loss (logarithmic axis)") if logarithmic else tr("loss"),
        type="log" if logarithmic else "linear", tickformat="~g" if logarithmic else None,
        range=None if ends is None else padded(*(np.log10(ends) if logarithmic else ends)),
    )  # fmt: skip
    figure.update_layout(uirevision="loss")
    return figure


def response_curves(
    curves: pd.DataFrame, *, feature: str, outcome: str, person: str | None
) -> go.Figure:
    """Draw what a feature does to the outcome: persons thin, population bold, one person marked.

    Parameters
    ----------
    curves : DataFrame
        Columns person ("" is the population), feature, x, value, in units of the data; with ci_low
        and ci_high the highlighted person's curve has its interval.
    feature, outcome : str
        Whose curves, and the name of the outcome.
    person : str or None
        Who is highlighted.
    """
    table = tables.response_curves(curves, feature=feature, outcome=outcome, person=person)
    figure = theme.plotly_figure(
        tr("Response of {outcome} to {feature}").format(
            outcome=for_screen(outcome, 40), feature=for_screen(feature, 40)
        )
    )
    persons = table[table["level"] == "person"]
    if not persons.empty:
        ids = persons["person"].to_numpy()
        cuts = np.flatnonzero(ids[1:] != ids[:-1]) + 1
        figure.add_scatter(
            x=np.insert(persons["x"].to_numpy(), cuts, np.nan),
            y=np.insert(persons["value"].to_numpy(), cuts, np.nan),
            customdata=np.insert(all_for_screen(persons["person"]), cuts, ""),
            mode="lines", line={"color": theme.PERSONS, "width": 1}, opacity=0.45,
            name=count(persons["person"].nunique(), "person"),
            hovertemplate=tr("person %{customdata}<br>%{x:.3g} → %{y:.3g}<extra></extra>"),
        )  # fmt: skip
    own = table[table["highlighted"]]
    if len(own) and own["ci_low"].notna().all():
        figure.add_scatter(
            x=[*own["x"], *own["x"][::-1]], y=[*own["ci_high"], *own["ci_low"][::-1]],
            mode="none", fill="toself", fillcolor=theme.faded(theme.PERSON),
            name=tr("95 % interval"), hoverinfo="skip",
        )  # fmt: skip
    marked = [
        (table[table["level"] == "population"], tr("population"), theme.POPULATION, 4),
        (own, tr("person {person}").format(person=for_screen(person, 30)), theme.PERSON, 3),
    ]
    for rows, name, colour, width in marked:
        if not rows.empty:
            figure.add_scatter(
                x=rows["x"], y=rows["value"], mode="lines", name=name,
                line={"color": colour, "width": width},
                hovertemplate="%{x:.3g} → %{y:.3g}<extra>%{fullData.name}</extra>",
            )  # fmt: skip
    figure.update_xaxes(title_text=for_screen(feature, _TITLE))
    figure.update_yaxes(title_text=for_screen(outcome, 40))
    return figure


def group_curves(
    curves: pd.DataFrame, *, feature: str, outcome: str, covariate_name: str
) -> go.Figure:
    """Mean response curves of groups of persons.

    Parameters
    ----------
    curves : DataFrame
        Columns group, n_persons, x, value; the groups in the order of the legend.
    feature, outcome, covariate_name : str
        Whose curves, the name of the outcome, and what the groups were made from.
    """
    table = tables.group_curves(
        curves, feature=feature, outcome=outcome, covariate_name=covariate_name
    )
    what = for_screen(outcome, 40)
    figure = theme.plotly_figure(
        tr("{what} by {covariate_name}").format(
            what=what[:1].upper() + what[1:], covariate_name=for_screen(covariate_name, 30)
        )
    )
    for i, (group, rows) in enumerate(table.groupby("group", sort=False)):
        name = f"{for_screen(group, 44)} ({count(int(rows['n_persons'].iloc[0]), 'person')})"
        figure.add_scatter(
            x=rows["x"], y=rows["value"], name=name,
            mode="lines+markers" if len(rows) < 3 else "lines",
            line={"color": theme.PALETTE[i % len(theme.PALETTE)], "width": 3},
            hovertemplate="%{x:.3g} → %{y:.3g}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text=for_screen(feature, _TITLE))
    figure.update_yaxes(title_text=tr("mean {outcome}").format(outcome=for_screen(outcome, 36)))
    return figure
