import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from nme_core.exceptions import OptionError
from nme_core.simulate import SAMPLES, sample_study, simulate_dyads, simulate_mood, simulate_null
from nme_core.simulate.mood import mood_response
from nme_core.simulate.sequences import STATES, draw_states
from nme_core.study import Study

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"


def person_values(sample, *path):
    """One number per person from the truth."""
    values = []
    for person in sample.truth["persons"].values():
        for key in path:
            person = person[key]
        values.append(person)
    return np.array(values, dtype=float)


def transition(sample, origin, target):
    return person_values(sample, "transitions", STATES.index(origin), STATES.index(target))


def n_observed(sample):
    return sample.long.groupby(sample.roles["person"], sort=False).size().to_numpy()


@pytest.mark.parametrize("name", SAMPLES)
def test_files_are_what_the_generator_gives(name, tmp_path):
    sample = sample_study(name)
    sample.write(tmp_path)
    for file in ("long.csv", "covariates.csv", "README.md"):
        written = (SAMPLE_DATA / name / file).read_text(encoding="utf-8")
        assert written == (tmp_path / file).read_text(encoding="utf-8"), file
    assert read_truth(SAMPLE_DATA / name) == read_truth(tmp_path)


def test_a_sample_does_not_replace_a_study_of_the_user(tmp_path):
    (tmp_path / "covariates.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(OptionError, match="holds something else"):
        sample_study("mood").write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["covariates.csv"]


def read_truth(folder):
    """The truth to 12 digits: the last bits of a mean differ between processors."""
    text = (folder / "truth.json").read_text(encoding="utf-8")
    return json.loads(text, parse_float=lambda number: f"{float(number):.12g}")


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_become_studies_from_frame_and_from_file(name):
    sample = sample_study(name)
    roles = {key: value for key, value in sample.roles.items() if key != "model"}
    study = Study.from_frame(sample.long, covariates=sample.covariates, **roles)
    folder = SAMPLE_DATA / name
    read = Study.from_csv(folder / "long.csv", covariates=folder / "covariates.csv", **roles)
    pd.testing.assert_frame_equal(study.X, read.X)
    pd.testing.assert_series_equal(study.y, read.y)
    pd.testing.assert_frame_equal(study.covariates, read.covariates)
    assert study.outcome_kind == ("number" if sample.roles["model"] == "nme-mlp" else "class")
    assert study.roles.covariates == ("depression", "age")
    assert study.n_persons == sample.truth["n_persons"] == len(sample.truth["persons"])
    assert list(study.persons) == list(sample.truth["persons"])
    np.testing.assert_array_equal(
        study.covariates["depression"], person_values(sample, "depression")
    )
    np.testing.assert_array_equal(n_observed(sample), person_values(sample, "n_steps"))


@pytest.mark.parametrize("name", SAMPLES)
def test_readme_says_that_it_is_simulated_and_names_every_column_and_command(name):
    sample = sample_study(name)
    text = sample.readme
    assert "No person stands behind these data" in text
    assert f"seed {sample.truth['seed']}" in text
    for column in [*sample.long.columns, *sample.covariates.columns]:
        assert f"`{column}`" in text
    assert f"--model {sample.roles['model']}" in text
    assert "nme hsic run --covariate depression" in text
    for effect in sample.truth["effects"]:
        assert f"`{effect['parameter']}`" in text


@pytest.mark.parametrize("simulate", [simulate_dyads, simulate_mood, simulate_null])
def test_generators_are_seeded(simulate):
    first = simulate(seed=5)
    again, other = simulate(seed=5), simulate(seed=6)
    pd.testing.assert_frame_equal(first.long, again.long)
    assert json.dumps(first.truth) == json.dumps(again.truth)
    assert not first.long.equals(other.long)


def test_dyads_look_as_promised():
    sample = sample_study("dyads")
    assert set(sample.long["state"]) == set(STATES)
    assert sample.long["state"].value_counts(normalize=True).min() > 0.1
    features = sample.long[sample.roles["features"]]
    assert features.shape[1] == 10
    assert 0.02 < features.isna().to_numpy().mean() < 0.04
    assert n_observed(sample).min() == 120
    assert n_observed(sample).max() == 180
    assert abs(spearmanr(n_observed(sample), sample.covariates["depression"])[0]) < 0.2


def test_planted_slopes_are_in_the_transition_scores_and_nowhere_else():
    sample = simulate_dyads(n_persons=4000, n_steps=3, random_sd=0.5)
    depression = person_values(sample, "depression")
    planted = {effect["parameter"]: effect["slope"] for effect in sample.truth["effects"]}
    assert len(planted) == 2
    population = np.array(sample.truth["population"]["transitions"])
    for (i, origin), (j, target) in itertools.product(enumerate(STATES), repeat=2):
        slope = planted.get(f"transitions[{origin},{target}]", 0.0)
        scores = transition(sample, origin, target)
        assert np.polyfit(depression, scores, 1)[0] == pytest.approx(slope, abs=0.003)
        rest = scores - slope * (depression - depression.mean())
        assert rest.mean() == pytest.approx(population[i, j], abs=0.04)
        assert rest.std() == pytest.approx(0.5, abs=0.03)


def test_the_planted_effect_can_be_seen_in_the_labels_alone():
    sample = sample_study("dyads")
    depression = sample.covariates["depression"]
    states = sample.long.groupby("dyad", sort=False)["state"]
    stays = pd.DataFrame({"state": sample.long["state"], "next": states.shift(-1)}).dropna()
    stays["dyad"] = sample.long["dyad"]

    def share_that_stays(state):
        rows = stays[stays["state"] == state]
        return (rows["next"] == state).groupby(rows["dyad"]).mean().reindex(depression_ids)

    depression_ids = sample.covariates["dyad"]
    assert spearmanr(share_that_stays("Dysphoric"), depression, nan_policy="omit")[0] > 0.3
    assert spearmanr(share_that_stays("Positive"), depression, nan_policy="omit")[0] < -0.3


def test_without_effect_nothing_is_planted():
    sample = simulate_dyads(n_persons=2000, n_steps=2, effect=0.0)
    assert sample.truth["effects"] == []
    assert "`depression` has no effect" in sample.readme
    scores = transition(sample, "Dysphoric", "Dysphoric")
    assert abs(spearmanr(scores, person_values(sample, "depression"))[0]) < 0.06


def test_null_has_a_compliance_trap_that_can_be_switched_off():
    trap, fair = sample_study("null"), simulate_null(compliance_effect=False, seed=4)
    assert trap.truth["effects"] == fair.truth["effects"] == []
    assert spearmanr(n_observed(trap), trap.covariates["depression"])[0] < -0.8
    assert abs(spearmanr(n_observed(fair), fair.covariates["depression"])[0]) < 0.25
    assert sorted(n_observed(trap)) == sorted(n_observed(fair))
    assert (n_observed(trap).min(), n_observed(trap).max()) == (30, 160)
    assert "falls with `depression`" in trap.readme
    assert "nothing to do with `depression`" in fair.readme


def test_mood_residuals_are_the_noise_of_the_truth():
    sample = simulate_mood(n_persons=300)
    truth = sample.truth
    response = pd.DataFrame(
        {person: values["response"] for person, values in truth["persons"].items()}
    ).T.loc[sample.long["person"]]
    expected = mood_response(sample.long["sleep"].to_numpy(), response)
    for name, slope in truth["population"]["linear"].items():
        expected = expected + slope * sample.long[name].to_numpy()
    residual = sample.long["mood"].to_numpy() - expected
    assert residual.mean() == pytest.approx(0, abs=0.02)
    assert residual.std() == pytest.approx(truth["sigma"], rel=0.03)


def test_mood_response_is_an_inverted_u_that_depression_moves():
    sample = simulate_mood(n_persons=3000)
    depression = person_values(sample, "depression")
    slopes = {effect["parameter"]: effect["slope"] for effect in sample.truth["effects"]}
    assert set(slopes) == {"optimum", "height"}
    for name in ("level", "height", "optimum"):
        values = person_values(sample, "response", name)
        fitted = np.polyfit(depression, values, 1)[0]
        assert fitted == pytest.approx(slopes.get(name, 0.0), abs=0.003)
    one = pd.DataFrame([sample.truth["persons"]["P0001"]["response"]] * 3)
    optimum = one["optimum"][0]
    low, best, high = mood_response(np.array([optimum - 2, optimum, optimum + 2]), one)
    assert best > low
    assert low == pytest.approx(high)


def test_mood_has_gaps_and_plausible_values():
    sample = sample_study("mood")
    days = sample.long.groupby("person")["day"]
    assert (days.max() - days.size()).mean() > 1
    assert days.max().between(20, 56).all()
    assert sample.long["mood"].between(0, 10.5).all()
    assert sample.long["sleep"].between(1, 14).all()


def test_states_are_drawn_with_the_probabilities_of_the_crf():
    rng = np.random.default_rng(0)
    emissions = rng.normal(size=(3, 3))
    transitions = rng.normal(size=(3, 3))
    paths = list(itertools.product(range(3), repeat=3))
    scores = [
        sum(emissions[t, path[t]] for t in range(3))
        + transitions[path[0], path[1]]
        + transitions[path[1], path[2]]
        for path in paths
    ]
    expected = np.exp(scores) / np.exp(scores).sum()
    n_draws = 60_000
    drawn = draw_states(
        rng,
        # One step more than there is: the padding must not matter.
        np.repeat(np.vstack([emissions, [[5, -5, 0]]])[:, None, :], n_draws, axis=1),
        np.repeat(transitions[None], n_draws, axis=0),
        np.full(n_draws, 3),
    )
    observed = pd.Series(list(map(tuple, drawn[:3].T.tolist()))).value_counts(normalize=True)
    for path, probability in zip(paths, expected, strict=True):
        error = 5 * np.sqrt(probability * (1 - probability) / n_draws)
        assert observed.get(path, 0.0) == pytest.approx(probability, abs=error)


def test_unknown_samples_and_impossible_lengths_are_refused():
    with pytest.raises(OptionError, match="dyads, mood, null"):
        sample_study("couples")
    with pytest.raises(OptionError, match="n_steps"):
        simulate_dyads(n_steps=(20, 10))
