"""``NME_HOME``: the folder of everything that is kept on this computer."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from nme_core.exceptions import StorageError
from nme_core.io import durable


def home() -> Path:
    """The folder (``NME_HOME``, default ``~/.nme``), mode 0700; it is made where there is none.

    Raises
    ------
    StorageError
        Where it is a file, or cannot be made or written.
    """
    path = Path(os.environ.get("NME_HOME") or Path.home() / ".nme").expanduser()
    try:
        durable.make_folder(path)
        if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) != 0o700:
            path.chmod(0o700)
        if not os.access(path, os.W_OK | os.X_OK):
            raise StorageError(f"{path} cannot be written.")
    except (OSError, StorageError) as error:
        said = error.message if isinstance(error, StorageError) else f"{path}: {error.strerror}."
        raise StorageError(
            f"Studies and runs have no place (NME_HOME). {said}",
            remedy="Let NME_HOME name a folder that you may write to.",
        ) from error
    return path
