"""Power: against theory in a linear model, under no effect, after an interruption; refusals."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, spearmanr, ttest_ind

from nme_core.estimators import NMECRF, NMEMLPClassifier, NMEMLPRegressor
from nme_core.exceptions import MissingColumnError, OptionError
from nme_core.io import RunFolder
from nme_core.runs.research.analytic import reliability_of, single_power
from nme_core.runs.research.generating import People
from nme_core.runs.research.person_numbers import target_of
from nme_core.runs.research.power import COLUMNS, PowerOptions, power
from nme_core.runs.research.power_source import Source
from nme_core.runs.research.tasks import TaskOptions

pytestmark = pytest.mark.filterwarnings("ignore::nme_core.exceptions.BoundaryWarning")


def rows(n=40, m=12, *, seed=0):
    rng = np.random.default_rng(seed)
    who = np.repeat([f"p{i}" for i in range(n)], m)
    X = pd.DataFrame({"x": rng.normal(3, 2, n * m), "day": rng.integers(0, 2, n * m).astype(float)})
    own = np.repeat(rng.normal(size=n), m)
    return X, pd.Series(5 + 0.5 * X["x"] + 2 * own + 2 * rng.normal(size=n * m)), pd.Series(who)


@pytest.fixture(scope="module")
def model():
    X, y, groups = rows()
    options = {"placement": ("layers.0.bias",), "residual": "iid"}
    return NMEMLPRegressor((), **options).fit(X, y, groups=groups)


def run_of(model, path, **covariates):
    folder = RunFolder(path)
    people = pd.Index(model.groups_.tolist(), name="person")
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"score": rng.normal(20, 5, len(people))} | covariates, index=people)
    folder.path.mkdir(exist_ok=True)
    folder.write_covariates(table)
    folder.write_json("data", {"n_rows": 480, "n_sequences": len(people), "notes": []})
    folder.write_json("config", {"model": "nme-mlp"})
    model.save(folder.model_path)
    return folder


@pytest.mark.parametrize("group", [False, True])
def test_theory_is_what_a_simulation_of_it_gives(group):
    rng, n, effect, reliability, times = np.random.default_rng(2), 30, 0.5, 0.6, 3000
    z = np.tile([-1.0, 1.0], n // 2) if group else rng.normal(size=(times, n))
    estimate = effect * z + rng.normal(size=(times, n)) / np.sqrt(reliability)
    if group:
        p = ttest_ind(estimate[:, ::2], estimate[:, 1::2], axis=1).pvalue
    else:
        p = np.array([spearmanr(a, b).pvalue for a, b in zip(z, estimate, strict=True)])
    expected = single_power(effect, n, reliability, group=group, alpha=0.05)
    assert (p < 0.05).mean() == pytest.approx(expected, abs=0.03)
    assert single_power(0.0, n, reliability, group=group, alpha=0.05) == pytest.approx(
        0.05, abs=0.01
    )


def test_power_agrees_with_theory(model, tmp_path):
    run = run_of(model, tmp_path / "run")
    reps = 40
    options = PowerOptions("score", (0.45,), (40,), (6,), reps=reps)
    table, verdict = power(run, options, tmp_path / "out")
    assert tuple(table.columns) == COLUMNS
    own = table[table["test"] == "spearman"].set_index("effect")
    theory = verdict.numbers["analytic"].set_index("effect")
    assert theory.loc[0.45, "reliability"] == pytest.approx(6 / 7, abs=0.08)  # τ = σ = 2, 6 rows
    for effect in options.effects:
        low, high = binom.ppf([0.0005, 0.9995], reps, theory.loc[effect, "power"]) / reps
        assert low <= own.loc[effect, "power"] <= high
        assert (
            own.loc[effect, "ci_low"] < own.loc[effect, "power"] < own.loc[effect, "ci_high"] + 1e-9
        )
    assert 0.5 < theory.loc[0.45, "power"] < 0.95  # neither sure nor hopeless, so that it is tested
    stored = json.loads((tmp_path / "out" / "verdict.json").read_text())
    assert "score" in stored["answer"]
    assert "40 people × 6 rows" in stored["answer"]


def test_an_interrupted_simulation_goes_on(model, tmp_path):
    run = run_of(model, tmp_path / "run", sex=np.tile(["f", "m"], 20))
    options = PowerOptions("sex", (0.5,), (12,), (4, 5), reps=2)
    whole, _ = power(run, options, tmp_path / "whole")
    said = []

    def stop(message, part):
        said.append(message)
        if len(said) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        power(run, options, tmp_path / "out", report=stop)
    resumed, after = TaskOptions(resume=True), []
    table, _ = power(run, options, tmp_path / "out", resumed, report=lambda *a: after.append(a))
    assert len(after) == 2  # the other two were kept
    pd.testing.assert_frame_equal(table, whole)
    assert set(table["test"]) == {"hsic", "mean difference", "mean difference (bh)"}


def test_what_moves_moves_alone(model):
    X, y, groups = rows()
    both = NMEMLPRegressor((), "all", residual="iid").fit(X, y, groups=groups)
    # the level is that at average features
    assert target_of(both, "level").matrix[0].tolist() == [0.0, 0.0, 1.0]
    people = People(both)
    target = target_of(both, "level")
    moved = people.direction(target.matrix)
    assert target.matrix @ moved == pytest.approx(np.sqrt(both._posterior.sigma[0][2].item()))
    assert people.two_valued() == {1: pytest.approx(X["day"].mean())}
    assert np.isnan(reliability_of(People(both, remembers=True), target.matrix, 5))


def test_people_of_sequences_stay_longer_where_staying_moves():
    rng = np.random.default_rng(0)
    chance = np.repeat(rng.choice([0.3, 0.8], 12), 25)  # half of the people stay, half do not
    moves = np.where(rng.random(300) < chance, 0, rng.integers(1, 3, 300))
    y = pd.Series(np.array(["calm", "tense", "sad"])[moves.cumsum() % 3])
    groups, X = (
        pd.Series(np.repeat(list("abcdefghijkl"), 25)),
        pd.DataFrame({"x": rng.normal(size=300)}),
    )
    states = NMECRF((), placement="transitions").fit(X, y, groups=groups)
    people, target = People(states, per_sequence=10), target_of(states, None)
    assert target.name == "stay"
    move = people.direction(target.matrix)
    shares = []
    for sign in (-1.0, 1.0):
        drawn = people.draw(np.full(30, sign), 3 * move, 20, np.random.default_rng(3))
        same = drawn["y"].eq(drawn["y"].shift()) & drawn["sequence_ids"].eq(
            drawn["sequence_ids"].shift()
        )
        shares.append(same.mean())
    assert shares[1] > shares[0] + 0.1
    assert drawn["sequence_ids"].nunique() == 60
    one = f"{states.classes_[0]}>{states.classes_[1]}"
    assert target_of(states, one.replace(">", " > ")).name == one


def test_what_cannot_be_simulated_is_refused(model, tmp_path):
    run = run_of(model, tmp_path / "run", site=np.tile(["a", "b", "c", "d"], 10))
    usual = {"effects": (0.5,), "persons": (20,), "rows": (5,)}
    for covariate, error, words in (
        ("nothing", MissingColumnError, "score"),
        ("site", OptionError, "4 groups"),
    ):
        with pytest.raises(error, match=words):
            power(run, PowerOptions(covariate, **usual), tmp_path / "out")
    with pytest.raises(OptionError, match="level"):
        power(run, PowerOptions("score", **usual, on="slope:z"), tmp_path / "out")
    with pytest.raises(OptionError, match="too few"):
        power(run, PowerOptions("score", (0.5,), (4,), (5,)), tmp_path / "out")
    X, y, groups = rows(10, 6)
    Source.of.cache_clear()
    network = NMEMLPRegressor((4,), epochs=2).fit(X, y, groups=groups)
    hidden = run_of(network, tmp_path / "hidden")
    with pytest.raises(OptionError, match="hidden layers"):
        power(hidden, PowerOptions("score", **usual), tmp_path / "out")
    three = NMEMLPClassifier((), epochs=2).fit(X, np.tile(["a", "b", "c"], 20), groups=groups)
    with pytest.raises(OptionError, match="three classes"):
        target_of(three, None)
    assert not (tmp_path / "out").exists()
