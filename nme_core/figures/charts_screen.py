"""Charts for the screen (plotly)."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from nme_core.figures import theme
from nme_core.figures.charts import ASIDE as _ASIDE
from nme_core.figures.charts import LONGEST_LABEL as _OUTWARD
from nme_core.figures.charts import Chart, Layer, Matrix, Panel
from nme_core.figures.frames import add_frames
from nme_core.figures.labels import for_screen

#: Longest label of a tick; at the side, where it has a line of its own.
_LABEL, _LONG_LABEL = 28, 52
#: Letters from which on the title of a figure with one panel is set in smaller type.
_LONG_TITLE = 44
#: Titles of panels are cut to so many characters, by the number of panels beside each other.
_TITLES = {1: 80, 2: 52, 3: 36}
#: Up to so many columns of a matrix are set apart by a gap.
_SEPARATE = 40
#: Pixels of a legend: its width, a letter, and what each further line adds.
_LEGEND_WIDTH, _LEGEND_LETTER, _LEGEND_LINE = 860, 7, 22
_DASH = {"solid": "solid", "dot": "dot", "dash": "dash"}
_MARKS = {"points": "markers", "line": "lines"}


def draw(chart: Chart) -> go.Figure:
    """The chart as a plotly figure."""
    columns = min(chart.n_columns, len(chart.panels))
    rows = -(-len(chart.panels) // columns)
    figure = make_subplots(
        rows, columns, horizontal_spacing=0.05 if chart.n_columns > 3 else 0.09,
        vertical_spacing=_between_rows(chart, columns) if rows > 1 else 0.0,
        subplot_titles=[
            for_screen(one.title, _TITLES.get(columns, 26)) if one.title else ""
            for one in chart.panels
        ],
    )  # fmt: skip
    figure.update_layout(
        template=theme.plotly_template(),
        height=chart.height,
        title_text=for_screen(chart.title, 90),
    )
    if len(chart.panels) == 1 and len(chart.title) > _LONG_TITLE:  # it may stand beside another
        figure.update_layout(title_font_size=13)
    figure.update_annotations(font_size=13)
    shown: set[str] = set()
    for i, panel in enumerate(chart.panels):
        at = {"row": i // columns + 1, "col": i % columns + 1}
        if panel.matrix is not None:
            _add_matrix(figure, panel.matrix, at, scale=_has_scale(chart, i))
        for layer in panel.layers:
            fresh = layer.name not in shown and layer.legend and bool(layer.name)
            shown.add(layer.name)
            _add_layer(figure, layer, at, legend=fresh)
        _axes(figure, panel, at)
    for name, colour in _keys(chart):
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=for_screen(name, 24),
            legendgroup=name,
            marker={"color": colour, "symbol": "square", "size": 11}, hoverinfo="skip",
        )  # fmt: skip
    legend = bool(_keys(chart)) or len([t for t in figure.data if t.showlegend]) > 1
    figure.update_layout(showlegend=legend, margin_t=92 if legend else 72)
    if legend:
        # Further lines of the legend stand above the first: the figure grows to hold them.
        more = _LEGEND_LINE * (_legend_lines(figure) - 1)
        figure.update_layout(
            legend_y=1 + 26 / max(chart.height - 150, 60), height=chart.height + more,
            margin_t=92 + more,
        )  # fmt: skip
    return figure


def _legend_lines(figure: go.Figure) -> int:
    """Lines that the legend takes, each entry as wide as the longest, as plotly lays them out."""
    names = {str(one.name) for one in figure.data if one.showlegend is not False and one.name}
    wide = 46 + _LEGEND_LETTER * max(map(len, names), default=0)
    return -(-len(names) // max(1, int(_LEGEND_WIDTH / wide)))


def _between_rows(chart: Chart, columns: int) -> float:
    """Share of the height between rows of panels: more where an axis has a title there."""
    titled = any(panel.x_title for panel in chart.panels[:-columns])
    return min(0.3, (96 if titled else 66) / chart.height)


def _keys(chart: Chart) -> list[tuple[str, str]]:
    """What whole-numbered cells stand for, once."""
    found = [panel.matrix.legend for panel in chart.panels if panel.matrix is not None]
    return list(dict.fromkeys(entry for legend in found for entry in legend))


def _has_scale(chart: Chart, at: int) -> bool:
    """Whether a panel's colours are explained beside it: the last of those that share them."""
    matrices = [i for i, panel in enumerate(chart.panels) if panel.matrix is not None]
    matrix = chart.panels[at].matrix
    assert matrix is not None
    if matrix.legend:
        return False
    later = [chart.panels[i].matrix for i in matrices if i > at]
    return not any(one is not None and one.stops == matrix.stops for one in later)


def _add_matrix(figure: go.Figure, matrix: Matrix, at: dict[str, int], *, scale: bool) -> None:
    rows, columns = matrix.values.shape
    hover = np.array(list(matrix.hover), dtype=object) if matrix.hover else None
    bars = sum(bool(getattr(trace, "showscale", False)) for trace in figure.data)
    bar: dict[str, Any] = {
        "title": {"text": matrix.scale, "side": "right", "font": {"size": 12}}, "thickness": 10,
        "outlinewidth": 0.5, "tickfont": {"size": 11}, "x": 1.01 + 0.14 * bars, "len": 0.9,
    }  # fmt: skip
    figure.add_trace(
        go.Heatmap(
            z=matrix.values, x=np.arange(columns), y=np.arange(rows), ygap=1,
            xgap=1 if columns <= _SEPARATE else 0,
            colorscale=theme.plotly_scale(matrix.stops) if not matrix.legend else _steps(matrix),
            zmin=matrix.limits[0], zmax=matrix.limits[1], showscale=scale, colorbar=bar,
            customdata=None if hover is None else hover.reshape(rows, columns),
            hovertemplate="%{customdata}<extra></extra>" if hover is not None else None,
            hoverinfo="skip" if hover is None else None, hoverongaps=False,
        ),
        **at,
    )  # fmt: skip
    if matrix.texts:
        colours = theme.text_colours(matrix.stops, matrix.values, *matrix.limits)
        y, x = np.divmod(np.arange(rows * columns), columns)
        figure.add_trace(
            go.Scatter(
                x=x, y=y, mode="text", text=list(matrix.texts), hoverinfo="skip", showlegend=False,
                textfont={"color": colours, "size": 12 if rows <= 6 else 11 if rows <= 8 else 9},
            ),
            **at,
        )  # fmt: skip
    if matrix.marks is not None and matrix.marks.any():
        axis = figure.get_subplot(**at).xaxis.plotly_name.removeprefix("xaxis")
        add_frames(figure, zip(*np.nonzero(matrix.marks), strict=True), axis)


def _steps(matrix: Matrix) -> list[tuple[float, str]]:
    """A colour scale of steps: one colour for each whole number from 0."""
    colours = [colour for _, colour in matrix.legend]
    n = len(colours)
    return [(edge, colour) for i, colour in enumerate(colours) for edge in (i / n, (i + 1) / n)]


def _add_layer(figure: go.Figure, layer: Layer, at: dict[str, int], *, legend: bool) -> None:
    name = for_screen(layer.name, 44)
    common: dict[str, Any] = {"name": name, "showlegend": legend, "legendgroup": name}
    if layer.hover:
        common |= {
            "customdata": [for_screen(text) for text in layer.hover],
            "hovertemplate": "%{customdata}<extra></extra>",
        }
    else:
        common["hoverinfo"] = "skip"
    if layer.kind == "arrows":
        _add_arrows(figure, layer, at)
        return
    if layer.kind == "bars":
        figure.add_trace(
            go.Bar(
                x=layer.x, y=layer.y, marker_color=list(layer.colours) or layer.colour, **common
            ),
            **at,
        )
        return
    if layer.kind == "band":
        assert layer.low is not None
        assert layer.high is not None
        x = np.concatenate([layer.x, layer.x[::-1]])
        y = np.concatenate([layer.high, layer.low[::-1]])
        figure.add_trace(
            go.Scatter(
                x=x, y=y, fill="toself", mode="none", fillcolor=theme.faded(layer.colour), **common
            ),
            **at,
        )
        return
    error = None
    if layer.low is not None and layer.high is not None:
        middle = layer.x if layer.across == "x" else layer.y
        error = {
            "type": "data", "symmetric": False, "array": layer.high - middle,
            "arrayminus": middle - layer.low, "thickness": 1.2, "width": 0,
            "color": theme.MUTED,
        }  # fmt: skip
    mode = _MARKS[layer.kind] + ("+text" if layer.labels else "")
    figure.add_trace(
        go.Scatter(
            x=layer.x, y=layer.y, mode=mode,
            marker={
                "color": list(layer.colours) or layer.colour,
                "line": {"width": 2 if layer.hollow else 0},
                "opacity": 1, "symbol": "circle-open" if layer.hollow else "circle",
                "size": layer.sizes if layer.sizes is not None else layer.size,
            },
            line={"color": layer.colour, "width": layer.width, "dash": _DASH[layer.dash]},
            text=[for_screen(text, _OUTWARD) for text in layer.labels] or None,
            textposition=_text_places(layer),
            **({f"error_{layer.across}": error} if error else {}), **common,
        ),
        **at,
    )  # fmt: skip


def _text_places(layer: Layer) -> str | list[str]:
    """Where the labels of points stand; ``outward``, on the far side from the middle."""
    if not layer.outward:
        return "middle center" if layer.sizes is not None else "top center"
    return [
        "middle right" if x > _ASIDE else "middle left" if x < -_ASIDE
        else "top center" if y > 0 else "bottom center"
        for x, y in zip(layer.x, layer.y, strict=True)
    ]  # fmt: skip


def _add_arrows(figure: go.Figure, layer: Layer, at: dict[str, int]) -> None:
    assert layer.low is not None
    assert layer.high is not None
    assert layer.sizes is not None
    place = figure.get_subplot(at["row"], at["col"])
    x_axis, y_axis = (axis.plotly_name.replace("axis", "") for axis in (place.xaxis, place.yaxis))
    arrows = zip(layer.x, layer.y, layer.low, layer.high, layer.sizes, strict=True)
    for x, y, to_x, to_y, width in arrows:
        figure.add_annotation(
            x=to_x, y=to_y, ax=x, ay=y, xref=x_axis, yref=y_axis, axref=x_axis, ayref=y_axis,
            showarrow=True, arrowhead=2, arrowsize=float(np.clip(3 / max(width, 0.4), 0.4, 0.8)),
            arrowwidth=float(max(width, 0.4)), arrowcolor=layer.colour, text="",
        )  # fmt: skip
    at_x, at_y = layer.beside
    for x, y, text in zip(at_x, at_y, layer.labels, strict=False):
        if text:
            figure.add_annotation(
                x=x, y=y, xref=x_axis, yref=y_axis, text=for_screen(text), showarrow=False,
                font={"size": 11}, bgcolor="#FFFFFF", borderpad=0, opacity=0.9,
            )  # fmt: skip
    if layer.hover:
        # Arrows have no text to point at: it lies where their labels are.
        figure.add_trace(
            go.Scatter(
                x=at_x, y=at_y, mode="text", text=[" "] * len(at_x), showlegend=False,
                customdata=[for_screen(text) for text in layer.hover],
                hovertemplate="%{customdata}<extra></extra>",
            ),
            **at,
        )  # fmt: skip


def _axes(figure: go.Figure, panel: Panel, at: dict[str, int]) -> None:
    x: dict[str, Any] = {"title_text": for_screen(panel.x_title, 60) if panel.x_title else ""}
    y: dict[str, Any] = {"title_text": for_screen(panel.y_title, 40) if panel.y_title else ""}
    if panel.matrix is not None:
        rows, columns = panel.matrix.values.shape
        x |= {"range": [-0.5, columns - 0.5], "showgrid": False, "ticks": "", "showline": False}
        y |= {"range": [rows - 0.5, -0.5], "showgrid": False, "ticks": "", "showline": False}
        x |= _ticks([(i, name) for i, name in enumerate(panel.matrix.columns)])
        x["ticklabeloverflow"] = "allow"
        # Turned names end under their column, so that they stay clear of what is to the right.
        x["autotickangles"] = [0, -45, -90]
        y |= _ticks([(i, name) for i, name in enumerate(panel.matrix.rows)])
    if panel.x_range is not None:
        x["range"] = list(panel.x_range)
    if panel.y_range is not None:
        y["range"] = list(panel.y_range)
    if panel.x_ticks is not None:
        x |= _ticks(panel.x_ticks)
    if panel.y_ticks is not None:
        y |= _ticks(panel.y_ticks, _LONG_LABEL)
    if panel.bare:
        for axis in (x, y):
            axis |= {"visible": False, "showgrid": False}
    figure.update_xaxes(**x, **at)
    figure.update_yaxes(**y, **at)


def _ticks(ticks: Any, limit: int = _LABEL) -> dict[str, Any]:
    return {
        "tickvals": [value for value, _ in ticks],
        "ticktext": [for_screen(text, limit) if text else "" for _, text in ticks],
    }
