"""What each column of a kept study is: its codebook, to read, edit and take away."""

from __future__ import annotations

import pandas as pd

from dashboard.services.records import CODEBOOK, found_study, role_of, write_files
from nme_core.io.spreadsheet import as_text
from nme_core.study import read_table
from nme_core.study.codebook import check_codebook, make_codebook

#: A label of the outcome that is longer stays in the codebook.
LONGEST_WORDS = 40


def codebook(identity: str) -> pd.DataFrame:
    """The codebook of a study: one row per column with a role, all text."""
    path, record = found_study(identity)
    if (path / CODEBOOK).is_file():
        return pd.read_csv(path / CODEBOOK, dtype="str", keep_default_na=False)
    second = path / "covariates.csv"
    person = [record.roles["person"]]
    return make_codebook(
        read_table(path / "long.csv", text=person),
        read_table(second, text=person) if second.is_file() else None,
        role_of(record.roles),
        states=record.outcome_kind == "class",
    )


def outcome_words(identity: str) -> str:
    """What a study's outcome is called: its label where that is short, else its column."""
    column = str(found_study(identity)[1].roles["outcome"])
    book = codebook(identity).set_index("name")
    said = " ".join(str(book["label"].get(column, "")).split())
    return said if 0 < len(said) <= LONGEST_WORDS else column


def keep_codebook(identity: str, table: pd.DataFrame) -> None:
    """Store an edited codebook; DataError where it is none."""
    path, _ = found_study(identity)
    checked = check_codebook(table, codebook(identity)["name"].tolist())
    write_files(path, {CODEBOOK: checked.to_csv(index=False, lineterminator="\n").encode()})


def codebook_file(identity: str) -> bytes:
    """The codebook as a CSV file for a spreadsheet: no cell of it is read as a formula."""
    return as_text(codebook(identity)).encode("utf-8-sig")
