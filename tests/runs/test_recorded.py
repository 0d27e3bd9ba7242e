"""What a run records of its study is enough to read the same study again."""

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError
from nme_core.io import RunFolder
from nme_core.runs.fit import FitOptions
from nme_core.runs.fit.record import describe
from nme_core.runs.recorded import read_rows, read_study
from nme_core.study import Study
from nme_core.study.clean.missing import fill_features
from nme_core.study.clean.remedies import Remedy

REMEDIES = (
    Remedy("set_missing", ("a",), ("-99",)),
    Remedy("exclude_persons", ("id",), ("07",)),
    Remedy("exclude_columns", ("odd",)),
)
CASES = {
    "plain": {},
    "columns left out": {"exclude": ("noise", "sex")},
    "covariates named": {"covariates": ["age"]},
    "a second factor": {"group": ("clinic",)},
    "a limit": {"max_gap": "4h"},
    "no limit": {"max_gap": "none"},
    "remedies": {"remedies": REMEDIES, "exclude": ("odd", "noise")},
    "features named": {"features": ["b", "a"], "exclude": ("a",)},
}


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Eight persons, three beeps on each of four days, two of them a night apart."""
    rng = np.random.default_rng(0)
    beeps = [pd.Timedelta(days=d, hours=9 + h) for d in range(4) for h in (0, 3, 8)]
    n = 8 * len(beeps)
    table = pd.DataFrame(
        {
            "id": np.repeat([f"{i:02d}" for i in range(8)], len(beeps)),
            "time": [pd.Timestamp("2024-03-01") + beep for _ in range(8) for beep in beeps],
            **{name: rng.normal(size=n).round(3) for name in ("a", "b", "noise", "odd", "mood")},
        }
    )
    person = table["id"].astype(int)
    table = table.assign(clinic="c" + (person % 3).astype(str), sex=person % 2, age=person + 30)
    table.loc[3, "a"] = -99
    table.loc[[9, 20], "b"] = np.nan
    path = tmp_path_factory.mktemp("recorded") / "long.csv"
    table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("recipe", [True, False], ids=["recipe.json", "an earlier run"])
@pytest.mark.parametrize("missing", ["indicator", "carry", "drop"])
@pytest.mark.parametrize("case", CASES)
def test_the_same_study_is_read_again(long, tmp_path, case, missing, recipe):
    first = fill_features(
        Study.from_file(long, person="id", outcome="mood", time="time", **CASES[case]), missing
    )
    folder = RunFolder(tmp_path)
    split = np.full(first.n_rows, "train")
    folder.write_json("data", describe(first, split, FitOptions(model="nme-mlp"), [long]))
    if recipe:
        folder.write_json("recipe", first.recipe.to_json())
    again = read_study(folder, long)
    for table in ("X", "covariates", "further_groups"):
        pd.testing.assert_frame_equal(getattr(first, table), getattr(again, table))
    for column in ("y", "groups", "sequence_ids", "time"):
        pd.testing.assert_series_equal(getattr(first, column), getattr(again, column))
    for told in ("roles", "notes", "recipe"):
        assert getattr(first, told) == getattr(again, told), told


def test_columns_left_out_stay_out(long, tmp_path):
    first = Study.from_file(long, person="id", outcome="mood", time="time", exclude=("sex",))
    folder = RunFolder(tmp_path)
    options = FitOptions(model="nme-mlp")
    folder.write_json("data", describe(first, np.full(first.n_rows, "train"), options, [long]))
    assert "sex" not in read_study(folder, long).covariates
    earlier = {key: value for key, value in folder.data.items() if key != "named_covariates"}
    folder.write_json("data", earlier)
    assert list(read_study(folder, long).covariates) == ["age"]


def test_new_rows_need_the_header_but_not_the_lines_around_the_table(long, tmp_path):
    first = Study.from_file(long, person="id", outcome="mood", time="time")
    folder = RunFolder(tmp_path)
    options = FitOptions(model="nme-mlp")
    folder.write_json("data", describe(first, np.full(first.n_rows, "train"), options, [long]))
    lines = long.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "new.csv"
    path.write_text("\n".join(["Clinic;North", "", *lines[:30], "", "Total"]), encoding="utf-8")
    assert len(read_rows(folder, path)) == 29
    path.write_text("\n".join(lines[1:30]), encoding="utf-8")
    with pytest.raises(DataError, match=r"No line of new\.csv names the columns") as caught:
        read_rows(folder, path)
    assert "id, " in caught.value.remedy
