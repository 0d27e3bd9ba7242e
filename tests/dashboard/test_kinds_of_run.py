"""Every page and section with a real run of each kind: trained for a few epochs by the app."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from benchmarks import dashboard
from benchmarks.home import at_home, until_done
from dashboard.services import runs, settings, studies
from nme_core.vocabulary.settings import FitSettings
from tests.dashboard.conftest import APP, covariate_table, long_table


@dataclass(frozen=True)
class Kind:
    """What is trained on the small study, and what the page Fit then says."""

    options: FitSettings
    metric: str


def options(model: str, placement: str, **others: object) -> FitSettings:
    return FitSettings(model, placement, baselines=("generic",), **{"epochs": 2, **others})


KINDS = {
    "states": Kind(options("nme-crf", "last+transitions"), "log-loss"),
    "class": Kind(options("nme-mlp", "last"), "log-loss"),
    "number": Kind(options("nme-mlp", "all"), "MSE"),
    "linear": Kind(
        options("nme-mlp", "all", hidden=(), estimator="laplace", covariance="full", epochs=None),
        "MSE",
    ),
    "count": Kind(options("nme-mlp", "last", family="poisson", hidden=(4,)), "MSE"),
    "ordinal": Kind(options("nme-mlp", "last", family="ordinal", hidden=(4,)), "log-loss"),
}


def outcome(kind: str, table: pd.DataFrame) -> pd.Series:
    """An outcome of this kind; of states and classes the one that the table has."""
    if kind in ("states", "class"):
        return table["feeling"]
    persons = table["pid"].astype(int)
    level = 2 + 0.1 * persons + 0.3 * (table["sleep"] - 7)
    noise = np.random.default_rng(3).normal(size=len(table))
    if kind in ("count", "ordinal"):
        return (level + noise).round().clip(0, 4 if kind == "ordinal" else None).astype(int)
    return (level + noise).round(2)


@pytest.fixture(scope="module", params=list(KINDS))
def trained(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    nme: Callable[..., tuple[int, str, str]],
) -> Iterator[tuple[str, str]]:
    """A kind, and a finished run of it in a home of its own; one is trained by another process."""
    kind = str(request.param)

    def launch(words: list[str], path: Path) -> SimpleNamespace:
        assert nme(*words[words.index("fit") :])[0] == 0
        return SimpleNamespace(pid=os.getpid(), poll=lambda: 0)

    with at_home(tmp_path_factory.mktemp("kinds") / "home"), pytest.MonkeyPatch.context() as patch:
        if kind != "states":
            patch.setattr(runs, "launch", launch)
        table = long_table(states=True)
        table["feeling"] = outcome(kind, table)
        features = ("sleep", "steps")
        if kind == "linear":  # which leaves it out
            table["both"], features = table["sleep"] + table["steps"], (*features, "both")
        draft = studies.draft_upload(
            "diary.csv", table.to_csv(index=False).encode(),
            covariate_table().to_csv(index=False).encode(),
        )  # fmt: skip
        roles = studies.ChosenRoles(
            "pid", "feeling", "day", None, features, ("depression", "clinic"),
            outcome_kind="class" if kind in ("states", "class", "ordinal") else "number",
        )  # fmt: skip
        record = studies.study_record(studies.keep_study(draft, roles))
        assert record is not None
        identity = runs.start(record, KINDS[kind].options)
        until_done(lambda: runs.run_record(identity), kind)
        yield kind, identity


@pytest.mark.filterwarnings("ignore")
@pytest.mark.filterwarnings("always::nme_core.exceptions.NMEWarning")
@pytest.mark.parametrize("view", ["clinician", "researcher"])
def test_every_page_and_section_shows_it(trained: tuple[str, str], view: str) -> None:
    kind, identity = trained
    settings.set_view(view)
    shown = [page for page, *_ in dashboard.times(identity)]
    assert {"study", "model", "fit", "random-effects", "covariates", "new-person"} <= set(shown)
    assert ("fit: Model checks" in shown) is (view == "researcher")
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["run"] = identity
    app.run()
    app.switch_page("pages/fit.py").run()
    tables = (*app.dataframe, *app.table)
    columns = {str(name) for one in tables for name in one.value.columns}
    assert KINDS[kind].metric in columns
    app.switch_page("pages/transitions.py").run()
    only = "Transitions exist only for sequence models"
    assert any(only in str(one.value) for one in app.markdown) is (kind != "states")
