import pandas as pd
import pytest

from dashboard.services import results
from dashboard.services.results import Transitions
from nme_core.exceptions import RunFolderError


def test_matrices_are_from_rows_to_columns(crf_run: str) -> None:
    rows = results.table(crf_run, "transitions")
    found = results.transitions(crf_run, "007", "expected")
    for start, end in (("calm", "low"), ("low", "calm")):
        wanted = rows[
            (rows["person"] == "007")
            & (rows["readout"] == "expected")
            & (rows["from"] == start)
            & (rows["to"] == end)
        ].iloc[0]
        assert found.person.loc[start, end] == wanted["value"]
        assert found.counts is not None
        assert found.counts.loc[start, end] == wanted["count"]
    assert list(found.population.index) == ["calm", "tense", "low"]
    assert results.transitions(crf_run, "007", "scores").counts is None


def test_largest_difference_names_direction() -> None:
    states = ["a", "b"]
    person = pd.DataFrame([[0.5, 0.5], [0.1, 0.9]], states, states)
    population = pd.DataFrame([[0.4, 0.6], [0.5, 0.5]], states, states)
    start, end, own, others = results.largest_difference(Transitions(person, population, None))
    assert (start, end) in {("b", "a"), ("b", "b")}
    assert own == person.loc[start, end]
    assert others == population.loc[start, end]
    assert results.largest_difference(Transitions(person, person, None)) is None


def test_person_ids_stay_text_and_the_population_is_none_of_them(crf_run: str) -> None:
    assert results.persons(crf_run)[:2] == ["001", "002"]
    assert len(results.persons(crf_run)) == 24


def test_parameters_are_ordered_by_their_variance(mlp_run: str) -> None:
    names = results.widest_parameters(mlp_run)
    variances = [results.variance(mlp_run, name) for name in names]
    assert variances == sorted(variances, reverse=True)
    assert set(names) == set(results.parameters(mlp_run))
    with pytest.raises(RunFolderError, match="unheard"):
        results.variance(mlp_run, "unheard")


def test_metrics_are_models_by_metrics_on_the_test_part(mlp_run: str) -> None:
    table = results.metrics_table(mlp_run)
    assert table.loc["generic", "mse"] == pytest.approx(0.8)
    assert list(table.columns) == ["mse", "pearson"]
    assert results.metrics_table(mlp_run, "train").empty


def test_a_run_that_is_gone_is_an_error(home: object) -> None:
    with pytest.raises(RunFolderError):
        results.table("20260101-000000-00000000", "metrics")
