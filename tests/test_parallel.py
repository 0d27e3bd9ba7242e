"""Tasks here, over processes and on a real Dask scheduler: the same results, each once."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from nme_core.exceptions import OptionError, TrainingError
from nme_core.parallel import Outcome, run_tasks

ROOT = Path(__file__).resolve().parents[1]


def square(number: int, folder: str = "") -> dict[str, float]:
    """The square; leaves a file for each time that it is called."""
    if folder:
        Path(folder, f"{number}-{time.monotonic_ns()}").touch()
    if number < 0:
        raise TrainingError("Negative.", remedy="Take another.")
    return {"square": np.float64(number**2)}


def end_once(number: int, folder: str) -> int:
    """The number; the process that first has 2 ends without a word."""
    mark = Path(folder, "ended")
    if number == 2 and not mark.exists():
        mark.touch()
        os._exit(1)
    return number


def wrong() -> None:
    raise ValueError("no")


def tasks(*numbers: int, folder: Path | None = None) -> dict[str, dict[str, object]]:
    more = {} if folder is None else {"folder": str(folder)}
    return {f"number {n}": {"number": n, **more} for n in numbers}


def calls(folder: Path) -> list[int]:
    return sorted(int(path.name.rpartition("-")[0]) for path in folder.iterdir())


def squares(found: dict[str, Outcome]) -> dict[str, float]:
    return {key: outcome.value["square"] for key, outcome in found.items()}


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_tasks(jobs: int) -> None:
    told: list[tuple[str, int, int]] = []

    def tell(outcome: Outcome, done: int, total: int) -> None:
        told.append((outcome.key, done, total))

    found = run_tasks(square, tasks(3, 1, 2), jobs=jobs, progress=tell)
    assert list(found) == ["number 3", "number 1", "number 2"]
    assert squares(found) == {"number 3": 9, "number 1": 1, "number 2": 4}
    assert [row[1:] for row in told] == [(1, 3), (2, 3), (3, 3)]
    assert {row[0] for row in told} == {*found}


def test_what_fails_leaves_the_others_alone_and_is_tried_again(tmp_path: Path) -> None:
    kept, seen = tmp_path / "kept.jsonl", tmp_path / "seen"
    seen.mkdir()
    found = run_tasks(square, tasks(-1, 2, folder=seen), kept=kept)
    assert found["number -1"].error == "Negative. Take another."
    assert found["number -1"].value is None
    assert found["number 2"].value == {"square": 4}
    run_tasks(square, tasks(-1, 2, folder=seen), kept=kept)
    assert calls(seen) == [-1, -1, 2]


def test_an_error_that_nobody_meant_says_its_kind() -> None:
    assert run_tasks(wrong, {"a": {}})["a"].error == "ValueError: no"


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_was_finished_before_an_interruption_is_kept(tmp_path: Path, jobs: int) -> None:
    kept, seen = tmp_path / "kept.jsonl", tmp_path / "seen"
    seen.mkdir()

    def stop(_: Outcome, done: int, __: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_tasks(square, tasks(1, 2, 3, 4, folder=seen), jobs=jobs, kept=kept, progress=stop)
    done = [json.loads(line)["outcome"]["key"] for line in kept.read_text().splitlines()]
    assert len(done) == 2
    for path in seen.iterdir():
        path.unlink()
    found = run_tasks(square, tasks(1, 2, 3, 4, folder=seen), jobs=jobs, kept=kept)
    assert squares(found) == {"number 1": 1, "number 2": 4, "number 3": 9, "number 4": 16}
    assert calls(seen) == [n for n in (1, 2, 3, 4) if f"number {n}" not in done]


def test_a_result_of_other_arguments_is_not_taken(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    run_tasks(square, {"one": {"number": 2}}, kept=kept)
    assert run_tasks(square, {"one": {"number": 3}}, kept=kept)["one"].value == {"square": 9}
    # the newest line of a key counts
    assert run_tasks(square, {"one": {"number": 3}}, kept=kept)["one"].value == {"square": 9}


@pytest.mark.parametrize("cut", [1, 20])
def test_a_line_that_a_crash_cut_short_is_done_again(tmp_path: Path, cut: int) -> None:
    kept, seen = tmp_path / "kept.jsonl", tmp_path / "seen"
    seen.mkdir()
    run_tasks(square, tasks(1, 2, folder=seen), kept=kept)
    kept.write_bytes(kept.read_bytes()[:-cut])
    for _ in range(2):
        found = run_tasks(square, tasks(1, 2, folder=seen), kept=kept)
        assert squares(found) == {"number 1": 1, "number 2": 4}
    assert calls(seen) == [1, 2, 2]


def test_no_process_is_refused() -> None:
    with pytest.raises(OptionError, match="1 or more"):
        run_tasks(square, tasks(1), jobs=0)


def test_a_scheduler_that_is_not_there_is_named() -> None:
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    with pytest.raises(OptionError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        run_tasks(square, tasks(1), dask="tcp://127.0.0.1:1")


def test_a_cluster_does_the_same(cluster: str, tmp_path: Path) -> None:
    kept, seen = tmp_path / "kept.jsonl", tmp_path / "seen"
    seen.mkdir()
    found = run_tasks(square, tasks(-1, 2, 3, folder=seen), dask=cluster, kept=kept)
    assert list(found) == ["number -1", "number 2", "number 3"]
    assert found["number -1"].error == "Negative. Take another."
    assert found["number 3"].value == {"square": 9}
    run_tasks(square, tasks(2, 3, folder=seen), dask=cluster, kept=kept)
    assert calls(seen) == [-1, 2, 3]


def test_another_worker_takes_the_task_of_one_that_was_lost(cluster: str, tmp_path: Path) -> None:
    given = {str(n): {"number": n, "folder": str(tmp_path)} for n in range(6)}
    found = run_tasks(end_once, given, dask=cluster)
    assert (tmp_path / "ended").exists()
    assert [outcome.value for outcome in found.values()] == [0, 1, 2, 3, 4, 5]


def test_what_a_lost_worker_had_done_is_waited_for_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its results were there, and went with it before anybody took them: stand-ins for Dask."""
    distributed = pytest.importorskip("distributed", reason="the extra [dask] is not installed")

    class Future:
        def __init__(self, outcome: Outcome) -> None:
            self.outcome, self.states = outcome, ["finished", "lost", "pending"]

        @property
        def status(self) -> str:
            return self.states[-1]

        def result(self) -> Outcome:
            assert self.status == "finished"
            return self.outcome

        def done(self) -> bool:
            return True

    class Completed(list[Future]):
        def add(self, future: Future) -> None:
            future.states.pop()
            self.append(future)

    class Client:
        loop = None

        def __init__(self, *_: object, **__: object) -> None: ...
        def __enter__(self) -> "Client":
            return self

        def __exit__(self, *_: object) -> None: ...
        def scheduler_info(self, **_: object) -> dict[str, list[str]]:
            return {"workers": ["one"]}

        def submit(self, function: object, *task: object, pure: bool) -> Future:
            return Future(function(*task))  # type: ignore[operator]

        def cancel(self, futures: object) -> None: ...

    monkeypatch.setattr(distributed, "Client", Client)
    monkeypatch.setattr(distributed, "as_completed", lambda sent, loop: Completed(sent))
    monkeypatch.setattr("nme_core.parallel.answers", lambda _: True)
    found = run_tasks(square, tasks(1, 2), dask="tcp://stand.in:1")
    assert squares(found) == {"number 1": 1, "number 2": 4}


def test_a_scheduler_without_workers_is_not_waited_for() -> None:
    distributed = pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, protocol="tcp", dashboard_address=":0"
        ) as idle,
        pytest.raises(OptionError, match="has no workers"),
    ):
        run_tasks(square, tasks(1), dask=idle.scheduler_address)
