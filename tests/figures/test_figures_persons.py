"""Charts of transitions and random effects: order, axes, ranges, colours, numbers."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nme_core.figures import charts_print, charts_screen, figures, screen, tables, theme
from nme_core.figures.figures_moves import rarest_drawn
from tests.figures.conftest import correlation_table

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
        "low (4 people)", "high (6 people)", "Low − high",
    ]  # fmt: skip
    last = chart.panels[-1].matrix
    assert last.stops == theme.DIVERGING
    assert last.limits[0] == -last.limits[1]
    assert last.values[0] == pytest.approx([-0.12, 0.12, 0.0])


def test_group_means_have_their_intervals_and_persons_in_the_hover() -> None:
    groups = {"up to 4": (4, matrix()), "from 9": (6, matrix(0.12))}
    ends = {name: (mean - 0.01, mean + 0.01) for name, (_, mean) in groups.items()}
    ends["low − high"] = (matrix() * 0 - 0.2, matrix() * 0 + 0.3)
    chart = figures.group_transitions(
        groups,
        readout="expected",
        covariate="score",
        contrast="low − high",
        intervals=ends,
        sizes={"from 9": matrix() * 0 + 5},
    )
    first, second, last = (panel.matrix for panel in chart.panels)
    # One of the six was never in any state to move from.
    assert second.hover[0].endswith("mean of 5 people, from 9")
    assert first.hover[0] == "calm → calm: 0.700 (0.690 to 0.710), mean of 4 people, up to 4"
    assert last.hover[1] == "calm → tense: 0.120 (−0.200 to 0.300), low − high"
    rows = chart.numbers.set_index(["group", "from", "to"])
    told = rows.loc[("low − high", "calm", "tense"), ["value", "ci_low", "ci_high"]]
    assert told.tolist() == pytest.approx([0.12, -0.2, 0.3])
    assert rows.loc[("from 9", "calm", "calm"), "n_persons"] == 6


def many_states(k: int = 7) -> pd.DataFrame:
    """States with long names that are all alike at their beginning."""
    names = [f"a state whose name is long, number {i}" for i in range(k)]
    values = np.random.default_rng(0).dirichlet(np.ones(k), k)
    return pd.DataFrame(values, names, names)


def test_many_groups_of_many_states_stand_clear_of_each_other() -> None:
    groups = {f"band {i}": (8, many_states()) for i in range(5)}
    chart = figures.group_transitions(groups, readout="expected", covariate="PHQ-9")
    assert chart.n_columns == 2
    # Names stand under the last matrix of each column only, cut and still different.
    assert [panel.x_ticks is None for panel in chart.panels] == [False] * 4 + [True] * 2
    names = chart.panels[0].matrix.columns
    assert len(set(names)) == 7
    assert max(map(len, names)) <= 14
    assert all(not text.startswith("0.") for text in chart.panels[0].matrix.texts)
    drawn = charts_screen.draw(chart)
    tops = sorted({axis.domain for axis in drawn.select_yaxes()}, reverse=True)
    gaps = [(upper[0] - lower[1]) * chart.height for upper, lower in itertools.pairwise(tops)]
    assert min(gaps) > 40
    assert (tops[0][1] - tops[0][0]) * chart.height > 7 * 30


def test_arrows_of_many_states_are_two_from_each_on_average() -> None:
    matrices = {"Person 7": many_states(), "Population": many_states() ** 0.9}
    chart = figures.transition_arrows(matrices)
    least = rarest_drawn(matrices)
    drawn = [len(panel.layers[0].x) for panel in chart.panels]
    assert max(drawn) <= 14
    for panel, values in zip(chart.panels, matrices.values(), strict=True):
        moves = values.to_numpy()[~np.eye(7, dtype=bool)]
        assert len(panel.layers[0].x) == (moves >= least).sum()
        assert not any(panel.layers[0].labels)
        assert len(panel.layers[0].hover) == len(panel.layers[0].x)
    # One step lower would be too many.
    assert max((m.to_numpy()[~np.eye(7, dtype=bool)] >= least - 0.01).sum()
               for m in matrices.values()) > 14  # fmt: skip


def test_numbers_of_arrows_stand_beside_them_on_a_light_ground() -> None:
    chart = figures.transition_arrows({"Person 7": matrix()})
    arrows = chart.panels[0].layers[0]
    x, y = arrows.beside
    dx, dy = arrows.low - arrows.x, arrows.high - arrows.y
    away = np.abs((x - arrows.x) * dy - (y - arrows.y) * dx) / np.hypot(dx, dy)
    assert away == pytest.approx(np.full(len(x), 0.11))
    shown = charts_screen.draw(chart).layout.annotations
    labels = [one for one in shown if one.bgcolor is not None]
    assert sorted(one.text for one in labels) == ["0.10", "0.20", "0.20", "0.30"]


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


def test_observed_stays_are_hollow_in_the_colour_of_whom_they_belong_to() -> None:
    table = pd.DataFrame(
        [
            (state, who, how, 2.0, low, high)
            for who in ("person 7", "population")
            for how, low, high in (("expected", 1.5, 2.5), ("observed", 1.2, 90.0))
            for state in STATES
        ],
        columns=["state", "who", "how", "steps", "low", "high"],
    )
    (panel,) = figures.dwell_times(table).panels
    assert [(one.name, one.colour, one.hollow) for one in panel.layers] == [
        ("person 7, expected", theme.PERSON, False), ("person 7, observed", theme.PERSON, True),
        ("population, expected", theme.POPULATION, False),
        ("population, observed", theme.POPULATION, True),
    ]  # fmt: skip
    # An interval without end does not press the others together.
    assert panel.y_range[1] < 6
    drawn = charts_screen.draw(figures.dwell_times(table))
    assert [trace.marker.symbol for trace in drawn.data] == ["circle", "circle-open"] * 2


def test_ribbon_separates_sequences_and_marks_what_was_not_fitted() -> None:
    rows = pd.DataFrame(
        {
            "sequence": ["a"] * 3 + ["b"] * 2 + ["c"] * 2,
            "split": ["train"] * 5 + ["test"] * 2,
            "observed": "calm", "predicted": "low", "p_calm": 0.6, "p_tense": 0.3, "p_low": 0.1,
        }
    )  # fmt: skip
    chart = figures.state_ribbon(rows, person="7", states=STATES)
    ribbon, lines = chart.panels
    between, cut = ribbon.layers
    assert between.x[::3].tolist() == [2.5, 4.5]
    assert (cut.name, cut.x.tolist()) == ("not fitted from here", [4.5, 4.5])
    assert lines.layers[0].x[::3].tolist() == [3.5, 5.5]
    calm = next(one for one in lines.layers if one.name == "calm")
    assert np.isnan(calm.x).nonzero()[0].tolist() == [3, 6]
    assert ribbon.matrix.hover[5] == "step 6, sequence c, not fitted: observed calm"
    alone = figures.state_ribbon(rows[:3], person="7", states=STATES)
    assert alone.panels[0].layers == []


def test_a_legend_of_several_lines_stays_below_the_title() -> None:
    names = [f"a state with a long name, {i}" for i in range(9)]
    rows = pd.DataFrame({"observed": names, "predicted": names} | {f"p_{n}": 0.1 for n in names})
    chart = figures.state_ribbon(rows, person="7", states=names)
    drawn = charts_screen.draw(chart)
    assert drawn.layout.height > chart.height
    assert drawn.layout.margin.t - 92 == drawn.layout.height - chart.height


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
    assert names == ["PHQ up to 13", "between", "PHQ from 27", "not known"]
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
