"""How many threads torch uses: small tensors are computed faster by one than by several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_ONE_THREAD_BELOW = 200_000


@contextmanager
def one_thread_for_few(n_rows: int) -> Iterator[None]:
    """Use one thread for few rows, and give the others back afterwards."""
    before = torch.get_num_threads()
    if n_rows < _ONE_THREAD_BELOW:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
