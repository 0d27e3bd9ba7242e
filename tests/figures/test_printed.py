import threading
from itertools import pairwise

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.text import Text

from nme_core.figures import export, printed, screen

EVIL = "$\\frac{1$ _x & <b>"


def bar_heights(figure: Figure) -> list[float]:
    return [patch.get_height() for patch in figure.axes[0].patches]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.fixture
def covariate(estimates):
    return pd.Series(np.arange(60.0) % 23, index=estimates.index)


@pytest.mark.parametrize("size", [2, "slide"])
@pytest.mark.parametrize("label", ["who differs most", "mit dem größten Unterschied", "7"])
def test_titles_of_panels_stand_beside_each_other(person, population, label, size):
    figure = printed.transition_comparison(
        person, population, person_label=label, readout="conditional", columns=size
    )
    figure.draw_without_rendering()
    said = [axis.get_title(loc="left") for axis in figure.axes[:3]]
    titles = [
        next(text for text in axis.findobj(Text) if text.get_text() == title).get_window_extent()
        for axis, title in zip(figure.axes, said, strict=False)
    ]
    assert all(one.x1 < other.x0 for one, other in pairwise(titles))


def test_matrix_shows_the_numbers_of_the_screen(person, population, counts):
    given = {"person_label": "007", "readout": "observed", "counts": counts, "limit": 0.6}
    figure = printed.transition_comparison(person, population, **given)
    drawn = [
        np.ma.filled(axis.collections[0].get_array().astype(float), np.nan).reshape(4, 4)
        for axis in figure.axes[:3]
    ]
    shown = screen.transition_comparison(person, population, **given)
    for ours, theirs in zip(
        drawn, [t for t in shown.data if getattr(t, "coloraxis", None)], strict=True
    ):
        np.testing.assert_array_equal(ours, theirs.z)
    for axis, colours in zip(
        figure.axes[:3],
        [shown.layout.coloraxis] * 2 + [shown.layout.coloraxis2],
        strict=True,
    ):
        assert axis.collections[0].get_clim() == (colours.cmin, colours.cmax)


def test_matrix_runs_from_top_to_bottom_and_marks_what_was_never_observed(
    person, population, counts
):
    figure = printed.transition_comparison(
        person, population, person_label="007", readout="observed", counts=counts
    )
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == list(person.index)
    assert axis.yaxis_inverted()
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("to", "from")
    cells = {}
    for text in axis.texts:
        column, row = (int(at) for at in text.get_position())
        cells.setdefault((row, column), []).append(text.get_text())
    assert cells[2, 3] == ["0.30", "n=6"]
    assert cells[3, 0] == ["0.40", "n=1,204"]
    assert all(cells[1, column] == ["\u2013"] for column in range(4))


def test_histograms_have_the_bars_of_the_screen(estimates):
    null = np.random.default_rng(1).gamma(2, 0.001, 400)
    n_obs = pd.Series(np.arange(20, 80), index=estimates.index)
    y = pd.Series(np.random.default_rng(2).normal(5, 1, 300), name="mood")
    for name, args, options in (
        ("random_effect_distribution", (estimates, 0.2), {"parameter": "w"}),
        ("hsic_null", (null, 0.02, 0.01), {"covariate": "age"}),
        ("observations_per_person", (n_obs,), {}),
        ("outcome_overview", (y, "number"), {}),
    ):
        shown = getattr(screen, name)(*args, **options).data[0]
        figure = getattr(printed, name)(*args, **options)
        assert bar_heights(figure) == list(shown.y), name
        lefts = [patch.get_x() + patch.get_width() / 2 for patch in figure.axes[0].patches]
        np.testing.assert_allclose(lefts, shown.x, err_msg=name)


def test_normal_curve_is_the_one_of_the_screen(estimates):
    shown = screen.random_effect_distribution(estimates, 0.2, parameter="w").data[1]
    line = printed.random_effect_distribution(estimates, 0.2, parameter="w").axes[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), shown.x)
    np.testing.assert_allclose(line.get_ydata(), shown.y)


def test_scatter_and_boxes_are_those_of_the_screen(estimates, covariate):
    names = {"parameter": "w", "covariate_name": "score"}
    band, line, points = screen.covariate_scatter(estimates, covariate, **names).data
    axis = printed.covariate_scatter(estimates, covariate, **names).axes[0]
    offsets = axis.collections[0].get_offsets()
    np.testing.assert_allclose(offsets, np.column_stack([points.x, points.y]))
    np.testing.assert_allclose(axis.lines[0].get_ydata(), line.y)
    drawn = axis.collections[1].get_paths()[0].vertices[:, 1]
    assert drawn.max() == pytest.approx(np.max(band.y))
    assert drawn.min() == pytest.approx(np.min(band.y))

    groups = pd.Series(["b", "a", "a"] * 20, index=estimates.index)
    shown = screen.covariate_scatter(estimates, groups, **names).data
    axis = printed.covariate_scatter(estimates, groups, **names).axes[0]
    for i, cloud in enumerate(axis.collections):
        points = shown[2 * i + 1]
        np.testing.assert_allclose(cloud.get_offsets(), np.column_stack([points.x, points.y]))
    middles = [line.get_ydata()[0] for line in axis.lines if line.get_zorder() > 2]
    assert {shown[0].median[0], shown[2].median[0]} <= set(middles)


def test_a_group_of_four_has_no_box(estimates):
    groups = pd.Series(["few"] * 5 + ["many"] * 55, index=estimates.index)
    axis = printed.covariate_scatter(estimates, groups, parameter="w", covariate_name="arm").axes[0]
    assert len(axis.patches) == 1
    assert [len(cloud.get_offsets()) for cloud in axis.collections] == [4, 55]


def test_curves_are_those_of_the_screen(history, curves):
    drawn = [line for line in printed.loss_curves(history).axes[0].lines if len(line.get_xdata())]
    shown = [trace for trace in screen.loss_curves(history).data if trace.x[0] is not None]
    for line, trace in zip(drawn, shown, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), trace.y)
        assert line.get_color() == trace.line.color
    options = {"feature": "sleep", "outcome": "mood", "person": "b"}
    axis = printed.response_curves(curves, **options).axes[0]
    population, person = screen.response_curves(curves, **options).data[1:]
    np.testing.assert_array_equal(axis.lines[-2].get_ydata(), population.y)
    np.testing.assert_array_equal(axis.lines[-1].get_ydata(), person.y)
    assert len(axis.lines) == 3
    assert np.isnan(axis.lines[0].get_xdata()).sum() == curves["person"].nunique() - 2


def test_state_shares_are_those_of_the_screen():
    y = pd.Series(["b", "a", "b", "b", None], name="state")
    shown = screen.outcome_overview(y, "class").data[0]
    figure = printed.outcome_overview(y, "class")
    patches = figure.axes[0].patches
    assert [patch.get_width() for patch in patches] == list(shown.x)
    drawn = [matplotlib.colors.to_hex(patch.get_facecolor()).upper() for patch in patches]
    assert drawn == list(shown.marker.color)


def every_figure(text: str, columns: int) -> list[Figure]:
    """Each figure with `text` wherever a text from data can stand."""
    states = [text, text + " b"]
    matrix = pd.DataFrame([[0.5, 0.5], [np.nan, np.nan]], states, states)
    persons = pd.Index([text, "b", "c", "d"])
    values = pd.Series([0.1, 0.4, 0.2, 0.3], persons, name=text)
    groups = pd.Series([text, "x", "x", text], persons)
    history = pd.DataFrame(
        {"model": text, "epoch": [1, 2], "train_loss": 1.0, "validation_loss": 2.0}
    )
    curve = pd.DataFrame({"person": ["", text], "feature": text, "x": [1.0, 2.0], "value": 2.0})
    return [
        printed.transition_comparison(
            matrix, matrix.fillna(0.5), person_label=text, readout="observed", counts=matrix,
            columns=columns,
        ),
        printed.random_effect_distribution(values, 0.1, parameter=text, columns=columns),
        printed.hsic_null(np.arange(9.0), 3.0, 0.5, covariate=text, columns=columns),
        printed.covariate_scatter(
            values, values * 2, parameter=text, covariate_name=text, columns=columns
        ),
        printed.covariate_scatter(
            values, groups, parameter=text, covariate_name=text, columns=columns
        ),
        printed.loss_curves(history, columns=columns),
        printed.response_curves(curve, feature=text, outcome=text, person=text, columns=columns),
        printed.observations_per_person(values * 10, columns=columns),
        printed.outcome_overview(values, "number", columns=columns),
        printed.outcome_overview(groups.rename(text), "class", columns=columns),
    ]  # fmt: skip


@pytest.mark.parametrize(("columns", "width"), [(1, 85), (2, 170)])
def test_figures_have_their_column_and_readable_type(columns, width):
    for figure in every_figure("a", columns):
        assert figure.get_figwidth() * 25.4 == pytest.approx(width)
        export.to_svg(figure)
        sizes = [t.get_fontsize() for t in figure.findobj(Text) if t.get_text().strip()]
        assert min(sizes) >= 6


def test_text_from_data_is_drawn_as_it_stands():
    named = [f for f in every_figure(EVIL, 1) if any("frac" in t for t in texts(f))]
    assert len(named) >= 8
    for figure in named:
        assert "$\\frac{1$" in export.to_svg(figure).decode()


def test_text_stays_on_the_sheet(person, population, counts):
    long = pd.Index([f"a long name of a state, the {i}th" for i in range(4)])
    figure = printed.transition_comparison(
        person.set_axis(long).set_axis(long, axis=1),
        population.set_axis(long).set_axis(long, axis=1),
        person_label="0123456789" * 9, readout="observed",
    )  # fmt: skip
    export.to_png(figure, dpi=100)
    sheet = figure.bbox
    for text in figure.findobj(Text):
        if text.get_text().strip() and text.get_visible():
            box = text.get_window_extent()
            assert box.x0 >= sheet.x0 - 1
            assert box.x1 <= sheet.x1 + 1, text.get_text()
            assert box.y0 >= sheet.y0 - 1
            assert box.y1 <= sheet.y1 + 1


def test_no_figure_is_left_in_pyplot():
    every_figure("a", 1)
    assert plt.get_fignums() == []


def test_threads_may_draw_at_once(estimates):
    done, failures = [], []

    def draw(i: int) -> None:
        try:
            figure = printed.random_effect_distribution(estimates, 0.2, parameter=f"w{i}")
            done.append(f"w{i}" in export.to_svg(figure).decode())
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=draw, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert done == [True] * 6


def test_a_figure_of_three_columns_does_not_exist(estimates):
    with pytest.raises(ValueError, match="1 or 2 columns or a slide"):
        printed.random_effect_distribution(estimates, 0.2, parameter="w", columns=3)
