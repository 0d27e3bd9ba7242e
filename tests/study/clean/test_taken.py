"""NA as an id, a group or the only other state: what was read as missing is named as the cause."""

import pandas as pd
import pytest

from nme_core.exceptions import DataError
from nme_core.study import Remedy, Study
from nme_core.study.loading import read_tables
from nme_core.study.recipe import recipe_of

ROLES = {"person": "id", "outcome": "mood", "time": "day", "features": ["sleep"]}


def written(folder, **columns):
    """A file of three people with six rows each."""
    frame = pd.DataFrame(
        {
            "id": [name for name in ("PA", "MA", "TA") for _ in range(6)],
            "day": [*range(1, 7)] * 3,
            "sleep": [6.5 + k % 4 for k in range(18)],
            "mood": [4.5 + k % 5 for k in range(18)],
            **columns,
        }
    )
    frame.to_csv(folder / "study.csv", index=False)
    return folder / "study.csv"


@pytest.mark.parametrize(
    ("name", "cells", "roles"),
    [
        ("id", ["NA"] * 6 + ["PA"] * 6 + ["MA"] * 6, {}),
        ("region", ["NA"] * 6 + ["EU"] * 12, {"group": ["region"]}),
        ("mood", ["PA", "NA"] * 9, {}),
    ],
)
def test_what_was_read_as_missing_is_named_and_can_be_kept(tmp_path, name, cells, roles):
    path, keep = written(tmp_path, **{name: cells}), Remedy("fill_missing", (name,), to="NA")
    said = f"In '{name}', 'NA' in {cells.count('NA')} cells was read as missing"
    with pytest.raises(DataError, match=said) as caught:
        Study.from_csv(path, **ROLES, **roles)
    assert caught.value.fixes[0] == keep
    recipe = recipe_of(**ROLES, **roles)
    (problem,) = read_tables(recipe, path).problems(recipe)
    assert said in str(problem.remedy)
    assert problem.fixes[0] == keep
    assert f"{cells.count('NA')} cells filled" in problem.effects[0]
    assert Study.from_csv(path, **ROLES, **roles, remedies=[keep]).n_rows == 18
