"""Data: studies from tables, their checks, splits, and simulated sample studies."""

from nme_core.data.checks import check_study
from nme_core.data.formats.result import HowRead, Labels, Reading
from nme_core.data.making import Roles
from nme_core.data.problems import find_problems
from nme_core.data.reading import read_any, read_table
from nme_core.data.recipe import Recipe
from nme_core.data.remedies import Remedy, apply_remedies, read_remedies
from nme_core.data.report import Compliance, Finding, Report
from nme_core.data.simulate import (
    SAMPLES,
    SampleStudy,
    sample_study,
    simulate_dyads,
    simulate_mood,
    simulate_null,
)
from nme_core.data.splits import SPLITS, split_within_person
from nme_core.data.study import Study
from nme_core.data.wide import WideProposal, propose_wide, reshape

__all__ = [
    "SAMPLES",
    "SPLITS",
    "Compliance",
    "Finding",
    "HowRead",
    "Labels",
    "Reading",
    "Recipe",
    "Remedy",
    "Report",
    "Roles",
    "SampleStudy",
    "Study",
    "WideProposal",
    "apply_remedies",
    "check_study",
    "find_problems",
    "propose_wide",
    "read_any",
    "read_remedies",
    "read_table",
    "reshape",
    "sample_study",
    "simulate_dyads",
    "simulate_mood",
    "simulate_null",
    "split_within_person",
]
