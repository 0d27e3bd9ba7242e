"""A home of its own for every test, studies and finished runs in it, and the app at a page."""

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from dashboard.services import covariates, settings, studies
from dashboard.services.home import new_id
from nme_core.io import RunFolder, RunState, Status
from nme_core.vocabulary.settings import FitSettings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
STATES = ("calm", "tense", "low")
PERSONS = tuple(f"{i:03d}" for i in range(1, 25))

OpenPage = Callable[..., AppTest]

#: Tests that need no model: the runs here have tables only.
STRATA = covariates.with_guard(covariates.CovariateOptions(), "strata")


@pytest.fixture(scope="session", autouse=True)
def _components_once() -> Iterator[None]:
    """Search the installed packages for parts of Streamlit once, not for every app."""
    with pytest.MonkeyPatch.context() as patch:
        name = "scan_component_manifests"
        patch.setattr(manifest_scanner, name, cache(getattr(manifest_scanner, name)))
        yield


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty NME_HOME of somebody who chose the view of researchers."""
    monkeypatch.setenv("NME_HOME", str(tmp_path / "home"))
    settings.set_view("researcher")
    return tmp_path / "home"


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> "Iterator[Browser]":
    """One Chromium for all tests of a file."""
    from benchmarks.browser import chromium

    with chromium(chromium_path) as found:
        yield found


@pytest.fixture
def open_page(home: Path) -> OpenPage:
    """The app at a page, with query parameters as in the address."""

    def open_at(page: str, **query: str) -> AppTest:
        app = AppTest.from_file(APP, default_timeout=30)
        if language := query.pop("language", None):
            app.session_state["nme_language"] = language
        for key, value in query.items():
            app.query_params[key] = value
        return app.switch_page(f"pages/{page}.py").run()

    return open_at


def long_table(*, states: bool) -> pd.DataFrame:
    """A small study: 24 persons, 20 occasions, two features."""
    rng = np.random.default_rng(1)
    n = len(PERSONS) * 20
    table = pd.DataFrame(
        {
            "pid": np.repeat(PERSONS, 20),
            "day": np.tile(np.arange(20), len(PERSONS)),
            "sleep": rng.normal(7, 1, n).round(2),
            "steps": rng.normal(5000, 900, n).round(0),
        }
    )
    table["feeling"] = rng.choice(STATES, n) if states else rng.normal(5, 1, n).round(2)
    return table


def covariate_table() -> pd.DataFrame:
    """One row per person."""
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "pid": PERSONS,
            "depression": rng.integers(0, 40, len(PERSONS)),
            "clinic": rng.choice(["north", "south"], len(PERSONS)),
        }
    )


def kept(*, states: bool) -> str:
    """Put the small study on disk; its id."""
    draft = studies.draft_upload(
        "diary.csv",
        long_table(states=states).to_csv(index=False).encode(),
        covariate_table().to_csv(index=False).encode(),
    )
    guess = draft.guess
    assert guess.person is not None
    roles = studies.ChosenRoles(
        guess.person, "feeling", guess.time, None, ("sleep", "steps"), ("depression", "clinic")
    )
    return studies.keep_study(draft, roles, "diary")


@pytest.fixture(scope="session")
def keep(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """As `kept`; a home without studies gets a copy of the one that was kept first."""
    first: dict[bool, Path] = {}

    def copied(home: Path, *, states: bool) -> str:
        if (home / "studies").exists():
            return kept(states=states)
        if states not in first:
            identity = kept(states=states)
            first[states] = tmp_path_factory.mktemp("kept") / identity
            shutil.copytree(home / "studies" / identity, first[states])
            return identity
        shutil.copytree(first[states], home / "studies" / first[states].name)
        return first[states].name

    return copied


@pytest.fixture
def state_study(home: Path, keep: Callable[..., str]) -> str:
    """A study whose outcome is a state."""
    return keep(home, states=True)


@pytest.fixture
def number_study(home: Path, keep: Callable[..., str]) -> str:
    """A study whose outcome is a number."""
    return keep(home, states=False)


@pytest.fixture
def crf_run(state_study: str) -> str:
    """A finished NME-CRF run of the state study."""
    identity, folder = _begin(state_study, "nme-crf", "transitions")
    rng = np.random.default_rng(3)
    pairs = [(a, b) for a in STATES for b in STATES]
    rows = []
    for person in ("", *PERSONS):
        raw = rng.normal(0, 0.3 if person else 0.8, (3, 3))
        scores = raw - raw.mean(0) - raw.mean(1)[:, None] + raw.mean()
        shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        for readout in ("scores", "conditional", "expected", "observed"):
            values = scores if readout == "scores" else shares
            counted = readout in ("expected", "observed") and person
            for (start, end), value in zip(pairs, values.ravel(), strict=True):
                count = round(value * 7) if counted else np.nan
                rows.append((person, readout, start, end, value, np.nan, np.nan, count))
    columns = ["person", "readout", "from", "to", "value", "ci_low", "ci_high", "count"]
    table = pd.DataFrame(rows, columns=columns).assign(visits=np.nan)
    folder.write_table("transitions", table)
    names = [f"transitions[{a},{b}]" for a, b in pairs]
    own = table[(table["readout"] == "scores") & (table["person"] != "")]
    _finish(folder, names, own["value"].to_numpy().reshape(len(PERSONS), -1), ("log_loss", "kappa"))
    return identity


@pytest.fixture
def mlp_run(number_study: str) -> str:
    """A finished NME-MLP run of the number study."""
    identity, folder = _begin(number_study, "nme-mlp", "last")
    names = ["layers.1.weight[0,0]", "layers.1.weight[0,1]", "layers.1.bias[0]"]
    effects = np.random.default_rng(4).normal(0, [0.2, 0.9, 0.5], (len(PERSONS), 3))
    x = np.linspace(4, 10, 7)
    curves = pd.concat(
        pd.DataFrame(
            {
                "person": person,
                "feature": feature,
                "class": "",
                "x": x,
                "value": 5 - (x - 7 - 0.1 * i) ** 2 / 9,
            }
        )
        for i, person in enumerate(("", *PERSONS))
        for feature in ("sleep", "steps")
    )
    ends = {"ci_low": curves["value"] - 0.5, "ci_high": curves["value"] + 0.5}
    folder.write_table("response_curves", curves.assign(**ends))
    _finish(folder, names, effects, ("mse", "pearson"))
    return identity


def _begin(study: str, model: str, placement: str) -> tuple[str, RunFolder]:
    identity, path = new_id("runs")
    folder = RunFolder(path)
    options = FitSettings(model=model, placement=placement)
    content = {
        "name": f"diary, {model}, {placement}",
        "study": study,
        "created": "2026-01-01T10:00:00+00:00",
        "options": options.__dict__ | {"hidden": [32], "baselines": ["generic"]},
        "pid": 2**22 + 1,
        "process_created": 0.0,
    }
    folder.write_json("run", content)
    verdicts = {"nme": "converged after 10 epochs"}
    config = {
        "model": model, "placement": placement, "verdicts": verdicts, "warnings": [],
        "family": None, "covariance": "diagonal", "estimator": "variational", "hidden": [32],
        "baselines": ["generic"], "epochs": None, "seed": 0, "command": "nme fit long.csv",
        "outcome_kind": "class" if model == "nme-crf" else "number",
        "versions": {"neural-mixed-effects": "0.1.0", "python": "3.11", "torch": "2.13.0"},
        "network_inputs": ["sleep", "steps"],
        "network_outputs": STATES if model == "nme-crf" else ["outcome"],
    }  # fmt: skip
    folder.write_json("config", config)
    roles = {
        "person": "pid", "outcome": "feeling", "time": "day", "sequence": None,
        "features": ["sleep", "steps"], "covariates": ["depression", "clinic"], "groups": [],
    }  # fmt: skip
    data = {
        "interpreted_from": "all rows", "roles": roles, "outcome_kind": config["outcome_kind"],
        "n_rows": 480, "n_persons": 24, "n_sequences": 24, "n_missing_features": {},
        "n_rows_by_split": {"train": 288, "validation": 96, "test": 96}, "n_missing_outcome": 0,
        "inputs": [], "notes": [],
    }  # fmt: skip
    folder.write_json("data", data)
    return identity, folder


def _predictions(*, classes: bool) -> pd.DataFrame:
    """Two models on the last four occasions of everybody; the generic one varies less."""
    rng = np.random.default_rng(5)
    size = 4 * len(PERSONS)
    parts = []
    for model, spread in (("nme", 1.0), ("generic", 0.5)):
        observed = rng.choice(STATES, size) if classes else rng.normal(5, 1, size)
        predicted = rng.choice(STATES, size) if classes else rng.normal(5, spread, size)
        part = pd.DataFrame({"observed": observed, "predicted": predicted})
        part["population_predicted"] = predicted
        part["person"] = part["sequence"] = np.repeat(PERSONS, 4)
        part["time"] = np.tile(np.arange(16, 20), len(PERSONS))
        parts.append(
            part.assign(model=model, split="test", **dict.fromkeys(_probabilities(classes), 0.5))
        )
    return pd.concat(parts)


def _probabilities(classes: bool) -> list[str]:
    return [f"p_{state}" for state in STATES] if classes else []


def _finish(
    folder: RunFolder, names: list[str], effects: np.ndarray, metrics: tuple[str, str]
) -> None:
    persons = len(PERSONS)
    folder.write_table(
        "random_effects",
        pd.DataFrame(
            {
                "person": np.repeat(PERSONS, len(names)),
                "n_obs": 20,
                "parameter": np.tile(names, persons),
                "estimate": effects.ravel(),
                "se": 0.1,
                "reliability": 0.8,
                "ci_low": effects.ravel() - 0.2,
                "ci_high": effects.ravel() + 0.2,
            }
        ),
    )
    first, second = np.triu_indices(len(names), k=1)
    folder.write_table(
        "correlations",
        pd.DataFrame(
            {
                "parameter": np.array(names)[first],
                "parameter_2": np.array(names)[second],
                "correlation": np.corrcoef(effects.T)[first, second],
                "model_correlation": 0.0,
                "simulated_mean": 0.0,
                "simulated_low": -0.6,
                "simulated_high": 0.6,
                "p_adjusted": 0.5,
            }
        ),
    )
    shared = pd.DataFrame({"parameter": names, "estimate": 0.5, "se": 0.1})
    folder.write_table("fixed_effects", shared.assign(ci_low=0.3, ci_high=0.7))
    folder.write_table(
        "covariance",
        pd.DataFrame(
            {"parameter": names, "parameter_2": names, "value": effects.var(0) * 1.3 + 0.01}
        ),
    )
    folder.write_table(
        "metrics",
        pd.DataFrame(
            [
                (model, "test", "pooled", "", metric, value, 96)
                for model, shift in (("nme", 0.0), ("generic", 0.1))
                for metric, value in ((metrics[0], 0.7 + shift), (metrics[1], 0.4 - shift))
            ],
            columns=["model", "split", "scope", "person", "metric", "value", "n"],
        ),
    )
    folder.write_table("predictions", _predictions(classes="log_loss" in metrics))
    columns = ["model", "reference", "metric", "difference", "ci_low", "ci_high", "p", "n_persons"]
    columns.append("p_adjusted")
    comparison = [
        ("generic", "nme", metrics[0], 0.1, 0.04, 0.16, 0.0004, persons, 0.0004),
        ("generic", "nme", metrics[1], -0.1, -0.21, 0.01, 0.0712, persons, 0.0712),
    ]
    folder.write_table("comparison", pd.DataFrame(comparison, columns=columns))
    epochs = np.arange(1, 11)
    folder.write_table(
        "history",
        pd.DataFrame(
            {
                "model": "nme",
                "epoch": epochs,
                "train_loss": 1 + 1 / epochs,
                "validation_loss": 1.1 + 1 / epochs,
                "residual_variance": 0.5,
                "mean_random_variance": 0.2,
                "seconds": epochs * 0.1,
            }
        ),
    )
    folder.write_covariates(covariate_table().set_index("pid"))
    folder.write_status(
        Status(RunState.DONE, "2026-01-01T10:00:00+00:00", "2026-01-01T10:01:00+00:00", "", 1.0)
    )
