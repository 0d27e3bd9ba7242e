"""Very large tables of features are held in single precision where that loses nothing."""

import numpy as np
import pandas as pd

from nme_core.data import Study, columns


def test_columns_of_large_tables_become_single_unless_their_differences_would_suffer(monkeypatch):
    rng = np.random.default_rng(0)
    table = {
        "plain": rng.normal(5, 1, 1000),
        "gaps": np.where(rng.random(1000) < 0.1, np.nan, rng.normal(size=1000)),
        "empty": np.full(1000, np.nan),
        "clock": 1.7e9 + rng.uniform(0, 1000, 1000),
    }
    assert all(v.dtype == np.float64 for v in columns.in_single_precision(table).values())
    monkeypatch.setattr(columns, "LARGE", 4000)
    single = columns.in_single_precision(table)
    kinds = {name: values.dtype.name for name, values in single.items()}
    assert kinds == {
        "plain": "float32", "gaps": "float32", "empty": "float32", "clock": "float64"
    }  # fmt: skip
    for name in ("plain", "gaps"):
        spread = np.nanstd(table[name])
        np.testing.assert_allclose(single[name], table[name], rtol=0, atol=1e-4 * spread)


def test_a_large_study_is_held_so(monkeypatch):
    monkeypatch.setattr(columns, "LARGE", 1)
    long = pd.DataFrame({"id": list("aabb"), "x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 2.0, 4.0, 3.0]})
    study = Study.from_frame(long, person="id", outcome="y")
    assert study.X["x"].dtype == np.float32
    assert study.X["x"].tolist() == [1, 2, 3, 4]
