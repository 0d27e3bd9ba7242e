import time
from pathlib import Path

import numpy as np
import pytest

from dashboard.services import covariates, jobs
from dashboard.services.job import main
from nme_core.exceptions import NMEError
from nme_core.io import RunFolder, RunState, Status
from tests.dashboard.conftest import STRATA


def test_tests_as_a_job_are_those_of_the_page(crf_run: str, home: Path) -> None:
    how = covariates.with_guard(covariates.CovariateOptions(), "none")
    here = covariates.run_tests(crf_run, "depression", how)
    run = RunFolder(home / "runs" / crf_run)
    (run.path / "hsic.csv").unlink()
    covariates.start_tests(crf_run, "depression", how)
    assert jobs.is_active(crf_run, jobs.TESTS)
    jobs.start(crf_run, jobs.TESTS)  # a second one of the kind is not begun
    until = time.monotonic() + 120
    while jobs.is_active(crf_run, jobs.TESTS) and time.monotonic() < until:
        time.sleep(0.1)
    found = jobs.status(crf_run, jobs.TESTS)
    assert found is not None
    assert found.state is RunState.DONE
    there = covariates.kept_tests(crf_run)
    assert there is not None
    np.testing.assert_array_equal(there.nulls["depression"], here.nulls["depression"])
    assert there.notes == here.notes
    jobs.dismiss(crf_run, jobs.TESTS)
    assert jobs.status(crf_run, jobs.TESTS) is None


@pytest.mark.parametrize(("covariate", "said"), [("shoe size", "shoe size"), (None, "unexpected")])
def test_a_job_that_fails_says_why(
    crf_run: str, home: Path, covariate: str | None, said: str
) -> None:
    run = RunFolder(home / "runs" / crf_run)
    job = RunFolder(run.path / jobs.FOLDER / jobs.TESTS)
    how = {**covariates.CovariateOptions().__dict__, "guard": "strata", "strata": "none"}
    request = {"family": [covariate], "how": how} if covariate else {}
    job.write_json("request", request)
    assert main(jobs.TESTS, job, run) != 0
    assert job.status.state is RunState.FAILED
    assert said in job.status.message


def test_a_job_whose_process_is_gone_has_failed(crf_run: str, home: Path) -> None:
    job = RunFolder(home / "runs" / crf_run / jobs.FOLDER / jobs.STABILITY)
    job.write_status(Status(RunState.RUNNING, message="half"))
    job.write_json("job", {"pid": 2**22 + 1, "process_created": 0.0})
    found = jobs.status(crf_run, jobs.STABILITY)
    assert found is not None
    assert found.state is RunState.FAILED
    assert not jobs.is_active(crf_run, jobs.STABILITY)


def test_every_guard_has_its_options_and_is_known_again() -> None:
    how = covariates.CovariateOptions(adjust="holm", confounders=("age",))
    assert covariates.guards()[-1] == "none"
    for name in covariates.guards():
        chosen = covariates.with_guard(how, name)
        assert covariates.guard_of(chosen) == name
        assert (chosen.adjust, chosen.confounders) == ("holm", ("age",))
    assert covariates.with_guard(how, "none").used_strata == "none"
    assert covariates.guard_of(covariates.CovariateOptions()) == covariates.CovariateOptions().guard


def test_options_survive_the_table(crf_run: str) -> None:
    how = covariates.with_guard(covariates.CovariateOptions(adjust="holm", of="moves"), "none")
    how = covariates.replace(how, confounders=("clinic",))
    covariates.run_tests(crf_run, "depression", how)
    assert covariates.options(crf_run) == how
    assert covariates.guard_of(covariates.options(crf_run)) == "none"
    both = covariates.run_tests(crf_run, "clinic").hsic
    assert both["given"].tolist() == ["clinic", "clinic"]
    assert both["n_tests"].tolist() == [2, 2]


def test_many_persons_or_a_model_take_long(crf_run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    how = covariates.CovariateOptions()
    for guard, long in (("strata", False), ("none", False), ("draws", True)):
        assert covariates.takes_long(crf_run, ["a"], covariates.with_guard(how, guard)) is long
    monkeypatch.setattr(covariates, "MOST_WORK", 10)
    assert covariates.takes_long(crf_run, ["a"], covariates.with_guard(how, "none"))


def test_tests_made_in_the_shell_are_read(crf_run: str, home: Path) -> None:
    covariates.run_tests(crf_run, "depression", STRATA)
    run = RunFolder(home / "runs" / crf_run)
    (run.path / "covariate_tests.json").unlink()
    assert not covariates.has_record(crf_run)
    found = covariates.kept_tests(crf_run)
    assert found is not None
    assert set(found.nulls) == {"depression"}
    assert covariates.has_record(crf_run)
    run.write_table("hsic", run.table("hsic").assign(p=0.5))
    assert not covariates.has_record(crf_run)


def test_a_certificate_needs_the_study(number_study: str, mlp_run: str) -> None:
    from dashboard.services import rechecks

    assert rechecks.can_be_certified(mlp_run)
    assert rechecks.certificate(mlp_run) is None
    with pytest.raises(NMEError, match="no longer there"):
        rechecks.start_certificate(mlp_run, "20260101-000000-deadbeef")
