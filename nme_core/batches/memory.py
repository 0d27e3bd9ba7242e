"""Memory that is free goes back to the system, so that what comes next does not lie beside it."""

from __future__ import annotations

import ctypes
import sys

import pyarrow

#: Arrays from this size on get memory of their own, in bytes; less free memory than this is kept.
LARGE, KEPT = 2**22, 2**26
# Names in malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


class _State(ctypes.Structure):
    """``struct mallinfo2`` there; free bytes are the ninth of its ten numbers."""

    _fields_ = (("before", 8 * ctypes.c_size_t), ("free", ctypes.c_size_t), ("", ctypes.c_size_t))


def give_back() -> bool:
    """Return free memory to the system, if it is more than `KEPT`; True where some was.

    The C library of most Linux systems (glibc) keeps what arrays let go of, and Arrow what columns
    of text do; other systems have no such call, and nothing is done.
    """
    pyarrow.default_memory_pool().release_unused()
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None)
    state, trim = (getattr(library, name, None) for name in ("mallinfo2", "malloc_trim"))
    if state is not None:  # before 2.33 it is not known how much is free
        state.restype = _State
        if state().free < KEPT:
            return False
    return trim is not None and bool(trim(0))


def return_large_arrays() -> bool:
    """From now on give the memory of large arrays back as they are let go; True where that works.

    The C library of most Linux systems otherwise keeps up to 32 MiB of each for the next.
    """
    if sys.platform != "linux":
        return False
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is None:
        return False
    return bool(set_option(_M_MMAP_THRESHOLD, LARGE) and set_option(_M_TRIM_THRESHOLD, KEPT))
