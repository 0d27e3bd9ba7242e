"""The bar on the terminal."""

from __future__ import annotations

import sys


class ProgressBar:
    """A tqdm bar on the terminal, or nothing."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown

    def __enter__(self) -> ProgressBar:
        from tqdm import tqdm

        form = "{percentage:3.0f}% |{bar}| {elapsed}, {desc}"
        self._bar = tqdm(total=1.0, bar_format=form, disable=not self._shown, leave=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, message: str, progress: float) -> None:
        """Move the bar."""
        self._bar.set_description_str(message, refresh=False)
        self._bar.update(progress - self._bar.n)


def progress_bar(*, quiet: bool = False) -> ProgressBar:
    """The bar of a command: on a terminal alone, and not where quiet is asked for."""
    return ProgressBar(shown=not quiet and sys.stderr.isatty())
