"""``manifest.json``: the SHA-256 of every file of a folder, so that damage is seen and named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from nme_core.exceptions import RunFolderError
from nme_core.io import durable

NAME = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """Sums and sizes of files by name; `before` has the sum of the one that is being replaced."""

    sha256: dict[str, str]
    bytes: dict[str, int]
    before: dict[str, str | None] = field(default_factory=dict)

    def with_file(self, name: str, path: Path) -> Manifest:
        """This one with another content of a file."""
        return Manifest(
            {**self.sha256, name: _sum(path)},
            {**self.bytes, name: path.stat().st_size},
            {name: self.sha256.get(name)},
        )

    def fault(self, path: Path) -> str:
        """What happened to a file since it was written; empty where nothing did."""
        name = path.name
        if name not in self.sha256:
            return ""
        known = {self.sha256[name], self.before.get(name, self.sha256[name])}
        if not path.is_file():
            return "" if None in known else "is missing"
        if _sum(path) in known:
            return ""
        size, was = path.stat().st_size, self.bytes.get(name, 0)
        return f"is cut: {size} of {was} bytes are left" if size < was else "was changed"


def write(folder: Path, names: Iterable[str]) -> None:
    """Write the sums of those of the named files that are there."""
    there = [path for name in names if (path := folder / name).is_file()]
    _write(
        folder,
        Manifest({p.name: _sum(p) for p in there}, {p.name: p.stat().st_size for p in there}),
    )


def read(folder: Path) -> Manifest | None:
    """The manifest of a folder; None where it has none, as older ones.

    Raises
    ------
    RunFolderError
        Where it is damaged.
    """
    path = folder / NAME
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        found = Manifest(**content)
        if not all(isinstance(one, dict) for one in vars(found).values()):
            raise TypeError("no mapping")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError) as error:
        raise damaged(path, "is damaged") from error
    return found


def require(path: Path) -> None:
    """Raise RunFolderError where a file is not as the manifest beside it says."""
    found = read(path.parent)
    if found is None or not found.fault(path):
        return
    with durable.locked(path.parent):  # it may be being replaced just now
        found = read(path.parent)
        if found is not None and (fault := found.fault(path)):
            raise damaged(path, fault)


def require_all(folder: Path) -> None:
    """Raise RunFolderError for the first file that is not as the manifest says."""
    found = read(folder)
    for name in () if found is None else found.sha256:
        require(folder / name)


@contextmanager
def replacing(folder: Path, name: str, new: Path) -> Iterator[None]:
    """While a file is replaced by another: both are right until it is done, then the new one."""
    with durable.locked(folder):
        old = read(folder)
        if old is None:
            yield
            return
        told = old.with_file(name, new)
        _write(folder, told)
        try:
            yield
        finally:
            now = replace(told, before={})
            _write(folder, old if now.fault(folder / name) else now)


def damaged(path: Path, fault: str) -> RunFolderError:
    """The error for a file that is not as it was written."""
    return RunFolderError(
        f"{path} {fault}.", remedy="Take it from a copy or a bundle, or make it anew."
    )


def _write(folder: Path, content: Manifest) -> None:
    text = json.dumps({k: v for k, v in vars(content).items() if v or k != "before"}, indent=2)
    durable.write(folder / NAME, f"{text}\n".encode())


def _sum(path: Path) -> str:
    about = path.stat()
    return _digest(path, about.st_ino, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=4096)
def _digest(path: Path, *_stamp: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
