"""What every test shares: one thread per process, a home of its own, the command, studies."""

import gc
import io
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from benchmarks.chromium import NAMES, find_chromium
from dashboard.services.compiling import KERNELS
from nme_core.io import durable

# Before numpy or torch is imported anywhere: several test processes run side by side.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ["MPLBACKEND"] = "agg"
gc.set_threshold(10_000)  # as the command does: most of what is imported and collected stays

ROOT = Path(__file__).resolve().parents[1]

# Numba's compiled code is kept for each process: none is safe from another that writes.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
_kernels = [ROOT / "nme_core" / f"{name.replace('.', '/')}.py" for name in KERNELS]
_version = sha256(repr([(path, path.stat().st_mtime_ns) for path in _kernels]).encode()).hexdigest()
COMPILED = Path(tempfile.gettempdir()) / f"nme-tests-numba-{_version[:12]}"
os.environ["NUMBA_CACHE_DIR"] = str(COMPILED / _worker)

settings.load_profile("ci")  # Hypothesis draws the same examples every time and asks no clock


#: Files that take longest, begun first: at the end no process works on one while others wait.
LONGEST = ("test_walk.py", "test_cli.py", "test_recovery.py", "test_docs.py", "test_run.py")


#: Folders, files and tests that take more than a second of the processor.
SLOW = frozenset((ROOT / "tests" / "slow.txt").read_text(encoding="utf-8").split())


def pytest_addoption(parser: pytest.Parser) -> None:
    """The fast lane."""
    parser.addoption("--quick", action="store_true", help="leave out what tests/slow.txt names")


def _compile_once() -> None:
    """Let one of several processes compile the kernels; each gets a copy."""
    whole, own = COMPILED / "all", COMPILED / _worker
    whole.mkdir(parents=True, exist_ok=True)
    with durable.locked(COMPILED):
        if not (whole / "done").exists():
            work = "from dashboard.services.compiling import compile_kernels as work; work()"
            kept = {**os.environ, "NUMBA_CACHE_DIR": str(whole)}
            command = [sys.executable, "-W", "ignore", "-c", work]
            subprocess.run(command, cwd=ROOT, env=kept, check=True)
            (whole / "done").touch()
    if not (own / "done").exists():
        shutil.copytree(whole, own, dirs_exist_ok=True)


_compiling = Thread(target=_compile_once)


def pytest_configure() -> None:
    """Compile while tests are collected."""
    if _worker != "alone":
        _compiling.start()


def pytest_collection_finish() -> None:
    """Let no process compile what another one does."""
    if _worker != "alone":
        _compiling.join()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """In the fast lane do not even import what is slow."""
    name = collection_path.relative_to(ROOT).as_posix()
    return True if config.getoption("--quick") and name in SLOW else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow, and put the longest files first; the order within a file stays."""
    place = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))
    slow = [item for item in items if _is_slow(item.nodeid.partition("[")[0])]
    for item in slow:
        item.add_marker("slow")
    if config.getoption("--quick"):
        items[:] = [item for item in items if not item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)


def _is_slow(test: str) -> bool:
    """Whether a test, its file or a folder of it is named."""
    folders = test.partition("::")[0].split("/")
    return not SLOW.isdisjoint((test, *accumulate(folders, "{}/{}".format)))


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests, and the processes they start, away from the user's own studies and runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NME_HOME", str(tmp_path_factory.mktemp("nme-home")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real studies, one folder each, which lies beside the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real studies are not here ({folder})")
    return folder


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """A Chromium to drive; without one the test is skipped, but fails where CI is set."""
    if path := find_chromium():
        return path
    reason = f"no Chromium was found (looked for {', '.join(NAMES)})"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def poppler() -> Callable[..., str]:
    """What a tool of poppler says of a PDF; without it the test is skipped, but fails in CI."""

    def run(name: str, *words: object) -> str:
        if shutil.which(name) is None:
            reason = f"{name} (poppler-utils) is not installed"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        command = [name, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    return run


class Said(NamedTuple):
    """How a command ended, and what it wrote to the terminal."""

    code: int | str | None
    out: str
    err: str


@pytest.fixture(scope="session")
def nme() -> Callable[..., Said]:
    """The command ``nme`` with the given words, run in this process."""
    from nme_core.cli import main

    def run(*words: object) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", ["nme", *map(str, words)])
            patch.setattr(warnings, "showwarning", warnings.showwarning)  # main sets its own
            with pytest.raises(SystemExit) as stop:
                main()
        return Said(stop.value.code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def of_all_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of the tests share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def tiny_study(of_all_processes: Path) -> Path:
    """Folder of a small study that has everything: long.csv and covariates.csv.

    12 persons ("000", "007", ...), 2 sessions of 9 rows each, rows shuffled; missing features,
    one person without covariates, a group called None, and outcomes ``mood`` (two of them
    missing) and ``state`` (likewise).
    """
    rng = np.random.default_rng(11)
    persons = [f"{7 * i:03d}" for i in range(12)]
    n = len(persons) * 18
    long = pd.DataFrame(
        {
            "id": np.repeat(persons, 18),
            "session": np.tile(np.repeat(["1", "2"], 9), len(persons)),
            "beep": np.tile(np.arange(9), 2 * len(persons)),
            "sleep": rng.normal(7, 1.2, n).round(3),
            "stress": rng.normal(0, 1, n).round(3),
            "note": "text",
        }
    )
    own = np.repeat(rng.normal(0, 1, len(persons)), 18)
    long["mood"] = (5 + own + 0.6 * long["sleep"] + rng.normal(0, 0.4, n)).round(3)
    long["state"] = np.array(["low", "mid", "top"])[
        np.digitize(own + rng.normal(0, 1, n) + 0.5 * long["stress"], [-0.6, 0.6])
    ]
    long.loc[[3, 40], "stress"] = np.nan
    long.loc[[5, 50], ["mood", "state"]] = np.nan
    covariates = pd.DataFrame(
        {
            "id": persons[:-1],
            "depression": rng.integers(0, 40, len(persons) - 1),
            "clinic": ["None", "north", "south"] * 3 + ["None", "north"],
        }
    )
    folder = of_all_processes / "tiny"
    folder.mkdir(exist_ok=True)
    with durable.locked(folder):
        if not (folder / "covariates.csv").exists():
            long.sample(frac=1, random_state=3).to_csv(folder / "long.csv", index=False)
            covariates.to_csv(folder / "covariates.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def fit_tiny(
    nme: Callable[..., Said],
    tiny_study: Path,
    tmp_path_factory: pytest.TempPathFactory,
    of_all_processes: Path,
) -> Callable[..., Path]:
    """Fit the small study, each combination of options once; returns a run folder of one's own."""

    def fit(model: str, *options: str) -> Path:
        if model == "nme-mlp" and "--hidden" not in options:
            options = ("--hidden", "32", *options)
        place = of_all_processes / f"fit-{sha256(repr((model, options)).encode()).hexdigest()[:16]}"
        place.mkdir(exist_ok=True)
        with durable.locked(place):
            if not (place / "done").exists():
                said = nme(
                    *("fit", tiny_study / "long.csv"),
                    *("--covariates", tiny_study / "covariates.csv"),
                    *("--person", "id", "--sequence", "session"),
                    *("--time", "beep", "--features", "sleep,stress", "--model", model),
                    *("--outcome", "state" if model == "nme-crf" else "mood"),
                    *("--epochs", "30", "--out", place / "run", "--quiet", *options),
                )
                assert said == (0, "", "")
                (place / "done").touch()
        copy = tmp_path_factory.mktemp("run") / "run"  # what is written there touches no other test
        return Path(shutil.copytree(place / "run", copy))

    return fit


#: A scheduler with two workers, each a process of its own.
CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, protocol="tcp", host="127.0.0.1",
        dashboard_address=":0",
    )
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Address of a scheduler with two workers."""
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()
