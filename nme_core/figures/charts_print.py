"""Charts for print (matplotlib)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch

from nme_core.figures import theme
from nme_core.figures.charts import ASIDE, LONGEST_LABEL, Chart, Layer, Matrix, Panel
from nme_core.figures.labels import for_print, title_lines

_LABEL = 28
_DASH: dict[str, Any] = {"solid": "solid", "dot": (0, (1, 1)), "dash": (0, (4, 2))}
#: Pixels of the screen in millimetres of paper, and points.
_MM_PER_PIXEL = 0.2


def draw(chart: Chart, *, columns: theme.PrintSize = 2) -> Figure:
    """The chart as a matplotlib figure that fills ``columns`` of a journal page."""
    across = min(chart.n_columns, len(chart.panels))
    down = -(-len(chart.panels) // across)
    with theme.print_style():
        size = theme.inches(theme.width_mm(columns)), theme.inches(chart.height * _MM_PER_PIXEL)
        figure = Figure(figsize=size, layout="constrained")
        axes = list(np.ravel(figure.subplots(down, across, squeeze=False)))
        for axis, panel in zip(axes, chart.panels, strict=False):
            if panel.matrix is not None:
                _matrix(axis, panel.matrix)
            for layer in panel.layers:
                _layer(axis, layer)
            _frame(axis, panel, theme.width_mm(columns) / across)
        _scales(figure, chart, axes)
        for axis in axes[len(chart.panels) :]:
            axis.set_visible(False)
        _legend(figure, chart, axes[: len(chart.panels)])
    return figure


def _scales(figure: Figure, chart: Chart, axes: list[Axes]) -> None:
    """One scale for all panels with the same colours, at their side."""
    shared: dict[tuple[str, ...], list[Axes]] = {}
    names = {}
    for axis, panel in zip(axes, chart.panels, strict=False):
        if panel.matrix is not None and not panel.matrix.legend:
            shared.setdefault(panel.matrix.stops, []).append(axis)
            names[panel.matrix.stops] = panel.matrix.scale
    for stops, together in shared.items():
        figure.colorbar(
            together[-1].images[0], ax=together, label=for_print(names[stops]),
            shrink=0.9 if len(together) == 1 else 0.6,
        )  # fmt: skip


def _matrix(axis: Axes, matrix: Matrix) -> None:
    rows, columns = matrix.values.shape
    colours = (
        ListedColormap([colour for _, colour in matrix.legend])
        if matrix.legend
        else theme.matplotlib_scale(matrix.stops)
    )
    axis.set_facecolor(theme.EMPTY)
    axis.imshow(
        matrix.values, cmap=colours, vmin=matrix.limits[0], vmax=matrix.limits[1], aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    axis.set_xticks(range(columns), [_tick(name) for name in matrix.columns])
    axis.set_yticks(range(rows), [_tick(name) for name in matrix.rows])
    axis.tick_params(length=0)
    if matrix.texts:
        shades = theme.text_colours(matrix.stops, matrix.values, *matrix.limits)
        for i, (text, shade) in enumerate(zip(matrix.texts, shades, strict=True)):
            axis.text(
                i % columns, i // columns, text, ha="center", va="center", color=shade,
                fontsize=theme.PRINT_SMALL,
            )  # fmt: skip
    if matrix.marks is not None:
        for y, x in zip(*np.nonzero(matrix.marks), strict=True):
            axis.add_patch(_box(x, y))


def _tick(name: str) -> str:
    """A label; none stays none."""
    return for_print(name, _LABEL) if name else ""


def _box(x: float, y: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.45, y - 0.45), 0.9, 0.9, fill=False, edgecolor=theme.INK, linewidth=1)


def _layer(axis: Axes, layer: Layer) -> None:
    name = for_print(layer.name) if layer.name and layer.legend else None
    colours: Any = list(layer.colours) or layer.colour
    if layer.kind == "bars":
        axis.bar(layer.x, layer.y, color=colours, label=name)
    elif layer.kind == "band":
        axis.fill_between(layer.x, layer.low, layer.high, color=layer.colour, alpha=0.2, lw=0)
    elif layer.kind == "arrows":
        _arrows(axis, layer)
    elif layer.kind == "line":
        axis.plot(
            layer.x, layer.y, color=layer.colour, lw=layer.width / 2, label=name,
            linestyle=_DASH[layer.dash],
        )  # fmt: skip
    else:
        if layer.low is not None and layer.high is not None:
            ends = (layer.low, layer.high)
            lines = axis.hlines if layer.across == "x" else axis.vlines
            lines(layer.y if layer.across == "x" else layer.x, *ends, color=theme.MUTED, lw=0.6)
        sizes = layer.sizes if layer.sizes is not None else layer.size
        edge: dict[str, Any] = {"c": colours, "linewidths": 0}
        if layer.hollow:
            edge = {"c": "#FFFFFF", "edgecolors": colours, "linewidths": 1.0}
        axis.scatter(
            layer.x, layer.y, s=np.square(np.asarray(sizes) / 2), label=name, zorder=3, **edge
        )
    if layer.labels and layer.kind != "arrows":
        for x, y, text in zip(layer.x, layer.y, layer.labels, strict=True):
            axis.text(
                x, y, for_print(text, LONGEST_LABEL), zorder=4, **_text_place(layer.outward, x, y)
            )


def _text_place(outward: bool, x: float, y: float) -> dict[str, str]:
    if not outward:
        return {"ha": "center", "va": "center"}
    if abs(x) > ASIDE:
        return {"ha": "left" if x > 0 else "right", "va": "center"}
    return {"ha": "center", "va": "bottom" if y > 0 else "top"}


def _arrows(axis: Axes, layer: Layer) -> None:
    assert layer.low is not None
    assert layer.high is not None
    assert layer.sizes is not None
    ends = zip(layer.x, layer.y, layer.low, layer.high, layer.sizes, strict=True)
    for x, y, to_x, to_y, width in ends:
        axis.add_patch(
            FancyArrowPatch(
                (x, y), (to_x, to_y), arrowstyle="-|>", mutation_scale=6, lw=max(width, 0.4) / 2,
                color=layer.colour, shrinkA=0, shrinkB=0,
            )
        )  # fmt: skip
    ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.9, "pad": 0.3}
    for x, y, text in zip(*layer.beside, layer.labels, strict=False):
        if text:
            axis.text(x, y, for_print(text), ha="center", va="center", bbox=ground,
                      fontsize=theme.PRINT_SMALL)  # fmt: skip


def _frame(axis: Axes, panel: Panel, width_mm: float) -> None:
    if panel.title:
        axis.set_title(title_lines(panel.title, width_mm - 6))
    axis.set_xlabel(for_print(panel.x_title, 60) if panel.x_title else "")
    axis.set_ylabel(for_print(panel.y_title, 40) if panel.y_title else "")
    if panel.x_range is not None:
        axis.set_xlim(panel.x_range)
    if panel.y_range is not None:
        axis.set_ylim(panel.y_range)
    for ticks, place in ((panel.x_ticks, axis.set_xticks), (panel.y_ticks, axis.set_yticks)):
        if ticks is not None:
            place([value for value, _ in ticks], [_tick(text) for _, text in ticks])
    if panel.bare:
        axis.axis("off")


def _legend(figure: Figure, chart: Chart, axes: list[Axes]) -> None:
    entries: dict[str, Any] = {}
    for axis in axes:
        handles, names = axis.get_legend_handles_labels()
        entries |= dict(zip(names, handles, strict=True))
    for panel in chart.panels:
        for name, colour in panel.matrix.legend if panel.matrix is not None else ():
            entries[for_print(name)] = Line2D([], [], color=colour, marker="s", linestyle="")
    if len(entries) > 1:
        draw = partial(figure.legend, entries.values(), entries.keys(), loc="outside upper center")
        theme.legend_that_fits(figure, draw, min(len(entries), 5))
