import io

import pandas as pd
import pytest

from nme_core.io import spreadsheet_text

FORMULAS = ["=1+1", "+cmd", "-x", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")']


def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe():
    table = pd.DataFrame({"person": FORMULAS, "state": pd.Categorical(FORMULAS), "=n": range(7)})
    read = pd.read_csv(io.StringIO(spreadsheet_text(table), newline=""))
    assert list(read["person"]) == [f"'{cell}" for cell in FORMULAS]
    assert list(read["state"]) == list(read["person"])
    assert list(read["'=n"]) == list(range(7))


@pytest.mark.parametrize("cells", [["007", "a=b", "x-1", "−1.5"], ["-99", "+1.5", "-1e-3", ".5"]])
def test_other_text_and_numbers_stay(cells):
    table = pd.DataFrame({"a": cells, "b": [-1.5, 2, None, 3]})
    read = pd.read_csv(io.StringIO(spreadsheet_text(table)), dtype={"a": "str"})
    pd.testing.assert_frame_equal(read, table.astype({"a": "str"}))
    assert table["a"].tolist() == cells
