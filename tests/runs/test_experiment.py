"""A run from study to folder: what is written, from which rows, and how it ends."""

import hashlib
import json
import stat
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nme_core.batches.splits import split_within_person
from nme_core.estimators import NMEMLPRegressor, load
from nme_core.exceptions import DataError, OptionError, TrainingError
from nme_core.io import TABLES, RunFolder, RunState, Status, journal
from nme_core.io.renewal import clear
from nme_core.metrics.classification import CLASSIFICATION_METRICS
from nme_core.metrics.simple_rules import rules_for
from nme_core.runs.fit import ALL_ROWS, FitOptions, run_experiment
from nme_core.runs.fit.rows import StudyRows
from nme_core.runs.rerun import rerun
from nme_core.study import Study

FILES = {
    *(
        "manifest.json",
        "status.json",
        "config.json",
        "data.json",
        "model.safetensors",
        "covariates.csv",
        "recipe.json",
    ),
    *(f"{name}.csv" for name in ("history", "metrics", "comparison", "predictions")),
    *(f"{name}.csv" for name in ("fixed_effects", "random_effects", "covariance", "correlations")),
    *("person_summaries.csv", "codebook.csv", "findings.csv", "skill.csv", "recipe.json"),
    *(f"{name}.csv" for name in ("summary", "checks", "calibration", "candidates", "likelihood")),
}
RULES = {"nme-mlp": rules_for("number"), "nme-crf": rules_for("class")}
#: Models of a run: a network has its linear twin beside it.
FITTED = {
    "nme-mlp": ["nme", "generic", "specific", "linear"],
    "nme-crf": ["nme", "generic", "specific"],
}
METRICS = {
    "nme-mlp": ["mse", "mae", "pearson", "ccc"],
    "nme-crf": [*CLASSIFICATION_METRICS],
}


def read_study(folder, outcome="mood", **options):
    return Study.from_csv(
        folder / "long.csv",
        person="id",
        outcome=outcome,
        time="beep",
        sequence="session",
        features=["sleep", "stress"],
        covariates=folder / "covariates.csv",
        **options,
    )


@pytest.fixture
def study(tiny_study):
    return read_study(tiny_study)


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


@pytest.fixture(params=["nme-mlp", "nme-crf"])
def finished(request, fit_tiny):
    """A finished run of each kind, with both baselines."""
    return request.param, RunFolder(fit_tiny(request.param))


def quick(**options):
    return FitOptions(
        **{"model": "nme-mlp", "hidden": (32,), "epochs": 3, "baselines": ("generic",)} | options
    )


def test_the_folder_holds_every_file_of_the_contract_and_no_pickle(finished):
    model, run = finished
    extra = (
        {"transitions.csv"} if model == "nme-crf" else {"response_curves.csv", "person_effects.csv"}
    )
    assert {path.name for path in run.path.iterdir()} == FILES | extra
    for path in run.path.iterdir():
        assert not path.read_bytes().startswith(b"\x80")  # how a pickle begins
        if path.suffix == ".csv" and path.stem in TABLES:
            header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
            assert header[: len(TABLES[path.stem])] == list(TABLES[path.stem])
    if sys.platform != "win32":
        assert stat.S_IMODE(run.path.stat().st_mode) == 0o700


def test_what_the_columns_are_and_what_was_found_in_them_stands_in_the_run(finished):
    model, run = finished
    book = run.table("codebook").set_index("name")
    outcome = "state" if model == "nme-crf" else "number"
    assert book.loc[run.roles["outcome"], ["type", "role"]].tolist() == [outcome, "outcome"]
    roles = {"id": "person", "sleep": "feature", "depression": "covariate", "session": "sequence"}
    assert book.loc[[*roles], "role"].to_dict() == roles
    assert book.loc["id", "range"] == "12 different"
    findings = run.table("findings")
    assert len(findings) >= 1
    assert set(findings["severity"]) <= {"look", "info"}


def test_a_codebook_of_the_user_says_what_the_columns_are(study, tiny_study, folder, tmp_path):
    book = pd.DataFrame(
        [["sleep", "Hours asleep", "number", "hours", "0 to 12", "0", "feature"]],
        columns=["name", "label", "type", "unit", "range", "missing", "role"],
    )
    run_experiment(study, quick(baselines=()), folder, codebook=book)
    told = folder.table("codebook").set_index("name")
    assert told.loc["sleep", ["label", "unit"]].tolist() == ["Hours asleep", "hours"]
    assert told.loc["stress", "label"] == ""
    with pytest.raises(DataError, match="no codebook"):
        run_experiment(study, quick(), folder, codebook=book.drop(columns="unit"))
    assert folder.status.state is RunState.DONE  # what was there is untouched
    other = RunFolder(tmp_path / "again")
    rerun(folder, other, tiny_study / "long.csv", tiny_study / "covariates.csv")
    pd.testing.assert_frame_equal(other.table("codebook"), folder.table("codebook"))


def test_what_is_approximate_stands_in_the_config(finished):
    model, run = finished
    tables = {entry["table"] for entry in run.config["approximate"]}
    assert tables >= {"random_effects", "fixed_effects"}
    assert ("transitions" in tables) is (model == "nme-crf")
    assert all(entry["status"] and entry["reason"] for entry in run.config["approximate"])


def test_calibration_is_that_of_the_rows_held_back(finished):
    model, run = finished
    table = run.table("calibration")
    assert set(table["split"]) == {"test"}
    assert set(table["model"]) == set(FITTED[model])
    kinds = {"nme-mlp": {"pit", "interval"}, "nme-crf": {"probability"}}
    assert set(table["kind"]) == kinds[model]
    predictions = run.table("predictions").query("model == 'nme' and split == 'test'")
    n = (predictions["observed"] != "").sum()  # an empty label is text
    if model == "nme-crf":
        counted = table.query("model == 'nme'").groupby("class")["n"].sum()
        assert (counted == n).all()
    else:
        assert (table["n"] == n).all()


def test_every_metric_is_there_for_every_model_and_split(finished):
    model, run = finished
    metrics = run.table("metrics")
    pooled = metrics[metrics["scope"] == "pooled"]
    found = pooled.groupby(["model", "split"])["metric"].apply(list)
    assert set(found.index) == {
        (name, split) for name in FITTED[model] for split in ("train", "validation", "test")
    } | {(name, split) for name in RULES[model] for split in ("validation", "test")}
    for (name, split), names in found.items():
        spread = model == "nme-mlp" and name not in RULES[model] and split == "test"
        assert names == METRICS[model] + (["crps", "coverage_95"] if spread else [])
    assert pooled["value"].notna().all()
    assert (pooled["person"] == "").all()
    persons = metrics[(metrics["scope"] == "person") & (metrics["split"] == "test")]
    assert persons["person"].nunique() == 12
    pooled_n = pooled.groupby(["model", "split"])["n"].first()
    own_n = metrics[metrics["scope"] == "person"].drop_duplicates(["model", "split", "person"])
    assert own_n.groupby(["model", "split"])["n"].sum().equals(pooled_n)


def test_the_comparison_is_paired_over_persons(finished):
    model, run = finished
    comparison = run.table("comparison")
    pairs = comparison[["model", "reference", "metric"]].to_numpy().tolist()
    assert pairs == [
        [name, "nme", metric]
        for name in (*FITTED[model][1:], *RULES[model])
        for metric in METRICS[model]
    ]
    metrics = run.table("metrics").query("scope == 'person' and split == 'test'")
    values = metrics.pivot(index="person", columns=["model", "metric"], values="value")
    for row in comparison.itertuples():
        paired = (values[row.model, row.metric] - values["nme", row.metric]).dropna()
        assert row.difference == pytest.approx(paired.mean(), nan_ok=True)
        assert row.n_persons == len(paired)
        if row.n_persons == 0:  # a rule that says one thing of all of a person's rows
            assert row.model in RULES[model]
            assert row.metric in ("pearson", "ccc")
            continue
        assert row.ci_low <= row.difference <= row.ci_high
        assert 0 < row.p <= 1


def test_predictions_cover_every_row_once_per_model(finished, tiny_study):
    model, run = finished
    predictions = run.table("predictions")
    study = read_study(tiny_study, "state" if model == "nme-crf" else "mood")
    if model == "nme-mlp":
        study = study.with_observed_outcome()
    split = split_within_person(study.groups)
    for _, rows in predictions.groupby("model"):
        assert len(rows) == study.n_rows
        assert not rows.duplicated(["person", "sequence", "time"]).any()
        for part in ("train", "validation", "test"):
            found = rows[rows["split"] == part]
            assert found["person"].tolist() == study.groups[split == part].tolist()
            assert found["sequence"].tolist() == study.sequence_ids[split == part].tolist()
            assert found["time"].tolist() == study.time[split == part].tolist()
    own = predictions[predictions["model"] == "nme"]
    assert (own["predicted"] != own["population_predicted"]).any()
    generic = predictions[predictions["model"] == "generic"]
    if model == "nme-mlp":
        assert generic["predicted"].to_numpy() == pytest.approx(generic["population_predicted"])
    else:
        assert generic["predicted"].tolist() == generic["population_predicted"].tolist()


def test_probabilities_of_states_sum_to_one(fit_tiny):
    predictions = RunFolder(fit_tiny("nme-crf")).table("predictions")
    columns = [name for name in predictions.columns if name.startswith("p_")]
    assert columns == ["p_low", "p_mid", "p_top"]
    assert predictions[columns].sum(axis=1).to_numpy() == pytest.approx(1)
    assert set(predictions["observed"]) == {"low", "mid", "top", ""}


def test_metrics_are_those_of_the_predictions(fit_tiny):
    run = RunFolder(fit_tiny("nme-mlp"))
    rows = run.table("predictions").query("model == 'nme' and split == 'test'")
    metrics = run.table("metrics").query("model == 'nme' and split == 'test' and scope == 'pooled'")
    value = metrics.set_index("metric")["value"]
    error = rows["observed"] - rows["predicted"]
    assert value["mse"] == pytest.approx((error**2).mean())
    assert value["mae"] == pytest.approx(error.abs().mean())
    assert value["pearson"] == pytest.approx(rows["observed"].corr(rows["predicted"]))
    assert (metrics["n"] == len(rows)).all()


def test_what_is_judged_was_fitted_on_training_rows_only(study, folder):
    run_experiment(study, quick(baselines=()), folder)
    study = study.with_observed_outcome()
    rows = split_within_person(study.groups) == "train"
    model = NMEMLPRegressor((32,), epochs=3).fit(
        study.X[rows], study.y[rows], groups=study.groups[rows], times=study.time[rows]
    )
    found = folder.table("predictions").query("split == 'test' and model == 'nme'")["predicted"]
    test = split_within_person(study.groups) == "test"
    expected = model.predict(study.X[test], study.groups[test])
    assert found.to_numpy() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("refit", ["all", "none"])
def test_what_is_interpreted_comes_from_the_rows_that_the_folder_says(study, folder, refit):
    run_experiment(study, quick(refit=refit, baselines=()), folder)
    known = study.with_observed_outcome()
    train = int((split_within_person(known.groups) == "train").sum())
    n_rows = known.n_rows if refit == "all" else train
    effects = folder.table("random_effects").drop_duplicates("person")
    assert effects["n_obs"].sum() == n_rows
    assert folder.data["interpreted_from"] == ("all rows" if refit == "all" else "training rows")
    assert (ALL_ROWS in set(folder.table("history")["model"])) == (refit == "all")
    model = load(folder.model_path)
    assert model.n_obs_.sum() == n_rows
    assert folder.table("fixed_effects")["estimate"].to_numpy() == pytest.approx(
        model.fixed_effects_.to_numpy()
    )


def test_transitions_count_all_labels_of_the_study(fit_tiny, tiny_study):
    table = RunFolder(fit_tiny("nme-crf")).table("transitions").query("readout == 'observed'")
    study = read_study(tiny_study, "state")
    before = study.y.groupby(study.sequence_ids).shift()
    pairs = pd.DataFrame({"person": study.groups, "from": before, "to": study.y}).dropna()
    counts = pairs.value_counts()
    for row in table[table["person"] != ""].itertuples():
        assert row.count == counts.get((row.person, row[3], row.to), 0)
    population = table[table["person"] == ""]
    assert population["count"].sum() == len(pairs)


def test_data_json_says_what_went_in(fit_tiny, tiny_study):
    data = RunFolder(fit_tiny("nme-mlp")).data
    assert data["roles"] == {
        "person": "id",
        "outcome": "mood",
        "time": "beep",
        "sequence": "session",
        "features": ["sleep", "stress"],
        "covariates": ["depression", "clinic"],
        "groups": [],
    }
    assert (data["n_rows"], data["n_persons"], data["n_sequences"]) == (214, 12, 24)
    assert sum(data["n_rows_by_split"].values()) == 214
    assert data["n_missing_features"] == {"stress": 2}
    assert [entry["name"] for entry in data["inputs"]] == ["long.csv", "covariates.csv"]
    for entry in data["inputs"]:
        content = (tiny_study / entry["name"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    notes = " ".join(data["notes"])
    assert "without covariates" in notes
    assert "2" in notes
    assert "outcome" in notes


def test_covariates_go_with_the_run(fit_tiny):
    covariates = RunFolder(fit_tiny("nme-mlp")).covariates
    assert len(covariates) == 12
    assert "007" in covariates.index
    assert covariates["depression"].isna().sum() == 1
    assert covariates["clinic"].value_counts().to_dict() == {"None": 4, "north": 4, "south": 3}


def test_config_json_has_every_option_and_version(finished):
    model, run = finished
    config = run.config
    assert config["model"] == model
    assert config["epochs"] == 30
    assert (config["seed"], config["device"], config["refit"]) == (0, "cpu", "all")
    assert (config["estimator"], config["covariance"]) == ("variational", "diagonal")
    assert config["placement"] == ("last+transitions" if model == "nme-crf" else "last")
    assert config["hidden"] == ([] if model == "nme-crf" else [32])
    # of a set number of epochs, in which a chain without hidden layers takes Laplace's curvature
    assert config["methods"] == ["laplace" if model == "nme-crf" else "variational"]
    assert config["baselines"] == ["generic", "specific"]
    assert config["network_inputs"] == ["sleep", "stress", "stress (missing)"]
    assert (config["network_outputs"] == ["outcome"]) is (model == "nme-mlp")
    words = run.parameter_names.words
    named = {words(name) for name in run.table("fixed_effects")["parameter"]}
    if model == "nme-mlp":
        assert {"sleep on unit 1", "unit 32 on the outcome", "intercept"} <= named
    else:
        states = config["network_outputs"]
        assert {f"{feature} on {one}" for feature in ("sleep", "stress") for one in states} <= named
    assert {"neural-mixed-effects", "python", "torch", "numpy", "pandas"} <= set(config["versions"])
    assert set(config["verdicts"]) == {*FITTED[model], ALL_ROWS}


def test_history_has_every_fit_from_its_first_epoch_on(finished):
    _, run = finished
    history = run.table("history")
    for _, rows in history[history["model"] != "linear"].groupby("model"):  # no epochs
        assert rows["epoch"].tolist() == list(range(1, 31))
        assert rows["seconds"].is_monotonic_increasing
        assert rows["train_loss"].notna().all()
    judged = history[history["model"] == "nme"]
    assert judged["validation_loss"].notna().sum() == 3
    assert history[history["model"] == ALL_ROWS]["validation_loss"].isna().all()


def test_status_ends_done(finished):
    status = finished[1].status
    assert (status.state, status.progress, status.message) == (RunState.DONE, 1.0, "Done")
    assert status.started <= status.finished


def tables(run):
    """All tables but the times."""
    found = {path.stem: run.table(path.stem) for path in run.path.glob("*.csv")
             if path.stem in TABLES}  # fmt: skip
    return found | {"history": found["history"].drop(columns="seconds")}


@pytest.mark.parametrize("model", ["nme-mlp", "nme-crf"])
def test_the_same_seed_gives_the_same_tables_and_another_gives_others(model, tiny_study, tmp_path):
    study = read_study(tiny_study, "state" if model == "nme-crf" else "mood")
    runs = [RunFolder(tmp_path / name) for name in "abc"]
    for run, seed in zip(runs, (4, 4, 5), strict=True):
        run_experiment(study, quick(model=model, seed=seed), run)
    first, second, third = map(tables, runs)
    assert set(first) == set(second)
    for name, table in first.items():
        again = second[name].drop(columns="seconds", errors="ignore")
        own = table.drop(columns="seconds", errors="ignore")
        pd.testing.assert_frame_equal(own, again, check_exact=True)
    for name in ("history", "metrics", "predictions", "random_effects", "fixed_effects"):
        assert not first[name].equals(third[name])


def test_history_and_progress_grow_while_models_are_fitted(study, folder, monkeypatch):
    monkeypatch.setattr(journal, "_WRITE_EVERY_S", 0.0)
    monkeypatch.setattr(journal, "_WRITE_SHARE", float("inf"))
    seen = []

    def look(_message, progress):
        length = len(folder.table("history")) if folder.has_table("history") else 0
        status = json.loads((folder.path / "status.json").read_text(encoding="utf-8"))
        seen.append((length, progress, status["state"]))

    run_experiment(study, quick(epochs=4), folder, report=look)
    lengths, parts, states = zip(*seen, strict=True)
    assert list(lengths[:12]) == list(range(12))
    assert list(parts) == sorted(parts)
    assert parts[-1] == 1.0
    assert set(states) == {"running"}  # done only when everything is written


def interrupt(at, error):
    """What raises an error when the progress message begins with some words."""

    def report(message, _progress):
        if message.startswith(at):
            raise error

    return report


def test_what_was_finished_before_a_cancel_is_kept(study, folder):
    report = interrupt("Fitting generic: epoch 2", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run_experiment(study, quick(), folder, report=report)
    status = folder.status
    assert status.state is RunState.CANCELLED
    assert status.finished
    assert 0 < status.progress < 1
    assert set(folder.table("metrics")["model"]) == {"nme"}
    assert set(folder.table("predictions")["model"]) == {"nme"}
    history = folder.table("history")
    assert history.groupby("model").size().to_dict() == {"generic": 2, "nme": 3}
    assert list(folder.config["verdicts"]) == ["nme"]
    assert not folder.model_path.exists()


def test_a_failure_leaves_its_message_and_what_was_finished(study, folder):
    error = TrainingError("The loss is no number.", remedy="Look for extremes.")
    with pytest.raises(TrainingError):
        run_experiment(study, quick(), folder, report=interrupt("Fitting nme (all", error))
    status = folder.status
    assert status.state is RunState.FAILED
    assert status.message == "The loss is no number. Look for extremes."
    assert set(folder.table("metrics")["model"]) == {
        "nme",
        "generic",
        "linear",
        *rules_for("number"),
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "nme-tree"}, "No model is called 'nme-tree'"),
        ({"baselines": ("gmm",)}, "No baseline is called 'gmm'"),
        ({"baselines": ("mlp-lme",), "family": "poisson"}, "'mlp-lme' is for an NME-MLP whose"),
        ({"refit": "some"}, "refit='some'"),
        ({"placement": "transitions"}, "placement='transitions'"),
        ({"estimator": "magic"}, "estimator='magic'"),
        ({"model": "nme-crf"}, "needs states"),
        ({"device": "abacus"}, "device='abacus'"),
    ],
)
def test_options_that_do_not_exist_are_refused_and_leave_nothing(study, folder, options, message):
    with pytest.raises(OptionError, match=message):
        run_experiment(study, quick(**options), folder)
    assert not folder.path.exists()


def test_a_run_that_was_queued_says_why_it_was_refused(study, folder):
    folder.write_status(Status(RunState.QUEUED))
    with pytest.raises(OptionError, match="magic"):
        run_experiment(study, quick(estimator="magic"), folder)
    assert folder.status.state is RunState.FAILED
    assert "magic" in folder.status.message


def test_a_number_is_not_taken_for_hundreds_of_states(tiny_study, folder):
    study = read_study(tiny_study)
    labels = study.y.round(2).astype("str")
    study = replace(study, y=labels, outcome_kind="class")
    with pytest.raises(OptionError, match=r"'mood' has \d+ different values"):
        run_experiment(study, quick(model="nme-crf"), folder)


def test_nothing_to_test_on_is_said(tiny_study, folder):
    study = read_study(tiny_study)
    place = study.groups.groupby(study.groups).cumcount().to_numpy()
    few = study.take((place < 1) | (study.groups == "007").to_numpy() & (place < 2))
    with pytest.raises(DataError, match="enough rows"):
        run_experiment(few, quick(), folder)
    assert not folder.path.exists()


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
def test_people_who_alone_reach_a_class_are_used_for_training(tiny_study, folder):
    frame = pd.read_csv(tiny_study / "long.csv", dtype={"id": "str", "session": "str"})
    late = (frame["session"] == "2") & (frame["beep"] == 8)
    frame.loc[late & (frame["id"] == "007"), "state"] = "rare"
    study = Study.from_frame(
        frame, person="id", outcome="state", time="beep", sequence="session", features=["sleep"]
    )
    run_experiment(study, quick(model="nme-crf", baselines=()), folder)
    split = folder.table("predictions").groupby("person")["split"].unique()
    assert list(split["007"]) == ["train"]
    assert "test" in split.drop("007").explode().tolist()
    assert any("'rare' of 'state' occurs only late" in note for note in folder.data["notes"])


def test_a_chain_without_a_move_is_refused(tiny_study, folder):
    frame = pd.read_csv(tiny_study / "long.csv", dtype={"id": "str"})
    frame["alone"] = range(len(frame))
    study = Study.from_frame(
        frame, person="id", outcome="state", time="beep", sequence="alone", features=["sleep"]
    )
    with pytest.raises(DataError, match="no moves between states to learn"):
        run_experiment(study, quick(model="nme-crf"), folder)


def test_a_second_run_leaves_nothing_of_the_first(study, tiny_study, folder):
    crf = read_study(tiny_study, "state")
    run_experiment(crf, quick(model="nme-crf", baselines=()), folder)
    (folder.path / "train.log").write_text("kept", encoding="utf-8")
    run_experiment(study, quick(baselines=()), folder)
    assert not folder.has_table("transitions")
    assert not [name for name in folder.table("predictions") if name.startswith("p_")]
    assert (folder.path / "train.log").is_file()
    (earlier,) = (folder.path / "earlier").iterdir()  # what was finished is not lost
    assert RunFolder(earlier).status.state is RunState.DONE
    assert RunFolder(earlier).has_table("transitions")
    folder.write_status(replace(folder.status, state=RunState.CANCELLED))
    assert clear(folder) is None
    assert not folder.has_table("predictions")
    (folder.path / "fixed_effects.csv").write_text("of whom?", encoding="utf-8")
    (folder.path / "status.json").write_text("{", encoding="utf-8")
    kept = clear(folder)
    assert kept == folder.path / "earlier" / "unknown"
    assert (kept / "fixed_effects.csv").read_text(encoding="utf-8") == "of whom?"


def test_a_run_does_not_overwrite_the_table_that_it_is_fitted_on(study, tmp_path):
    path = tmp_path / "covariates.csv"
    path.write_text("id,age\n007,9\n", encoding="utf-8")
    with pytest.raises(OptionError, match=r"overwrite covariates\.csv"):
        run_experiment(study, quick(), RunFolder(tmp_path), inputs=[path])
    assert [entry.name for entry in tmp_path.iterdir()] == ["covariates.csv"]
    assert path.read_text(encoding="utf-8") == "id,age\n007,9\n"


def test_curves_of_too_many_persons_are_left_out_with_a_note(study, folder, monkeypatch):
    from nme_core import analysis

    monkeypatch.setitem(analysis.response_curves.__globals__, "LARGEST", 10)
    run_experiment(study, quick(baselines=()), folder)
    assert folder.status.state is RunState.DONE
    assert not folder.has_table("response_curves")
    assert "Response curves" in folder.data["notes"][-1]


def test_the_number_of_threads_is_given_back(study, folder):
    import torch

    before = torch.get_num_threads()
    run_experiment(study, quick(baselines=(), epochs=1), folder)
    assert torch.get_num_threads() == before


def test_a_persons_missing_rows_do_not_move_the_metrics(fit_tiny):
    run = RunFolder(fit_tiny("nme-crf"))
    predictions = run.table("predictions").query("model == 'nme'")
    missing = (predictions["observed"] == "").groupby(predictions["split"]).sum()
    metrics = run.table("metrics").query("model == 'nme' and scope == 'pooled'")
    n = metrics.drop_duplicates("split").set_index("split")["n"]
    sizes = predictions.groupby("split").size()
    assert missing.sum() == 2
    assert (n == (sizes - missing)[n.index]).all()
    assert np.isfinite(metrics["value"]).all()


def test_very_many_rows_are_checked_by_whole_persons_drawn_at_random():
    groups = [person for person in "abcdef" for _ in range(4)]
    table = pd.DataFrame({"id": groups, "x": range(24), "y": [k * k % 7 for k in range(24)]})
    rows = StudyRows.of(Study.from_frame(table, person="id", outcome="y"), sequential=False)
    assert rows.of_some_persons(24, 0) is rows
    some = rows.of_some_persons(11, 0)
    assert some.persons.value_counts().loc[lambda count: count > 0].tolist() == [4, 4]
    assert some.y.tolist() != rows.of_some_persons(11, 3).y.tolist()
    assert rows.of_some_persons(1, 0).persons.nunique() == 1
