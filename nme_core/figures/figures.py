"""Every figure that is a chart, by name; `screen` and `printed` hold those drawn by hand."""

from __future__ import annotations

from nme_core.figures.figures_checks import (
    calibration_curve,
    calibration_numbers,
    check_numbers,
    check_persons,
    check_states,
    check_transitions,
)
from nme_core.figures.figures_effects import (
    caterpillar,
    correlation_bands,
    effect_correlations,
    effect_qq,
    person_map,
    reliability_by_observations,
)
from nme_core.figures.figures_fit import (
    confusion,
    individual_fits,
    paired_differences,
    person_errors,
    residuals,
    shrinkage,
)
from nme_core.figures.figures_look import by_moment, correlations_apart, distributions, raw_series
from nme_core.figures.figures_moves import dwell_times, state_ribbon, transition_arrows
from nme_core.figures.figures_newcomer import narrowing, newcomer_curve
from nme_core.figures.figures_research import (
    learning_curve,
    power_curve,
    replication,
    specification_curve,
    study_coverage,
)
from nme_core.figures.figures_skill import scoreboard_skill, skill_by_horizon
from nme_core.figures.figures_training import variance_traces
from nme_core.figures.figures_transitions import group_transitions, transition_multiples

__all__ = [
    "by_moment", "calibration_curve", "calibration_numbers", "caterpillar", "check_numbers",
    "check_persons", "check_states", "check_transitions", "confusion", "correlation_bands",
    "correlations_apart", "distributions", "dwell_times", "effect_correlations", "effect_qq",
    "group_transitions", "individual_fits", "learning_curve", "narrowing", "newcomer_curve",
    "paired_differences", "person_errors", "person_map", "power_curve", "raw_series",
    "reliability_by_observations", "replication", "residuals", "scoreboard_skill", "shrinkage",
    "skill_by_horizon", "specification_curve", "state_ribbon", "study_coverage",
    "transition_arrows", "transition_multiples", "variance_traces",
]  # fmt: skip
