"""What is kept for all sessions: once, but by the language of its words."""

import pytest

from dashboard.services import caching
from nme_core.vocabulary.language import speaking, tr


def test_what_is_kept_for_all_is_kept_by_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "get_script_run_ctx", lambda **_: object())
    made = []

    @caching.shared(4)
    def word(name: str, _not_compared: object) -> str:
        made.append(name)
        return f"{tr('None')}: {name}"

    @caching.shared(4)
    def other(name: str, _not_compared: object) -> str:
        return f"other {name}"

    for code in ("de", "en", "de", "en"):
        with speaking(code):
            expected = "Keines" if code == "de" else "None"
            assert word("1", object()) == f"{expected}: 1"
            assert other("1", object()) == "other 1"
    assert made == ["1", "1"]
