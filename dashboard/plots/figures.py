"""Every figure that is a chart, by name; `screen` and `printed` hold those drawn by hand."""

from __future__ import annotations

from dashboard.plots.figures_training import variance_traces

__all__ = ["variance_traces"]
