"""One look for the screen (plotly) and for print (matplotlib, seaborn).

Colours are safe for colour-blind readers: Okabe and Ito's eight for categories, others for states
so that none is a person's, blue to orange through white for values around 0, white to deep green
for probabilities.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

#: Okabe and Ito (2008), yellow darkened for lines on white; then Tol's muted colours.
PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#A89B00", "#6B6B6B",
    "#332288", "#882255", "#117733", "#999933", "#AA4499", "#44AA99", "#661100", "#88CCEE",
)  # fmt: skip
INK = "#222222"
MUTED = "#5F6670"
GRID = "#E4E7EB"
EMPTY = "#E9EBEE"
POPULATION = "#222222"
PERSON = "#D55E00"
PERSONS = "#7A8794"
#: What states have in place of a colour that means a person, and of one that means nothing.
STAND_INS = {PERSON: "#C4B454", "#6B6B6B": "#994F88"}
#: Colours of states: none is a person's or the population's, nor near to them.
STATES = (
    "#0072B2", "#009E73", "#CC79A7", "#C4B454", "#56B4E9", "#994F88", "#882255", "#117733",
    "#88CCEE", "#332288", "#44AA99", "#661100", "#999933", "#AA4499", "#A89B00", "#E69F00",
)  # fmt: skip
BARS = "#8FB3CC"
#: Lowest, middle and highest third of something: blue to orange, as in the diverging scale.
THIRDS = (PALETTE[0], PALETTE[7], PALETTE[1])

#: Colour scales as equally spaced stops, shared by both libraries.
SEQUENTIAL = ("#FFFFFF", "#D3EBE3", "#97D0C3", "#52AFA5", "#1F8583", "#0B5A5F", "#06343B")
DIVERGING = (
    "#08407E", "#2F79B5", "#8ABBDB", "#D5E6F1", "#FFFFFF",
    "#FCE3C8", "#F5AC62", "#D76A12", "#8A3A04",
)  # fmt: skip

SCREEN_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

#: For every plotly chart, on a page and in a report: nothing is sent anywhere, few buttons.
PLOTLY_CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "modeBarButtons": [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
    "toImageButtonOptions": {"format": "png", "scale": 2, "filename": "nme-figure"},
    "responsive": True,
}

#: What a print figure fills: columns of a journal page, or a slide.
PrintSize = Literal[1, 2, "slide"]
#: Width as it is laid out. What is laid out for a slide is enlarged as a whole, type and lines too.
WIDTHS_MM: dict[PrintSize, float] = {1: 85.0, 2: 170.0, "slide": 127.0}
ENLARGED: dict[PrintSize, float] = {1: 1.0, 2: 1.0, "slide": 2.0}
#: A slide is 16 wide and 9 high.
_SLIDE_SHAPE = 9 / 16
_MM_PER_INCH = 25.4

#: Print: points. Nothing is smaller than 6 pt.
PRINT_FONT = 7.0
PRINT_SMALL = 6.0

_MODEL_COLOURS = {
    "nme": "#0072B2", "nme (all rows)": "#882255", "generic": "#D55E00", "specific": "#009E73",
    "lme": "#CC79A7", "mlp-lme": "#E69F00", "unregularised": "#6B6B6B",
    "linear": "#56B4E9",
    **dict.fromkeys(("mean", "last", "frequent"), "#8C8C8C"),
    **dict.fromkeys(("ewma", "ar1", "markov"), INK),
}  # fmt: skip
#: Models whose points have an edge only: two simple rules share a colour.
HOLLOW = {"last", "ar1"}

#: matplotlib's settings are global to the process and its drawing is not thread-safe.
_PRINT_LOCK = threading.RLock()


def state_colours(states: Iterable[str]) -> dict[str, str]:
    """One colour per state, whatever the order in which the states are given.

    Give all states of the study, also where only some are drawn: then a state keeps its colour
    on every page. From the 17th state on, colours repeat.
    """
    ordered = sorted({str(state) for state in states})
    return {state: STATES[i % len(STATES)] for i, state in enumerate(ordered)}


def model_colours(models: Iterable[str]) -> dict[str, str]:
    """One colour per model; the models that the product knows always have the same."""
    names = list(dict.fromkeys(str(model) for model in models))
    others = [colour for colour in PALETTE if colour not in _MODEL_COLOURS.values()]
    unknown = [name for name in names if name not in _MODEL_COLOURS]
    extra = {name: others[i % len(others)] for i, name in enumerate(unknown)}
    return {name: _MODEL_COLOURS.get(name) or extra[name] for name in names}


def band_colours(table: pd.DataFrame) -> dict[str, str]:
    """One colour per band of a table of persons, from the lowest value up; none without bands."""
    if "band" not in table:
        return {}
    lowest = table.groupby("band")["covariate_value"].min().sort_values()
    return {str(band): PALETTE[i % len(PALETTE)] for i, band in enumerate(lowest.index)}


def faded(colour: str, opacity: float = 0.2) -> str:
    """A colour as plotly writes it with an opacity."""
    channels = ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return f"rgba({channels},{opacity:g})"


def plotly_scale(stops: tuple[str, ...]) -> list[tuple[float, str]]:
    """A colour scale as plotly wants it."""
    return [(i / (len(stops) - 1), colour) for i, colour in enumerate(stops)]


def matplotlib_scale(stops: tuple[str, ...]) -> Colormap:
    """The same colour scale for matplotlib."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("nme", list(stops))


def text_colours(stops: tuple[str, ...], values: np.ndarray, low: float, high: float) -> list[str]:
    """White or ink for text on each value's colour (flattened), whichever is easier to read."""
    position = np.clip((np.ravel(values) - low) / (high - low), 0, 1)
    channels = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in stops]) / 255
    at = np.linspace(0, 1, len(stops))
    colours = np.stack([np.interp(np.nan_to_num(position), at, c) for c in channels.T], axis=1)
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    # WCAG 2 contrast with white, and with INK (relative luminance 0.016).
    white_is_better = 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.066
    return ["#FFFFFF" if white else INK for white in white_is_better]


def plotly_figure(title: str) -> go.Figure:
    """An empty figure with a title and a legend, of the height of most."""
    import plotly.graph_objects as go

    layout = {"title_text": title, "height": 380, "showlegend": True}
    return go.Figure(layout=go.Layout(template=plotly_template(), **layout))


@lru_cache(maxsize=1)
def plotly_template() -> go.layout.Template:
    """The plotly template of every screen figure."""
    import plotly.graph_objects as go

    axis = {
        "showgrid": True, "gridcolor": GRID, "zeroline": False, "showline": True,
        "linecolor": "#9AA3AD", "ticks": "outside", "ticklen": 4, "tickcolor": "#9AA3AD",
        "title": {"font": {"size": 13, "color": INK}, "standoff": 8},
        "tickfont": {"size": 12, "color": INK}, "automargin": True,
        "separatethousands": True, "exponentformat": "power",
    }  # fmt: skip
    return go.layout.Template(
        layout={
            "font": {"family": SCREEN_FONT, "size": 13, "color": INK},
            "title": {
                "font": {"size": 15, "color": INK}, "x": 0, "xref": "paper", "xanchor": "left",
                "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 12},
            },
            "paper_bgcolor": "#FFFFFF", "plot_bgcolor": "#FFFFFF", "colorway": list(PALETTE),
            "xaxis": axis, "yaxis": axis, "margin": {"l": 64, "r": 20, "t": 76, "b": 56},
            "legend": {
                "orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom",
                "font": {"size": 12}, "title": {"text": ""},
            },
            "hoverlabel": {
                "bgcolor": "#FFFFFF", "bordercolor": "#9AA3AD", "align": "left",
                "font": {"family": SCREEN_FONT, "size": 12, "color": INK}, "namelength": -1,
            },
            "hovermode": "closest", "bargap": 0.04,
            "modebar": {"bgcolor": "rgba(255,255,255,0)", "color": "#9AA3AD",
                        "activecolor": INK},
        }
    )  # fmt: skip


#: What each neutral colour of a light figure becomes in a dark one.
_DARK = {
    "#FFFFFF": "#14181D", INK: "#E6E9ED", MUTED: "#A8B0BA", GRID: "#2C343D", EMPTY: "#2C343D",
    "#9AA3AD": "#6E7781", PERSONS: "#A3AFBB",
}  # fmt: skip
#: Colours that stand for values stay as they are, and text on them and frames around them.
_STANDING = {"colorscale", "textfont", "shapes"}


def darkened(figure: go.Figure) -> go.Figure:
    """The figure on a dark ground: neutral colours change, those that carry meaning stay.

    The population's colour is that of the ink, and follows it.
    """
    import plotly.graph_objects as go

    return go.Figure(_dark(figure.to_plotly_json()))


def _dark(part: Any, key: str = "") -> Any:
    if key in _STANDING:
        return part
    if isinstance(part, dict):
        return {name: _dark(value, name) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return type(part)(_dark(value, key) for value in part)
    return _DARK.get(part, part) if isinstance(part, str) else part


#: seaborn and matplotlib settings of every print figure.
PRINT_RC: dict[str, Any] = {
    "font.size": PRINT_FONT, "axes.titlesize": PRINT_FONT + 1, "axes.labelsize": PRINT_FONT,
    "xtick.labelsize": PRINT_SMALL, "ytick.labelsize": PRINT_SMALL,
    "legend.fontsize": PRINT_SMALL, "legend.title_fontsize": PRINT_SMALL,
    "legend.frameon": False, "figure.titlesize": PRINT_FONT + 1,
    "axes.titleweight": "bold", "axes.titlelocation": "left",
    "font.family": "sans-serif", "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": "#6E7781", "xtick.color": INK, "ytick.color": INK,
    "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "xtick.major.size": 2.5, "ytick.major.size": 2.5, "lines.linewidth": 1.0,
    "patch.linewidth": 0.5, "hatch.linewidth": 0.4, "axes.spines.top": False,
    "axes.spines.right": False, "axes.axisbelow": True, "axes.unicode_minus": True,
    "figure.facecolor": "white", "axes.facecolor": "white", "savefig.facecolor": "white",
    "pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "nme",
    "path.simplify": True, "figure.dpi": 100,
}  # fmt: skip

#: Sans-serif families, first those that look best; then families with other scripts.
_FAMILIES = (
    "Arial", "Helvetica", "Liberation Sans", "DejaVu Sans", "Noto Sans", "Noto Sans CJK JP",
    "Noto Sans CJK SC", "PingFang SC", "Hiragino Sans", "Microsoft YaHei", "Yu Gothic",
)  # fmt: skip


@lru_cache(maxsize=1)
def _installed_families() -> list[str]:
    from matplotlib import font_manager

    installed = set(font_manager.get_font_names())
    return [family for family in _FAMILIES if family in installed]


@contextmanager
def print_style() -> Iterator[None]:
    """Everything that draws or saves a print figure runs inside: one at a time, our settings."""
    import matplotlib as mpl

    with _PRINT_LOCK:
        settings: dict[Any, Any] = {**PRINT_RC, "font.sans-serif": _installed_families()}
        with mpl.rc_context(settings):
            yield


def width_mm(columns: PrintSize) -> float:
    """Width of a print figure as laid out; ValueError unless `columns` is 1, 2 or "slide"."""
    if columns not in WIDTHS_MM:
        raise ValueError(f"A print figure fills 1 or 2 columns or a slide, not {columns!r}.")
    return WIDTHS_MM[columns]


def fit_slide(figure: Figure) -> None:
    """Lower a figure that is laid out for a slide until it is no higher than one."""
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, min(height, width * _SLIDE_SHAPE))


def legend_that_fits(
    figure: Figure, legend: Callable[..., Legend], most: int, left: float = 0.0
) -> None:
    """Draw a legend in as many columns, at most so many, as the sheet is wide enough for.

    `left` of it stand so many dots. What it takes of more than a third of the height is added.
    """
    for columns in range(most, 0, -1):
        drawn = legend(ncols=columns)
        box = drawn.get_window_extent()
        if columns == 1 or left + box.width <= figure.bbox.width:
            break
        drawn.remove()
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + max(box.height / figure.dpi - height / 3, 0.0))


def inches(millimetres: float) -> float:
    """Millimetres in inches."""
    return millimetres / _MM_PER_INCH
