"""Charts on screen and in print: the same panels, axes and ranges; text never read as markup."""

import numpy as np
import pandas as pd
import pytest

from nme_core.figures import charts_print, charts_screen, export, theme
from nme_core.figures.charts import Chart, Layer, Matrix, Panel
from nme_core.figures.figures_training import variance_traces


def scatter(name: str = "a <b> $x$") -> Chart:
    x = np.array([1.0, 2.0, 3.0])
    layers = [
        Layer("points", x, x, name, low=x - 1, high=x + 2, across="x", hover=["p1", "p2", "p3"]),
        Layer("line", x, 2 * x, "line", dash="dot"),
        Layer("band", x, x, "band", low=x - 1, high=x + 1),
        Layer("bars", x, x, "bars"),
    ]
    panel = Panel("one", "x", "y", layers, x_range=(0, 5), y_ticks=[(1, "low"), (2, "high")])
    return Chart("A chart", [panel], pd.DataFrame({"x": x}))


def matrices() -> Chart:
    values = np.array([[0.1, np.nan], [0.4, 0.6]])
    cells = Matrix(
        values, ["a", "b"], ["a", "b"], theme.SEQUENTIAL, (0, 1), "share",
        texts=["0.1", "–", "0.4", "0.6"], marks=values > 0.5, hover=["1", "2", "3", "4"],
    )  # fmt: skip
    arrows = Layer(
        "arrows", np.zeros(1), np.zeros(1), low=np.ones(1), high=np.ones(1), labels=["0.4"],
        sizes=np.ones(1),
    )  # fmt: skip
    panels = [Panel("m", matrix=cells), Panel("n", matrix=cells), Panel(layers=[arrows], bare=True)]
    return Chart("Matrices", panels, pd.DataFrame(), n_columns=2)


def test_screen_keeps_intervals_ranges_and_ticks() -> None:
    figure = charts_screen.draw(scatter())
    assert figure.layout.title.text == "A chart"
    assert tuple(figure.layout.xaxis.range) == (0, 5)
    assert figure.layout.yaxis.ticktext == ("low", "high")
    points = figure.data[0]
    assert points.name == "a &lt;b&gt; &#36;x&#36;"
    assert list(points.error_x.array) == [2, 2, 2]
    assert list(points.error_x.arrayminus) == [1, 1, 1]
    assert list(points.customdata) == ["p1", "p2", "p3"]


def test_print_has_the_same_panels() -> None:
    drawn = charts_print.draw(scatter())
    (axis,) = drawn.axes
    assert axis.get_xlim() == (0, 5)
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["low", "high"]
    assert export.to_png(drawn, dpi=50).startswith(b"\x89PNG")


def test_from_states_stand_top_to_bottom_and_one_scale_is_drawn() -> None:
    figure = charts_screen.draw(matrices())
    assert tuple(figure.layout.yaxis.range) == (1.5, -0.5)
    heatmaps = [trace for trace in figure.data if trace.type == "heatmap"]
    assert [trace.showscale for trace in heatmaps] == [False, True]
    assert (heatmaps[0].zmin, heatmaps[0].zmax) == (0, 1)
    marks = [(shape.xref, shape.x0, shape.y1) for shape in figure.layout.shapes]
    assert marks == [("x", 0.54, 1.46), ("x2", 0.54, 1.46)]
    arrows = [note for note in figure.layout.annotations if note.showarrow]
    assert [(note.xref, note.ax, note.x) for note in arrows] == [("x3", 0, 1)]
    assert charts_print.draw(matrices()).axes[0].get_ylim() == (1.5, -0.5)


def test_variances_are_drawn_where_there_are_any() -> None:
    history = pd.DataFrame(
        {
            "model": ["nme", "nme", "generic"],
            "epoch": [1, 2, 1],
            "residual_variance": [2.0, 1.5, 1.8],
            "mean_random_variance": [0.5, 0.4, np.nan],
        }
    )
    chart = variance_traces(history)
    assert [len(panel.layers) for panel in chart.panels] == [2, 1]
    assert chart.panels[0].y_range == (0, 2.1)
    only = variance_traces(history.assign(residual_variance=np.nan))
    assert [panel.title for panel in only.panels] == ["mean variance of random effects"]
    classes = variance_traces(history.assign(residual_variance=1.0))
    assert [panel.title for panel in classes.panels] == ["mean variance of random effects"]
    with pytest.raises(ValueError, match="no variance"):
        variance_traces(history.assign(residual_variance=np.nan, mean_random_variance=np.nan))
