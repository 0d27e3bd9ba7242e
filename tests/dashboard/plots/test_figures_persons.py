"""Charts of transitions and random effects: order, axes, ranges, colours, numbers."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dashboard.plots import charts_print, charts_screen, figures, screen, tables, theme
from tests.dashboard.plots.conftest import correlation_table

STATES = ["calm", "tense", "low"]


def matrix(shift: float = 0.0) -> pd.DataFrame:
    values = np.array([[0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.01, 0.09, 0.9]])
    values[0] += [shift, -shift, 0]
    return pd.DataFrame(values, index=STATES, columns=STATES)


def test_multiples_keep_the_order_given_and_one_scale() -> None:
    matrices = {name: matrix(i / 100) for i, name in enumerate("cabde")}
    chart = figures.transition_multiples(matrices, readout="conditional", notes={"a": "(3)"})
    assert [panel.title for panel in chart.panels] == ["c", "a (3)", "b", "d", "e"]
    assert {panel.matrix.limits for panel in chart.panels} == {(0.0, 1.0)}
    assert len(chart.numbers) == 5 * 9
    # State names at the left of each row, and under the last matrix of each column.
    assert [panel.y_ticks is None for panel in chart.panels] == [True, False, False, False, True]
    assert [panel.x_ticks is None for panel in chart.panels] == [False, True, True, True, True]


def test_groups_end_with_low_minus_high_centred_at_0() -> None:
    groups = {"low": (4, matrix()), "high": (6, matrix(0.12))}
    chart = figures.group_transitions(groups, readout="conditional", covariate="depression")
    assert [panel.title for panel in chart.panels] == [
        "low (4 persons)", "high (6 persons)", "Difference (first − last)",
    ]  # fmt: skip
    last = chart.panels[-1].matrix
    assert last.stops == theme.DIVERGING
    assert last.limits[0] == -last.limits[1]
    assert last.values[0] == pytest.approx([-0.12, 0.12, 0.0])


def test_arrows_lead_from_state_to_state_with_the_probability_as_width() -> None:
    chart = figures.transition_arrows({"Person 7": matrix()})
    arrows, circles, _ = chart.panels[0].layers
    # Six moves, one of them (low to calm, .01) too rare to be drawn.
    assert len(arrows.x) == 5
    assert arrows.sizes == pytest.approx(8 * np.array([0.2, 0.1, 0.3, 0.2, 0.09]))
    assert circles.sizes == pytest.approx(26 + 34 * np.array([0.7, 0.5, 0.9]))
    assert list(circles.colours) == [theme.state_colours(STATES)[state] for state in STATES]
    # calm stands at the top, tense to its right: the first arrow goes down.
    assert arrows.y[0] > arrows.high[0]


def test_dwell_times_start_at_0_with_states_in_order() -> None:
    table = pd.DataFrame(
        {
            "state": STATES * 2,
            "who": ["person 7"] * 3 + ["population"] * 3,
            "steps": [2.0, 3, 4, 2, 2, 5],
            "low": [1.5, 2, 3, *[np.nan] * 3],
            "high": [3.0, 4, 8, *[np.nan] * 3],
        }
    )
    chart = figures.dwell_times(table)
    (panel,) = chart.panels
    assert panel.y_range == (0, pytest.approx(8.64))
    assert [text for _, text in panel.x_ticks] == STATES
    assert panel.layers[0].high is not None
    assert panel.layers[1].high is None
    assert "2.00 steps (1.50 to 3.00)" in panel.layers[0].hover[0]


def test_ribbon_gives_each_state_its_colour_and_probabilities_0_to_1() -> None:
    rows = pd.DataFrame(
        {
            "time": [1, 2, 3],
            "observed": ["calm", "", "low"],
            "predicted": ["calm", "tense", "low"],
            "p_calm": [0.8, 0.3, 0.1],
            "p_tense": [0.1, 0.4, 0.1],
            "p_low": [0.1, 0.3, 0.8],
        }
    )
    chart = figures.state_ribbon(rows, person="7", states=STATES)
    ribbon, lines = chart.panels
    assert ribbon.matrix.values[0][[0, 2]].tolist() == [0, 2]
    assert np.isnan(ribbon.matrix.values[0][1])
    colours = theme.state_colours(STATES)
    assert list(ribbon.matrix.legend) == [(state, colours[state]) for state in STATES]
    assert [layer.colour for layer in lines.layers] == [colours[state] for state in STATES]
    assert lines.y_range == (0, 1.02)
    drawn = charts_screen.draw(chart)
    assert [trace.name for trace in drawn.data if trace.showlegend is not False][-3:] == STATES
    assert charts_print.draw(chart).axes


def effects(n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "estimate": rng.normal(0, 1, n),
            "n_obs": np.arange(n),
            "reliability": np.linspace(0.1, 0.9, n),
        },
        index=pd.Index([f"p{i}" for i in range(n)], name="person"),
    )
    return table.assign(ci_low=table["estimate"] - 1, ci_high=table["estimate"] + 1)


def test_caterpillar_is_ordered_with_intervals_and_colours_those_apart_from_0() -> None:
    chart = figures.caterpillar(effects(), parameter="b")
    points, zero = chart.panels[0].layers
    assert np.all(np.diff(points.x) >= 0)
    assert points.y.tolist() == list(range(1, 41))
    assert points.high - points.low == pytest.approx(np.full(40, 2.0))
    apart = np.abs(points.x) > 1
    assert [colour == theme.PERSON for colour in points.colours] == apart.tolist()
    assert zero.x.tolist() == [0, 0]
    assert len(figures.caterpillar(effects(1000), parameter="b").panels[0].layers[0].x) <= 300
    assert len(figures.caterpillar(effects(1000), parameter="b").numbers) == 1000


def test_qq_band_holds_normal_samples_and_not_a_heavy_tail() -> None:
    quantiles = pd.Series(stats.norm.ppf((np.arange(1, 101) - 0.5) / 100))
    table = figures.effect_qq(quantiles, parameter="b").numbers
    assert ((table["observed"] > table["low"]) & (table["observed"] < table["high"])).all()
    heavy = figures.effect_qq(quantiles**5, parameter="b").numbers
    assert not ((heavy["observed"] > heavy["low"]) & (heavy["observed"] < heavy["high"])).all()


def test_correlations_are_framed_where_they_leave_their_band() -> None:
    table = correlation_table([0.7, 0.05, -0.3], ["transitions[a,b]", "w", "bias"])
    chart = figures.effect_correlations(table)
    drawn = chart.panels[0].matrix
    assert drawn.limits == (-1.0, 1.0)
    assert drawn.rows == drawn.columns == ["a \u2192 b", "w", "bias"]
    assert drawn.values.tolist() == [[1, 0.7, 0.05], [0.7, 1, -0.3], [0.05, -0.3, 1]]
    framed = [[False, True, False], [True, False, True], [False, True, False]]
    assert drawn.marks.tolist() == framed
    assert drawn.hover[1] == drawn.hover[3]
    assert "0.70, in Σ 0.25, expected \u22120.20 to 0.20, corrected p = .001" in drawn.hover[1]
    assert chart.numbers["outside"].tolist() == [True, False, True]
    points = table.assign(simulated_low=np.nan, simulated_high=np.nan)
    assert not figures.effect_correlations(points).panels[0].matrix.marks.any()


def test_pairs_stand_in_order_of_how_far_they_leave_their_band() -> None:
    table = correlation_table([0.3, 0.05, -0.7], ["a", "b", "c"])
    chart = figures.correlation_bands(table)
    band, points = chart.panels[0].layers
    assert points.x.tolist() == [0.05, 0.3, -0.7]
    assert (band.low.tolist(), band.high.tolist()) == ([-0.2] * 3, [0.2] * 3)
    assert [label for _, label in chart.panels[0].y_ticks] == ["a, c", "a, b", "b, c"]
    many = pd.concat([table] * 10, ignore_index=True)
    drawn = figures.correlation_bands(many)
    assert (drawn.panels[0].layers[1].x == -0.7).sum() == 10
    assert (len(drawn.panels[0].layers[1].x), len(drawn.numbers)) == (15, 30)


def test_reliability_and_map() -> None:
    rows = effects()
    panel = figures.reliability_by_observations(rows, parameter="b").panels[0]
    assert panel.y_range == (-0.02, 1.02)
    places = pd.DataFrame({"first": rows["estimate"], "second": rows["reliability"]})
    score = pd.Series(np.arange(40.0), index=rows.index)
    score.iloc[0] = np.nan
    chart = figures.person_map(places, [0.5, 0.25], score, covariate_name="PHQ")
    names = [layer.name for layer in chart.panels[0].layers]
    assert names == ["PHQ up to 13.7", "between", "PHQ from 26.3", "not known"]
    assert sum(len(layer.x) for layer in chart.panels[0].layers) == 40
    assert chart.panels[0].x_title == "first component (50 % of the variance)"
    clinics = pd.Series(["s", "n"] * 20, index=rows.index)
    layers = figures.person_map(places, [0.5], clinics, covariate_name="c").panels[0].layers
    assert [layer.name for layer in layers] == ["n", "s"]


def test_a_frame_marks_intervals_that_exclude_the_population() -> None:
    low, high = matrix() - 0.05, matrix() + 0.05
    arguments = {
        "person": matrix(0.1), "population": matrix(), "person_label": "7",
        "readout": "conditional", "low": low + 0.1, "high": high + 0.1,
    }  # fmt: skip
    table = tables.transition_comparison(**arguments)
    assert table["beyond"].all()
    arguments |= {"low": low, "high": high}
    table = tables.transition_comparison(**arguments)
    assert not table["beyond"].any()
    low.loc["calm"] = matrix().loc["calm"] + 0.01
    figure = screen.transition_comparison(**arguments)
    frames = {(shape.xref, shape.y0) for shape in figure.layout.shapes}
    assert frames == {("x", -0.46), ("x3", -0.46)}
    assert len(figure.layout.shapes) == 6
    assert "excludes the population" in figure.data[0].customdata[0][0]
    assert "excludes" not in figure.data[0].customdata[1][0]


def test_a_second_person_stands_in_the_populations_place() -> None:
    arguments = {
        "person": matrix(0.1), "population": matrix(), "person_label": "7", "other": "8",
        "readout": "conditional",
    }  # fmt: skip
    table = tables.transition_comparison(**arguments)
    assert "population_value" not in table
    assert table["other"].unique().tolist() == ["8"]
    titles = [note.text for note in screen.transition_comparison(**arguments).layout.annotations]
    assert titles == ["<b>Person 7</b>", "<b>Person 8</b>", "<b>7 minus 8</b>"]
