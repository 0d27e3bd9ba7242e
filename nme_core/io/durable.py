"""Whole or not at all: what is written stands beside its place until it is complete.

A file or folder is written under a name that says which process writes it
(``.NAME.host-pid-birth-chance.part``) and then renamed; what is deleted is first renamed
(``….gone``). So a process that is killed at any moment leaves the old thing, the new thing, or a
leftover whose process has gone, which `sweep` removes. No age and no clock is asked.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import socket
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from nme_core.exceptions import StorageError

_LEFTOVER = re.compile(
    r"\..+\.(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-(?P<birth>[0-9a-f]{8})-[0-9a-f]{8}\.(?:part|gone)"
)
#: Most characters of a name that are kept in the name of what is beside it.
_LONGEST = 100
_LINUX = Path("/proc/self/stat").is_file()
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


def born(pid: int) -> str | None:
    """When a process began, in a form that a change of the clock leaves alone; None: it is gone."""
    if _LINUX:
        try:
            # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: state, then starttime
            text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
            fields = text.rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else f"{_boot()}:{fields[19]}"
    import psutil

    try:
        process = psutil.Process(pid)
        gone = process.status() == psutil.STATUS_ZOMBIE
        return None if gone else f"{process.create_time():.2f}"
    except psutil.Error:
        return None


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@contextmanager
def beside(path: Path, *, private: bool = True) -> Iterator[Path]:
    """An empty file to write in place of `path`, which it becomes once the block has ended well.

    Parameters
    ----------
    path : Path
        The file.
    private : bool
        Whether the user alone can read it, whatever the umask; else the umask decides.

    Raises
    ------
    StorageError
        Where the disk is full or nothing may be written there.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # a pipe or terminal
        yield path
        return
    new = name_beside(path, "part")
    try:
        handle = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 if private else 0o666)
        os.close(handle)
        if private:
            new.chmod(0o600)
        yield new
        os.replace(new, path)
    except BaseException as error:
        with suppress(OSError):
            new.unlink()
        _say(error, path)
        raise


def write(path: Path, content: bytes, *, private: bool = True) -> None:
    """Write a file in one step, so that no reader ever sees half of it."""
    with beside(path, private=private) as new:
        new.write_bytes(content)


@contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """An empty folder (mode 0700) to fill, which becomes `path` once the block has ended well."""
    make_folder(path.parent)
    new = name_beside(path, "part")
    try:
        make_folder(new)
        yield new
        os.rename(new, path)
    except BaseException as error:
        shutil.rmtree(new, ignore_errors=True)
        _say(error, path)
        raise


def make_folder(path: Path) -> list[Path]:
    """Make a folder, and those above it, for the user alone; those that were missing, outermost
    first."""
    missing = [one for one in (path, *path.parents) if not one.exists()][::-1]
    try:
        for one in missing:
            one.mkdir(mode=0o700, exist_ok=True)
            one.chmod(0o700)
    except OSError as error:
        _say(error, path)
        raise
    if not path.is_dir():
        raise StorageError(f"{path} is a file, not a folder.", remedy="Name a folder.")
    return missing


def append_to(path: Path) -> BinaryIO:
    """Open a file for adding to its end, such as a log, for the user alone."""
    handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    path.chmod(0o600)
    return os.fdopen(handle, "ab")


def remove(path: Path) -> None:
    """Delete a file or folder: it is gone at once, or still whole."""
    gone = name_beside(path, "gone")
    try:
        os.rename(path, gone)
    except FileNotFoundError:
        return
    except OSError as error:
        _say(error, path)
        raise
    _destroy(gone)


@contextmanager
def scratch(where: Path | None = None) -> Iterator[Path]:
    """A folder for a while, in the system's folder for such; a crash's are removed before."""
    here = where or Path(tempfile.gettempdir())
    sweep(here)
    path = name_beside(here / "nme", "part")
    make_folder(path)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def sweep(*folders: Path, deep: bool = False) -> int:
    """Remove what processes that are gone left in folders (and, if `deep`, below); how many."""
    found = 0
    for folder in folders:
        for root, directories, files in os.walk(folder):
            left = [name for name in (*directories, *files) if is_leftover(name)]
            for name in left:
                _destroy(Path(root, name))
            found += len(left)
            directories[:] = [name for name in directories if deep and name not in left]
    return found


def is_leftover(name: str) -> bool:
    """Whether a name is of something half written or half deleted by a process that has gone."""
    match = _LEFTOVER.fullmatch(name)
    # Another computer that shares the folder looks after its own.
    if match is None or match["host"] != _host():
        return False
    return match["birth"] != _mark(born(int(match["pid"])) or "")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only process in this block for a folder; the system frees it when a process ends."""
    if sys.platform == "win32":  # a folder cannot be locked there
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def name_beside(path: Path, ending: str) -> Path:
    """A name beside a place that says which process it is of; ``part`` or ``gone``."""
    pid = os.getpid()
    mark = f"{_host()}-{pid}-{_mark(born(pid) or '')}-{secrets.token_hex(4)}"
    return path.with_name(f".{path.name[:_LONGEST]}.{mark}.{ending}")


def _mark(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


@cache
def _host() -> str:
    return _mark(socket.gethostname())


def _destroy(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _say(error: BaseException, path: Path) -> None:
    """Raise StorageError in place of an error that is the disk's."""
    code = error.errno if isinstance(error, OSError) else None
    if code in _FULL:
        raise StorageError(f"The disk is full: {path} was not written.", remedy="Make room.")
    if code in _FORBIDDEN:
        raise StorageError(
            f"{path} cannot be written: {os.strerror(code or 0)}.",
            remedy="Choose a folder that you may write to.",
        )
    if code in (errno.ENOTDIR, errno.EEXIST) and not path.parent.is_dir():
        raise StorageError(
            f"{path} cannot be written: a file stands where a folder has to be.",
            remedy="Name another folder.",
        )
