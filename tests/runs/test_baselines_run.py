"""A run with every baseline: they are trained on one split and stand in every table."""

import warnings

import numpy as np
import pytest

from nme_core.batches.splits import split_within_person
from nme_core.exceptions import OptionError
from nme_core.independence.correction import adjust_p
from nme_core.io import RunFolder
from nme_core.metrics.simple_rules import rules_for
from nme_core.runs.fit import FitOptions, run_experiment
from nme_core.study import Study

ROLES = {"person": "id", "sequence": "session", "time": "beep", "features": ["sleep", "stress"]}
BASELINES = {
    "nme-mlp": ("generic", "specific", "lme", "mlp-lme", "unregularised"),
    "nme-crf": ("generic", "specific", "unregularised"),
}
#: What a run has beside its model: a network its linear twin as well.
BESIDE = {"nme-mlp": (*BASELINES["nme-mlp"], "linear"), "nme-crf": BASELINES["nme-crf"]}


def read(tiny_study, model):
    outcome = "state" if model == "nme-crf" else "mood"
    return Study.from_csv(tiny_study / "long.csv", outcome=outcome, **ROLES)


@pytest.fixture(scope="module", params=BASELINES)
def run(request, tiny_study, tmp_path_factory):
    model = request.param
    folder = RunFolder(tmp_path_factory.mktemp("baselines") / "run")
    layers = (8,) if model == "nme-mlp" else ()
    options = FitOptions(
        model=model, hidden=layers, epochs=3, baselines=BASELINES[model], refit="none"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_experiment(read(tiny_study, model), options, folder)
    return model, folder


def test_every_baseline_stands_in_every_table(run, tiny_study):
    model, folder = run
    names = ["nme", *BESIDE[model]]
    predictions = folder.table("predictions")
    study = read(tiny_study, model)
    study = study if model == "nme-crf" else study.with_observed_outcome()
    split = split_within_person(study.groups)
    assert list(dict.fromkeys(predictions["model"])) == names
    for _, rows in predictions.groupby("model"):
        assert rows["split"].value_counts().to_dict() == {
            part: int((split == part).sum()) for part in ("train", "validation", "test")
        }
        assert rows["predicted"].notna().all()
    kind = "class" if model == "nme-crf" else "number"
    judged = list(dict.fromkeys(folder.table("metrics")["model"]))
    assert judged == [*names, *rules_for(kind)]
    assert set(folder.table("history")["model"]) == {*names}
    assert set(folder.config["verdicts"]) == {*names}


def test_the_comparison_is_paired_over_persons_and_corrected_over_all_baselines(run):
    model, folder = run
    comparison = folder.table("comparison")
    persons = folder.table("metrics").query("scope == 'person' and split == 'test'")
    values = persons.pivot(index="person", columns=["model", "metric"], values="value")
    for metric, rows in comparison.groupby("metric"):
        kind = "class" if model == "nme-crf" else "number"
        assert rows["model"].tolist() == [*BESIDE[model], *rules_for(kind)]
        np.testing.assert_allclose(rows["p_adjusted"], adjust_p(rows["p"], "holm"))
        for row in rows.itertuples():
            paired = (values[row.model, metric] - values["nme", metric]).dropna()
            # a rule that says one thing of all of a person's rows has no correlation
            assert row.difference == pytest.approx(paired.mean(), abs=1e-12, nan_ok=True)
            assert row.n_persons == len(paired)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("nme-crf", {"baselines": ("lme",)}, "not for sequences, classes or counts"),
        ("nme-mlp", {"baselines": ("mlp-lme",), "family": "poisson"}, "not for sequences"),
    ],
)
def test_a_baseline_that_does_not_fit_is_refused_before_anything_is_trained(
    tiny_study, tmp_path, model, options, message
):
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(OptionError, match=message):
        run_experiment(read(tiny_study, model), FitOptions(model=model, **options), folder)
    assert not folder.has_table("history")


def test_linear_random_effects_know_one_grouping_factor(tiny_study, tmp_path):
    roles = {name: value for name, value in ROLES.items() if name != "sequence"}
    study = Study.from_csv(
        tiny_study / "long.csv", outcome="mood", group=["session"], **{**roles, "time": None}
    )
    with pytest.raises(OptionError, match="'lme' takes one grouping factor"):
        FitOptions(model="nme-mlp", baselines=("lme",)).estimator_for(study)
