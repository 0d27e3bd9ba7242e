"""Printed figures that are understood without colours.

A colour of the palette becomes a shade of grey together with a hatch (areas) or a mark (lines,
points), the same for the same colour in the whole figure. Scales run from light to dark, also
those around 0: both of their ends would look alike in grey. All other colours become the grey that
is as light as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.cm import ScalarMappable
from matplotlib.collections import Collection, LineCollection, PathCollection, QuadMesh
from matplotlib.colors import ListedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.patches import FancyArrowPatch, Patch
from matplotlib.text import Text

from nme_core.figures import theme

#: A mark, a hatch and a shade for each colour of the palette, in its order.
MARKS = "os^DvPX*<>phd8H+"
HATCHES = (
    "", "////", "....", "xxxx", "\\\\\\\\", "||", "oo", "--", "++", "//..", "**", "\\\\||", "OO",
    "xx..", "//--", "..||",
)  # fmt: skip
_LINES = (0.0, 0.45, 0.25, 0.6)
# Hatches need a light ground.
_AREAS = (0.35, *(0.92, 1.0, 0.75) * 5)
#: Lightness of the ends of a scale, and of steps that stand for states.
_LIGHTEST, _DARKEST = 1.0, 0.12
_SCALE = theme.matplotlib_scale(("#FFFFFF", "#1E1E1E"))
_PLACES = {
    to_rgba(one)[:3]: i
    for i, colour in reversed([*enumerate(theme.PALETTE)])
    for one in (colour, theme.STAND_INS.get(colour, colour))
}


def grey(figure: Figure) -> None:
    """Take the colours out of a drawn figure and keep apart what they kept apart."""
    with theme.print_style():
        steps = _scales(figure)
        for artist in figure.findobj(include_self=True):
            _recolour(artist, steps)
        for axis in figure.axes:
            _written(axis)


def _scales(figure: Figure) -> dict[tuple[float, ...], float]:
    """Turn every scale into shades; of scales in steps, the shade of each colour."""
    steps: dict[tuple[float, ...], float] = {}
    shown = [one for one in figure.findobj() if isinstance(one, AxesImage | QuadMesh)]
    for one in shown:
        scale = one.get_cmap()
        if one.get_array() is None or not isinstance(scale, ListedColormap):
            one.set_cmap(_SCALE)
            continue
        colours = [to_rgba(colour)[:3] for colour in np.asarray(scale.colors, dtype=object)]
        shades = np.linspace(_LIGHTEST, _DARKEST, len(colours))
        steps |= dict(zip(colours, map(float, shades), strict=True))
        one.set_cmap(ListedColormap([str(shade) for shade in shades]))
    return steps


def _recolour(artist: Artist, steps: dict[tuple[float, ...], float]) -> None:
    if isinstance(artist, Line2D):
        _line(artist, steps)
    elif isinstance(artist, PathCollection):
        _points(artist)
    elif isinstance(artist, LineCollection):
        artist.set_color([_shade(colour, _LINES) for colour in artist.get_edgecolor()])
    elif isinstance(artist, Collection) and not isinstance(artist, QuadMesh):
        artist.set_facecolor([_shade(colour, _LINES) for colour in artist.get_facecolor()])
    elif isinstance(artist, FancyArrowPatch):
        artist.set_color(_shade(artist.get_edgecolor(), _LINES))
    elif isinstance(artist, Patch):
        _area(artist)
    elif isinstance(artist, Text):
        artist.set_color(_shade(artist.get_color(), ()))


def _line(line: Line2D, steps: dict[tuple[float, ...], float]) -> None:
    colour, key = line.get_color(), to_rgba(line.get_color())[:3]
    place = _PLACES.get(key)
    shade = _shade(colour, _LINES)
    line.set_color(shade)
    if place is None:
        return
    line.set_marker(MARKS[place])
    line.set_markersize(3.5)
    if line.get_markevery() is None:
        line.set_markevery(max(1, len(line.get_xdata()) // 8))
    line.set_markerfacecolor(shade)
    if line.get_linestyle() == "None" and key in steps:
        # An entry of a legend: its shade is that of the steps, its mark that of the lines.
        line.set(markersize=6, markerfacecolor=str(steps[key]), markeredgecolor=theme.INK)


def _points(points: PathCollection) -> None:
    faces, edges = points.get_facecolor(), points.get_edgecolor()
    hollow = to_rgba("white")
    # Hollow points have their colour on the edge.
    colours = edges if len(edges) and all(tuple(face) == hollow for face in faces) else faces
    places = [_PLACES.get(tuple(colour[:3])) for colour in colours]
    marks = [MarkerStyle("o" if place is None else MARKS[place]) for place in places]
    points.set_paths([mark.get_path().transformed(mark.get_transform()) for mark in marks])
    points.set_facecolor([_shade(face, _LINES) for face in faces])
    points.set_edgecolor([_shade(edge, _LINES) for edge in edges])


def _area(patch: Patch) -> None:
    face, edge = patch.get_facecolor(), patch.get_edgecolor()
    place = _PLACES.get(tuple(face[:3])) if patch.get_fill() else None
    patch.set_facecolor(_shade(face, _AREAS))
    if place is None:
        patch.set_edgecolor(_shade(edge, ()))
    else:
        patch.set(edgecolor=_shade(to_rgba(theme.INK), ()), hatch=HATCHES[place])


def _shade(colour: Any, shades: tuple[float, ...]) -> tuple[float, float, float, float]:
    """The grey for a colour: that of its place in the palette, or one as light as it is."""
    red, green, blue, opacity = to_rgba(colour)
    place = _PLACES.get((red, green, blue)) if shades else None
    if place is not None:
        light = shades[place % len(shades)]
    else:
        light = 0.299 * red + 0.587 * green + 0.114 * blue
    return (light, light, light, opacity)


def _written(axis: Any) -> None:
    """Text on cells is black or white, whichever is easier to read on its cell."""
    shown: list[ScalarMappable] = [
        one for one in (*axis.images, *axis.collections) if isinstance(one, AxesImage | QuadMesh)
    ]
    for text in axis.texts if shown else ():
        column, row = text.get_position()
        cells: np.ndarray = np.ma.filled(np.ma.asarray(shown[0].get_array(), dtype=float), np.nan)
        # Cells of a mesh begin at whole numbers, those of an image have their middle there.
        begin = 0.0 if isinstance(shown[0], QuadMesh) else 0.5
        value = np.atleast_2d(cells)[int(row + begin), int(column + begin)]
        light = float(shown[0].to_rgba(np.array([value]))[0, 0]) if np.isfinite(value) else 1.0
        text.set_color("white" if light < 0.5 else theme.INK)
