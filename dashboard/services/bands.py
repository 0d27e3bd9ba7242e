"""Bands of a score, which group people in figures and colour points."""

from nme_core.analysis.bands import MOST_BANDS, PRESETS, keep, kept, recognised

__all__ = ["MOST_BANDS", "PRESETS", "keep", "kept", "recognised"]
