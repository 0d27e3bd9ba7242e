"""What is written is whole or not there, for the user alone, and leftovers are known by process."""

import errno
import os
import stat
import subprocess
import sys

import pytest

from nme_core.exceptions import StorageError
from nme_core.io import durable

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no modes and no kill")


@pytest.fixture(params=[0o000, 0o022, 0o777])
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def killed(code, *words):
    """Run a program that kills itself."""
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], check=False)
    assert done.returncode == -9


@posix
def test_files_and_folders_are_the_user_s_alone_whatever_the_umask(tmp_path, umask):
    home = tmp_path / "deep" / "home"
    durable.make_folder(home)
    durable.write(home / "a.json", b"{}")
    with durable.append_to(home / "log") as log:
        log.write(b"one")
    with durable.folder_beside(home / "study") as new:
        durable.write(new / "long.csv", b"x")
    for path in (home.parent, home, home / "study"):
        assert mode(path) == 0o700
    for path in (home / "a.json", home / "log", home / "study" / "long.csv"):
        assert mode(path) == 0o600


@posix
def test_a_file_that_the_user_names_follows_the_umask(tmp_path):
    before = os.umask(0o027)
    durable.write(tmp_path / "out.csv", b"x", private=False)
    os.umask(before)
    assert mode(tmp_path / "out.csv") == 0o640


def test_what_fails_leaves_the_old_and_nothing_else(tmp_path):
    durable.write(tmp_path / "a", b"old")
    with pytest.raises(KeyboardInterrupt), durable.beside(tmp_path / "a") as new:  # noqa: PT012
        new.write_bytes(b"half")
        raise KeyboardInterrupt
    with pytest.raises(ValueError, match="no"), durable.folder_beside(tmp_path / "f") as new:  # noqa: PT012
        (new / "half").write_bytes(b"")
        raise ValueError("no")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


KILLED = """
import os, sys
from pathlib import Path
from nme_core.io import durable
path = Path(sys.argv[1])
with durable.{what}(path / "x") as new:
    (new / "half" if new.is_dir() else new).write_text("half")
    os.kill(os.getpid(), 9)
"""


@posix
@pytest.mark.parametrize("what", ["beside", "folder_beside"])
def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path, what):
    killed(KILLED.format(what=what), tmp_path)
    (left,) = tmp_path.iterdir()
    assert left.name != "x"
    with getattr(durable, what)(tmp_path / "y") as mine:
        assert durable.sweep(tmp_path) == 1
        assert mine.exists()
        assert not left.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["y"]


def test_a_leftover_of_another_computer_is_its_own_to_sweep(tmp_path):
    name = f".x.{'0' * 8}-{2**22 + 1}-{'0' * 8}-{'0' * 8}.part"
    assert not durable.is_leftover(name)
    mine = durable.name_beside(tmp_path / "x", "part").name
    assert not durable.is_leftover(mine)
    assert durable.is_leftover(mine.replace(f"-{os.getpid()}-", f"-{2**22 + 1}-"))
    for other in (".x.part", "x", ".git", ".x.swp"):
        assert not durable.is_leftover(other)


@posix
def test_a_deletion_that_is_killed_is_done_or_not_begun(tmp_path):
    (tmp_path / "study" / "deep").mkdir(parents=True)
    (tmp_path / "study" / "deep" / "long.csv").write_text("x")
    code = (
        "import os, shutil, sys\nfrom pathlib import Path\nfrom nme_core.io import durable\n"
        "durable._destroy = lambda _: os.kill(os.getpid(), 9)\n"
        "durable.remove(Path(sys.argv[1]))"
    )
    killed(code, tmp_path / "study")
    assert not (tmp_path / "study").exists()
    assert durable.sweep(tmp_path) == 1
    assert not list(tmp_path.iterdir())
    durable.remove(tmp_path / "study")  # once more does no harm


@posix
def test_the_temporary_folder_is_swept_too(tmp_path, monkeypatch):
    monkeypatch.setattr(durable.tempfile, "gettempdir", lambda: str(tmp_path))
    code = (
        "import os, sys\nfrom nme_core.io import durable\n"
        "durable.tempfile.gettempdir = lambda: sys.argv[1]\n"
        "with durable.scratch() as here:\n"
        "    (here / 'secret.csv').write_text('x'); os.kill(os.getpid(), 9)"
    )
    killed(code, tmp_path)
    assert len(list(tmp_path.rglob("secret.csv"))) == 1
    with durable.scratch() as here:
        assert list(tmp_path.iterdir()) == [here]
        assert mode(here) == 0o700
    assert not list(tmp_path.iterdir())


@posix
def test_a_lock_is_freed_when_its_process_is_killed(tmp_path):
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom nme_core.io import durable\n"
        "with durable.locked(Path(sys.argv[1])):\n    os.kill(os.getpid(), 9)"
    )
    killed(code, tmp_path)
    with durable.locked(tmp_path):
        pass


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "The disk is full: .*Make room"),
        (errno.EDQUOT, "The disk is full"),
        (errno.EROFS, "cannot be written: Read-only file system"),
        (errno.EACCES, "cannot be written: Permission denied"),
    ],
)
def test_a_disk_that_refuses_is_a_sentence(tmp_path, monkeypatch, code, words):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    durable.write(tmp_path / "a", b"old")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StorageError, match=words):
        durable.write(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_where_a_folder_has_to_be_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StorageError, match="file"):
            durable.make_folder(path)


def test_a_process_is_known_again_and_a_dead_one_is_gone():
    assert durable.born(os.getpid()) == durable.born(os.getpid()) is not None
    assert durable.born(2**22 + 1) is None


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    durable.write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
