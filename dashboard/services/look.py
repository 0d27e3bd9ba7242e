"""What a kept study's rows show before anything is modelled, kept for the session."""

from __future__ import annotations

import pandas as pd

from dashboard.services.caching import shared
from dashboard.services.studies import Recipe, open_study, study_record
from nme_core.study.descriptives import (
    WEEKDAYS,
    by_moment,
    correlations,
    describe_columns,
    describe_states,
)  # fmt: skip

__all__ = ["WEEKDAYS", "columns", "moments", "pairs", "states"]


def columns(identity: str) -> pd.DataFrame:
    """How each number varies between and within people."""
    return _columns(identity, _recipe(identity))


def pairs(identity: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Correlations within people, and of people's means."""
    return _pairs(identity, _recipe(identity))


def moments(identity: str) -> pd.DataFrame:
    """The outcome by hour of the day and weekday; empty where the times are no dates."""
    return _moments(identity, _recipe(identity))


def states(identity: str) -> pd.DataFrame:
    """How often each state is seen, by how many people, and whether it lasts."""
    return _states(identity, _recipe(identity))


def _recipe(identity: str) -> Recipe | None:
    record = study_record(identity)
    return None if record is None else record.recipe


@shared(8)
def _columns(identity: str, recipe: Recipe | None) -> pd.DataFrame:
    return describe_columns(open_study(identity)[0])


@shared(8)
def _pairs(identity: str, recipe: Recipe | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    return correlations(open_study(identity)[0])


@shared(8)
def _moments(identity: str, recipe: Recipe | None) -> pd.DataFrame:
    return by_moment(open_study(identity)[0])


@shared(8)
def _states(identity: str, recipe: Recipe | None) -> pd.DataFrame:
    return describe_states(open_study(identity)[0])
