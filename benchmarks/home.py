"""A home of its own for the dashboard's services, with studies and runs in it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.services.studies import StudyRecord
    from nme_core.simulate import SampleStudy


@contextmanager
def at_home(home: Path) -> Iterator[None]:
    """Let the dashboard's own services keep their things in this folder."""
    before = os.environ.get("NME_HOME")
    os.environ["NME_HOME"] = str(home)
    try:
        yield
    finally:
        os.environ.pop("NME_HOME")
        if before is not None:
            os.environ["NME_HOME"] = before


def kept_study(sample: SampleStudy, long: pd.DataFrame, name: str = "") -> StudyRecord:
    """Rows of a simulated study, kept as if they had been uploaded with the study's roles."""
    from dashboard.services import studies

    draft = studies.draft_upload(
        "long.csv",
        long.to_csv(index=False).encode(),
        sample.covariates.to_csv(index=False).encode(),
    )
    given = sample.roles
    person = given["person"]
    columns = [given[role] for role in ("person", "time", "sequence", "outcome") if given.get(role)]
    roles = studies.ChosenRoles(
        person,
        given["outcome"],
        given.get("time"),
        given.get("sequence"),
        tuple(given.get("features") or [name for name in long if name not in columns]),
        tuple(name for name in sample.covariates if name != person),
    )
    record = studies.study_record(studies.keep_study(draft, roles, name))
    assert record is not None
    return record


def until_done(look: Callable[[], object], what: str, patience_s: float = 300.0) -> None:
    """Wait for a run or a job to be done; RuntimeError where it has failed."""
    deadline = time.monotonic() + patience_s
    while True:
        found = look()
        status = getattr(found, "status", found)
        if status is None or status.state in ("failed", "cancelled"):
            raise RuntimeError(f"{what} did not come to its end: {status}")
        if status.state == "done":
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} took more than {patience_s:g} s")
        time.sleep(0.2)
