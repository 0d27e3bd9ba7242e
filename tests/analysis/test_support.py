"""No support, no statement."""

import numpy as np
import pandas as pd

from nme_core.analysis import may_lead, supported


def rows(visits):
    table = pd.DataFrame({"person": ["a", "a", "a", ""], "value": 0.5, "ci_low": 0.4})
    return table.assign(ci_high=0.6, count=1.0, visits=visits)


def test_of_states_never_visited_nothing_is_left_but_the_population():
    found = supported(rows([0, 3, 9, 0]))
    assert found["value"].isna().tolist() == [True, False, False, False]
    assert found[["ci_low", "ci_high"]].isna().any(axis=1).tolist() == [True, False, False, False]
    assert (found["count"] == 1).all()


def test_few_visits_stand_but_do_not_lead():
    assert may_lead(rows([0, 4, 5, np.nan])).tolist() == [False, False, True, True]


def test_a_table_of_before_stays_as_it_is():
    table = rows(1).drop(columns="visits")
    assert supported(table) is table
    assert may_lead(table).all()
