"""What every test shares: one thread per process, a home of its own, real studies, a browser."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before numpy or torch is imported anywhere: several test processes run side by side.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ["MPLBACKEND"] = "agg"

ROOT = Path(__file__).resolve().parents[1]


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
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    for name in names:
        if path := shutil.which(name):
            return path
    for installed in (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    ):
        if Path(installed).is_file():
            return installed
    reason = f"no Chromium was found (looked for {', '.join(names)})"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
