"""Memory that is free goes back to the system, so that what comes next does not lie beside it."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> bool:
    """Return free memory to the system; True where some was.

    The C library of most Linux systems (glibc) keeps what arrays let go of; others have no such
    call, and nothing is done.
    """
    if sys.platform != "linux":
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))
