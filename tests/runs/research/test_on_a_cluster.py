"""Every command that fits again, on a real Dask scheduler with two workers: the same numbers."""

import os
import signal

import numpy as np
import pandas as pd
import pytest

from nme_core.runs.fit import FitOptions
from nme_core.runs.research.claims import Claim
from nme_core.runs.research.multiverse import multiverse
from nme_core.runs.research.study_files import StudyFiles
from nme_core.runs.research.tasks import TaskOptions
from nme_core.study import Study

pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
LINEAR = ("--model", "nme-mlp", "--hidden", "none", "--residual", "iid")
ROLES = ("--person", "who", "--outcome", "y", "--time", "day")


@pytest.fixture(scope="module")
def study(nme, tmp_path_factory):
    """A small linear study with a score of each person, and a run."""
    folder, rng = tmp_path_factory.mktemp("cluster"), np.random.default_rng(7)
    n, m = 24, 10
    score, x = rng.normal(size=n), rng.normal(size=(n, m))
    y = score[:, None] + (1 + rng.normal(size=(n, 1))) * x + rng.normal(size=(n, m))
    who = np.repeat([f"p{k:02d}" for k in range(n)], m)
    long = pd.DataFrame({"who": who, "day": np.tile(range(m), n), "x": x.ravel(), "y": y.ravel()})
    long.to_csv(folder / "long.csv", index=False)
    people = pd.DataFrame({"who": sorted(set(who)), "score": score})
    people.to_csv(folder / "people.csv", index=False)
    said = nme(
        *("fit", folder / "long.csv", "--covariates", folder / "people.csv", *ROLES, *LINEAR),
        *("--baselines", "none", "--quiet", "--out", folder / "run"),
    )
    assert said.code == 0, said
    return folder


@pytest.mark.parametrize(
    ("command", "table"),
    [
        (("calibrate", "run", "--reps", "4"), "run/calibration_study.csv"),
        (("covariance", "run", "long.csv", "--covariates", "people.csv"),
         "run/covariance_models.csv"),
        (("stability", "run", "long.csv", "--seeds", "2"), "run/stability.csv"),
        (("power", "run", "--covariate", "score", "--effect", "0.5", "--persons", "24", "--rows",
          "8", "--reps", "4", "--out", "OUT"), "OUT/power.csv"),
        (("replicate", "run", "long.csv", "--halves", "--covariates", "people.csv", "--covariate",
          "score", "--reps", "99", "--out", "OUT"), "OUT/replication.csv"),
        (("ablate", "long.csv", *ROLES, *LINEAR, "--shares", "0.5,1", "--seeds", "1",
          "--placements", "all", "--out", "OUT"), "OUT/ablation.csv"),
        (("multiverse", "long.csv", "--covariates", "people.csv", *ROLES, *LINEAR, "--claim",
          "CLAIM", "--out", "OUT"), "OUT/multiverse.csv"),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else "",
)  # fmt: skip
def test_a_command_does_the_same_on_a_cluster(nme, study, cluster, command, table):
    (study / "claim.json").write_text(
        '{"parameter": "level", "covariate": "score", "direction": "positive", "choices":'
        ' {"placement": ["layers.0.bias"], "residual": ["iid"], "covariance": ["diagonal"]}}'
    )
    tables = []
    for where in (("--jobs", "1"), ("--dask", cluster)):
        own = {"OUT": study / f"{command[0]}-{where[0].strip('-')}", "CLAIM": study / "claim.json"}
        named = {"run", "long.csv", "people.csv"}
        words = [study / one if one in named else own.get(one, one) for one in command]
        said = nme(*words, *where)
        assert said.code == 0, said
        head, _, name = table.partition("/")
        tables.append(pd.read_csv((study / head if head == "run" else own["OUT"]) / name))
    pd.testing.assert_frame_equal(*tables, rtol=1e-6)


def test_a_worker_that_is_killed_on_the_way_loses_no_world(study, cluster, tmp_path):
    distributed = pytest.importorskip("distributed")
    read = Study.from_file(
        study / "long.csv", person="who", outcome="y", time="day",
        covariates=study / "people.csv",
    )  # fmt: skip
    files = StudyFiles(study / "long.csv", study / "people.csv", read.recipe)
    options = FitOptions("nme-mlp", hidden=(), residual="iid", baselines=())
    claim = Claim.of({"parameter": "level", "covariate": "score", "direction": "positive"})
    killed = []

    def kill_one(message, part):
        if not killed:
            with distributed.Client(cluster, set_as_default=False) as client:
                worker, pid = next(iter(client.run(os.getpid).items()))
            killed.append(worker)
            os.kill(pid, signal.SIGKILL)

    asked = (files, read, options, claim)
    here, _ = multiverse(*asked, tmp_path / "here")
    found, _ = multiverse(*asked, tmp_path / "there", TaskOptions(dask=cluster), report=kill_one)
    assert killed
    assert len(here) > 4
    pd.testing.assert_frame_equal(here, found, rtol=1e-6)
