"""From a file to a study: reading, roles, remedies, checks, and the recipe of it all."""

from nme_core.batches.splits import SPLITS, split_within_person
from nme_core.study.check.checks import check_study
from nme_core.study.check.problems import find_problems
from nme_core.study.check.report import Compliance, Finding, Report
from nme_core.study.clean.remedies import Remedy, apply_remedies
from nme_core.study.clean.remedy_files import read_remedies
from nme_core.study.clean.wide import WideProposal, propose_wide, reshape
from nme_core.study.formats.result import HowRead, Labels, Reading
from nme_core.study.making import Roles
from nme_core.study.reading import read_any, read_table
from nme_core.study.recipe import Recipe
from nme_core.study.study import Study

__all__ = [
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
    "split_within_person",
]
