"""Files that can be uploaded, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nme_core.study.formats.exports import NO_INSTRUMENT as NO_INSTRUMENT

#: Endings of files that hold tables; those in the last row are refused with the way to export them.
TABLES = [
    *("csv", "tsv", "txt", "xlsx", "sav", "zsav", "por", "dta", "sas7bdat", "xpt", "parquet"),
    *("json", "jsonl", "ndjson"),
    *("gz", "bz2", "xz", "zip"),
    *("xls", "xlsb", "ods", "rds", "rda", "rdata"),
]
#: Those that may hold text.
TEXTS = (".csv", ".tsv", ".txt", ".gz", ".bz2", ".xz", ".zip")


@dataclass(frozen=True)
class ReadAs:
    """How the tables are read, as `read_any` takes it; what is None is recognised.

    `covariates_sheet` is the sheet of the second table; ``""``: no sheet of the long table's file
    is one.
    """

    sheet: str | None = None
    covariates_sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    header: str | None = None
    step: str | None = None
    instrument: str | None = None
    metadata: bytes | None = None

    @property
    def of_long(self) -> dict[str, Any]:
        """What concerns the long table."""
        return {name: value for name, value in vars(self).items() if name != "covariates_sheet"}


AS_RECOGNISED = ReadAs()
