"""Charts of training."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nme_core.figures import tables, theme
from nme_core.figures.charts import Chart, Layer, Panel
from nme_core.figures.summaries import parted, settling_range
from nme_core.figures.words import LOSSES
from nme_core.vocabulary.language import tr, written
from nme_core.vocabulary.numbers import number

_TRACES = {
    "residual_variance": "residual variance σ²",
    "mean_random_variance": "mean variance of random effects",
}


def variance_traces(history: pd.DataFrame, *, names: Mapping[str, str] | None = None) -> Chart:
    """Residual variance and mean random-effect variance by epoch, one line per model.

    ``names`` says what the models are called. A panel without values is left out, and that of σ²
    where it is 1 throughout, as for classes; ValueError where neither is left.
    """
    columns = [name for name in _TRACES if history[name].notna().any()]
    if (history["residual_variance"].dropna() == 1).all():
        columns = [name for name in columns if name != "residual_variance"]
    if not columns:
        raise ValueError("The run has no variance to draw.")
    traces = {
        column: [
            (model, parted(rows))
            for model, rows in history.dropna(subset=[column]).groupby("model", sort=False)
        ]
        for column in columns
    }
    colours = theme.model_colours(history["model"].unique())
    called = {model: (names or {}).get(model, model) for model in colours}
    panels = [
        Panel(
            title=tr(_TRACES[column]),
            x_title=tr("epoch"),
            layers=[
                Layer(
                    "line",
                    rows["epoch"].to_numpy(),
                    rows[column].to_numpy(),
                    called[str(model)],
                    colours[str(model)],
                    hover=[
                        tr("{called}, epoch {epoch}: {value}").format(
                            called=called[str(model)], epoch=epoch, value=number(value)
                        )
                        for epoch, value in zip(rows["epoch"], rows[column], strict=True)
                    ],
                )
                for model, rows in traces[column]
            ],
            y_range=(0.0, 1.05 * float(history[column].max()) or 1.0),
        )
        for column in columns
    ]
    numbers = history[["model", "epoch", *columns]]
    return Chart(tr("Variances by epoch"), panels, numbers, n_columns=len(panels), height=330)


def losses_sentence(history: pd.DataFrame, names: Mapping[str, str]) -> str:
    """What curves of losses show and what not: epochs of each model, and what the axis leaves out.

    ``history`` has the columns of ``history.csv``.
    """
    last = history.groupby("model", sort=False)["epoch"].max()
    epochs = ", ".join(
        f"{names[str(model)]}: {written(f'{int(epoch):,}')}" for model, epoch in last.items()
    )
    cut = settling_range(tables.loss_curves(history)) is not None
    parts = [tr(LOSSES)["epochs"].format(epochs=epochs)]
    parts += [tr(LOSSES)["cut"]] if cut else []
    return " ".join([*parts, tr(LOSSES)["limit"]])
