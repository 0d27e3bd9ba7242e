"""Charts of training."""

from __future__ import annotations

import pandas as pd

from dashboard.plots import theme
from dashboard.plots.charts import Chart, Layer, Panel
from dashboard.plots.labels import number

_TRACES = {
    "residual_variance": "residual variance σ²",
    "mean_random_variance": "mean variance of random effects",
}


def variance_traces(history: pd.DataFrame) -> Chart:
    """Residual variance and mean random-effect variance by epoch, one line per model.

    A panel without values is left out, and that of σ² where it is 1 throughout, as for classes;
    ValueError where neither is left.
    """
    columns = [name for name in _TRACES if history[name].notna().any()]
    if (history["residual_variance"].dropna() == 1).all():
        columns = [name for name in columns if name != "residual_variance"]
    if not columns:
        raise ValueError("There is no variance to draw.")
    colours = theme.model_colours(history["model"].unique())
    panels = [
        Panel(
            title=_TRACES[column],
            x_title="epoch",
            layers=[
                Layer(
                    "line", rows["epoch"].to_numpy(), rows[column].to_numpy(), str(model),
                    colours[str(model)],
                    hover=[
                        f"{model}, epoch {epoch}: {number(value)}"
                        for epoch, value in zip(rows["epoch"], rows[column], strict=True)
                    ],
                )
                for model, rows in history.dropna(subset=[column]).groupby("model", sort=False)
            ],
            y_range=(0.0, 1.05 * float(history[column].max()) or 1.0),
        )
        for column in columns
    ]  # fmt: skip
    numbers = history[["model", "epoch", *columns]]
    return Chart("Variances by epoch", panels, numbers, n_columns=len(panels), height=330)
