"""Real studies in the shapes in which clinics send them give the study of the original file."""

import gzip
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from nme_core.study import Study

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
STUDIES = {
    "btheb": {"time": "t", "outcome": "bdi"},
    "orthodont": {"time": "t", "outcome": "distance"},
    "gratitude": {"time": "t", "outcome": "pa_mean"},
}
KINDS = ("semicolons", "xlsx", "sav", "parquet", "gz")
SLOW = ("gratitude", "xlsx")  # ten seconds, most of them to write it

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")


def write(table: pd.DataFrame, path: Path, kind: str) -> Path:
    """One table in one shape."""
    if kind == "semicolons":
        text = table.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")
        path.write_bytes(("Datenexport\r\n" + text).encode("utf-16"))
    elif kind == "xlsx":
        table.to_excel(path.with_suffix(".xlsx"), index=False)
        return path.with_suffix(".xlsx")
    elif kind == "sav":
        pyreadstat.write_sav(table, path)
    elif kind == "parquet":
        table.to_parquet(path, index=False)
    else:
        path.write_bytes(gzip.compress(table.to_csv(index=False).encode()))
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in STUDIES for kind in KINDS if (name, kind) != SLOW],
)
def test_a_real_study_is_the_same_in_every_shape(name, kind, tmp_path):
    roles = {"person": "person", "exclude": ["part"], **STUDIES[name]}
    paths = [DATA / name / "long.csv", DATA / name / "covariates.csv"]
    original = Study.from_file(paths[0], covariates=paths[1], **roles)
    long, second = (
        write(pd.read_csv(path, dtype={"person": "str"}), tmp_path / f"{path.stem}", kind)
        for path in paths
    )
    study = Study.from_file(long, covariates=second, **roles)
    for part in ("X", "y", "groups", "sequence_ids", "time", "covariates"):
        one, other = getattr(study, part), getattr(original, part)
        compare = pd.testing.assert_frame_equal if one.ndim == 2 else pd.testing.assert_series_equal
        compare(one, other, check_dtype=False, check_exact=True)
    assert study.roles == original.roles
    if kind == "semicolons":
        assert study.how_read.encoding == "utf-16"
        assert study.how_read.title_lines == 1
        assert study.how_read.delimiter == ";"
        assert study.how_read.decimal == ("," if original.how_read.decimal else None)
