import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from dashboard.services import runs, studies
from nme_core.io import RunFolder, RunState, Status
from nme_core.vocabulary.settings import FitSettings

WORKS = """
import sys, time
from nme_core.io import RunFolder, RunState, Status
from nme_core.metrics.simple_rules import rules_for
folder = RunFolder(sys.argv[1])
folder.write_status(Status(RunState.RUNNING, "2026-01-01T00:00:00+00:00", None, "Epoch 1", 0.5))
time.sleep(float(sys.argv[2]))
folder.write_status(Status(RunState.DONE, "2026-01-01T00:00:00+00:00", None, "Finished.", 1.0))
"""


@pytest.fixture
def trained_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Replace `nme fit` by a small program that gets the run folder and one more argument."""

    def replace_command(program: str, argument: str) -> None:
        monkeypatch.setattr(
            runs, "command", lambda *words: [sys.executable, "-c", program, str(words[3]), argument]
        )

    return replace_command


def begin(study: str) -> str:
    record = studies.study_record(study)
    assert record is not None
    return runs.start(record, FitSettings("nme-crf", "transitions"))


def wait_for(identity: str, state: RunState) -> runs.Run:
    for _ in range(1200):
        run = runs.run_record(identity)
        assert run is not None
        if run.status.state is state:
            return run
        time.sleep(0.05)
    raise AssertionError(f"never {state}: {run.status}")


def test_runs_of_one_study_have_different_names(
    state_study: str, trained_by: Callable[[str, str], None]
) -> None:
    trained_by(WORKS, "0")
    names = []
    for _ in range(3):
        run = wait_for(begin(state_study), RunState.DONE)
        names.append(run.name)
    assert names == [f"diary, NME-CRF, transitions{end}" for end in ("", " (2)", " (3)")]


def test_a_long_name_of_a_study_is_cut_in_that_of_its_runs(
    state_study: str, trained_by: Callable[[str, str], None]
) -> None:
    from dashboard.services import library

    library.rename_study(state_study, "d" * runs.LONGEST_NAME)
    trained_by(WORKS, "0")
    run = wait_for(begin(state_study), RunState.DONE)
    assert run.name.endswith("d, NME-CRF, transitions")
    assert len(run.name) == runs.LONGEST_NAME


def test_command_names_every_choice(state_study: str, tmp_path: Path) -> None:
    record = studies.study_record(state_study)
    assert record is not None
    options = FitSettings(
        "nme-crf", "last+transitions", covariance="full", hidden=(16, 8), baselines=("generic",),
        epochs=7, seed=3,
    )  # fmt: skip
    words = runs.command(tmp_path, record, options, tmp_path / "out")
    assert words[:5] == [sys.executable, "-m", "nme_core", "fit", str(tmp_path / "long.csv")]
    options_given = dict(zip(words[5:-1:2], words[6:-1:2], strict=True))
    assert options_given == {
        "--recipe": str(studies.recipe_file(tmp_path, record)),
        "--model": "nme-crf",
        "--placement": "last+transitions",
        "--covariance": "full",
        "--hidden": "16,8",
        "--baselines": "generic",
        "--epochs": "7",
        "--seed": "3",
        "--out": str(tmp_path / "out"),
    }
    assert words[-1] == "--quiet"


def test_a_run_is_followed_to_its_end(
    state_study: str, trained_by: Callable[[str, str], None]
) -> None:
    trained_by(WORKS, "0.5")
    identity = begin(state_study)
    assert runs.run_record(identity).active
    running = wait_for(identity, RunState.RUNNING)
    assert running.status.progress == 0.5
    assert runs.seconds_left(running.status) > 0
    assert wait_for(identity, RunState.DONE).done
    assert [run.id for run in runs.list_runs(state_study)] == [identity]


def test_cancel_ends_the_process(
    state_study: str, trained_by: Callable[[str, str], None], home: Path
) -> None:
    trained_by(WORKS, "600")
    identity = begin(state_study)
    wait_for(identity, RunState.RUNNING)
    pid = RunFolder(home / "runs" / identity).read_json("run")["pid"]
    runs.cancel(identity)
    run = runs.run_record(identity)
    assert run.status.state is RunState.CANCELLED
    assert run.status.progress == 0.5
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_run_that_says_why_it_ended_is_quoted(
    state_study: str, trained_by: Callable[[str, str], None]
) -> None:
    trained_by("import sys; print('nme: no such thing', file=sys.stderr); sys.exit(2)", "")
    assert wait_for(begin(state_study), RunState.FAILED).status.message == "no such thing"


@pytest.mark.parametrize(
    "program",
    [
        "raise ZeroDivisionError('secret')",
        "import sys; sys.exit('nme: internal error: KeyError(secret)')",
    ],
)
def test_a_trace_stays_in_the_log(
    state_study: str, trained_by: Callable[[str, str], None], home: Path, program: str
) -> None:
    trained_by(program, "")
    identity = begin(state_study)
    message = wait_for(identity, RunState.FAILED).status.message
    assert "secret" not in message
    assert str(home / "runs" / identity / runs.LOG) in message


def test_a_dead_process_is_noticed_after_a_restart(crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    folder.write_status(Status(RunState.RUNNING, "2026-01-01T00:00:00+00:00", progress=0.4))
    run = runs.run_record(crf_run)
    assert run.status.state is RunState.FAILED
    assert folder.status.state is RunState.FAILED


def test_a_run_that_another_session_is_cancelling_has_not_failed(crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    folder.write_status(Status(RunState.RUNNING, "2026-01-01T10:00:00+00:00", None, "Epoch 3", 0.5))
    (folder.path / "stop").touch()
    run = runs.run_record(crf_run)
    assert run is not None
    assert (run.status.state, run.status.message) == (RunState.CANCELLED, "Cancelled.")


def test_a_cancelled_run_says_the_same_whoever_wrote_it_first(crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    said = "Cancelled; what was finished before is kept."
    start, end = "2026-01-01T10:00:00+00:00", "2026-01-01T10:05:00+00:00"
    folder.write_status(Status(RunState.CANCELLED, start, end, said, 0.5))
    run = runs.run_record(crf_run)
    assert run is not None
    assert run.status.message == "Cancelled."


@pytest.mark.parametrize(
    "program", ["", "import sys; print('nme: warning: slow', file=sys.stderr, flush=True);"]
)
def test_a_killed_process_that_said_nothing_is_explained(
    state_study: str, trained_by: Callable[[str, str], None], home: Path, program: str
) -> None:
    trained_by(f"{program}import os; os.kill(os.getpid(), 9)", "")
    identity = begin(state_study)
    message = wait_for(identity, RunState.FAILED).status.message
    assert "ended from outside" in message
    assert "memory" in message
    assert runs.LOG not in message


def test_what_was_judged_before_a_stop_is_kept(crf_run: str, home: Path) -> None:
    folder = RunFolder(home / "runs" / crf_run)
    # "generic" has metrics, but the fit of it was not recorded as ended.
    assert set(folder.table("metrics")["model"]) == {"nme", "generic"}
    assert runs.kept_models(crf_run) == ("nme",)
    (folder.path / "comparison.csv").unlink()
    assert runs.kept_models(crf_run) == ()
    assert runs.kept_models("20260101-000000-00000000") == ()


def test_unknown_runs_are_none(home: Path) -> None:
    assert runs.run_record("20260101-000000-00000000") is None
    assert runs.run_record("../..") is None


def test_time_left_needs_some_progress() -> None:
    assert runs.seconds_left(Status(RunState.RUNNING, "2026-01-01T00:00:00+00:00")) is None
    assert runs.seconds_left(Status(RunState.RUNNING, None, progress=0.5)) is None
