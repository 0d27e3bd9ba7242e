"""Data: studies from tables, their checks, splits, and simulated sample studies."""

from nme_core.data.reading import read_table
from nme_core.data.splits import SPLITS, split_within_person
from nme_core.data.study import Roles, Study

__all__ = [
    "SPLITS",
    "Roles",
    "Study",
    "read_table",
    "split_within_person",
]
