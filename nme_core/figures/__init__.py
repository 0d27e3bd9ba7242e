"""Figures: tables in, figure out; those of a run by name, drawn for the screen or for print.

The names below are loaded when they are first used, so that words of figures need no plotting.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nme_core.figures.catalogue import PERSONAL, draw, figure, names

__all__ = ["PERSONAL", "draw", "figure", "names"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"{__name__}.catalogue"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
