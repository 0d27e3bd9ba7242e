"""How long a training may take: judged by made-up runs whose times are known."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.components.model_form import estimate_words
from dashboard.services import studies
from dashboard.services.estimate import Estimate, estimate
from nme_core.io import RunFolder, RunState, Status
from nme_core.vocabulary.settings import FitSettings

#: As the finished run of the fixture: 480 rows of 24 persons, 60 seconds in all, 1 in its fit.
OPTIONS = FitSettings("nme-crf", "transitions", hidden=(32,), baselines=("generic",))
TOTAL, FIT = 60.0, 1.0


@pytest.fixture
def record(crf_run: str, state_study: str) -> studies.StudyRecord:
    found = studies.study_record(state_study)
    assert found is not None
    return found


def change(folder: RunFolder, *, data: dict | None = None, seconds: int = 60, **options) -> None:
    """Make the run another one: its choices, the size of its study, how long it took."""
    content = folder.read_json("run")
    folder.write_json("run", content | {"options": content["options"] | options})
    folder.write_json("data", folder.data | (data or {}))
    minutes, rest = divmod(seconds, 60)
    ended = f"2026-01-01T10:{minutes:02d}:{rest:02d}+00:00"
    folder.write_status(Status(RunState.DONE, "2026-01-01T10:00:00+00:00", ended, "", 1.0))


def test_the_same_training_takes_as_long_again(record: studies.StudyRecord) -> None:
    assert estimate(record, OPTIONS) == Estimate(TOTAL, TOTAL, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"model": "nme-mlp"}, {"placement": "last"}, {"covariance": "full"},
        {"estimator": "laplace"}, {"hidden": ()}, {"hidden": None}, {"tune": 10}, {"epochs": 5},
        {"baselines": ("generic", "specific")}, {"baselines": ()},
    ],
    ids=str,
)  # fmt: skip
def test_another_kind_of_training_says_nothing(record: studies.StudyRecord, other: dict) -> None:
    assert estimate(record, replace(OPTIONS, **other)) is None


def test_the_size_and_the_seed_of_a_network_make_no_other_kind(
    record: studies.StudyRecord,
) -> None:
    assert estimate(record, replace(OPTIONS, hidden=(8, 8), seed=3)) is not None


def test_rows_scale_the_fits_and_perhaps_the_rest(
    record: studies.StudyRecord, crf_run: str, home: Path
) -> None:
    change(RunFolder(home / "runs" / crf_run), data={"n_rows": 240})
    found = estimate(record, OPTIONS)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((TOTAL + FIT, 2 * TOTAL))


def test_persons_scale_what_is_fitted_person_by_person(
    record: studies.StudyRecord, crf_run: str, home: Path
) -> None:
    change(RunFolder(home / "runs" / crf_run), data={"n_persons": 6}, baselines=["specific"])
    found = estimate(record, replace(OPTIONS, baselines=("specific",)))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((TOTAL, 4 * TOTAL))


def test_epochs_that_were_asked_for_scale_the_fits(
    record: studies.StudyRecord, crf_run: str, home: Path
) -> None:
    change(RunFolder(home / "runs" / crf_run), epochs=10)
    found = estimate(record, replace(OPTIONS, epochs=100))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((TOTAL + 9 * FIT, TOTAL + 9 * FIT))
    assert estimate(record, OPTIONS) is None


def test_several_runs_make_a_range(record: studies.StudyRecord, crf_run: str, home: Path) -> None:
    slower = home / "runs" / "20260102-000000-0000beef"
    shutil.copytree(home / "runs" / crf_run, slower)
    change(RunFolder(slower), seconds=300)
    assert estimate(record, OPTIONS) == Estimate(60, 300, 2)


def test_the_words_give_the_range_and_what_it_rests_on() -> None:
    assert "Nothing is known yet" in estimate_words(None)
    several = estimate_words(Estimate(42, 300, 4))
    assert "about 40 seconds to 5 minutes, judged by 4 earlier trainings of this kind" in several
    assert "not known" not in several
    one = estimate_words(Estimate(60, 60, 1))
    assert "about 60 seconds, judged by 1 earlier training of this kind" in one
    assert "How much that varies is not known yet" in one
