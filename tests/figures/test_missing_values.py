import numpy as np
import pandas as pd
import pytest

from nme_core.figures import printed, screen, tables
from nme_core.figures.grids import edges, middles, shown_rows

EVIL = "<b>$x$ **y**"


@pytest.fixture
def grid():
    """Two persons and four steps of two days; the second person ends early."""
    values = [[0.0, 0.5, 1.0, 0.25], [0.25, 0.0, np.nan, np.nan]]
    return pd.DataFrame(values, index=["007", EVIL], columns=[0.0, 2.0, 4.0, 6.0])


def test_the_table_has_a_row_for_each_step_with_rows(grid):
    table = tables.missing_values(grid, by="person", time="days")
    assert list(table.columns) == ["person", "time", "share_missing"]
    assert len(table) == 6
    assert table.set_index(["person", "time"])["share_missing"]["007", 4.0] == 1.0
    with pytest.raises(ValueError, match="No value"):
        tables.missing_values(grid * np.nan, by="person", time="days")
    with pytest.raises(ValueError, match="Unknown rows"):
        tables.missing_values(grid, by="row", time="days")


def test_screen_and_print_draw_the_same_numbers_on_one_scale(grid):
    shown = screen.missing_values(grid, by="person", time="days").data[0]
    np.testing.assert_array_equal(shown.z, grid)
    assert (shown.zmin, shown.zmax) == (0, 1)
    assert list(shown.x) == [1, 3, 5, 7]
    axis = printed.missing_values(grid, by="person", time="days").axes[0]
    mesh = axis.collections[0]
    drawn = np.ma.filled(mesh.get_array().astype(float), np.nan).reshape(2, 4)
    np.testing.assert_array_equal(drawn, grid)
    assert mesh.get_clim() == (0, 1)
    assert axis.yaxis_inverted()


def test_names_are_never_markup(grid):
    figure = screen.missing_values(grid, by="person", time=EVIL)
    assert "<b>" not in figure.to_json().replace("<br>", "")
    assert "$x" not in figure.to_json()
    axis = printed.missing_values(grid, by="person", time=EVIL).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()][1] == r"<b>\$x\$ **y**"


def test_many_persons_show_some_names(grid):
    many = pd.DataFrame(np.zeros((200, 3)), index=[f"p{i}" for i in range(200)], columns=[0, 1, 2])
    figure = screen.missing_values(many, by="person", time="days")
    assert figure.layout.yaxis.ticktext[:2] == ("p0", "p17")
    assert len(figure.layout.yaxis.ticktext) == 12
    assert shown_rows(25) == list(range(25))


def test_steps_have_equal_widths_and_a_single_one_too():
    np.testing.assert_array_equal(edges(pd.Index([0.0, 2.0])), [0, 2, 4])
    np.testing.assert_array_equal(middles(pd.Index([0.0])), [0.5])
