"""Coverage in simulation: studies are judged once each, an interrupted run goes on, and tables."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.coverage import __main__ as command
from benchmarks.coverage import chain_models, row_models
from benchmarks.coverage.cells import Cell, all_cells
from benchmarks.coverage.judging import Held
from benchmarks.coverage.records import append, failure, read
from benchmarks.coverage.summary import BEGIN, END, monte_carlo_error, summarise, write_summary

CELL = Cell("poisson", 5, 12)


def test_a_run_goes_on_where_it_was_and_gives_the_same(tmp_path, capsys):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert command.main([CELL.name, "--studies", "2", "--out", str(whole)]) == 0
    assert command.main([CELL.name, "--studies", "1", "--out", str(parts)]) == 0
    with (parts / "results.csv").open("a") as file:
        file.write(f"{CELL.name},1,peo")  # broken off in the middle of a line
    text = (parts / "results.csv").read_text()
    assert command.main([CELL.name, "--studies", "2", "--out", str(parts)]) == 0
    assert (parts / "results.csv").read_text().startswith(text)
    pd.testing.assert_frame_equal(read(parts / "results.csv"), read(whole / "results.csv"))
    capsys.readouterr()
    command.main([CELL.name, "--studies", "2", "--out", str(whole)])
    assert capsys.readouterr().out == ""  # nothing left to do

    docs, table = tmp_path / "docs.md", tmp_path / "coverage.csv"
    docs.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_summary(whole / "results.csv", table, docs)
    said = docs.read_text()
    assert said.startswith("before\n")
    assert said.endswith("\nafter\n")
    assert "old" not in said
    assert "| poisson | 12 × 5 | strong |" in said
    written = pd.read_csv(table)
    assert written["quantity"].tolist() == ["fixed_effects", "random_effects", "variances"]
    assert written["studies"].tolist() == [2, 2, 2]

    # what was measured anew takes the old one's place, all else stays
    append(parts / "new.csv", CELL.name, 0, {"people": Held(12, 12, 1.0, 0.0)})
    write_summary(parts / "new.csv", table, docs)
    after = pd.read_csv(table)
    assert after["quantity"].tolist() == ["fixed_effects", "random_effects", "variances"]
    assert (after["covered"][1], after["studies"][1]) == (1.0, 1)
    pd.testing.assert_series_equal(after.loc[0], written.loc[0])


def test_cells_have_names_of_their_own_and_an_unknown_one_is_told(capsys):
    names = [cell.name for cell in all_cells()]
    assert len({*names}) == len(names)
    assert CELL.name in names
    assert command.main(["weather"]) == 2
    assert "weather" in capsys.readouterr().out
    assert command.main(["gaussian_15_12", "--list"]) == 0
    assert "gaussian_15_12_strong_diagonal_iid_ml_1" in capsys.readouterr().out


def test_intervals_are_counted():
    held = Held.of([0.0, 1.0, np.nan], [2.0, 3.0, 1.0], [1.0, 4.0, 0.0])
    assert (held.n, held.covered, held.width) == (2, 1, 2.0)
    assert held.error == pytest.approx(-8 / 17)  # (0·1 − 2·4)/(1 + 16)
    assert Held.of([np.nan], [np.nan], [1.0]).n == 0


def test_monte_carlo_error_counts_that_intervals_of_a_study_go_together():
    n = pd.Series([40] * 50)
    together = pd.Series([40, 36] * 25)
    assert monte_carlo_error(n, together) == pytest.approx(0.05 / np.sqrt(49), rel=1e-6)
    assert monte_carlo_error(n, n) > 0  # a share of 1 is not certain


def test_a_study_that_cannot_be_fitted_is_counted(tmp_path):
    path = tmp_path / "results.csv"
    append(path, CELL.name, 0, failure())
    append(path, CELL.name, 1, {"people": Held(10, 9, 1.0, 0.0)})
    table = summarise(read(path))
    assert table[["quantity", "studies", "failed"]].to_numpy().tolist() == [
        ["random_effects", 1, 1]
    ]


@pytest.mark.parametrize("family", ["gaussian", "binary", "poisson", "ordinal", "classes"])
def test_rows_are_drawn_as_the_model_says(family):
    """Whatever residuals do, each row has the distribution of its score, and neighbours go on."""
    cell = Cell(family, 400, 30, residual="ar1")
    study = row_models.simulate(cell, np.random.default_rng(0))
    assert study.x.shape == (12_000, 1)
    model = row_models.fit(cell, study)
    fixed = pd.Series(study.fixed)
    found = model.fixed_effects_[fixed.index]
    assert np.abs(found - fixed).max() < 0.5
    true = study.own[model.parameter_names()].to_numpy()[[int(g) for g in model.groups_]]
    together = np.corrcoef(true.T.ravel(), model.random_effects_.to_numpy().T.ravel())[0, 1]
    assert together > 0.9


def test_moves_of_long_chains_are_those_of_perron():
    """A long path of a conditional random field moves as `next_from` says, at x = 0."""
    rng = np.random.default_rng(0)
    path = chain_models._path(chain_models.MIDDLE, np.zeros((20_000, 3)), rng)
    counts = np.zeros((3, 3))
    np.add.at(counts, (path[:-1], path[1:]), 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    true = chain_models.next_from(chain_models.MIDDLE[None], "crf")[0]
    assert true.sum(axis=1) == pytest.approx(1)
    assert shares == pytest.approx(true, abs=0.02)
    expected = chain_models.expected_moves(
        chain_models.MIDDLE[None], np.zeros((1, 20_000, 3)), "crf"
    )
    assert expected[0].sum() == pytest.approx(19_999)
    assert counts == pytest.approx(expected[0], rel=0.05)
