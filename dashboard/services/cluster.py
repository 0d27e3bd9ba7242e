"""Training on a Dask cluster: a worker that shares ``NME_HOME`` runs the command of a run.

The run's own process on this computer hands the command over and waits for its end, so that a run
is followed, cancelled and marked as lost here as if it trained here. All else goes through the run
folder: the worker's training writes its status and tables there, and looks there for ``STOP``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from nme_core.parallel import answers

#: A file in the run folder that asks the worker to stop.
STOP = "stop"
#: Which worker took the run.
WORKER = "worker.json"
LOG = "train.log"
_LOOK_EVERY_S = 0.3
_PATIENCE_S = 8.0
_ANSWER_S = 10
_NO_FOLDER, _TAKEN, _STOPPED = 101, 102, 130
_WORDS = {
    _NO_FOLDER: "The worker does not see the folder of this run. All workers have to share the "
    "folder NME_HOME with this computer, under the same name.",
    _TAKEN: "The worker that trained this has gone without a word. Train again.",
}


def send(scheduler: str, run: Path, command: list[str]) -> int:
    """Let a worker run the command and wait for it; the exit code of the command.

    What went wrong is the last line of this process's output, as with ``nme`` itself.
    """
    try:
        from distributed import Client
    except ImportError:
        return _say("Dask is not installed here. Run: pip install 'neural-mixed-effects[dask]'")
    if not answers(scheduler):
        return _say(
            f"No Dask scheduler answers at {scheduler} (NME_DASK_SCHEDULER). Start it, or unset "
            "the variable to train on this computer."
        )
    with Client(scheduler, timeout=_ANSWER_S, set_as_default=False) as client:
        # One try only: two workers must not write into one folder.
        job = client.submit(train, str(run), command, pure=False, retries=0)
        asked = None
        while not job.done() and client.status == "running":
            if (run / STOP).exists():
                asked = time.monotonic() if asked is None else asked
                begun = (run / WORKER).exists()
                if not begun or time.monotonic() - asked > _PATIENCE_S:
                    job.cancel()
                    return _STOPPED
            time.sleep(_LOOK_EVERY_S)
        if job.status != "finished":
            return _say(f"The cluster has lost this training ({job.status}). Train again.")
        code = int(job.result())
    return _say(_WORDS[code]) if code in _WORDS else code


def train(run: str, command: list[str]) -> int:
    """Run the command on this worker, with the worker's own Python; its exit code."""
    from distributed import get_worker

    from nme_core.io import durable

    folder = Path(run)
    if not folder.is_dir():
        return _NO_FOLDER
    if (folder / STOP).exists():
        return _STOPPED
    try:
        taken = (folder / WORKER).open("x", encoding="utf-8")
    except FileExistsError:
        return _TAKEN
    (folder / WORKER).chmod(0o600)
    root = Path(__file__).resolve().parents[2]
    with taken, durable.append_to(folder / LOG) as log:
        child = subprocess.Popen(
            [sys.executable, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=root,
        )
        json.dump({"worker": get_worker().address, "pid": child.pid}, taken)
        taken.flush()
        while child.poll() is None:
            if (folder / STOP).exists():
                child.terminate()
            time.sleep(_LOOK_EVERY_S)
    return child.returncode


def _say(words: str) -> int:
    sys.stderr.write(f"nme: {' '.join(words.split())}\n")
    return 1
