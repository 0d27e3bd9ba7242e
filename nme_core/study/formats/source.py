"""Where a file comes from: a path, or bytes that were uploaded under a name."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from nme_core.exceptions import DataError

#: Bytes that a file may have, unpacked.
LARGEST = 2 * 1024**3


@dataclass(eq=False)
class Source:
    """The bytes of one file, the name that messages call it by, and what it was packed in."""

    name: str
    content: bytes
    compression: str | None = None
    member: str | None = None

    def forget(self) -> None:
        """Let go of the bytes, once they have been taken over."""
        self.content = b""


def open_source(source: str | os.PathLike[str] | bytes, name: str | None = None) -> Source:
    """Bytes of a file, or bytes as they are under the last part of a name.

    Raises
    ------
    DataError
        The file is missing, is a folder, cannot be read, is empty, or is larger than `LARGEST`.
    """
    if isinstance(source, bytes):
        shown, content = Path(name or "the table").name, source
    else:
        path = Path(source)
        shown, content = Path(name).name if name else path.name, _read(path)
    if len(content) > LARGEST:
        raise too_large(shown, LARGEST)
    if not content:
        raise DataError(f"{shown} is empty.", remedy="The first line has to name the columns.")
    return Source(shown, content)


def too_large(name: str, limit: int) -> DataError:
    """The error for a file over a limit of bytes."""
    return DataError(
        f"{name} is larger than {limit / 1024**2:,.0f} MB.",
        remedy="Leave out columns that are not needed, or split the file by person.",
    )


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise too_large(path.name, LARGEST)
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"The file {path} was not found.", remedy="Check the path.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{path} cannot be read ({reason}).", remedy="Give a file with a table."
        ) from error


def fingerprint(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
