from pathlib import Path

from dashboard.services import memory, studies

LONG = b"who,day,x,z,mood\n" + b"".join(
    f"{p:03d},{d},{p + d / 7:.2f},{d % 3},{d % 5}\n".encode() for p in range(1, 7) for d in range(8)
)
LATER = LONG.replace(b"001,0,1.00", b"001,0,1.07")
ROLES = studies.ChosenRoles("who", "z", "day", None, ("mood",), (), outcome_kind="class")


def test_roles_are_remembered_for_the_file_and_its_header(home: Path) -> None:
    draft = studies.draft_upload("a.csv", LONG, None)
    assert memory.recall(draft) == (draft.guess, None)
    memory.remember(draft, ROLES)
    found, kind = memory.recall(draft)
    assert (found.outcome, found.features, found.time, kind) == ("z", ["mood"], "day", "class")
    assert found.reasons["z"] == "as you left it for this file."
    later = studies.draft_upload("b.csv", LATER, None)
    found, _ = memory.recall(later)
    assert found.outcome == "z"
    assert found.reasons["z"] == "as you left it for a file with the same columns."
    memory.remember(later, studies.ChosenRoles("who", "x", "day", None, ("mood",), ()))
    assert memory.recall(later)[0].outcome == "x"
    assert memory.recall(draft)[0].outcome == "z"


def test_another_header_or_a_damaged_memory_gives_the_guess(home: Path) -> None:
    draft = studies.draft_upload("a.csv", LONG, None)
    memory.remember(draft, ROLES)
    other = studies.draft_upload("a.csv", LONG.replace(b"mood", b"tone", 1), None)
    assert memory.recall(other)[0] == other.guess
    (path,) = (home / "remembered").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    for text in ("{", "[1]", '{"a": {"b": 1}}', '{"a": 3}'):
        path.write_text(text)
        assert memory.recall(draft)[0] == draft.guess


def test_nothing_of_the_data_is_remembered(home: Path) -> None:
    memory.remember(studies.draft_upload("a.csv", LONG, None), ROLES)
    (path,) = (home / "remembered").iterdir()
    assert "001" not in path.read_text().replace(
        studies.draft_upload("a.csv", LONG, None).token, ""
    )
