"""Charts of fit and model checks: data in, figure out."""

import numpy as np
import pandas as pd
import pytest

from nme_core.figures import charts_print, charts_screen, figures, theme
from nme_core.figures.charts import Chart

STATES = ["calm", "tense", "low"]


def drawn(chart: Chart) -> None:
    """Both twins can be drawn."""
    assert charts_screen.draw(chart).data
    assert charts_print.draw(chart).axes


def checks(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    """Observed values beside a simulated interval of 0 to 0.5; and a person's row."""
    table = pd.DataFrame(rows, columns=["check", "statistic", "observed"])
    table = table.assign(person="", simulated_mean=0.3, simulated_low=0.0, simulated_high=0.5)
    return pd.concat([table, table.tail(1).assign(person="7", check="person")])


def test_numbers_are_checked_by_unit_and_marked_outside() -> None:
    names = [("distribution", f"quantile {q}") for q in ("0.05", "0.25", "0.5", "0.75", "0.95")]
    names += [("distribution", name) for name in ("mean", "sd", "skewness")]
    names += [("persons", "sd of means"), ("persons", "mean of sds"), ("autocorrelation", "lag 1")]
    table = checks([(*name, 0.1 * i) for i, name in enumerate(names)])
    chart = figures.check_numbers(table)
    assert [panel.title for panel in chart.panels] == ["Values", "Spread", "Shape"]
    assert [text for _, text in chart.panels[0].x_ticks] == [
        "5 %", "25 %", "50 %", "75 %", "95 %", "mean",
    ]  # fmt: skip
    simulated, observed = chart.panels[2].layers
    assert observed.y.tolist() == pytest.approx([0.7, 1.0])
    assert (simulated.low[0], simulated.high[0]) == (0.0, 0.5)
    assert chart.numbers["outside"].sum() == 5
    assert len(chart.numbers) == len(names)
    drawn(chart)


def state_checks() -> pd.DataFrame:
    rows = [("share", state, 0.2) for state in STATES] + [("dwell", s, 2.0) for s in STATES]
    rows += [("persons", f"sd of share of {state}", 0.1) for state in STATES]
    moves = [(a, b) for a in STATES for b in STATES]
    rows += [("transition", f"transitions[{a},{b}]", 0.1 * i) for i, (a, b) in enumerate(moves, 1)]
    return checks(rows)


def test_states_keep_their_order_in_every_panel() -> None:
    chart = figures.check_states(state_checks())
    assert [[text for _, text in panel.x_ticks] for panel in chart.panels] == [STATES] * 3
    assert [panel.y_title for panel in chart.panels][:2] == ["share", "steps"]
    assert all(panel.y_range[0] == 0 for panel in chart.panels)
    drawn(chart)


def test_transitions_are_from_rows_to_columns_and_framed_outside() -> None:
    chart = figures.check_transitions(state_checks())
    observed, simulated, difference = (panel.matrix for panel in chart.panels)
    assert list(observed.rows) == list(observed.columns) == STATES
    assert observed.values[0] == pytest.approx([0.1, 0.2, 0.3])
    assert (simulated.values == 0.3).all()
    assert difference.values[2, 0] == pytest.approx(0.4)
    assert difference.marks.tolist() == [[False] * 3, [False, False, True], [True] * 3]
    assert observed.limits == (0.0, 1.0)
    assert difference.limits[0] == -difference.limits[1]
    drawn(chart)


def of_persons(n: int) -> pd.DataFrame:
    """Rows of n persons: simulated 0 to 1 around means that fall; the third far above."""
    table = pd.DataFrame({"person": [f"p{i}" for i in range(n)], "observed": 0.5})
    table["simulated_mean"] = np.linspace(0.9, 0.1, n)
    table = table.assign(check="person", simulated_low=0.0, simulated_high=1.0)
    table.loc[2, "observed"] = 1.4
    return pd.concat([checks([("share", "calm", 0.2)]).head(1),
                      table.assign(statistic="mean"), table.assign(statistic="sd")])  # fmt: skip


def test_persons_are_checked_in_order_and_marked_outside() -> None:
    chart = figures.check_persons(of_persons(5))
    assert [panel.title for panel in chart.panels] == ["mean", "SD"]
    simulated, inside, outside = chart.panels[0].layers
    assert simulated.x.tolist() == sorted(simulated.x)
    assert simulated.low.tolist() == [0.0] * 5
    assert (outside.x.tolist(), outside.y.tolist()) == ([1.4], [3.0])
    assert outside.hover[0].startswith("person p2: observed 1.4")
    assert inside.y.tolist() == [1.0, 2.0, 4.0, 5.0]
    assert len(chart.numbers) == 10
    assert chart.numbers["outside"].sum() == 2
    drawn(chart)


def test_where_nobody_is_outside_the_legend_has_no_such_entry() -> None:
    chart = figures.check_persons(of_persons(5).assign(observed=0.5))
    assert [layer.name for layer in chart.panels[0].layers[1:]] == ["observed, inside"]


def test_of_very_many_persons_some_are_checked_on_the_figure_and_all_in_its_numbers() -> None:
    chart = figures.check_persons(of_persons(900))
    assert len(chart.panels[0].layers[0].x) == 300
    assert chart.panels[0].layers[0].y[:2].tolist() == [1.0, 4.0]
    assert len(chart.numbers) == 1800


def calibration(kind: str, n: int, **columns: object) -> pd.DataFrame:
    expected = np.linspace(0.05, 0.95, n)
    table = pd.DataFrame({"kind": kind, "class": "", "expected": expected, "observed": expected})
    table = table.assign(ci_low=expected - 0.04, ci_high=expected + 0.04, n=50, model="nme")
    return table.assign(low=expected - 0.05, high=expected + 0.05, **columns)


def test_calibration_has_a_panel_per_class_and_the_diagonal() -> None:
    parts = [calibration("probability", 4).assign(**{"class": state}) for state in STATES]
    chart = figures.calibration_curve(pd.concat(parts))
    assert [panel.title for panel in chart.panels] == STATES
    line, points = chart.panels[1].layers
    assert line.x.tolist() == line.y.tolist() == [0.0, 1.0]
    assert points.x.tolist() == points.y.tolist()
    assert points.high - points.low == pytest.approx(np.full(4, 0.08))
    assert "n = 50" in points.hover[0]
    drawn(chart)


def test_calibration_of_numbers_is_coverage_and_the_place_in_the_distribution() -> None:
    table = pd.concat([calibration("interval", 4), calibration("pit", 10, expected=0.1)])
    chart = figures.calibration_numbers(table)
    coverage, place = chart.panels
    assert len(coverage.layers[1].x) == 4
    assert len(place.layers[0].x) == 10
    assert set(place.layers[1].y) == {0.1}
    drawn(chart)


def test_paired_differences_have_zero_and_a_row_per_model() -> None:
    rows = pd.DataFrame(
        [(model, metric, 0.1, -0.1, 0.3) for metric in ("mse", "ccc") for model in ("lme", "odd")],
        columns=["model", "metric", "difference", "ci_low", "ci_high"],
    )
    chart = figures.paired_differences(rows, names={"lme": "linear mixed model", "mse": "MSE"})
    assert [panel.title for panel in chart.panels] == ["MSE", "ccc"]
    assert [text for _, text in chart.panels[0].y_ticks] == ["linear mixed model", "odd"]
    zero, points = chart.panels[0].layers
    assert zero.x.tolist() == [0, 0]
    assert points.y.tolist() == [1.0, 0.0]
    assert points.low.tolist() == [-0.1, -0.1]
    assert points.colours[0] == theme.model_colours(["lme"])["lme"]
    drawn(chart)


def test_confusion_rows_add_up_to_1_and_empty_rows_are_missing() -> None:
    counts = pd.DataFrame([[6, 2, 0], [1, 3, 0], [0, 0, 0]], STATES, STATES)
    chart = figures.confusion(counts, model="NME")
    values = chart.panels[0].matrix.values
    assert values[0] == pytest.approx([0.75, 0.25, 0.0])
    assert np.isnan(values[2]).all()
    assert chart.panels[0].y_title == "observed"
    assert chart.panels[0].matrix.hover[1] == "calm, predicted as tense: 2 of 8"
    assert chart.numbers["count"].sum() == 12
    drawn(chart)


def test_residuals_are_observed_minus_predicted_and_sampled_where_many() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"person": "1", "observed": rng.normal(size=5000)})
    rows["predicted"] = rows["observed"] - 1 + rng.normal(0, 0.1, 5000)
    chart = figures.residuals(rows, outcome="mood")
    points = chart.panels[0].layers[0]
    assert len(points.x) <= 2000
    assert points.y.mean() == pytest.approx(1, abs=0.02)
    assert chart.panels[1].layers[0].y.sum() == 5000
    assert chart.panels[0].x_title == "predicted mood"
    assert len(chart.numbers) == 5000
    drawn(chart)


def test_errors_by_person_keep_the_colour_of_their_model() -> None:
    table = pd.DataFrame(
        {"model": ["nme", "generic"], "person": "1", "n_obs": [30, 30], "value": [0.5, 0.7]}
    )
    chart = figures.person_errors(table, metric="MSE", names={"nme": "NME"})
    own, other = chart.panels[0].layers
    assert (own.name, own.colour) == ("NME", theme.model_colours(["nme"])["nme"])
    assert own.x[0] < 30 < other.x[0]
    assert other.x[0] == pytest.approx(30, abs=0.02)
    assert other.y.tolist() == [0.7]
    drawn(chart)


def fitted(states: bool = False) -> pd.DataFrame:
    rows = pd.DataFrame({"split": ["train"] * 3 + ["validation", "test"]})
    values = ["calm", "tense", "low", "", "calm"] if states else [1.0, 2, 3, np.nan, 9]
    return rows.assign(observed=values, predicted=values, population_predicted=values[::-1])


def test_individual_fits_of_numbers_share_one_range_and_show_what_was_fitted() -> None:
    chart = figures.individual_fits({"a": fitted(), "b": fitted()}, outcome="mood")
    assert [panel.title for panel in chart.panels] == ["Person a", "Person b"]
    population, own, observed, border = chart.panels[0].layers
    assert own.y[2] == observed.y[2] == 3
    assert population.y[0] == 9
    assert border.x.tolist() == [3.5, 3.5]
    assert chart.panels[0].y_range == chart.panels[1].y_range
    assert len(chart.numbers) == 10
    drawn(chart)


def test_individual_fits_stand_at_the_times_of_the_study() -> None:
    rows = fitted().assign(time=[1.0, 2, 5, 9, 11])
    panel = figures.individual_fits({"a": rows}, outcome="mood", time="day").panels[0]
    assert (panel.x_title, panel.layers[1].x.tolist()) == ("day", [1, 2, 5, 9, 11])
    assert panel.layers[-1].x.tolist() == [7, 7]
    assert all(float(text).is_integer() for _, text in panel.x_ticks)
    assert [at for at, _ in panel.x_ticks] == [2, 4, 6, 8, 10]
    assert panel.layers[2].hover[3].startswith("person a, 9: ")


@pytest.mark.parametrize("times", [[1.0, 2, 1, 2, 3], [np.nan] * 5])
def test_occasions_are_counted_where_times_do_not_rise(times: list[float]) -> None:
    rows = {"a": fitted().assign(time=times), "b": fitted().assign(time=[1.0, 2, 5, 9, 11])}
    chart = figures.individual_fits(rows, outcome="mood", time="day")
    assert chart.panels[0].x_title == "occasion"
    assert [panel.layers[1].x.tolist() for panel in chart.panels] == [[1, 2, 3, 4, 5]] * 2
    assert [text for _, text in chart.panels[0].x_ticks] == ["1", "2", "3", "4", "5"]
    assert chart.numbers["time"].tolist() == [1, 2, 3, 4, 5] * 2


def test_no_line_parts_what_was_fitted_throughout() -> None:
    for rows, states in ((fitted(), ()), (fitted(states=True), STATES)):
        whole = rows.assign(split="train", time=[1.0, 2, 5, 9, 11])
        chart = figures.individual_fits({"a": whole}, outcome="x", states=states, time="t")
        assert "not fitted" not in " ".join(layer.name for layer in chart.panels[0].layers)
        assert len(chart.panels[0].layers) == (0 if states else 3)
    assert chart.panels[0].x_title == "t, one cell per occasion"
    assert list(chart.panels[0].matrix.columns) == ["1", "2", "5", "9", "11"]


def test_individual_fits_of_states_are_strips_in_the_states_colours() -> None:
    chart = figures.individual_fits({"a": fitted(states=True)}, outcome="state", states=STATES)
    matrix = chart.panels[0].matrix
    assert list(matrix.rows) == ["observed", "person", "population"]
    assert matrix.values[0].tolist()[:3] == [0, 1, 2]
    assert np.isnan(matrix.values[0][3])
    assert dict(matrix.legend) == theme.state_colours(STATES)
    drawn(chart)


def test_shrinkage_reads_from_the_top() -> None:
    table = pd.DataFrame(
        {"sd": [1.0, 2], "shrinkage": [0.2, 0.9], "mean_reliability": [0.8, 0.1]},
        pd.Index(["b", "transitions[calm,low]"], name="parameter"),
    )
    chart = figures.shrinkage(table)
    (panel,) = chart.panels
    assert [text for _, text in sorted(panel.y_ticks, reverse=True)] == ["b", "calm → low"]
    assert panel.layers[0].x.tolist() == [0.2, 0.9]
    assert panel.x_range == (-0.03, 1.03)
    drawn(chart)


def test_long_strips_have_no_lines_between_their_cells() -> None:
    long = pd.concat([fitted(states=True)] * 12, ignore_index=True)
    gaps = [
        charts_screen.draw(
            figures.individual_fits({"a": rows}, outcome="state", states=STATES)
        ).data[0].xgap
        for rows in (fitted(states=True), long)
    ]  # fmt: skip
    assert gaps == [1, 0]
