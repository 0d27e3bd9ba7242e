"""Every kind of figure: print shows the numbers of the screen; sizes, type, files, storing."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection, PolyCollection, QuadMesh
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.text import Text

from nme_core.figures import drawing, figures, printed, screen, tables, theme
from nme_core.figures.drawing import Paper
from nme_core.figures.stored import as_json, from_json
from nme_core.vocabulary.language import speaking

KINDS = sorted({*figures.__all__, *printed.__all__})


def test_every_kind_has_an_example_and_is_drawn_everywhere(examples):
    assert set(examples) == set(KINDS)
    assert set(printed.__all__) == set(screen.__all__)
    assert all(hasattr(tables, name) for name in printed.__all__)


def parts(x, y) -> list[np.ndarray]:
    """Polylines of points, cut where a value is missing."""
    points = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    cuts = np.flatnonzero(np.isnan(points).any(axis=1))
    pieces = np.split(points, cuts)
    return [kept for piece in pieces if len(kept := piece[~np.isnan(piece).any(axis=1)])]


def on_the_screen(figure) -> list[tuple[str, np.ndarray]]:
    """What plotly draws: cells, lines, points, bars, boxes, intervals, bands, arrows."""
    shown = []
    for trace in figure.data:
        kind = trace.type
        if kind == "heatmap" and trace.colorscale and trace.colorscale[0][1] == theme.EMPTY:
            continue  # states never observed: a grey cell and no number
        if kind == "heatmap":
            shown.append(("cells", np.asarray(trace.z, dtype=float)))
        elif kind == "bar":
            shown.append(("bars", np.asarray(trace.x if trace.orientation == "h" else trace.y)))
        elif kind == "box":
            five = [trace.lowerfence, trace.q1, trace.median, trace.q3, trace.upperfence]
            shown.append(("box", np.ravel(five)))
        elif trace.mode == "text" or trace.x[0] is None:
            continue
        elif trace.fill == "toself":
            shown.append(("band", np.column_stack([trace.x, trace.y])))
        elif trace.marker.symbol == "line-ns-open":
            shown.append(("rug", np.sort(trace.x)))
        else:
            drawn = "points" if trace.mode.startswith("markers") else "line"
            shown += [(drawn, piece) for piece in parts(trace.x, trace.y)]
            for across in ("x", "y"):
                error = trace[f"error_{across}"]
                if error.array is not None:
                    middle = np.asarray(trace[across])
                    ends = (middle - error.arrayminus, middle + error.array)
                    shown.append(("intervals", np.sort(np.ravel(ends))))
    arrows = [one for one in figure.layout.annotations if one.showarrow]
    if arrows:
        shown.append(("shares", np.array([one.arrowwidth / 8 for one in arrows])))
    return shown + [("arrow", np.array([one.ax, one.ay, one.x, one.y])) for one in arrows]


def in_print(figure: Figure) -> dict[str, list[np.ndarray]]:
    """What matplotlib draws, by the same names."""
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in (
        "cells", "line", "points", "bars", "box", "intervals", "band", "arrow", "rug")}  # fmt: skip
    widths: list[float] = []
    for axis in figure.axes:
        drawn["cells"] += [np.ma.filled(one.get_array().astype(float), np.nan)
                           for one in axis.images]  # fmt: skip
        drawn["line"] += [piece for line in axis.lines for piece in parts(*line.get_data())]
        bars = [one for one in axis.patches if isinstance(one, Rectangle)]
        drawn["bars"] += [np.array([one.get_height() for one in bars]),
                          np.array([one.get_width() for one in bars])]  # fmt: skip
        arrows = [one for one in axis.patches if isinstance(one, FancyArrowPatch)]
        drawn["arrow"] += [np.ravel(one._posA_posB) for one in arrows]
        widths += [one.get_linewidth() / 4 for one in arrows]
        for one in axis.collections:
            if isinstance(one, QuadMesh):
                cells = np.ma.filled(one.get_array().astype(float), np.nan)
                drawn["cells"].append(cells)
            elif isinstance(one, PathCollection):
                drawn["points"].append(np.asarray(one.get_offsets()))
            elif isinstance(one, LineCollection) and len(one.get_segments()):
                ends = np.array(one.get_segments())
                drawn["line"] += list(ends)
                drawn["rug"].append(np.sort(ends[:, 0, 0]))
                drawn["intervals"] += [np.sort(ends[:, :, i].ravel()) for i in (0, 1)]
            elif isinstance(one, PolyCollection):
                drawn["band"] += [path.vertices for path in one.get_paths()]
    return drawn | {"shares": [np.array(widths)]}


def agrees(kind: str, one: np.ndarray, other: np.ndarray) -> bool:
    if kind == "band":
        return all(np.isclose(other, point).all(axis=1).any() for point in one)
    if kind == "cells":
        one, other = one.ravel(), other.ravel()
    return one.shape == other.shape and np.allclose(one, other, equal_nan=True)


@pytest.mark.parametrize("kind", KINDS)
def test_print_shows_the_numbers_of_the_screen_and_of_the_table(examples, kind):
    shown = on_the_screen(drawing.on_screen(kind, examples[kind]))
    assert shown
    drawn = in_print(drawing.on_paper(kind, examples[kind]))
    for what, values in shown:
        found = [agrees(what, values, other) for other in drawn[what]]
        assert any(found), f"{what} of the screen is not in print: {values}"
    table = pd.read_csv(io.StringIO(drawing.numbers(kind, examples[kind]).to_csv(index=False)))
    known = table.select_dtypes("number").to_numpy(dtype=float)
    known = np.append(known[np.isfinite(known)], [0.0, 1.0])
    values = [part for _, part in shown for part in (part.T if part.ndim == 2 else [part])]
    told = [np.isin(np.round(part[np.isfinite(part)], 9), np.round(known, 9)) for part in values]
    assert any(part.all() and len(part) > 1 for part in told), "no number of it is in its table"


#: Figures whose layout has something of its own; the others are as these are.
LAID_OUT = ("caterpillar", "outcome_overview", "transition_comparison", "transition_multiples")


@pytest.mark.parametrize(
    ("size", "kinds", "wide"), [(1, KINDS, 85), (2, LAID_OUT, 170), ("slide", LAID_OUT, 254)]
)
def test_sizes_are_kept_and_type_is_large_enough_and_on_the_sheet(examples, size, kinds, wide):
    for kind in kinds:
        figure = drawing.on_paper(kind, examples[kind], Paper(size))
        figure.draw_without_rendering()
        enlarged = theme.ENLARGED[size]
        width, height = figure.get_size_inches() * enlarged * 25.4
        assert width == pytest.approx(wide), kind
        assert size != "slide" or height <= 143, kind
        texts = [one for one in figure.findobj(Text) if one.get_text().strip()]
        assert len({tuple(one.get_fontfamily()) for one in texts}) == 1, kind
        sizes = [one.get_fontsize() * enlarged for one in texts]
        assert min(sizes) >= (12 if size == "slide" else 6), kind
        assert max(sizes) <= 16, kind
        for one in texts:
            if one.get_visible() and one.axes is not None and one.axes.get_visible():
                box, sheet = one.get_window_extent(), figure.bbox
                assert -2 <= box.x0 <= box.x1 <= sheet.x1 + 2, (kind, one.get_text())
                assert -2 <= box.y0 <= box.y1 <= sheet.y1 + 2, (kind, one.get_text())


@pytest.mark.parametrize(
    "kind", ["transition_arrows", "loss_curves", "variance_traces", "effect_correlations"]
)
def test_german_numbers_have_a_comma(examples, kind):
    with speaking("de"):
        figure = drawing.on_paper(kind, examples[kind])
        figure.draw_without_rendering()
        texts = [one.get_text() for one in figure.findobj(Text) if one.get_visible()]
        screen = drawing.on_screen(kind, examples[kind])
    texts += [str(one) for trace in screen.data for one in np.ravel(trace.text or [])]
    texts += [one.text for one in screen.layout.annotations]
    assert any(re.search(r"\d,\d", one) for one in texts)
    assert not [one for one in texts if re.search(r"\d\.\d", one)]
    assert screen.layout.separators == ",."


@pytest.mark.parametrize("kind", ["loss_curves", "variance_traces"])
def test_a_legend_of_many_models_is_on_the_sheet(examples, kind):
    one = examples[kind]["history"]
    names = [f"a model with a long name {k}" for k in range(7)]
    history = pd.concat([one.assign(model=name) for name in names])
    for size in (1, 2, "slide"):
        figure = drawing.on_paper(kind, {"history": history}, Paper(size))
        figure.draw_without_rendering()
        (legend,) = figure.findobj(Legend)
        box, sheet = legend.get_window_extent(), figure.bbox
        assert 0 <= box.x0 < box.x1 <= sheet.x1, size
        assert 0 <= box.y0 < box.y1 <= sheet.y1, size


@pytest.mark.parametrize("kind", KINDS)
def test_a_stored_figure_is_drawn_again_as_it_was(examples, kind):
    text = json.dumps(as_json(examples[kind]), allow_nan=False)
    again = from_json(json.loads(text))
    pd.testing.assert_frame_equal(
        drawing.numbers(kind, again), drawing.numbers(kind, examples[kind])
    )
    assert drawing.on_screen(kind, again) == drawing.on_screen(kind, examples[kind])


def test_only_what_figures_take_is_stored():
    kept = {"a": [1, (2.5, None)], 3: np.array([1.0, np.inf, np.nan]), "x": float("-inf")}
    again = from_json(json.loads(json.dumps(as_json(kept), allow_nan=False)))
    np.testing.assert_array_equal(again[3], kept[3])
    assert (again["a"], again["x"]) == ([1, (2.5, None)], float("-inf"))
    days = pd.Series(pd.to_datetime(["2024-03-01", None]), index=["a", "b"])
    pd.testing.assert_series_equal(from_json(as_json(days)), days)
    words = pd.Series(["x", None, "y"], dtype="category")
    assert from_json(as_json(words)).tolist()[::2] == ["x", "y"]
    with pytest.raises(TypeError, match="does not take"):
        as_json(object())
