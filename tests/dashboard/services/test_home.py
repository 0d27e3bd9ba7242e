import stat
from pathlib import Path

import pytest

from dashboard.services import home as homes


def test_folders_are_private_and_found_again(home: Path) -> None:
    identity, path = homes.new_id("runs")
    assert homes.folder("runs", identity) == path
    for folder in (home, home / "runs", path):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("identity", ["", "..", "../runs", "a/b", "/etc", "A", "x" * 65, "a\n"])
def test_malformed_ids_name_no_folder(home: Path, identity: str) -> None:
    homes.new_id("runs")
    assert homes.folder("runs", identity) is None


def test_unexpected_errors_are_logged_with_their_trace(home: Path) -> None:
    try:
        raise ZeroDivisionError("by nobody")
    except ZeroDivisionError as error:
        path = homes.log_exception(error)
    text = path.read_text()
    assert "ZeroDivisionError: by nobody" in text
    assert "test_home.py" in text
