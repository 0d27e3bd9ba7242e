"""A run goes into a zip, comes out of it, and is repeated; what differs is found."""

import hashlib
import json
import runpy
import shutil
import sys
import warnings
import zipfile

import pandas as pd
import pytest

from nme_core.exceptions import OptionError, RunFolderError
from nme_core.io import RunFolder
from nme_core.reports import bundle, notebook, script
from nme_core.reports.bundle import open_bundle, write_bundle
from nme_core.runs.fit.options import fit_options
from nme_core.runs.rerun import compare_runs, read_study


@pytest.fixture(scope="module")
def run(nme, fit_tiny):
    """A finished run of a small network with a test, in a few epochs."""
    folder = RunFolder(fit_tiny("nme-mlp", "--epochs", "3", "--baselines", "generic"))
    words = ("--covariate", "depression", "--reps", 99, "--seed", 5, "--guard", "reliability")
    assert nme("hsic", folder.path, *words).code == 0
    return folder


@pytest.fixture(scope="module")
def packed(nme, run, tiny_study, tmp_path_factory):
    out = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nme_core.figures.of_curves.MOST", 1)  # one figure of a kind shows it
        said = nme("bundle", run.path, "--out", out, "--with-data", tiny_study / "long.csv")
    assert (said.code, said.err) == (0, "")
    assert "with the data" in said.out
    return out


def test_a_bundle_holds_what_a_stranger_needs(packed, run, tiny_study):
    with zipfile.ZipFile(packed) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        prints = json.loads(archive.read("MANIFEST.json"))["sha256"]
        readme = archive.read("README.txt").decode()
        for name in names - {"MANIFEST.json"}:
            assert hashlib.sha256(archive.read(name)).hexdigest() == prints[name]
        assert archive.read("data/long.csv") == (tiny_study / "long.csv").read_bytes()
    assert {
        "run/config.json", "run/data.json", "run/model.safetensors", "run/metrics.csv",
        "report.html", "report.pdf", "words.docx", "references.bib", "analysis.py",
        "analysis.ipynb", "tables/metrics.tex", "tables/hsic.html",
    } <= names  # fmt: skip
    assert "data/covariates.csv" not in names
    figures = {name.rpartition(".")[0] for name in names if name.startswith("figures/")}
    assert len(figures) >= 4
    assert {f"{figure}.{ending}" for figure in figures for ending in ("png", "svg", "csv")} <= names
    assert run.config["command"] in readme
    assert run.data["inputs"][0]["sha256"] in readme


def test_only_the_files_that_were_fitted_are_packed_as_data(nme, run, tmp_path):
    (tmp_path / "long.csv").write_text("id\n1\n")
    words = ("--out", tmp_path / "b.zip", "--with-data", tmp_path / "long.csv")
    said = nme("bundle", run.path, *words)
    assert said.code == 2
    assert "its SHA-256 is another" in said.err
    assert not (tmp_path / "b.zip").exists()


def test_the_same_run_gives_the_same_zip(run, tmp_path):
    first, second = tmp_path / "a.zip", tmp_path / "b.zip"
    names = write_bundle(run, first)
    write_bundle(run, second)
    assert not [name for name in names if name.startswith("data/")]
    with zipfile.ZipFile(first) as a, zipfile.ZipFile(second) as b:
        for name in names:
            if name != "MANIFEST.json" and not name.endswith(".docx"):
                assert a.read(name) == b.read(name)


def test_rerun_of_a_bundle_says_that_the_numbers_are_the_same(nme, packed, tiny_study, tmp_path):
    said = nme(
        *("rerun", packed, tiny_study / "long.csv", "--covariates", tiny_study / "covariates.csv"),
        *("--out", tmp_path / "again", "--quiet"),
    )
    assert (said.code, said.err) == (0, "")
    first, *lines = said.out.splitlines()
    assert first.startswith("The numbers are the same: ")
    assert {line.partition(":")[0] for line in lines} >= {
        "metrics", "predictions", "random_effects", "hsic", "effects",
    }  # fmt: skip
    assert all(": the same (" in line for line in lines)


@pytest.fixture
def copy(run, tmp_path):
    return RunFolder(shutil.copytree(run.path, tmp_path / "copy"))


def changed(run, copy):
    return {table.table: table for table in compare_runs(run, copy).tables if not table.same}


def test_a_number_that_moved_is_found(run, copy):
    assert compare_runs(run, copy).same
    table = copy.table("fixed_effects")
    size = table["estimate"].abs().max()
    table.loc[0, "estimate"] += 5e-7 * size
    copy.write_table("fixed_effects", table)
    assert changed(run, copy) == {}
    assert set(changed_with(run, copy, 1e-8)) == {"fixed_effects"}
    table.loc[0, "estimate"] += 2e-3 * size
    copy.write_table("fixed_effects", table)
    (found,) = changed(run, copy).values()
    assert (found.table, found.column) == ("fixed_effects", "estimate")
    assert found.largest == pytest.approx(2e-3, rel=0.01)
    assert "estimate differs by up to 0.002 of its largest value" in found.message


def changed_with(run, copy, tolerance):
    return {
        table.table
        for table in compare_runs(run, copy, tolerance=tolerance).tables
        if not table.same
    }


def test_seconds_do_not_count_but_rows_words_and_gaps_do(run, copy):
    history = copy.table("history")
    copy.write_table("history", history.assign(seconds=history["seconds"] + 9))
    assert changed(run, copy) == {}
    copy.write_table("history", history.iloc[:-1])
    metrics = copy.table("metrics")
    copy.write_table("metrics", metrics.assign(model=metrics["model"].replace("nme", "name")))
    effects = copy.table("effects")
    effects.loc[0, "p"] = float("nan")
    copy.write_table("effects", effects)
    (copy.path / "manifest.json").unlink()  # as a run of an earlier version
    (copy.path / "covariance.csv").unlink()
    found = changed(run, copy)
    assert set(found) == {"history", "metrics", "effects", "covariance"}
    assert "rows became" in found["history"].message
    assert "column model holds other words" in found["metrics"].message
    assert "only the first run has it" in found["covariance"].message


def test_what_else_changed_is_said(run, copy):
    copy.write_json(
        "config", {**copy.config, "seed": 9, "versions": {**copy.config["versions"], "torch": "1"}}
    )
    data = copy.data
    data["inputs"][0]["sha256"] = "f" * 64
    copy.write_json("data", {**data, "n_rows": 1})
    text = "\n".join(compare_runs(run, copy).changed)
    assert "The long table is another: SHA-256" in text
    assert "ffffffffffff…" in text
    assert f"n_rows: {run.data['n_rows']} became 1." in text
    assert "Version of torch:" in text
    assert "seed: 0 became 9." in text


def test_options_and_roles_are_those_of_the_run(run, tiny_study):
    options = fit_options(run.config)
    assert options.tune == 0
    assert (options.model, options.epochs, options.baselines) == ("nme-mlp", 3, ("generic",))
    study = read_study(run, tiny_study / "long.csv", tiny_study / "covariates.csv")
    assert study.feature_names == ("sleep", "stress")
    assert study.n_persons == run.data["n_persons"]
    assert study.X["stress"].isna().sum() == 2
    recipe = run.read_json("recipe")
    run.write_json("recipe", {**recipe, "missing": "drop"})
    dropped = read_study(run, tiny_study / "long.csv", tiny_study / "covariates.csv")
    assert len(dropped.X) == len(study.X) - 2
    run.write_json("recipe", recipe)
    with pytest.raises(OptionError, match=r"covariates\.csv"):
        read_study(run, tiny_study / "long.csv")


# A zip from anybody


def rezip(source, out, change):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        members = {name: old.read(name) for name in old.namelist()}
        for name, content in change(members).items():
            new.writestr(name, content)
    return out


def test_nothing_is_written_elsewhere(packed, tmp_path):
    bad = {"../evil.txt": b"x", "/evil.txt": b"x", "run/../../evil.txt": b"x", "run/evil.py": b"x"}
    zipped = rezip(packed, tmp_path / "bad.zip", lambda members: members | bad)
    (tmp_path / "deep").mkdir()
    folder = open_bundle(zipped, tmp_path / "deep" / "run")
    assert folder.config["model"] == "nme-mlp"
    assert not [path for path in tmp_path.rglob("*") if "evil" in path.name]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m | {"run/metrics.csv": b"other"}, "is not what was packed"),
        (lambda m: {k: v for k, v in m.items() if k != "run/config.json"}, "holds no run"),
        (lambda m: {k: v for k, v in m.items() if k != "MANIFEST.json"}, "cannot be read"),
        (lambda m: m | {"MANIFEST.json": b"[1]"}, "cannot be read"),
    ],
)
def test_what_is_no_bundle_is_refused(packed, tmp_path, change, message):
    with pytest.raises(RunFolderError, match=message):
        open_bundle(rezip(packed, tmp_path / "bad.zip", change), tmp_path / "run")


def test_size_and_number_are_bounded(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "LARGEST", 1000)
    with pytest.raises(RunFolderError, match="more than a run folder may"):
        open_bundle(packed, tmp_path / "run")
    monkeypatch.setattr(bundle, "MOST_MEMBERS", 3)
    with pytest.raises(RunFolderError, match="more than 3 members"):
        open_bundle(packed, tmp_path / "run")


def test_no_zip_is_said(nme, tiny_study, tmp_path):
    (tmp_path / "b.zip").write_bytes(b"not a zip")
    for path in (tmp_path / "b.zip", tmp_path / "nothing"):
        said = nme("rerun", path, tiny_study / "long.csv", "--out", tmp_path / "again")
        assert said.code == 2
        assert said.err.startswith("nme: ")


# Script and notebook


def test_the_script_runs_as_it_is_and_gives_the_same_numbers(
    run, tiny_study, tmp_path, monkeypatch, capsys
):
    (tmp_path / "analysis.py").write_text(script(run), encoding="utf-8")
    for name in ("long.csv", "covariates.csv"):
        shutil.copy(tiny_study / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["analysis.py"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the test warns of noise: three epochs are few
        runpy.run_path("analysis.py", run_name="__main__")
    assert "12 people" in capsys.readouterr().out
    again = RunFolder(tmp_path / "run")
    for name in ("metrics", "comparison", "random_effects", "hsic", "effects"):
        pd.testing.assert_frame_equal(run.table(name), again.table(name))


def test_the_notebook_has_the_cells_of_the_script(run):
    content = json.loads(notebook(run))
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 5)
    identities = [cell["id"] for cell in content["cells"]]
    assert len(identities) == len(set(identities))
    code = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    assert len(code) == 6
    assert all(part in script(run) for part in code)


def test_rerun_ends_with_1_where_the_numbers_differ(nme, run, tiny_study, tmp_path, monkeypatch):
    from nme_core.runs import rerun

    differs = rerun.TableDifference("metrics", False, 1e-6, "value", 1.0, "metrics: value differs")
    monkeypatch.setattr(rerun, "rerun", lambda *_, **__: rerun.Repetition((differs,), ()))
    said = nme("rerun", run.path, tiny_study / "long.csv", "--out", tmp_path / "again", "--quiet")
    assert said.code == 1
    assert said.out.startswith("The numbers are not the same in 1 of 1 tables")
