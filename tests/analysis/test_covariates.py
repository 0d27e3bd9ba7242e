"""What of a run is tested against covariates."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import logit

from nme_core.analysis import (
    covariance_table,
    grids_of,
    person_effects,
    person_parameters,
    random_effects_table,
    response_curves,
    transitions_table,
)
from nme_core.analysis.covariates import offered
from nme_core.analysis.person_curves import person_curves
from nme_core.analysis.reliability import known_of
from nme_core.estimators.person_posterior import person_estimates
from nme_core.exceptions import OptionError, RunFolderError
from nme_core.io import RunFolder


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path)


def write(run, model):
    run.write_table("random_effects", random_effects_table(model))
    run.write_table("covariance", covariance_table(model))


def test_moves_are_tested_as_log_odds_of_what_is_shown(run, crf):
    write(run, crf)
    run.write_table("transitions", transitions_table(crf))
    found = person_parameters(run)
    shown, shared = crf.transition_matrix("b"), crf.transition_matrix()
    odds = [logit(one.loc["calm", "tense"]) for one in (shown, shared)]
    assert found.values.loc["b", "moves[calm,tense]"] == pytest.approx(odds[0] - odds[1])
    assert (found.of, found.standardise) == ("moves", True)
    assert found.label.startswith("moves (log-odds")
    again = person_estimates(crf, "moves")
    pd.testing.assert_frame_equal(
        again, found.values.loc[again.index], atol=1e-8, check_names=False
    )


def test_the_slope_of_log_odds_is_their_derivative(crf):
    moves, mixed = crf._moves, crf._posterior.mixed
    at, step = torch.zeros(1, mixed.n_random, dtype=torch.float64), 1e-4
    odds = logit(moves.chains_at(mixed, at)).ravel()
    for k in range(at.shape[1]):
        moved = at.clone()
        moved[0, k] += step
        slope = (logit(moves.chains_at(mixed, moved)).ravel() - odds) / step
        assert moves.chain_slope(mixed)[:, k] == pytest.approx(slope, abs=1e-3)


def test_scores_are_double_centred(run, crf):
    write(run, crf)
    run.write_table("transitions", transitions_table(crf))
    found = person_parameters(run, "scores")
    assert found.values.index.tolist() == ["007", "b"]
    assert found.values.columns.tolist() == [
        f"transitions[{start},{end}]" for start in crf.classes_ for end in crf.classes_
    ]
    scores = crf.transition_matrix("b", "scores")
    assert found.values.loc["b", "transitions[calm,tense]"] == pytest.approx(
        scores.loc["calm", "tense"]
    )
    assert found.n_obs.to_dict() == {"b": 10, "007": 6}
    assert "double-centred" in found.label
    assert found.standardise


def test_a_network_is_tested_in_model_standard_deviations(run, regressor):
    write(run, regressor)
    found = person_parameters(run, "weights")
    effects = regressor.random_effects_
    sd = np.sqrt(np.diag(regressor.random_effects_cov_))
    assert found.values.columns.tolist() == effects.columns.tolist()
    assert found.values.index.tolist() == effects.index.tolist()
    assert found.values.to_numpy() == pytest.approx(effects.to_numpy() / sd)
    assert not found.standardise


def test_scores_that_all_persons_share_are_not_tested(run, regressor, crf):
    write(run, regressor)
    run.write_table("transitions", transitions_table(crf))
    assert offered(run) == ("moves", "weights")
    with pytest.raises(OptionError, match="all people share its transition scores"):
        person_parameters(run, "scores")


def test_rows_are_tested_by_level_and_slopes(run, regressor, features):
    write(run, regressor)
    assert offered(run) == ("weights",)  # a run of before
    table = person_effects(regressor, features[0])
    run.write_table("person_effects", table)
    found = person_parameters(run)
    assert found.values.columns.tolist() == ["level", "slope:wide", "slope:level", "slope:flag"]
    own = table.query("person == 'p3' and effect == 'slope:wide'")["estimate"].item()
    assert found.values.loc["p3", "slope:wide"] == pytest.approx(own)
    assert (found.of, found.standardise) == ("slopes", True)
    known = known_of(run, found)
    reliability = table.query("person == 'p3' and effect == 'level'")["reliability"].item()
    assert known.reliability().loc["p3", "level"] == pytest.approx(reliability)
    level = found.values.loc["p3", "level"] / max(reliability, 0.01) ** 0.5
    assert known.unshrunken().loc["p3", "level"] == pytest.approx(level)
    with pytest.raises(OptionError, match="for models of sequences"):
        person_parameters(run, "moves")


def test_curves_are_those_that_are_drawn(run, regressor, features):
    curves = response_curves(regressor, *features)
    found = person_curves(regressor, grids_of(curves))
    drawn = curves.query("feature == 'wide'").pivot(index="x", columns="person", values="value")
    name, x = found.values.columns[0], drawn.index[0]
    assert name == f"curve:wide={x:.4g}"
    apart = drawn.loc[x, "p0"] - drawn.loc[x, ""]
    assert found.values.loc["p0", name] == pytest.approx(apart, abs=0.05)
    assert found.values.shape == (6, 7 + 6 + 2)


def test_a_run_without_random_effects_has_nothing_to_test(run, regressor):
    write(run, regressor)
    run.write_table("random_effects", random_effects_table(regressor).iloc[:0])
    with pytest.raises(RunFolderError, match="no person-specific parameters"):
        person_parameters(run)


def test_the_order_of_persons_is_the_tables(run, regressor):
    write(run, regressor)
    table = run.table("random_effects")
    turned = pd.concat([table[table["person"] == "p4"], table[table["person"] != "p4"]])
    run.write_table("random_effects", turned)
    found = person_parameters(run)
    assert found.values.index[0] == found.n_obs.index[0] == "p4"
