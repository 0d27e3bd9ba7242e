"""Stability: halves of a person's data and other seeds, against closed forms and planted truth."""

import shutil
import warnings

import numpy as np
import pandas as pd
import pytest

from nme_core.analysis import covariate_tests, person_parameters
from nme_core.analysis.reliability import TOGETHER, reliability
from nme_core.estimators import load
from nme_core.estimators.person_posterior import person_posterior
from nme_core.exceptions import DataError, OptionError, ReliabilityWarning
from nme_core.io import RunFolder
from nme_core.runs.fit.options import leader_options
from nme_core.runs.recorded import read_same_study
from nme_core.runs.stability import (
    _estimates_of_halves,
    halves,
    spearman_brown,
    stability,
)
from nme_core.runs.stability_weeks import Weeks
from nme_core.study import Study


def study(*, sequences=1, dates=False, n=12):
    frame = pd.DataFrame(
        {
            "who": np.repeat(["a", "b"], n),
            "beep": np.tile(np.arange(n), 2),
            "session": np.tile(np.arange(n) * sequences // n, 2).astype(str),
            "y": np.random.default_rng(0).normal(size=2 * n),
            "x": np.random.default_rng(1).normal(size=2 * n),
        }
    )
    if dates:
        frame["beep"] = pd.Timestamp("2024-03-01") + pd.to_timedelta(8 * frame["beep"], unit="h")
    options = {"sequence": "session"} if sequences > 1 else {}
    return Study.from_frame(
        frame, person="who", outcome="y", time="beep", features=["x"], **options
    )


@pytest.mark.parametrize(
    ("options", "sequential", "pattern", "label"),
    [
        ({"sequences": 3}, True, "000011110000", "sequences"),
        ({"dates": True}, True, "000111000111", "days"),
        ({"dates": True}, False, "000111000111", "days"),
        ({}, True, "000111000111", "quarter"),
        ({}, False, "010101010101", "rows"),
    ],
)
def test_halves_take_turns(options, sequential, pattern, label):
    cut = halves(study(**options), sequential=sequential)
    assert "".join(map(str, cut.half)) == 2 * pattern
    assert label in cut.label
    # a piece is one person's, lies in one half and in one sequence
    pieces = pd.DataFrame({"half": cut.half, "piece": cut.pieces, "who": np.repeat([0, 1], 12)})
    assert (pieces.groupby("piece").nunique() == 1).all(axis=None)


def test_spearman_and_brown():
    assert spearman_brown(np.array([0.5, 0.0, 1.0, -0.5])) == pytest.approx([2 / 3, 0, 1, -2 / 3])


@pytest.fixture(scope="module")
def intercepts(nme, tmp_path_factory):
    """A linear run with random intercepts: variance 1, residual 4, 20 rows of 80 persons."""
    folder = tmp_path_factory.mktemp("intercepts")
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"who": np.repeat([f"p{k:02d}" for k in range(80)], 20)})
    frame["day"] = np.tile(np.arange(20), 80)
    frame["x"] = rng.normal(size=1600).round(4)
    frame["y"] = np.repeat(rng.normal(size=80), 20) + frame["x"] + 2 * rng.normal(size=1600)
    frame.to_csv(folder / "long.csv", index=False)
    score = pd.DataFrame({"who": frame["who"].unique(), "score": rng.normal(size=80)})
    score.to_csv(folder / "covariates.csv", index=False)
    said = nme(
        *("fit", folder / "long.csv", "--covariates", folder / "covariates.csv"),
        *("--person", "who", "--time", "day", "--outcome", "y", "--model", "nme-mlp"),
        *("--hidden", "", "--estimator", "laplace", "--placement", "layers.0.bias"),
        *("--baselines", "none", "--quiet", "--out", folder / "run"),
    )
    assert said == (0, "", "")
    return folder


def test_intercepts_have_the_reliability_of_their_means(intercepts):
    run = RunFolder(intercepts / "run")
    table = stability(run, intercepts / "long.csv").set_index("parameter")
    frame = pd.read_csv(intercepts / "long.csv")
    slope = run.table("fixed_effects").set_index("parameter")["estimate"]["layers.0.weight[0,0]"]
    rest = (frame["y"] - slope * frame["x"]).groupby([frame["who"], frame["day"] % 2]).mean()
    r = np.corrcoef(rest.unstack().T)[0, 1]
    row = table.loc["level"]
    assert row["half_correlation"] == pytest.approx(r, abs=1e-4)
    assert row["split_half"] == pytest.approx(2 * r / (1 + r), abs=1e-4)
    assert row["ci_low"] < 20 / 24 < row["ci_high"]  # n σ_b² / (n σ_b² + σ²)
    assert row["split_half"] == pytest.approx(table.loc[TOGETHER, "split_half"])
    assert table["seed_agreement"].isna().all()  # no chance in it: nothing is fitted again
    assert row["n_persons"] == 80
    # the model's own reliability says the same
    own = reliability(run, person_parameters(run))
    assert own.together == pytest.approx(20 / 24, abs=0.06)
    assert own.kind == "posterior"


def test_the_command_writes_what_hsic_prints(nme, intercepts, tmp_path):
    run = RunFolder(shutil.copytree(intercepts / "run", tmp_path / "run"))
    said = nme("hsic", run.path, "--covariate", "score", "--reps", 99)
    assert "Stability: not checked (nme stability RUN LONG.csv)" in said.out
    assert set(run.table("hsic")["reliability_kind"]) == {"posterior"}
    said = nme("stability", run.path, intercepts / "long.csv")
    assert (said.code, said.err) == (0, "")
    assert "odd and even rows" in said.out
    assert "The fit has no chance in it: every seed gives the same estimates." in said.out
    assert "seeds" not in said.out.splitlines()[0]
    table = run.table("stability").set_index("parameter")
    assert table["seed_agreement"].isna().all()
    said = nme("hsic", run.path, "--covariate", "score", "--reps", 99)
    together = table.loc[TOGETHER, "split_half"]
    notes = " ".join(said.out.split())  # they are wrapped to the width of the terminal's tables
    assert f"split-half reliability of the parameters together {together:.2f}" in notes
    assert "between seeds certain, as the fit has no chance in it" in notes
    assert run.table("hsic")["reliability"].iloc[0] == pytest.approx(together)
    assert set(run.table("effects")["reliability"]) == {table["split_half"].iloc[0]}


def test_where_persons_do_not_differ_there_is_nothing_to_agree_on(
    nme, intercepts, tmp_path, monkeypatch
):
    run = RunFolder(shutil.copytree(intercepts / "run", tmp_path / "run"))
    alike = pd.DataFrame(np.zeros((6, 1)), index=list("abcdef"), columns=["layers.0.bias[0]"])
    monkeypatch.setattr("nme_core.runs.stability._estimates_of_halves", lambda *_: (alike, alike))
    said = nme("stability", run.path, intercepts / "long.csv", "--seeds", "0")
    assert said.code == 0
    assert run.table("stability")["split_half"].isna().all()
    assert "Empty: the model sees no differences between people" in said.out


def test_a_test_of_noise_carries_a_warning(nme, intercepts, tmp_path):
    run = RunFolder(shutil.copytree(intercepts / "run", tmp_path / "run"))
    run.write_table("person_effects", run.table("person_effects").assign(reliability=0.2))
    with pytest.warns(ReliabilityWarning, match=r"together is 0\.20"):
        found = covariate_tests(run, ["score"])
    assert found.cautions
    assert found.hsic["n_unreliable"].iloc[0] == 1
    assert any("Reliability below 0.3: 1 of 1 parameters" in note for note in found.notes)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        said = nme("hsic", run.path, "--covariate", "score", "--reps", 99)
    assert said.code == 0
    assert "nme: warning: The reliability of the parameters together is 0.20" in said.err


def test_halves_that_agree_on_what_the_model_cannot_tell_apart_carry_a_warning(
    intercepts, tmp_path
):
    run = RunFolder(shutil.copytree(intercepts / "run", tmp_path / "run"))
    run.write_table("person_effects", run.table("person_effects").assign(reliability=0.2))
    row = {"split_half": 0.6, "n_persons": 6, "seed_agreement": 1.0}
    names = [*person_parameters(run).values.columns, TOGETHER]
    run.write_table("stability", pd.DataFrame([{"parameter": name, **row} for name in names]))
    with pytest.warns(ReliabilityWarning, match=r"\(0\.60\), but by the model .* is 0\.20, below"):
        covariate_tests(run, ["score"])


def test_transitions_are_as_reliable_as_the_moves_that_are_tested(fit_tiny):
    run = RunFolder(fit_tiny("nme-crf", "--placement", "transitions"))
    found = reliability(run, person_parameters(run))
    own = person_posterior(load(run.model_path), "moves").reliability()
    pd.testing.assert_series_equal(found.single, own.median(), check_names=False)
    assert found.kind == "posterior"
    assert own.min().min() < found.together < own.max().max()


def test_sequences_are_cut_and_states_keep_their_names(fit_tiny, tiny_study):
    run = RunFolder(fit_tiny("nme-crf", "--placement", "transitions"))
    table = stability(run, tiny_study / "long.csv")
    assert list(table["parameter"]) == [*person_parameters(run).values.columns, TOGETHER]
    assert set(table["halves"]) == {"odd and even sequences"}
    assert set(table["n_persons"]) == {12}
    assert table["seed_agreement"].notna().all()
    assert table["split_half"].between(-1, 1).all()


def test_levels_and_slopes_are_compared_between_halves_and_seeds(fit_tiny, tiny_study):
    run, said = RunFolder(fit_tiny("nme-mlp")), []
    table = stability(run, tiny_study / "long.csv", report=lambda *one: said.append(one))
    table, told = table.set_index("parameter"), [part for _, part in said]
    assert any(what.startswith("Seed 1: epoch ") and 0.25 < part < 1 for what, part in said)
    assert told == sorted(told)
    assert told[0] == 0
    assert 0.9 < told[-1] <= 1
    assert table["seed_agreement"].notna().all()  # unlike weights, whatever the architecture
    assert -1 <= table.loc[TOGETHER, "seed_agreement"] <= 1
    assert table.loc[TOGETHER, "split_half"] > 0.3  # the study has persons' own levels


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")
def test_another_seed_is_fitted_to_the_leader_of_a_mixture(nme, tiny_study, tmp_path):
    said = nme(
        *("fit", tiny_study / "long.csv", "--person", "id", "--sequence", "session"),
        *("--time", "beep", "--outcome", "mood", "--features", "sleep", "--model", "nme-mlp"),
        *("--epochs", "3", "--baselines", "none", "--quiet", "--out", tmp_path / "run"),
    )
    assert said.code == 0
    run = RunFolder(tmp_path / "run")
    assert run.config["hidden"] == "auto"
    own = [*person_parameters(run).values.columns, TOGETHER]
    for leader in load(run.model_path).candidates_.to_dict("records"):
        widths = [int(leader["hidden"])] if leader["hidden"] else []
        said = {"hidden": widths, "activation": leader["activation"] or None}
        said = {**run.config["candidate"], **said, "placement": leader["placement"]}
        options = leader_options({**run.config, "candidate": said})
        asked = leader_options({**run.config, "candidate": said, "residual": "ar1"})
        assert (options.residual, asked.residual) == ("iid", "ar1")  # as candidates had it
        assert options.hidden == tuple(widths)
        assert (options.activation or "", options.placement) == tuple(
            leader[name] for name in ("activation", "placement")
        )
    assert run.config["candidate"]["hidden"] == []  # whose fit has no chance in it
    assert stability(run, tiny_study / "long.csv")["seed_agreement"].isna().all()
    run.write_json("config", {**run.config, "candidate": said})
    table = stability(run, tiny_study / "long.csv")
    assert list(table["parameter"]) == own
    assert -1 <= table["seed_agreement"].iloc[-1] <= 1


def test_what_cannot_be_checked_is_said(nme, intercepts, tmp_path, fit_tiny, tiny_study):
    run = RunFolder(shutil.copytree(intercepts / "run", tmp_path / "run"))
    with pytest.raises(OptionError, match="not the file"):
        stability(run, intercepts / "covariates.csv".replace("covariates", "run/metrics"))
    few = fit_tiny("nme-mlp", "--refit", "none")
    with pytest.raises(OptionError, match="--refit all"):
        stability(RunFolder(few), tiny_study / "long.csv")
    recipe = run.read_json("recipe")
    recipe["roles"]["groups"] = ["clinic"]
    run.write_json("recipe", recipe)
    with pytest.raises(OptionError, match="one grouping factor"):
        stability(run, intercepts / "long.csv")


@pytest.mark.parametrize(("limit", "sequences"), [(None, 80), ("0.5", 1600)])
def test_sequences_are_broken_where_the_run_broke_them(intercepts, tmp_path, limit, sequences):
    run = RunFolder(shutil.copytree(intercepts / "run", tmp_path / "run"))
    run.write_json("recipe", {**run.read_json("recipe"), "gap": limit})
    read = read_same_study(run, intercepts / "long.csv", None)
    assert read.sequence_ids.nunique() == sequences


def test_persons_in_one_half_only_are_too_few():
    short = study(n=12)
    cut = halves(short, sequential=False)
    with pytest.raises(DataError, match="2 people have observations in both"):
        _estimates_of_halves(None, short, cut, False)


@pytest.mark.parametrize(
    ("dates", "n", "label"),
    [(True, 60, "week"), (True, 30, "seventh of the rows"), (False, 60, "seventh of the rows")],
)
def test_weeks_count_from_the_first_row(dates, n, label):
    parts = Weeks.of(study(dates=dates, n=n))
    assert parts.label == label
    if label == "week":  # a row every 8 hours
        assert list(parts.number[:60]) == [1] * 21 + [2] * 21 + [3] * 18
    else:
        counts = np.bincount(parts.number[:n])[1:]
        assert len(counts) == 7
        assert counts.max() - counts.min() <= 1
    assert list(parts.number[:n]) == list(parts.number[n:])


def test_a_week_that_makes_the_differences_is_found(nme, tmp_path):
    """People are alike but for their third week."""
    rng, days = np.random.default_rng(0), 28
    frame = pd.DataFrame({"who": np.repeat([f"p{k:02d}" for k in range(30)], days)})
    first = pd.Timestamp("2024-03-01")
    frame["day"] = [first + pd.Timedelta(days=d) for d in np.tile(np.arange(days), 30)]
    third = np.tile(np.arange(days) // 7 == 2, 30)
    frame["y"] = 0.3 * rng.normal(size=len(frame)) + third * np.repeat(rng.normal(size=30), days)
    frame["x"] = rng.normal(size=len(frame))
    frame.to_csv(tmp_path / "long.csv", index=False)
    said = nme(
        *("fit", tmp_path / "long.csv", "--person", "who", "--time", "day", "--outcome", "y"),
        *("--features", "x", "--model", "nme-mlp", "--hidden", "none", "--residual", "iid"),
        *("--placement", "layers.0.bias", "--baselines", "none", "--quiet"),
        *("--out", tmp_path / "run"),
    )
    assert said.code == 0, said
    run = RunFolder(tmp_path / "run")
    said = nme("stability", run.path, tmp_path / "long.csv", "--seeds", "0")
    assert "Without a week: agreement with all rows where one of 4 such parts" in said.out
    assert "least without number 3" in said.out
    row = run.table("stability").set_index("parameter").loc[TOGETHER]
    frame["week"] = np.tile(np.arange(days) // 7, 30)
    means = [part.groupby("who")["y"].mean() for part in (frame, frame[frame["week"] != 2])]
    assert row["week_agreement"] == pytest.approx(np.corrcoef(*means)[0, 1], abs=0.05)
    assert row["week_agreement"] < 0.5
    known = reliability(run, person_parameters(run))
    assert known.weeks == pytest.approx(row["week_agreement"])
    assert "without any one week" in known.note()
    run.write_table("stability", run.table("stability").assign(weeks="seventh of the rows"))
    assert "without any one seventh" in reliability(run, person_parameters(run)).note()


def test_a_model_of_sequences_is_read_without_a_part_of_them(fit_tiny, tiny_study):
    run = RunFolder(fit_tiny("nme-crf", "--placement", "transitions"))
    table = stability(run, tiny_study / "long.csv", seeds=0)
    assert set(table["weeks"]) == {"seventh of the rows"}
    assert table["week_agreement"].between(-1, 1).all()
    assert table["week_agreement"].iloc[-1] > table["half_correlation"].iloc[-1]
