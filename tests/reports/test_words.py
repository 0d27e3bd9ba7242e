"""Sentences and tables of a run say what its files hold, and no more."""

import csv
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO, StringIO

import pandas as pd
import pytest

from nme_core.estimators import BASELINES
from nme_core.estimators.draws import DRAWS
from nme_core.exceptions import RunFolderError
from nme_core.io import RunFolder, RunState, Status
from nme_core.metrics.simple_rules import CLASS_RULES, NUMBER_RULES
from nme_core.reports import (
    ResultTable,
    bibtex,
    methods,
    references,
    result_tables,
    results,
    to_csv,
    to_docx,
    to_html,
    to_latex,
    words,
)
from nme_core.runs.fit import ALL_ROWS
from nme_core.runs.fit.judging import ONE_STEP
from nme_core.training.loop import Schedule
from nme_core.vocabulary.terms import LINEAR, MODELS, SIMPLE_RULES, model_name, short_model_name


def test_methods_say_what_was_fitted(run):
    data, model, evaluation, convergence, tests = methods(run)
    assert "1,200 observations of 8 people." in data
    assert "outcome was mood_state (a class), predicted from 2 features (sleep and stress)" in data
    assert "3 missing values in 1 feature took the mean of the training rows" in data
    assert "2 observations without the outcome stayed in their sequences" in data
    assert "exclude people (id: 1 person)" in data
    assert "Anna" not in data
    assert data.endswith("2 columns of words were left out.")
    assert "one hidden layer of 16 rectified linear units" in model
    assert "Parameters of the last layer and the transition scores differed by person" in model
    assert "Σ being diagonal" in model
    assert "variational inference" in model
    assert "Training was set to" not in model
    assert "Features were standardised" in model
    assert "Adam (Kingma & Ba, 2015) with a learning rate of 0.03," in model
    assert f"once its mean over {Schedule.window} epochs no longer moved" in model
    assert f"less than {100 * Schedule.tolerance:g} %" in model
    assert f"means over {DRAWS} posterior draws" in model
    assert "Neural Mixed Effects 0.1.0 with PyTorch 2.13.0" in model
    assert "(n = 720)" in evaluation
    assert "not new people" in evaluation
    assert "one network for all people (generic)" in evaluation
    assert "With one comparison on each metric, p values were not corrected." in evaluation
    assert "a second fit of the same model to all observations" in evaluation
    assert convergence == (
        "Training of nme: converged after 400 epochs. Training of generic: reached its limit. "
        "Warning for nme (fitted to the training observations, not interpreted): A is 0."
    )
    assert "1,999 permutations within quintiles of the number of observations per person" in tests
    assert "Benjamini–Hochberg correction over 2 tests" in tests
    assert "correction over all 2 of these tests" in tests
    assert "no cause" in tests


def test_options_that_the_text_does_not_know_are_named(run):
    run.write_json("config", {**run.config, "tune": 12, "depth": 3, "unused": None})
    assert "chosen by the validation observations among 12 settings." in methods(run)[1]
    assert "Further options: depth = 3." in methods(run)[1]
    assert "unused" not in methods(run)[1]


def test_the_text_says_how_parameters_were_found_not_what_was_asked_for(run):
    linear = {"model": "nme-mlp", "hidden": [], "outcome_kind": "number", "placement": "last"}
    run.write_json("config", {**run.config, **linear, "methods": ["exact"]})
    assert "maximum likelihood (exact" in methods(run)[1]
    assert "Features and outcome were standardised" in methods(run)[1]
    assert "posterior draws" not in methods(run)[1]
    assert "Adam" not in methods(run)[1]
    run.write_json("config", {**run.config, "family": "poisson", "methods": ["marginal"]})
    assert "integrated out by Laplace's approximation" in methods(run)[1]
    assert "a Poisson outcome" in methods(run)[1]
    assert "Adam" not in methods(run)[1]
    run.write_json("config", {**run.config, "methods": ["quadrature"], "quadrature": 9})
    assert "adaptive Gauss–Hermite quadrature" in methods(run)[1]
    assert "Laplace" not in methods(run)[1]
    run.write_json("config", {**run.config, "methods": ["marginal", "variational"]})
    assert "of the linear candidate were estimated by maximum marginal" in methods(run)[1]
    assert "Adam" in methods(run)[1]
    run.write_json("config", {k: v for k, v in run.config.items() if k != "methods"})
    assert "The estimator was 'variational'." in methods(run)[1]
    assert "Adam" not in methods(run)[1]


def test_methods_say_how_a_covariate_was_tested(run):
    hsic = run.table("hsic")
    usual = methods(run)[-1]
    assert "conditional" not in usual
    how = {"guard": "draws", "blocks": "", "permute": "", "given": "age; clinic"}
    run.write_table("hsic", hsic.assign(**how, incremental=True))
    text = methods(run)[-1]
    assert "twice the median over the draws" in text
    assert "conditional on age, clinic, each person's simple summaries" in text
    how |= {"guard": "reliability", "blocks": "clinic", "permute": "whole", "given": ""}
    run.write_table("hsic", hsic.assign(**how))
    text = methods(run)[-1]
    assert "square root of their reliability" in text
    assert "whole blocks of clinic" in text
    run.write_table("hsic", hsic.assign(**how | {"permute": "within"}))
    assert "within clinic, whose means were removed" in methods(run)[-1]
    kinds = {"spearman": "partial spearman", "mean difference": "adjusted mean difference"}
    run.write_table("effects", run.table("effects").assign(kind=lambda t: t["kind"].map(kinds)))
    text = methods(run)[-1]
    assert "partial Spearman" in text
    assert "HC3" in text


def test_what_was_not_tested_is_not_spoken_of(run):
    for name in ("manifest.json", "hsic.csv", "effects.csv", "comparison.csv"):
        (run.path / name).unlink(missing_ok=name == "manifest.json")
    said = words(run)
    assert len(said.results) == 1
    for word in ("HSIC", "Holm", "Benjamini", "bootstrap", "permutation"):
        assert word not in said.text.replace("Tests against covariates", "")


def test_results_in_apa_style(run):
    prediction, comparison, dependence, effects = results(run)
    assert prediction == (
        "On the 240 test observations of 8 people, pooled over people: nme: accuracy = .65, "
        "log-loss per step = 0.781; generic: accuracy = .50, log-loss per step = 1.03."
    )
    assert comparison == (
        "A difference in accuracy between generic and nme was not shown (mean difference generic "
        "− nme = −0.15, 95% CI [−0.21, 0.00], p = .061, corrected p = .061, 8 people). Log-loss "
        "per step was higher (worse) for generic than for nme (mean difference generic − nme = "
        "0.250, 95% CI [0.123, 0.346], p < .001, corrected p < .001, 8 people)."
    )
    assert (
        "scores (double-centred) were statistically dependent on age (HSIC = .31, p < .001, "
        "corrected p = .001, 8 people; no smaller p was possible with 1,999 permutations)"
    ) in dependence
    assert "were not shown to be statistically dependent on clinic (HSIC = −.01" in dependence
    assert "Number of tests of this kind: 2 (Benjamini–Hochberg correction)" in dependence
    assert effects == (
        "Of 2 associations of a single parameter with a covariate, 1 remained after correction: "
        "low → low with age, Spearman's ρ(6) = .81, 95% CI [.25, .97], p = .014, "
        "corrected p = .028. These are associations between people and show no cause."
    )


def test_group_differences_name_their_groups(run):
    table = run.table("effects")
    table["p_adjusted"] = [0.5, 0.01]
    run.write_table("effects", table)
    assert (
        "low → low by clinic, mean difference south − north = −1.50, 95% CI "
        "[−3.25, 0.25], p = .087, corrected p = .010"
    ) in results(run)[-1]


def test_nothing_kept_is_not_called_nothing_there(run):
    run.write_table("effects", run.table("effects").assign(p_adjusted=0.3))
    assert results(run)[-1].endswith("this does not show that none exists.")


def test_references_are_those_of_the_text(run):
    said = words(run)
    keys = [one.key for one in references(run)]
    assert len(keys) == len(set(keys))
    for name, year in (("Wörtwein", 2023), ("Gretton", 2007), ("Paszke", 2019), ("Holm", 1979)):
        assert any(one.text.startswith(name) and str(year) in one.text for one in said.references)
    text = bibtex(run)
    assert said.bibtex == text
    assert re.findall(r"^@\w+\{(\w+),$", text, flags=re.MULTILINE) == keys
    assert text.count("{") == text.count("}")
    assert "2306.08149" in text
    assert "version = {0.1.0}" in text
    assert "Version 2.13.0 was used" in text


def test_unfinished_runs_and_adapted_persons_have_no_words(run):
    run.write_json("data", {**run.data, "adapted": ["P1"]})
    with pytest.raises(RunFolderError, match="adapted"):
        words(run)
    run.write_status(Status(RunState.RUNNING, pid=2**22 + 1))  # above any process's number
    with pytest.raises(RunFolderError, match="broken off: its process is gone"):
        words(run)
    run.write_status(Status(RunState.FAILED))
    with pytest.raises(RunFolderError, match=r"not finished \(failed\)"):
        words(run)


@pytest.mark.parametrize("model", ["nme-mlp", "nme-crf"])
def test_a_real_run_has_words(nme, fit_tiny, model):
    folder = RunFolder(fit_tiny(model))
    assert nme("hsic", folder.path, "--covariate", "depression", "--covariate", "clinic").code == 0
    said = words(folder)
    assert "12 people" in said.methods[0]
    subjects = ["prediction", "comparison", "skill", "calibration", "checks", "summary"]
    subjects += ["correlations", "dependence"]
    assert [name for name in said.findings if name != "effects"] == subjects
    assert not re.search(r"\bnan\b", said.text)
    expected = {"data", "metrics", "comparison", "random_effects", "hsic", "effects"}
    assert expected <= {table.name for table in said.tables}
    assert all(len(table.cells) for table in said.tables)


# Tables


def tables(run):
    return {table.name: table for table in result_tables(run)}


def test_findings_and_codebook_are_printed_gravest_first(run):
    found = [("info", "", "8 people.", ""), ("look", "sleep", "'sleep' holds -99.", "Empty it.")]
    columns = ["severity", "column", "message", "remedy"]
    run.write_table("findings", pd.DataFrame(found, columns=columns))
    book = [("sleep", "Hours asleep", "number", "hours", "0 to 12", "3", "feature")]
    columns = ["name", "label", "type", "unit", "range", "missing", "role"]
    run.write_table("codebook", pd.DataFrame(book, columns=columns))
    printed = tables(run)
    assert printed["findings"].cells.to_numpy().tolist() == [
        ["Should be looked at", "'sleep' holds -99.", "Empty it."],
        ["For information", "8 people.", ""],
    ]
    assert printed["codebook"].cells.iloc[0].tolist() == list(book[0])
    assert list(printed["codebook"].cells)[:2] == ["Name", "Label"]


def test_the_tables_hold_the_numbers_of_the_files(run):
    found = tables(run)
    assert list(found) == [
        "data", "flow", "metrics", "comparison", "random_effects", "transitions", "hsic", "effects",
    ]  # fmt: skip
    metrics = found["metrics"].cells.set_index("Model")
    assert metrics.loc["nme"].tolist() == [".65", "0.781"]
    assert found["comparison"].cells["Corrected p"].tolist() == [".061", "< .001"]
    effects = found["random_effects"].cells.iloc[0]
    assert effects["Model SD"] == "0.500"
    assert effects["SD of estimates"] == "0.245"  # of 0, 0.1, …, 0.7
    assert effects["Reliability"] == ".75"
    assert found["transitions"].cells["to mid"].tolist() == [".50 [.40, .60]"] * 2
    assert "Number of tests: 2" in found["hsic"].note


def test_notes_of_the_data_are_told_without_the_options_of_the_shell(run):
    note = "4,463 missing feature values in 9 rows: these rows were left out (--missing drop)."
    run.write_json("data", {**run.data, "notes": [note]})
    assert "in 9 rows: these rows were left out." in words(run).methods[0]


def test_thousands_have_their_mark_in_a_table_as_it_is(run):
    columns = {"model": "nme", "log_likelihood": -15000.0, "n_parameters": 3, "aic": 30006.0,
               "bic": 30020.5, "method": "exact", "n_rows": 4463}  # fmt: skip
    run.write_table("likelihood", pd.DataFrame([columns]))
    (cells,) = tables(run)["likelihood"].cells.to_numpy()
    assert {"−15,000", "3", "30,006", "30,020", "4,463"} <= {*cells}


def test_long_tables_say_that_they_are_cut(run):
    many = pd.concat([run.table("effects")] * 30, ignore_index=True)
    run.write_table("effects", many)
    table = tables(run)["effects"]
    assert len(table.cells) == 40
    assert "The 40 with the smallest p of 60 are shown." in table.note
    assert "over all 60 tests" in table.note


NASTY = ResultTable(
    "nasty",
    "50 % of <b> & \\LaTeX",
    pd.DataFrame({"Who_1": ["a$b#", "x<y>&{z}~^"], "n": ["−1.5", "< .001"]}),
    "Done.",
)


def test_csv_is_read_back():
    rows = list(csv.reader(StringIO(to_csv(NASTY).decode("utf-8-sig"))))
    assert rows == [["Who_1", "n"], ["a$b#", "−1.5"], ["x<y>&{z}~^", "< .001"]]


def test_html_has_a_caption_heads_with_scope_and_no_markup_from_the_data():
    class Reader(HTMLParser):
        tags, scopes, text = [], [], ""

        def handle_starttag(self, tag, attrs):
            self.tags.append(tag)
            self.scopes += [value for name, value in attrs if name == "scope"]

        def handle_data(self, data):
            self.text += data

    reader = Reader()
    reader.feed(to_html(NASTY))
    assert "b" not in reader.tags
    assert reader.tags.count("caption") == 1
    assert reader.scopes == ["col", "col", "row", "row"]
    assert "50 % of <b> & \\LaTeX" in reader.text
    assert "x<y>&{z}~^" in reader.text


def test_latex_is_escaped_and_its_columns_agree():
    text = to_latex(NASTY)
    assert r"\caption{50 \% of $<$b$>$ \& \textbackslash{}LaTeX}" in text
    assert r"a\$b\# & $-$1.5 \\" in text
    assert r"x$<$y$>$\&\{z\}\textasciitilde{}\textasciicircum{} & $<$ .001 \\" in text
    assert r"\begin{tabular}{lr}" in text
    for name in ("table", "tabular"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 1


def test_word_file_is_read_back(run):
    from docx import Document

    document = Document(BytesIO(to_docx([NASTY], [("Method", "One."), ("", "Two.\x00")])))
    assert [p.text for p in document.paragraphs] == [
        "Method", "One.", "Two.", "Table 1", NASTY.caption, "Note. Done.",
    ]  # fmt: skip
    assert document.paragraphs[0].style.name == "Heading 1"
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["Who_1", "n"], ["a$b#", "−1.5"], ["x<y>&{z}~^", "< .001"],
    ]  # fmt: skip
    whole = Document(BytesIO(words(run).docx))
    assert len(whole.tables) == 8
    assert [p.text for p in whole.paragraphs if p.style.name == "Heading 1"] == [
        "Method", "Results", "References",
    ]  # fmt: skip


def test_every_table_of_a_run_has_every_format(run):
    for table in result_tables(run):
        assert to_latex(replace(table, note="")).count(r" \\") == len(table.cells) + 1
        assert to_html(table).count("<tr>") == len(table.cells) + 1


def test_every_model_has_its_words_in_one_place() -> None:
    assert set(MODELS) == {"nme", ALL_ROWS, ONE_STEP, *BASELINES, LINEAR, *SIMPLE_RULES}
    assert set(SIMPLE_RULES) == {*NUMBER_RULES, *CLASS_RULES}
    assert model_name("lme") == "a linear mixed model (lme)"
    assert short_model_name("trial 3") == "trial 3"


def test_expected_transitions_stand_beside_the_conditional_ones(run):
    rows = run.table("transitions")
    expected = rows[rows["readout"] == "conditional"].assign(readout="expected", value=0.8123)
    run.write_table("transitions", pd.concat([rows, expected]))
    (table,) = (one for one in result_tables(run) if one.name == "transitions")
    assert table.cells["Read-out"].tolist() == ["conditional"] * 2 + ["expected"] * 2
    assert table.cells["to mid"].tolist() == [".50 [.40, .60]"] * 2 + [".81 [.40, .60]"] * 2
    assert "does not say how often a move was made" in table.note


def test_strength_stands_beside_hsic(run):
    strengths = {"strength": [0.15, -0.2], "strength_low": -0.75, "strength_high": [1.0, 0.49]}
    run.write_table("hsic", run.table("hsic").assign(**strengths))
    (table,) = (one for one in result_tables(run) if one.name == "hsic")
    shown = table.cells["Strength [95% CI]"].tolist()
    assert shown == [".15 [−.75, 1.00]", "−.20 [−.75, .49]"]


def test_fixed_effects_are_named_in_words_with_their_intervals(run):
    columns = ["parameter", "estimate", "se", "ci_low", "ci_high"]
    rows = [("transitions[low,mid]", 0.437, 0.212, 0.0191, 0.8559)]
    run.write_table("fixed_effects", pd.DataFrame(rows, columns=columns))
    (table,) = (one for one in result_tables(run) if one.name == "fixed_effects")
    assert table.cells.iloc[0].tolist() == ["low → mid", "0.437", "0.212", "[0.019, 0.856]"]


def test_one_test_is_not_called_corrected(run):
    run.write_table("hsic", run.table("hsic").head(1).assign(n_tests=1))
    dependence = next(text for text in results(run) if "HSIC has no direction" in text)
    assert "corrected p" not in dependence
    assert "Number of tests of this kind: 1. " in dependence
