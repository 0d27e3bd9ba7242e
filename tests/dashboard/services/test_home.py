import os
import stat
from pathlib import Path

import pytest

from dashboard.services import home as homes
from nme_core.io import durable


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where NME_HOME is to be; nothing is there yet."""
    monkeypatch.setenv("NME_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_folders_are_private_and_found_again(home: Path) -> None:
    identity, path = homes.new_id("runs")
    assert homes.folder("runs", identity) is None
    with durable.folder_beside(path):
        assert homes.folder("runs", identity) is None
    assert homes.folder("runs", identity) == path
    for folder in (home, home / "runs", path):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_home_that_others_could_see_becomes_private(home: Path) -> None:
    home.mkdir(mode=0o755)
    assert stat.S_IMODE(homes.home().stat().st_mode) == 0o700


def test_a_home_that_is_a_file_or_below_one_is_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write_text("x")
    for place in (home, home / "below"):
        monkeypatch.setenv("NME_HOME", str(place))
        with pytest.raises(homes.NMEError, match=r"NME_HOME.*file.* Let NME_HOME name a folder"):
            homes.home()
    assert home.read_text() == "x"


def test_a_home_that_is_read_only_is_a_sentence_and_an_error_is_not_lost(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(homes.NMEError, match="cannot be written"):
        homes.home()
    homes.log_exception(ZeroDivisionError("by nobody"))
    assert "by nobody" in capsys.readouterr().err
    assert not list(home.iterdir())


def test_what_a_crash_left_is_swept_wherever_it_is(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(homes.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    homes.home()
    left = [home / "runs" / "a" / "jobs" / "x.json", home / "studies" / "b", tmp_path / "tmp" / "c"]
    for path in left:
        name = durable.name_beside(path, "part").name
        dead = path.with_name(name.replace(f"-{os.getpid()}-", f"-{2**22 + 1}-"))
        dead.mkdir(parents=True)
        (dead / "secret.csv").write_text("x")
    (home / "studies" / ".hidden").write_text("of somebody else")
    assert homes.tidy() == 3
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [".hidden"]


@pytest.mark.parametrize("identity", ["", "..", "../runs", "a/b", "/etc", "A", "x" * 65, "a\n"])
def test_malformed_ids_name_no_folder(home: Path, identity: str) -> None:
    assert homes.folder("runs", identity) is None


def test_unexpected_errors_are_logged_with_their_trace(home: Path) -> None:
    try:
        raise ZeroDivisionError("by nobody")
    except ZeroDivisionError as error:
        path = homes.log_exception(error)
    text = path.read_text()
    assert "ZeroDivisionError: by nobody" in text
    assert "test_home.py" in text
