"""What of a run is tested against covariates."""

import numpy as np
import pandas as pd
import pytest

from nme_core.analysis import (
    covariance_table,
    person_parameters,
    random_effects_table,
    transitions_table,
)
from nme_core.exceptions import RunFolderError
from nme_core.io import RunFolder


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path)


def write(run, model):
    run.write_table("random_effects", random_effects_table(model))
    run.write_table("covariance", covariance_table(model))


def test_transitions_are_tested_as_double_centred_scores(run, crf):
    write(run, crf)
    run.write_table("transitions", transitions_table(crf))
    found = person_parameters(run)
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
    found = person_parameters(run)
    effects = regressor.random_effects_
    sd = np.sqrt(np.diag(regressor.random_effects_cov_))
    assert found.values.columns.tolist() == effects.columns.tolist()
    assert found.values.index.tolist() == effects.index.tolist()
    assert found.values.to_numpy() == pytest.approx(effects.to_numpy() / sd)
    assert not found.standardise


def test_transitions_that_all_persons_share_are_not_tested(run, regressor, crf):
    write(run, regressor)
    run.write_table("transitions", transitions_table(crf))
    assert person_parameters(run).values.columns[0] == "layers.1.weight[0,0]"


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
