"""Independent tasks, one by one, over processes or on a Dask cluster; what is finished is kept.

A task is a key with arguments for a function. Results come in the order of the tasks, whatever
order they were finished in. With `kept`, each result is written as soon as it is there, and a later
call takes it from there while the task's arguments are the same::

    found = run_tasks(fit_one, {"seed 1": {"seed": 1}, "seed 2": {"seed": 2}}, jobs=2)
    found["seed 1"].value
"""

from __future__ import annotations

import json
import os
import socket
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nme_core.exceptions import NMEError, OptionError
from nme_core.io import durable

_ANSWER_S = 10

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a task came to.

    Attributes
    ----------
    key : str
        Of the task.
    value : object
        What the function returned; None where it failed.
    error : str
        Why it failed; empty where it did not.
    seconds : float
        Processor time that it took, its child processes' too; so other work does not count.
    """

    key: str
    value: Any = None
    error: str = ""
    seconds: float = 0.0


#: Told after each task: its outcome, how many are done, how many there are.
Told = Callable[[Outcome, int, int], None]
#: Told on the way: what is being done, and the part of the whole that is behind, 0 to 1.
OnTheWay = Callable[[str, float], None]
_on_the_way: ContextVar[OnTheWay | None] = ContextVar("on_the_way", default=None)


def tell(doing: str, part: float) -> None:
    """Say how far the task is that calls this; heard where it runs in the process of `run_tasks`.

    Parameters
    ----------
    doing : str
        What the task does.
    part : float
        Of its way, 0 to 1.
    """
    told = _on_the_way.get()
    if told is not None:
        told(doing, part)


def run_tasks(
    function: Callable[..., Any],
    tasks: Mapping[str, Arguments],
    *,
    jobs: int = 1,
    dask: str | None = None,
    kept: Path | None = None,
    progress: Told | None = None,
    on_the_way: OnTheWay | None = None,
) -> dict[str, Outcome]:
    """Call a function with the arguments of every task.

    Parameters
    ----------
    function : callable
        A function of a module, so that other processes find it.
    tasks : mapping of str to mapping
        Arguments by the task's key; with `kept` such that JSON can hold them, and all that the
        result depends on.
    jobs : int
        Processes on this computer; 1: this one.
    dask : str, optional
        Address of a Dask scheduler, whose workers have nme_core installed; instead of `jobs`.
    kept : Path, optional
        File that keeps results, a line of JSON each.
    progress : callable, optional
        Told after each task that is newly done.
    on_the_way : callable, optional
        Told what a task of this process says by `tell`.

    Returns
    -------
    dict of str to Outcome
        By key, in the order of `tasks`. A task that raises has an `error`, is not kept, and
        leaves the others alone.

    Raises
    ------
    OptionError
        Where nobody answers at `dask`, or there is no worker.
    KeyboardInterrupt
        On Ctrl-C; what was finished is kept.
    """
    if jobs < 1:
        raise OptionError(f"{jobs} processes cannot do anything.", remedy="Give 1 or more.")
    found = _read(kept, tasks)
    left = {key: arguments for key, arguments in tasks.items() if key not in found}
    if left:

        def told(doing: str, part: float) -> None:
            if on_the_way is not None:
                on_the_way(doing, (len(found) + part) / len(tasks))

        source = _on_dask(dask, function, left) if dask else _here(jobs, function, left)
        with closing(source) as outcomes, _heard_by(told):
            for outcome in outcomes:
                found[outcome.key] = outcome
                if kept is not None and not outcome.error:
                    _keep(kept, outcome, left[outcome.key])
                if progress is not None:
                    progress(outcome, len(found), len(tasks))
    return {key: found[key] for key in tasks}


@contextmanager
def _heard_by(told: OnTheWay) -> Iterator[None]:
    """Meanwhile `tell` reaches it."""
    before = _on_the_way.set(told)
    try:
        yield
    finally:
        _on_the_way.reset(before)


def answers(scheduler: str) -> bool:
    """Whether the address of a Dask scheduler is one, and somebody listens there."""
    try:
        at = urlsplit(scheduler)
        if at.scheme not in ("tcp", "tls") or at.hostname is None or at.port is None:
            return False
        socket.create_connection((at.hostname, at.port), timeout=_ANSWER_S).close()
    except (OSError, ValueError):
        return False
    return True


def _attempt(function: Callable[..., Any], key: str, arguments: Arguments) -> Outcome:
    begun = _processor_s()
    try:
        value, error = function(**arguments), ""
    except NMEError as problem:
        value, error = None, str(problem)
    except Exception as problem:  # one task of many: the others go on
        value, error = None, f"{type(problem).__name__}: {problem}"
    return Outcome(key, value, error, _processor_s() - begun)


def _processor_s() -> float:
    """Processor time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def _here(
    jobs: int, function: Callable[..., Any], tasks: Mapping[str, Arguments]
) -> Generator[Outcome]:
    if min(jobs, len(tasks)) == 1:
        yield from (_attempt(function, *task) for task in tasks.items())
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
        crew = Parallel(return_as="generator_unordered", batch_size=1)
        outcomes = crew(delayed(_attempt)(function, *task) for task in tasks.items())
        try:
            for outcome in outcomes:  # noqa: UP028 - closed below, not by `yield from`
                yield outcome
        finally:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", ".*tasks", UserWarning, "joblib")
                outcomes.close()


def _on_dask(
    scheduler: str, function: Callable[..., Any], tasks: Mapping[str, Arguments]
) -> Generator[Outcome]:
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise OptionError(
            "Dask is not installed here.", remedy="Run: pip install 'neural-mixed-effects[dask]'"
        ) from error
    if not answers(scheduler):
        raise OptionError(
            f"No Dask scheduler answers at {scheduler}.",
            remedy="Start one (dask scheduler), and give its address, such as tcp://host:8786.",
        )
    with Client(scheduler, timeout=_ANSWER_S, set_as_default=False) as client:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise OptionError(
                f"The Dask scheduler at {scheduler} has no workers.",
                remedy=f"Start some: dask worker {scheduler}",
            )
        # Dask gives the tasks of a worker that is lost to another one.
        sent = {client.submit(_attempt, function, *task, pure=False): task[0]
                for task in tasks.items()}  # fmt: skip
        try:
            completed = as_completed(sent, loop=client.loop)
            for future in completed:
                if future.status == "finished":
                    yield future.result()
                elif future.status in ("lost", "pending"):
                    completed.add(future)  # its result went with a worker: it is done again
                else:
                    lost = f"The cluster has lost this task ({future.status})."
                    yield Outcome(sent[future], error=lost)
        finally:
            client.cancel([future for future in sent if not future.done()])


def _read(kept: Path | None, tasks: Mapping[str, Arguments]) -> dict[str, Outcome]:
    """What is kept of these tasks; a line that a crash cut short counts for nothing."""
    found: dict[str, Outcome] = {}
    if kept is None or not kept.is_file():
        return found
    for line in kept.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
            outcome, arguments = Outcome(**row["outcome"]), row["arguments"]
        except (ValueError, TypeError, KeyError):
            continue
        if outcome.key in tasks and arguments == json.loads(_json(tasks[outcome.key])):
            found[outcome.key] = outcome
    return found


def _keep(kept: Path, outcome: Outcome, arguments: Arguments) -> None:
    line = _json({"outcome": asdict(outcome), "arguments": dict(arguments)})
    with durable.append_to(kept) as file:
        # begins a line of its own, also after one that was cut short
        file.write(f"\n{line}".encode() if file.tell() else line.encode())


def _json(value: Any) -> str:
    """JSON in which numbers of numpy are numbers and paths are text."""

    def plain(one: Any) -> Any:
        return str(one) if isinstance(one, Path) else one.item()

    return json.dumps(value, default=plain, ensure_ascii=False)
