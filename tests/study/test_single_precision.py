"""Very large tables of features are held in single precision where that loses nothing."""

import numpy as np
import pandas as pd

from nme_core.study import Study, columns, making


def test_columns_of_large_tables_become_single_unless_their_differences_would_suffer(monkeypatch):
    rng = np.random.default_rng(0)
    table = {
        "plain": rng.normal(5, 1, 1000),
        "gaps": np.where(rng.random(1000) < 0.1, np.nan, rng.normal(size=1000)),
        "empty": np.full(1000, np.nan),
        "clock": 1.7e9 + rng.uniform(0, 1000, 1000),
        "huge": rng.normal(size=1000) * 1e200,
    }
    assert all(v.dtype == np.float64 for v in columns.in_single_precision(table).values())
    monkeypatch.setattr(columns, "LARGE", 4000)
    single = columns.in_single_precision(table)
    kinds = {name: values.dtype.name for name, values in single.items()}
    assert kinds == {
        "plain": "float32", "gaps": "float32", "empty": "float32", "clock": "float64",
        "huge": "float64",
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


def test_ids_of_a_large_study_are_categories_that_mean_the_same(monkeypatch):
    long = pd.DataFrame(
        {
            "id": list("bbbaaac"),
            "s": [1, 1, 2, 1, 1, 1, 1],
            "x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
            "y": [1.0, 2.0, 4.0, 3.0, 1.0, 2.0, 5.0],
        }
    )
    roles = {"person": "id", "outcome": "y", "sequence": "s"}
    usual = Study.from_frame(long, **roles)
    monkeypatch.setattr(making, "LARGE", 1)
    study = Study.from_frame(long, **roles)
    for name in ("groups", "sequence_ids"):
        held, text = getattr(study, name), getattr(usual, name)
        assert isinstance(held.dtype, pd.CategoricalDtype)
        assert held.astype("str").tolist() == text.tolist()
        assert held.name == text.name
    assert study.persons == usual.persons == ("b", "a", "c")
    some = study.take(study.groups == "a")
    assert some.groups.cat.categories.tolist() == ["a"]
    assert some.sequence_ids.cat.categories.tolist() == ["a/1"]
