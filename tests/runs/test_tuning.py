"""Choice of settings by the validation rows."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from nme_core.batches.splits import split_within_person
from nme_core.exceptions import OptionError, TrainingError
from nme_core.io import RunFolder, RunState
from nme_core.runs.fit import FitOptions, run_experiment
from nme_core.runs.tuning import WIDTHS, Judged, Settings, tune
from nme_core.study import Study

ASKED = Settings((32,), "diagonal")


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


def by_units(best, effects=10):
    """A judge whose loss is the distance of the number of units from the best one."""
    return lambda _, settings: Judged(
        abs(sum(settings.hidden) - best) + (settings.covariance == "full"), effects
    )


def tried(folder):
    return [json.loads(text) for text in folder.table("tuning")["options"]]


def test_the_lowest_validation_loss_is_chosen_and_marked(folder):
    assert tune(ASKED, len(WIDTHS), by_units(8), folder) == Settings((8,), "diagonal")
    table = folder.table("tuning")
    assert table.loc[table["chosen"], "validation_loss"].tolist() == [0]
    assert table["validation_loss"].tolist() == [
        abs(sum(one["hidden"]) - 8) for one in tried(folder)
    ]
    assert len(set(table["options"])) == len(WIDTHS)


def test_what_was_asked_for_comes_first_and_the_seed_orders_the_rest(folder):
    orders = []
    for seed in (0, 0, 1):
        tune(ASKED, len(WIDTHS), by_units(8), folder, seed=seed)
        orders.append([tuple(one["hidden"]) for one in tried(folder)])
    assert orders[0] == orders[1] != orders[2]
    assert {order[0] for order in orders} == {(32,)}


def test_the_other_covariance_is_tried_for_the_best_widths_with_few_effects(folder):
    tune(ASKED, len(WIDTHS) + 2, by_units(8), folder)
    assert tried(folder)[len(WIDTHS) :] == [
        {"hidden": [8], "covariance": "full"},
        {"hidden": [16], "covariance": "full"},
    ]
    tune(ASKED, len(WIDTHS) + 2, by_units(8, effects=65), folder)
    assert len(tried(folder)) == len(WIDTHS)
    tune(ASKED, 9, by_units(8), folder, widths_given=True)
    assert tried(folder) == [{"hidden": [32], "covariance": kind} for kind in ("diagonal", "full")]


def test_a_trial_that_cannot_be_fitted_says_why_and_is_not_chosen(folder):
    def judge(number, settings):
        if number == 2:
            raise TrainingError("The loss is no number.")
        return Judged(float("nan") if number == 3 else number, 10)

    assert tune(ASKED, 4, judge, folder) == ASKED
    table = folder.table("tuning")
    assert table["note"].tolist() == ["", "The loss is no number.", "", ""]
    assert table["validation_loss"].isna().tolist() == [False, True, True, False]

    def fail(number, settings):
        raise TrainingError("The loss is no number.")

    with pytest.raises(TrainingError):
        tune(ASKED, 4, fail, folder)
    with pytest.raises(OptionError, match="from 1 to"):
        tune(ASKED, -1, judge, folder)


# In a run


QUICK = FitOptions("nme-mlp", epochs=3, baselines=(), refit="none", tune=2)


@pytest.fixture(scope="module")
def study(tiny_study):
    return Study.from_csv(
        tiny_study / "long.csv", person="id", outcome="mood", time="beep", sequence="session",
        features=["sleep", "stress"],
    )  # fmt: skip


def test_a_run_fits_what_was_chosen_and_never_asks_the_test_rows(study, folder, tmp_path):
    run_experiment(study, QUICK, folder)
    table, config = folder.table("tuning"), folder.config
    (chosen,) = [one for one, kept in zip(tried(folder), table["chosen"], strict=True) if kept]
    assert {name: config[name] for name in chosen} == chosen
    assert config["tune"] == 2
    metrics = folder.table("metrics").query(
        "model == 'nme' and scope == 'pooled' and metric == 'mse'"
    )
    held = metrics.set_index("split")["value"]
    assert held["validation"] == pytest.approx(table["validation_loss"].min(), rel=1e-6)

    observed = study.with_observed_outcome()
    is_test = pd.Series(split_within_person(observed.groups) == "test")
    moved = replace(observed, y=observed.y.where(~is_test, observed.y + 5))
    other = RunFolder(tmp_path / "other")
    run_experiment(moved, QUICK, other)
    columns = ["options", "validation_loss", "chosen"]
    pd.testing.assert_frame_equal(other.table("tuning")[columns], table[columns])
    assert other.table("metrics").query("split == 'test'")["value"].iloc[0] > held["test"]


def test_finished_trials_are_kept_when_a_run_is_stopped(study, folder):
    def stop(message, progress):
        if message.startswith("Trial 2 of 3"):
            assert 0 < progress < 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(study, replace(QUICK, tune=3), folder, report=stop)
    assert folder.status.state is RunState.CANCELLED
    assert len(folder.table("tuning")) == 1
    assert not folder.has_table("history")
