"""Figures without colours: no colour is left, and what colours told apart still is."""

import io
import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba
from PIL import Image

from nme_core.figures import drawing, greyscale, theme
from nme_core.figures.drawing import Paper

GREY = Paper(1, grey=True, dpi=100)
STATES = [f"state {letter}" for letter in "abcdefgh"]


def picture(kind, arguments, paper):
    content = drawing.file(drawing.on_paper(kind, arguments, paper), "png", paper)
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


@pytest.mark.parametrize(
    "kind",
    ["transition_comparison", "state_ribbon", "caterpillar", "newcomer_curve"],
)
def test_no_colour_is_left(examples, kind):
    pixels = picture(kind, examples[kind], GREY)
    assert np.ptp(pixels, axis=2).max() <= 2
    assert np.ptp(picture(kind, examples[kind], Paper(1, dpi=100)), axis=2).max() > 60


def bars_in_grey(paper):
    """A patch of each state's bar, as a printer without colours puts it on paper."""
    y = pd.Series(STATES * 3, name="state")
    figure = drawing.on_paper("outcome_overview", {"y": y, "kind": "class"}, paper)
    content = drawing.file(figure, "png", Paper(2, dpi=200))
    grey = np.asarray(Image.open(io.BytesIO(content)).convert("L")).astype(float)
    scale = 200 / figure.dpi
    patches = []
    for bar in figure.axes[0].patches:
        box = bar.get_window_extent()
        x, y = (box.x0 + 6) * scale, grey.shape[0] - (box.y0 + box.y1) / 2 * scale
        patches.append(grey[int(y) - 8 : int(y) + 8, int(x) : int(x) + 48])
    return patches


def alike(one, other):
    """Whether two patches are about as dark and have the same pattern."""
    return abs(one.mean() - other.mean()) < 25 and np.abs(one - other).mean() < 25


def test_states_are_told_apart_in_grey():
    pairs = list(itertools.combinations(range(len(STATES)), 2))
    grey, coloured = bars_in_grey(Paper(2, grey=True)), bars_in_grey(Paper(2))
    assert not [pair for pair in pairs if alike(*(grey[i] for i in pair))]
    assert [pair for pair in pairs if alike(*(coloured[i] for i in pair))]


def test_lines_and_points_have_a_mark_of_their_own(examples):
    axis = drawing.on_paper("loss_curves", examples["loss_curves"], GREY).axes[0]
    marks = {}
    for line in axis.lines:
        marks.setdefault(line.get_color(), set()).add(line.get_marker())
    assert len(marks) == 3
    assert len(set.union(*marks.values())) == 3
    legend = [handle.get_marker() for handle in axis.get_legend().legend_handles[:3]]
    assert set(legend) == set.union(*marks.values())
    axis = drawing.on_paper("person_map", examples["person_map"], GREY).axes[0]
    clouds = [one for one in axis.collections if isinstance(one, PathCollection)]
    assert len({one.get_paths()[0].vertices.tobytes() for one in clouds}) == len(clouds) == 3


def test_every_colour_of_the_palette_has_its_own_look():
    count = len(theme.PALETTE)
    assert len(set(greyscale.MARKS)) == len(set(greyscale.HATCHES)) == count


def test_every_state_has_its_own_look_without_colours():
    places = [greyscale._PLACES[to_rgba(colour)[:3]] for colour in theme.STATES]
    assert len(set(places)) == len(theme.STATES)


def test_scales_run_from_light_to_dark_and_texts_stay_readable(examples):
    figure = drawing.on_paper("transition_comparison", examples["transition_comparison"], GREY)
    for axis in figure.axes[:3]:
        (mesh,) = axis.collections
        low, high = mesh.get_clim()
        light = mesh.to_rgba(np.linspace(low, high, 20))[:, 0]
        assert (np.diff(light) < 0).all()
        for text in axis.texts:
            column, row = (int(at) for at in text.get_position())
            value = np.asarray(mesh.get_array()).reshape(4, 4)[row, column]
            dark = mesh.to_rgba(value)[0] < 0.5
            assert (text.get_color() == "white") == dark


def test_the_steps_of_a_ribbon_are_as_many_shades(examples):
    figure = drawing.on_paper("state_ribbon", examples["state_ribbon"], GREY)
    (image,) = figure.axes[0].images
    shades = np.asarray(image.to_rgba(np.arange(4)))[:, 0]
    assert np.diff(np.sort(shades)).min() > 0.15
    line, *handles = figure.legends[0].legend_handles
    assert line.get_linestyle() != "None"
    assert [float(one.get_markerfacecolor()) for one in handles] == pytest.approx(list(shades))
    assert len({one.get_marker() for one in handles}) == 4
