"""Every figure that is a chart, by name; `screen` and `printed` hold those drawn by hand."""

from __future__ import annotations

from dashboard.plots.figures_effects import (
    caterpillar,
    effect_correlations,
    effect_qq,
    person_map,
    reliability_by_observations,
)
from dashboard.plots.figures_newcomer import narrowing, newcomer_curve
from dashboard.plots.figures_training import variance_traces
from dashboard.plots.figures_transitions import (
    dwell_times,
    group_transitions,
    state_ribbon,
    transition_arrows,
    transition_multiples,
)

__all__ = [
    "caterpillar", "dwell_times", "effect_correlations", "effect_qq", "group_transitions",
    "narrowing", "newcomer_curve", "person_map", "reliability_by_observations", "state_ribbon",
    "transition_arrows", "transition_multiples", "variance_traces",
]  # fmt: skip
