import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from nme_core.figures import charts_screen, printed, screen, tables, theme
from nme_core.figures.figures_training import losses_sentence, variance_traces

EVIL = "<img src=x onerror=alert(1)> & $x^2$"


def matrices(figure: go.Figure) -> list[go.Heatmap]:
    return [t for t in figure.data if isinstance(t, go.Heatmap) and t.coloraxis]


def named(figure: go.Figure, start: str) -> go.Scatter | go.Bar:
    return next(trace for trace in figure.data if (trace.name or "").startswith(start))


def draw(person, population, **options):
    given = {"person_label": "007", "readout": "observed", **options}
    return screen.transition_comparison(person, population, **given)


def test_panels_are_person_population_difference(person, population):
    own, others, difference = matrices(draw(person, population))
    np.testing.assert_array_equal(own.z, person)
    np.testing.assert_array_equal(others.z, population)
    np.testing.assert_allclose(difference.z, person - population)


def test_from_runs_down_and_to_runs_right(person, population):
    figure = draw(person, population)
    assert figure.layout.yaxis.range == (3.5, -0.5)
    assert figure.layout.xaxis.range == (-0.5, 3.5)
    assert figure.layout.yaxis.ticktext == figure.layout.xaxis.ticktext == tuple(person.index)
    assert figure.layout.yaxis.title.text == "from"
    assert figure.layout.xaxis.title.text == "to"
    assert matrices(figure)[0].customdata[2][3].startswith("Dysphoric \u2192 Positive")


def test_probabilities_share_one_fixed_scale_and_the_difference_is_centred(person, population):
    figure = draw(person, population)
    assert [m.coloraxis for m in matrices(figure)] == ["coloraxis", "coloraxis", "coloraxis2"]
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 1)
    centred = figure.layout.coloraxis2
    assert centred.cmin == -centred.cmax
    assert centred.cmax >= 0.2


def test_colours_of_the_difference_reach_the_limit_of_all_persons(person, population):
    assert draw(person, population, limit=0.62).layout.coloraxis2.cmax == pytest.approx(0.65)
    own = draw(person, population).layout.coloraxis2.cmax
    assert draw(person, population, limit=0.001).layout.coloraxis2.cmax == own


def test_scores_are_centred_in_every_panel(population):
    figure = draw(population - 0.3, population * 2 - 0.5, readout="scores")
    for axis in (figure.layout.coloraxis, figure.layout.coloraxis2):
        assert axis.cmin == -axis.cmax
        assert [stop[1] for stop in axis.colorscale] == list(theme.DIVERGING)


def test_never_observed_cells_are_marked_and_hold_no_number(person, population):
    figure = draw(person, population)
    marks = [t for t in figure.data if t.type == "scatter" and set(t.text) == {"\u2013"}]
    assert [list(mark.y) for mark in marks] == [[1] * 4, [1] * 4]
    grey = [t for t in figure.data if isinstance(t, go.Heatmap) and not t.coloraxis]
    for matrix in grey:
        np.testing.assert_array_equal(np.isnan(matrix.z), person.notna())
        assert "never in this state" in matrix.customdata[1][0]
    assert [matrix.xaxis for matrix in grey] == ["x", "x3"]
    written = [t for t in figure.data if t.type == "scatter" and t not in marks]
    assert [len(t.text) for t in written] == [12, 16, 12]


def test_counts_stand_in_the_persons_cells_and_in_every_hover(person, population, counts):
    figure = draw(person, population, counts=counts)
    first, second = [t for t in figure.data if t.type == "scatter" and len(t.text) > 4][:2]
    assert any("n=1,204" in text for text in first.text)
    assert not any("n=" in text for text in second.text)
    for matrix in matrices(figure):
        assert "1,204 times" in matrix.customdata[3][0]


@pytest.mark.parametrize("k", [2, 5, 8, 12])
def test_any_number_of_states_with_long_names(k):
    states = [f"a long name of a state, the {i}th of all" for i in range(k)]
    matrix = pd.DataFrame(np.full((k, k), 1 / k), states, states)
    figure = draw(matrix, matrix, counts=(matrix * 100).round(), readout="expected")
    assert len(set(figure.layout.xaxis.ticktext)) == k
    assert max(map(len, figure.layout.xaxis.ticktext)) <= 14
    assert any(t.type == "scatter" for t in figure.data) == (k <= 8)
    assert figure.layout.xaxis.tickangle == -45  # side by side they would meet on a narrow page


def test_states_called_by_numbers_stay_names(population):
    numbered = population.set_axis([0, 1, 2, 3], axis=0).set_axis([0, 1, 2, 3], axis=1)
    figure = draw(numbered, numbered)
    assert figure.layout.xaxis.ticktext == ("0", "1", "2", "3")
    assert figure.layout.xaxis.type == "linear"
    assert figure.layout.xaxis.tickangle == 0


def test_random_effects_histogram_and_curve(estimates):
    figure = screen.random_effect_distribution(estimates, 0.25, parameter="transitions[a,b]")
    bars = figure.data[0]
    assert sum(bars.y) == 59
    curve = named(figure, "model's distribution, SD 0.50")
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(59 * bars.width / 0.96, rel=0.02)
    rug = figure.data[-1]
    assert list(rug.customdata)[:4] == ["000", "001", "002", "004"]


def test_variance_of_zero_draws_no_curve(estimates):
    figure = screen.random_effect_distribution(estimates * 0, 0.0, parameter="w")
    assert [trace.type for trace in figure.data] == ["bar", "scatter"]
    assert "variance is 0" in figure.data[0].name


def test_observed_statistic_outside_its_null_is_in_view():
    null = np.random.default_rng(0).normal(0, 0.001, 500)
    figure = screen.hsic_null(null, 0.05, 0.002, covariate="depression")
    low, high = figure.layout.xaxis.range
    assert low < null.min()
    assert high > 0.05
    assert sum(figure.data[0].y) == 500
    assert named(figure, "observed").name == "observed 0.0500, p = .002"


def test_numeric_covariate_is_a_scatter_with_a_line(estimates):
    covariate = pd.Series(np.arange(60.0), index=estimates.index)
    figure = screen.covariate_scatter(estimates, covariate, parameter="w", covariate_name="score")
    _, line, points = figure.data
    assert line.name == "least-squares line"
    slope, intercept = np.polyfit(points.x, points.y, 1)
    np.testing.assert_allclose(line.y, intercept + slope * np.asarray(line.x))
    assert points.customdata[0][0] == "000"


def test_bands_colour_the_points_from_the_lowest_up(estimates):
    score = pd.Series(np.arange(60.0), index=estimates.index)
    bands = pd.Series(np.where(score < 20, "z low", "a high"), index=estimates.index)[5:]
    names = {"parameter": "w", "covariate_name": "score", "bands": bands}
    points = screen.covariate_scatter(estimates, score, **names).data[2:]
    assert [trace.name for trace in points] == ["outside of the bands", "z low", "a high"]
    assert len({trace.marker.color for trace in points}) == 3
    assert sum(len(trace.x) for trace in points) == estimates.notna().sum()
    axis = printed.covariate_scatter(estimates, score, **names).axes[0]
    shown = [text.get_text() for text in axis.get_legend().get_texts()]
    assert shown[:3] == ["outside of the bands", "z low", "a high"]
    table = tables.covariate_scatter(estimates, score, **names)
    assert table["band"].tolist()[-1] == "a high"


def test_categorical_covariate_is_a_box_per_group(estimates):
    groups = pd.Series(["b", "a", "a"] * 20, index=estimates.index)
    figure = screen.covariate_scatter(estimates, groups, parameter="w", covariate_name="arm")
    boxes = [trace for trace in figure.data if trace.type == "box"]
    own = estimates[groups == "a"].dropna()
    assert boxes[0].median == (pytest.approx(own.median()),)
    assert figure.layout.xaxis.ticktext[0] == f"a<br>n = {len(own)}"
    points = [trace for trace in figure.data if trace.type == "scatter"]
    assert sorted(points[0].y) == sorted(own)


def test_two_values_of_a_number_are_groups_named_without_decimals(estimates):
    dose = pd.Series([10.0, 9.0, 9.0] * 20, index=estimates.index)
    figure = screen.covariate_scatter(estimates, dose, parameter="w", covariate_name="dose")
    assert [text.split("<br>")[0] for text in figure.layout.xaxis.ticktext] == ["9", "10"]
    assert [trace.type for trace in figure.data] == ["box", "scatter"] * 2


def test_a_group_of_four_is_drawn_as_points_only(estimates):
    groups = pd.Series(["few"] * 5 + ["many"] * 55, index=estimates.index)
    figure = screen.covariate_scatter(estimates, groups, parameter="w", covariate_name="arm")
    assert [trace.type for trace in figure.data] == ["scatter", "box", "scatter"]
    assert len(figure.data[0].x) == 4


def test_no_line_leads_back_to_where_another_fit_begins(history):
    twice = pd.concat([history, history], ignore_index=True)
    twice = twice.assign(residual_variance=0.5, mean_random_variance=0.2)
    charts = (screen.loss_curves(twice), charts_screen.draw(variance_traces(twice)))
    drawn = [(line.x, line.y) for chart in charts for line in chart.data if line.x[0] is not None]
    drawn += [line.get_data() for line in printed.loss_curves(twice).axes[0].lines]
    back = [(x, y) for x, y in drawn if (np.diff(np.asarray(x, float)) < 0).any()]
    assert len(back) > 6
    for x, y in back:
        at = np.flatnonzero(np.diff(np.asarray(x, float)) < 0)
        assert np.isnan(np.asarray(y, float)[at + 1]).all()


def test_loss_curves_have_one_colour_per_model(history):
    figure = screen.loss_curves(history)
    lines = [t for t in figure.data if t.x[0] is not None]
    assert {(t.name, t.line.dash) for t in lines} == {
        ("generic", "dot"), ("generic", "solid"), ("nme", "dot"), ("nme", "solid"),
    }  # fmt: skip
    assert len({t.line.color for t in lines if t.name == "nme"}) == 1
    assert figure.layout.yaxis.title.text == "loss"


def test_first_epoch_of_a_running_fit_is_visible(history):
    figure = screen.loss_curves(history[history["epoch"] == 1])
    assert all(t.mode == "lines+markers" for t in figure.data if t.x[0] is not None)
    assert all(t.showlegend for t in figure.data if t.x[0] is not None)


def test_models_in_curves_are_called_as_they_are_named(history):
    figure = screen.loss_curves(history, names={"nme": "NME on all rows"})
    assert {t.name for t in figure.data if t.x[0] is not None} == {"NME on all rows", "generic"}
    assert {t.name for t in figure.data if t.x[0] is None} == {"training rows", "validation rows"}
    colours = theme.model_colours(["nme", "nme (all rows)"])
    assert colours["nme"] != colours["nme (all rows)"]


def slow_start(first: float) -> pd.DataFrame:
    """40 epochs whose losses fall from 2 to 1, but for the first."""
    losses = np.linspace(2, 1, 40)
    losses[0] = first
    table = pd.DataFrame({"model": "nme", "epoch": np.arange(1, 41), "train_loss": losses})
    return table.assign(validation_loss=np.nan)


def test_first_epochs_do_not_set_the_axis_of_losses():
    low, high = screen.loss_curves(slow_start(9.0)).layout.yaxis.range
    assert 0.9 < low < 1.0
    assert 1.9 < high < 2.1
    assert screen.loss_curves(slow_start(2.0)).layout.yaxis.range is None
    names = {"nme": "NME"}
    assert "set by the losses after" in losses_sentence(slow_start(9.0), names)
    said = losses_sentence(slow_start(2.0), names)
    assert "set by the losses after" not in said
    assert "(passes – NME: 40)" in said
    axis = printed.loss_curves(slow_start(9.0)).axes[0]
    assert axis.get_ylim() == pytest.approx((low, high))


def test_losses_far_apart_are_drawn_logarithmically_and_say_so(history):
    history.loc[1, "train_loss"] = 1e4
    figure = screen.loss_curves(history)
    assert figure.layout.yaxis.type == "log"
    assert "logarithmic" in figure.layout.yaxis.title.text


def test_response_curves_are_not_joined_across_persons(curves):
    figure = screen.response_curves(curves, feature="sleep", outcome="mood", person="b")
    persons = named(figure, "2 people")
    assert np.isnan(np.asarray(persons.y, dtype=float)).sum() == 1
    assert persons.customdata[0] == "007"
    assert named(figure, "population").line.width > named(figure, "person b").line.width
    assert min(named(figure, "person b").y) == 0
    figure = screen.response_curves(curves, feature="sleep", outcome="mood", person=None)
    assert len(figure.data) == 2


def test_the_highlighted_persons_curve_has_its_interval(curves):
    known = curves.assign(ci_low=curves["value"] - 1, ci_high=curves["value"] + 2)
    options = {"feature": "sleep", "outcome": "mood", "person": "b"}
    figure = screen.response_curves(known, **options)
    band, own = named(figure, "95 % interval"), named(figure, "person b")
    n = len(own.x)
    assert list(band.y[:n]) == [value + 2 for value in own.y]
    assert list(band.y[n:]) == [value - 1 for value in own.y[::-1]]
    assert list(band.x) == [*own.x, *own.x[::-1]]
    (patch,) = printed.response_curves(known, **options).axes[0].collections
    assert patch.get_paths()[0].vertices[:, 1].max() == max(own.y) + 2
    nobody = screen.response_curves(known, **{**options, "person": None})
    assert "95 % interval" not in [trace.name for trace in nobody.data]


def test_groups_have_a_curve_each():
    groups = pd.DataFrame(
        {"group": ["low"] * 3 + ["high"] * 3, "n_persons": [9] * 3 + [7] * 3,
         "x": [1.0, 2.0, 3.0] * 2, "value": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    )  # fmt: skip
    figure = screen.group_curves(groups, feature="sleep", outcome="mood", covariate_name="bdi")
    assert [trace.name for trace in figure.data] == ["low (9 people)", "high (7 people)"]
    np.testing.assert_array_equal(figure.data[1].y, [4, 5, 6])
    axis = printed.group_curves(groups, feature="sleep", outcome="mood", covariate_name="bdi").axes[
        0
    ]
    np.testing.assert_array_equal(axis.lines[1].get_ydata(), [4, 5, 6])
    assert axis.get_legend().get_texts()[0].get_text() == "low (9 people)"


def test_observations_of_equal_length_still_show_an_axis():
    figure = screen.observations_per_person(pd.Series([150] * 9, index=list("abcdefghi")))
    assert list(figure.data[0].y) == [9]
    assert figure.data[0].customdata == ("150",)
    low, high = figure.layout.xaxis.range
    assert high - low == 8
    assert figure.layout.xaxis.dtick == 1


def test_outcome_of_states_has_their_colours():
    y = pd.Series(["b", "a", "b", "b"], name="state")
    bars = screen.outcome_overview(y, "class").data[0]
    colours = theme.state_colours(["a", "b"])
    assert list(bars.marker.color) == [colours["a"], colours["b"]]
    assert bars.text == ("25.0 % (1)", "75.0 % (3)")


def test_outcome_of_numbers_is_a_histogram():
    y = pd.Series(np.random.default_rng(0).normal(size=300), name="mood")
    figure = screen.outcome_overview(y, "number")
    table = tables.outcome_overview(y, "number")
    np.testing.assert_array_equal(figure.data[0].y, table["count"])


def every_figure(text: str) -> list[go.Figure]:
    """Each figure with `text` wherever a text from data can stand."""
    states = [text, text + " b"]
    matrix = pd.DataFrame([[0.5, 0.5], [np.nan, np.nan]], states, states)
    persons = pd.Index([text, "b", "c", "d"])
    values = pd.Series([0.1, 0.4, 0.2, 0.3], persons, name=text)
    groups = pd.Series([text, "x", "x", text], persons)
    history = pd.DataFrame(
        {"model": text, "epoch": [1, 2], "train_loss": 1.0, "validation_loss": 2.0}
    )
    curve = pd.DataFrame({"person": ["", text], "feature": text, "x": 1.0, "value": 2.0})
    return [
        screen.transition_comparison(
            matrix, matrix.fillna(0.5), person_label=text, readout="observed", counts=matrix
        ),
        screen.random_effect_distribution(values, 0.1, parameter=text),
        screen.hsic_null(np.arange(9.0), 3.0, 0.5, covariate=text),
        screen.covariate_scatter(values, values * 2, parameter=text, covariate_name=text),
        screen.covariate_scatter(values, groups, parameter=text, covariate_name=text),
        screen.loss_curves(history),
        screen.response_curves(curve, feature=text, outcome=text, person=text),
        screen.group_curves(
            curve.assign(group=text, n_persons=5), feature=text, outcome=text, covariate_name=text
        ),
        screen.observations_per_person(values * 10),
        screen.outcome_overview(values, "number"),
        screen.outcome_overview(groups.rename(text), "class"),
    ]


def test_no_text_from_data_reaches_plotly_as_markup():
    for figure in every_figure(EVIL):
        content = json.dumps(figure.to_plotly_json(), default=list).replace("\\u003c", "<")
        assert "<img" not in content
        assert "$x" not in content


def test_no_text_from_data_is_read_as_a_hover_template():
    for figure in every_figure("%{x} evil"):
        for trace in figure.data:
            assert "evil" not in (getattr(trace, "hovertemplate", None) or "")
