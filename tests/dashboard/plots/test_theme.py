import numpy as np
import pytest
from matplotlib import colors as mpl_colors

from dashboard.plots import theme


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
