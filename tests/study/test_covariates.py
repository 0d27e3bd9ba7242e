"""A covariate table gets what features get."""

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import DataError
from nme_core.study import Remedy, Study, find_problems
from tests.study.clean.test_people import IDS, ROLES, diary


def scores(**columns):
    table = pd.DataFrame({"id": IDS, **columns})
    table.index = pd.RangeIndex(2, len(table) + 2, name="line")
    return table


@pytest.mark.parametrize(
    "cells",
    [
        ["36", "8", "31", "k.A.", "7", "28", "16", "4"],
        ["36", "8", "31", "missing", "7", "missing", "missing", "missing"],
        ["3.5", "refused", "2", "dropped", "4", "1", "6", "7"],
    ],
)
def test_words_do_not_turn_a_score_into_labels(cells):
    words = tuple(sorted({cell for cell in cells if not cell.replace(".", "").isdigit()}))
    table = scores(bdi=cells)
    with pytest.raises(DataError, match="'bdi' holds numbers, but also words: line ") as caught:
        Study.from_frame(diary(), covariates=table, **ROLES)
    assert caught.value.column == "bdi"
    (found,) = find_problems(diary(), covariates=table, **ROLES)
    treat, labels = found.fixes
    assert treat == Remedy("set_missing", ("bdi",), words)
    study = Study.from_frame(diary(), covariates=table, remedies=[treat], **ROLES)
    assert study.covariates["bdi"].dtype == np.float64
    assert study.covariates["bdi"].isna().sum() == sum(cell in words for cell in cells)
    study = Study.from_frame(diary(), covariates=table, remedies=[labels], **ROLES)
    assert set(study.covariates["bdi"]) == set(cells)


@pytest.mark.parametrize(
    "cells", [["A", "B", "A", "B1", "B", "A", "1", "2"], ["m", "f", "f", "m", "m", "f", "f", "m"]]
)
def test_labels_stay_labels(cells):
    study = Study.from_frame(diary(), covariates=scores(arm=cells), **ROLES)
    assert list(study.covariates["arm"]) == cells


def test_numbers_can_be_taken_as_labels():
    table = scores(ward=np.array([1.0, 2, 3, 1, 2, 3, 1, 2]))
    labels = Remedy("as_labels", ("ward",))
    study = Study.from_frame(diary(), covariates=table, remedies=[labels], **ROLES)
    assert list(study.covariates["ward"]) == ["1", "2", "3", "1", "2", "3", "1", "2"]


def test_rows_that_repeat_in_full_count_once_and_others_are_named():
    table = scores(age=np.arange(8.0))
    twice = pd.concat([table, table.head(2)])
    study = Study.from_frame(diary(), covariates=twice, **ROLES)
    assert list(study.covariates["age"]) == list(range(8))
    assert "2 rows of the covariate table repeat another one in full: left out." in study.notes
    visits = pd.concat([table, table.head(2).assign(age=99.0)])
    visits.index = pd.RangeIndex(2, 12, name="line")
    words = r"'P01' more than once \(line 2, line 10\), with different values of 'age'.*2 people"
    with pytest.raises(DataError, match=words):
        Study.from_frame(diary(), covariates=visits, **ROLES)


def test_a_limit_in_a_score_is_not_made_missing_with_the_words():
    table = scores(bdi=["3.5", "refused", "2", "<5", "4", "1", "6", "7"])
    (words,) = find_problems(diary(), covariates=table, **ROLES)
    assert words.fixes[0] == Remedy("set_missing", ("bdi",), ("refused",))
    (limits,) = find_problems(diary(), covariates=table, **ROLES, remedies=words.fixes[:1])
    assert limits.fixes[0] == Remedy("read_numbers", ("bdi",))
    study = Study.from_frame(
        diary(), covariates=table, **ROLES, remedies=[words.fixes[0], limits.fixes[0]]
    )
    assert study.covariates["bdi"].iloc[3] == 5
