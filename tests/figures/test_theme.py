import numpy as np
import pytest
from matplotlib import colors as mpl_colors

from nme_core.figures import theme
from nme_core.figures.frames import add_frames


def test_same_state_same_colour_in_any_order():
    states = ["Other", "Aggressive", "Dysphoric", "Positive"]
    assert theme.state_colours(states) == theme.state_colours(states[::-1])


def test_sixteen_states_have_sixteen_colours():
    assert len(set(theme.state_colours(map(str, range(16))).values())) == 16


def test_known_models_keep_their_colour_beside_unknown_ones():
    alone = theme.model_colours(["nme", "generic"])
    among = theme.model_colours(["mine", "generic", "other", "nme"])
    assert {name: among[name] for name in alone} == alone
    assert len(set(among.values())) == 4


def test_diverging_scale_is_white_at_zero_and_balanced():
    scale = theme.matplotlib_scale(theme.DIVERGING)
    np.testing.assert_allclose(scale(0.5), 1, atol=0.01)
    light = [sum(mpl_colors.to_rgb(colour)) for colour in theme.DIVERGING]
    assert max(light) == light[4]
    assert np.all(np.diff(light[:5]) > 0)
    assert np.all(np.diff(light[4:]) < 0)


def test_both_libraries_have_the_same_colour_stops():
    scale = theme.matplotlib_scale(theme.SEQUENTIAL)
    for position, colour in theme.plotly_scale(theme.SEQUENTIAL):
        np.testing.assert_allclose(scale(position), mpl_colors.to_rgba(colour), atol=0.01)


@pytest.mark.parametrize("stops", [theme.SEQUENTIAL, theme.DIVERGING])
def test_text_in_cells_has_contrast(stops):
    values = np.linspace(0, 1, 101)
    texts = theme.text_colours(stops, values, 0, 1)
    scale = theme.matplotlib_scale(stops)

    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return np.dot(linear, [0.2126, 0.7152, 0.0722])

    for value, text in zip(values, texts, strict=True):
        pair = sorted([luminance(scale(value)[:3]), luminance(mpl_colors.to_rgb(text))])
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.0


def test_nothing_is_shared_with_a_cloud():
    assert theme.PLOTLY_CONFIG["showSendToCloud"] is False
    assert theme.PLOTLY_CONFIG["plotlyServerURL"] == ""
    buttons = [b for group in theme.PLOTLY_CONFIG["modeBarButtons"] for b in group]
    assert not any("cloud" in b.lower() for b in buttons)


def test_print_style_leaves_global_settings_alone():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    with theme.print_style():
        assert mpl.rcParams["pdf.fonttype"] == 42
        assert mpl.rcParams["svg.fonttype"] == "none"
    assert dict(mpl.rcParams) == before


def test_width_of_three_columns_does_not_exist():
    with pytest.raises(ValueError, match="1 or 2 columns"):
        theme.width_mm(3)


# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
_SEEN = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def lab(colours, seen=None):
    """CIELAB (D65) of hexadecimal colours, as somebody with a colour deficiency sees them."""
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if seen is not None:
        linear = np.clip(linear @ np.array(seen).T, 0, 1)
    xyz = linear @ np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ).T / [0.9505, 1.0, 1.089]  # fmt: skip
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.column_stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])]
    )


@pytest.mark.parametrize("deficiency", [None, *_SEEN])
def test_the_first_six_colours_differ_for_everybody(deficiency):
    places = lab(theme.PALETTE[:6], None if deficiency is None else _SEEN[deficiency])
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)[np.triu_indices(6, 1)]
    # 2.3 is a just noticeable difference.
    assert apart.min() > 4 * 2.3


@pytest.mark.parametrize("deficiency", [None, *_SEEN])
def test_states_differ_from_each_other_and_from_person_and_population(deficiency):
    states = list(theme.state_colours(map(str, range(6))).values())
    colours = [*states, theme.PERSON, theme.POPULATION]
    places = lab(colours, None if deficiency is None else _SEEN[deficiency])
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)[np.triu_indices(8, 1)]
    assert apart.min() > 6 * 2.3


def test_no_state_has_a_colour_that_means_something_else():
    taken = {theme.PERSON, theme.POPULATION, theme.PERSONS, theme.MUTED, theme.EMPTY}
    assert not taken & set(theme.state_colours(map(str, range(16))).values())


@pytest.mark.parametrize("deficiency", [*_SEEN])
def test_the_sides_of_the_diverging_scale_differ_for_everybody(deficiency):
    stops = [theme.DIVERGING[i] for i in (1, 4, -2)]
    low, middle, high = lab(stops, _SEEN[deficiency])
    pairs = [(low, high), (low, middle), (middle, high)]
    assert min(np.linalg.norm(a - b) for a, b in pairs) > 10 * 2.3


def test_a_dark_figure_keeps_what_colours_mean():
    import plotly.graph_objects as go

    figure = go.Figure(layout={"template": theme.plotly_template()})
    figure.add_scatter(x=[1], y=[1], line_color=theme.POPULATION, marker_color=theme.PERSON)
    figure.add_heatmap(z=[[0.5]], colorscale=theme.plotly_scale(theme.SEQUENTIAL))
    figure.add_scatter(x=[0], y=[0], mode="text", text=["0.5"], textfont={"color": [theme.INK]})
    add_frames(figure, [(0, 0)], "")
    dark = theme.darkened(figure)
    assert dark.layout.shapes[0].line.color == theme.INK
    assert dark.layout.template.layout.paper_bgcolor == "#14181D"
    assert dark.data[0].line.color == "#E6E9ED"
    assert dark.data[0].marker.color == theme.PERSON
    assert [colour for _, colour in dark.data[1].colorscale] == list(theme.SEQUENTIAL)
    assert list(dark.data[2].textfont.color) == [theme.INK]
    assert figure.layout.template.layout.paper_bgcolor == "#FFFFFF"
