"""Messages of the library in words of the app, and moments in the reader's zone."""

import re

import pytest
import streamlit as st

from dashboard.components import moments
from dashboard.components.messages import in_app_words
from dashboard.services import studies
from nme_core.exceptions import NMEError
from nme_core.runs.fit import FitOptions

# What belongs to Python or the shell.
FOREIGN = re.compile(r"[a-z]=|--[a-z]|['\"]")


@pytest.mark.parametrize(
    "options",
    [
        {"model": "nme-crf"},
        {"model": "nme-crf", "family": "gaussian"},
    ],
    ids=str,
)
def test_options_that_do_not_fit_are_said_in_words_of_the_app(
    options: dict[str, str], number_study: str, state_study: str
) -> None:
    study, _ = studies.open_study(state_study if "family" in options else number_study)
    with pytest.raises(NMEError) as caught:
        FitOptions(**options, placement="transitions").estimator_for(study)
    assert FOREIGN.search(str(caught.value))
    said = in_app_words(str(caught.value))
    assert not FOREIGN.search(said), said


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "An NME-CRF needs states as outcome, not a number. Read the study with "
            "outcome_kind='class', or use nme-mlp.",
            "An NME-CRF needs states as outcome, not a number. Load the study again with “The "
            "outcome is: class (state)”, or use NME-MLP.",
        ),
        ('Use estimator="variational", or another placement.',
         "Use the estimator variational, or another placement."),
        ("12 gaps took the last value (--missing carry); go on.",
         "12 gaps took the last value; go on."),
        ("NME-CRF and --residual ar1 need an order; fit with another --placement.",
         "NME-CRF and “Residuals over time” ar1 need an order; fit with another choice of “Where "
         "people differ”."),
        ("The feature 'sleep' is the same everywhere.",
         "The feature 'sleep' is the same everywhere."),
    ],
)  # fmt: skip
def test_a_message_names_what_is_to_be_chosen(message: str, said: str) -> None:
    assert in_app_words(message) == said


def test_a_moment_is_shown_in_the_zone_of_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    class Browser:
        timezone: str | None = "Europe/Berlin"

    monkeypatch.setattr(st, "context", Browser)
    assert moments.when("2026-01-01T23:30:00+00:00") == "2026-01-02 00:30 CET"
    assert moments.when("2026-07-01T10:00:00+00:00") == "2026-07-01 12:00 CEST"
    Browser.timezone = None
    assert moments.when("2026-01-01T23:30:00+00:00") == "2026-01-01 23:30 UTC"
    Browser.timezone = "No/Where"
    assert moments.when("2026-01-01T23:30:00+00:00") == "2026-01-01 23:30 UTC"
