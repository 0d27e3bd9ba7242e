from pathlib import Path

import pytest

from dashboard.services import settings


def test_what_is_set_is_kept_side_by_side(home: Path) -> None:
    assert settings.trainings_at_once() == settings.cores() >= 1
    settings.set_trainings_at_once(3)
    settings.set_view("clinician")
    assert settings.trainings_at_once() == 3
    assert settings.view() == "clinician"
    with pytest.raises(ValueError, match="No view"):
        settings.set_view("patient")


@pytest.mark.parametrize("text", ["{", "[1]", '{"trainings_at_once": 0, "view": "x"}'])
def test_a_damaged_file_counts_as_nothing_set(home: Path, text: str) -> None:
    settings.set_view("clinician")
    (home / "settings.json").write_text(text, encoding="utf-8")
    assert settings.trainings_at_once() == settings.cores()
    assert settings.view() == "clinician"


def test_the_app_opens_for_clinicians(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NME_HOME", str(tmp_path / "fresh"))
    assert settings.view() == "clinician"
