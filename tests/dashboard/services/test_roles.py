import numpy as np
import pandas as pd
import pytest

from dashboard.services.roles import guess_outcome


@pytest.mark.parametrize(
    ("values", "kind", "reason", "shown"),
    [
        ([0, 1, 2, np.nan], "class", "few whole numbers", ("0", "1", "2")),
        ([5, 1, 3, 2, 4], "class", "few whole numbers", ("1", "2", "3", "4", "5")),
        ([0.0, 1.0], "class", "two values", ("0", "1")),
        ([0, 1, 2, 3, 4, 5], "number", "numbers", ()),
        ([0.5, 1, 2], "number", "numbers", ("0.5", "1", "2")),
        (["calm", "low", None], "class", "words", ()),
        (["1", "2", "3", "n/a"], "number", "unclear", ()),
        ([3, 3, 3], "number", "unclear", ()),
    ],
)
def test_few_whole_numbers_are_proposed_as_states(
    values: list[object], kind: str, reason: str, shown: tuple[str, ...]
) -> None:
    found = guess_outcome(pd.Series(values, name="y"))
    assert (found.kind, found.reason, found.values) == (kind, reason, shown)
