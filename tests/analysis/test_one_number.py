"""One number has one interval, a variance of 0 no reliability, and a constant feature a warning."""

import numpy as np
import pandas as pd
import pytest

from nme_core.analysis import person_effects
from nme_core.estimators import NMEMLPRegressor
from nme_core.exceptions import BoundaryWarning, IdentificationWarning


def simulate(seed=0):
    """People's levels differ, their slopes do not; `group` never changes within a person."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(14), 10).astype(str)
    x = rng.normal(size=140)
    y = 2 + x + np.repeat(rng.normal(size=14), 10) + rng.normal(size=140)
    group = np.repeat(np.arange(14) % 3, 10).astype(float)
    return pd.DataFrame({"x": x, "group": group}), y, person


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
def test_a_slope_has_the_interval_of_its_fixed_effect():
    X, y, person = simulate()
    model = NMEMLPRegressor(hidden=()).fit(X[["x"]], y, groups=person)
    table = person_effects(model, X[["x"]])
    row = table[(table["person"] == "") & (table["effect"] == "slope:x")].iloc[0]
    ends = [end["layers.0.weight[0,0]"] for end in model.fixed_effects_interval()]
    np.testing.assert_allclose(row[["ci_low", "ci_high"]].astype(float), ends, rtol=1e-6)


def test_where_people_do_not_differ_nothing_is_known_of_them():
    X, _, person = simulate(1)
    y = X["x"] + np.random.default_rng(5).normal(size=len(X))
    model = NMEMLPRegressor(hidden=(), placement=["layers.0.bias"])
    y = y - y.groupby(person).transform("mean")  # no differences between people at all
    with pytest.warns(BoundaryWarning):
        model.fit(X[["x"]], y, groups=person)
    table = person_effects(model, X[["x"]]).query("person != '' and effect == 'level'")
    assert (table["reliability"] == 0).all()
    assert (model.effects().error > 0).all().all()  # but its interval is no point


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
def test_a_feature_that_never_changes_within_people_is_named():
    X, y, person = simulate()
    with pytest.warns(IdentificationWarning, match="'group' never changes within a person") as said:
        NMEMLPRegressor(hidden=()).fit(X, y, groups=person)
    assert not any("'x'" in str(one.message) for one in said if "never" in str(one.message))
