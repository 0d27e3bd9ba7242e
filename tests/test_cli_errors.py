"""What goes wrong at the shell: exit code 2 and one line that says what, never a stack trace."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nme_core import cli
from nme_core.io import RunFolder

MLP = ("--model", "nme-mlp", "--hidden", "32", "--epochs", "1", "--baselines", "none")


@pytest.fixture
def refused(nme):
    """Run a command that cannot work; returns what it says."""

    def run(*words):
        said = nme(*words)
        assert said.code == 2, said
        assert said.err.startswith("nme: ")
        assert said.err.count("\n") == 1
        assert said.err.endswith("\n")
        assert "Traceback" not in said.err + said.out
        assert "internal error" not in said.err
        assert said.out == ""
        return said.err

    return run


@pytest.fixture
def fit(refused, tiny_study, tmp_path):
    """A fit of the small study that cannot work; a word that is given replaces the usual one."""

    def run(*words, table=tiny_study / "long.csv", **options):
        usual = {"person": "id", "outcome": "mood", "out": tmp_path / "run"} | options
        flags = [word for name, value in usual.items() for word in (f"--{name}", value)]
        return refused("fit", table, *flags, *MLP, *words)

    return run


@pytest.fixture
def trained(fit_tiny):
    """A finished run."""
    return fit_tiny("nme-mlp")


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


#: Two people, of whom one has a second row.
SHORT = "id,day,mood,x\n1,0,3,2\n1,1,4,3\n2,0,5,1\n"


def rows(outcome, n_rows=8):
    """A table of two persons."""
    lines = [f"{p},{d},{outcome(p, d)},{p * d}" for p in (1, 2) for d in range(n_rows)]
    return "id,day,mood,x\n" + "\n".join(lines) + "\n"


def test_a_table_that_cannot_be_read(fit, tmp_path):
    assert "was not found" in fit(table=tmp_path / "none.csv")
    assert "Is a directory" in fit(table=tmp_path)
    assert "is empty" in fit(table=write(tmp_path / "empty.csv", ""))
    assert "no rows" in fit(table=write(tmp_path / "header.csv", "id,mood\n"))
    (tmp_path / "bytes.csv").write_bytes(bytes(range(256)))
    assert "UTF-8" in fit(table=tmp_path / "bytes.csv")


def test_columns_that_are_not_there(fit, tmp_path):
    for options in ({"person": "who"}, {"outcome": "who"}, {"features": "sleep,who"}):
        assert "no column 'who'. Its columns are 'id', 'session'" in fit(**options)
    for words in (("--time", "who"), ("--sequence", "who"), ("--exclude", "who")):
        assert "no column 'who'" in fit(*words)
    assert "was not found" in fit("--covariates", tmp_path / "none.csv")
    other = write(tmp_path / "other.csv", "code,age\n007,3\n")
    assert "covariate table has no column 'id'" in fit("--covariates", other)


def test_data_that_no_model_can_use(fit, tmp_path):
    constant = write(tmp_path / "constant.csv", rows(lambda p, d: 3))
    assert "'mood' is constant" in fit(table=constant)
    short = write(tmp_path / "short.csv", SHORT)
    assert "enough rows" in fit("--features", "x", table=short)
    assert "'note' is not numeric: line 2 holds 'text'" in fit("--features", "note")
    ties = write(tmp_path / "ties.csv", rows(lambda p, d: "ab"[d % 2]).replace(",1,", ",0,", 1))
    said = fit("--time", "day", "--model", "nme-crf", "--features", "x", table=ties)
    assert "An NME-CRF needs the order of a person's rows" in said
    assert "different values" in fit("--model", "nme-crf")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "nme-tree"], "No model is called 'nme-tree'. Choose from nme-mlp, nme-crf."),
        (["--placement", "transitions"], "--placement transitions does not exist"),
        (["--hidden", "x"], "--hidden 'x' is not a list of numbers"),
        (["--hidden", "0"], "at least one unit"),
        (["--epochs", "0"], "Invalid value for '--epochs'"),
        (["--epochs", "many"], "Invalid value for '--epochs'"),
        (["--seed", "-1"], "Invalid value for '--seed'"),
        (["--seed", "1" * 20], "Invalid value for '--seed'"),
        (["--baselines", "gmm"], "No baseline is called 'gmm'"),
        (["--family", "poisson", "--baselines", "lme"], "'lme' is for an NME-MLP whose outcome"),
        (["--estimator", "magic"], "--estimator magic does not exist"),
        (["--covariance", "round"], "--covariance round does not exist"),
        (["--refit", "some"], "--refit some does not exist"),
        (["--device", "abacus"], "--device abacus does not exist"),
        (["--outcome-kind", "colour"], "No kind of outcome is called 'colour'"),
        (["--outcome-kind", "number", "--model", "nme-crf"], "needs states as outcome"),
        (["--colour", "red"], "No such option: --colour"),
        (["--covariates"], "Option '--covariates' requires an argument"),
        (["second.csv"], "unexpected extra argument"),
    ],
)
def test_options_that_do_not_exist(fit, words, message):
    assert message in fit(*words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "No such command 'train'"),
        (["--colour"], "No such option: --colour"),
        (["fit"], "Missing argument 'LONG.csv'"),
        (["fit", "long.csv"], "Missing option '--model'"),
        (["fit", "long.csv", "--model", "nme-mlp", "--out", "r"], "Missing option '--person'"),
        (["hsic", "run"], "Missing option '--covariate'"),
        (["sample", "dogs", "--out", "x"], "No sample study is called 'dogs'. Choose one of dyads"),
        (["dashboard", "--port", "0"], "Invalid value for '--port'"),
    ],
)
def test_usage(refused, words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in refused(*words)
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written(fit, refused, trained, tiny_study, tmp_path):
    file = write(tmp_path / "file", "")
    long = tiny_study / "long.csv"
    for out in (file, file / "run"):
        said = fit(out=out)
        assert f"--out {out}: {file} is a file, not a folder. Name a folder" in said
    assert "would overwrite covariates.csv" in fit(
        "--covariates", tiny_study / "covariates.csv", out=tiny_study
    )
    assert f"{file} is a file" in refused("sample", "mood", "--out", file)
    predict = ("predict", trained, long, "--out")
    assert f"{file} is a file" in refused(*predict, file / "out.csv")
    assert f"--out {tmp_path} is a folder. Name a file" in refused(*predict, tmp_path)
    for own in (long, Path(trained) / "predictions.csv"):
        before = own.read_bytes()
        assert f"would overwrite {own}" in refused(*predict, own)
        assert own.read_bytes() == before


def test_a_refused_fit_leaves_nothing(fit, tmp_path):
    said = fit("--placement", "transitions", out=tmp_path / "new" / "run")
    assert "placement" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_tests_that_cannot_be_made(refused, trained, tmp_path):
    assert f"{tmp_path / 'none'} has no" in refused("hsic", tmp_path / "none", "--covariate", "a")
    for words, message in (
        (["--covariate", "age"], "no column 'age'. Its columns are 'depression', 'clinic'"),
        (["--covariate", "clinic", "--strata", "age"], "no column 'age'"),
        (["--covariate", "clinic", "--strata", "clinic"], "Within strata of 'clinic'"),
        (["--covariate", "clinic", "--adjust", "hope"], "No correction is called 'hope'"),
        (["--covariate", "clinic", "--reps", "9"], "Invalid value for '--reps'"),
        (["--covariate", "clinic", "--seed", "-1"], "Invalid value for '--seed'"),
    ):
        assert message in refused("hsic", trained, *words)
    assert not RunFolder(trained).has_table("hsic")


def test_a_run_without_covariates_cannot_be_tested(refused, nme, tiny_study, tmp_path):
    words = ("fit", tiny_study / "long.csv", "--person", "id", "--outcome", "mood", *MLP)
    words = (*words, "--hidden", "none", "--refit", "none", "--quiet", "--out", tmp_path / "run")
    assert nme(*words).code == 0
    said = refused("hsic", tmp_path / "run", "--covariate", "depression")
    assert "has no covariates. Fit it with --covariates" in said
    given = ("--effect", "1", "--persons", "20", "--rows", "10", "--out", tmp_path / "power")
    said = refused("power", tmp_path / "run", "--covariate", "depression", *given)
    assert "has no covariates. Fit it with --covariates" in said


def test_predictions_that_cannot_be_made(refused, trained, tiny_study, tmp_path):
    out = ("--out", tmp_path / "out.csv")
    long = tiny_study / "long.csv"
    assert "has no data.json" in refused("predict", tmp_path / "none", long, *out)
    assert "was not found" in refused("predict", trained, tmp_path / "none.csv", *out)
    assert "Is a directory" in refused("predict", trained, tmp_path, *out)
    lacking = write(tmp_path / "lacking.csv", "id,session,beep,sleep\n007,1,1,7\n")
    assert "no column 'stress'" in refused("predict", trained, lacking, *out)
    assert not (tmp_path / "out.csv").exists()


def test_a_damaged_run(refused, trained, tiny_study, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for path in Path(trained).iterdir():
        (run / path.name).write_bytes(path.read_bytes())
    predict = ("predict", run, tiny_study / "long.csv", "--out", tmp_path / "out.csv")
    (run / "model.safetensors").write_bytes(b"\0" * 40)
    assert "model.safetensors is cut: 40 of" in refused(*predict)
    write(run / "random_effects.csv", "")
    assert "random_effects.csv is cut: 0 of" in refused("hsic", run, "--covariate", "clinic")
    (run / "manifest.json").unlink()  # as a run of an earlier version
    assert "is not a saved model" in refused(*predict)
    for text, why in (("{", "cannot be read"), ("{}", "no recipe"), ('{"version": 9}', "later")):
        write(run / "recipe.json", text)
        assert "recipe.json" in refused(*predict)
        assert why in refused(*predict)
    (run / "recipe.json").unlink()  # as in runs of earlier versions
    write(run / "data.json", "{")
    assert "data.json" in refused(*predict)
    write(run / "random_effects.csv", "")
    assert "random_effects.csv is damaged" in refused("hsic", run, "--covariate", "clinic")


def test_a_study_that_is_not_usable(nme, tmp_path):
    short = write(tmp_path / "short.csv", SHORT)
    said = nme("check", short, "--person", "id", "--outcome", "mood", "--features", "x")
    assert said.code == 2
    assert "STOP: " in said.out
    assert said.err.startswith("nme: The study is not usable")
    assert said.err.count("\n") == 1


def test_all_problems_of_a_table_are_named_and_what_is_proposed_mends_them(nme, tmp_path):
    text = rows(lambda p, d: p + d, n_rows=6)
    bad = write(tmp_path / "bad.csv", text + "2,9,k.A.,5\n,9,3,5\n")
    roles = ("--person", "id", "--outcome", "mood", "--time", "day")
    said = nme("check", bad, *roles)
    assert said.code == 2
    assert said.err.startswith("nme: ")
    assert said.err.count("\n") == 1
    proposed = [line.strip() for line in said.out.splitlines() if line.startswith("    {")]
    assert len(proposed) == 2
    write(tmp_path / "mend.json", f"[{', '.join(proposed)}]")
    assert nme("check", bad, *roles, "--remedy", tmp_path / "mend.json").code == 0


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_no_arguments_show_the_help(nme, words):
    said = nme(*words)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Usage: nme ")
    for command in ("sample", "check", "fit", "hsic", "predict", "dashboard"):
        assert f"\n  {command} " in said.out


def test_every_option_of_a_fit_is_in_its_help(nme):
    said = nme("fit", "--help")
    assert said.code == 0
    for option in (
        *("covariates", "person", "outcome", "time", "sequence", "features", "exclude", "model"),
        *("outcome-kind", "placement", "covariance", "estimator", "hidden", "baselines"),
        *("epochs", "seed", "device", "refit", "quiet", "out"),
    ):
        assert f"--{option}" in said.out


def test_a_fault_of_the_program_is_one_line_too(nme, monkeypatch):
    monkeypatch.delenv("NME_DEBUG", raising=False)
    monkeypatch.setattr(cli.covariates, "RunFolder", lambda path: 1 / 0)
    said = nme("hsic", "run", "--covariate", "a")
    assert said.code == 1
    assert said.err.startswith("nme: internal error: ZeroDivisionError")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, EOFError])
def test_an_interrupt_ends_with_130(nme, monkeypatch, error):
    def stop(_path):
        raise error

    monkeypatch.setattr(cli.covariates, "RunFolder", stop)
    said = nme("hsic", "run", "--covariate", "a")
    assert said.code == 130
    assert said.err.strip() == "nme: stopped; what was finished is kept."


@pytest.fixture
def small(tmp_path):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": np.repeat(list("abcdef"), 12),
            "day": np.tile(range(12), 6),
            "x": rng.normal(size=72).round(2),
            "n": rng.poisson(3, 72).astype(float),
        }
    )


SMALL = ("--person", "id", "--time", "day", "--features", "x", "--model", "nme-mlp", "--hidden",
         "none", "--baselines", "none", "--refit", "none", "--quiet")  # fmt: skip


def test_an_outcome_that_is_no_count_is_named_by_column_person_and_line(nme, small, tmp_path):
    small.loc[17, "n"] = 2.5
    small.to_csv(tmp_path / "long.csv", index=False)
    done = nme("fit", tmp_path / "long.csv", *SMALL, "--outcome", "n", "--family", "poisson",
               "--out", tmp_path / "run")  # fmt: skip
    assert done.code == 2
    assert "'n' holds no count: 2.5 (person 'b', line 19)" in done.err


@pytest.mark.parametrize("residual", ["auto", "iid"])
def test_an_outcome_that_is_a_copy_of_a_feature_is_refused_in_words(nme, small, tmp_path, residual):
    small.assign(mood=small["x"]).to_csv(tmp_path / "long.csv", index=False)
    done = nme("fit", tmp_path / "long.csv", *SMALL, "--outcome", "mood", "--residual", residual,
               "--out", tmp_path / "run")  # fmt: skip
    assert done.code != 0
    assert "no residual variance" in done.err
    assert "internal error" not in done.err


@pytest.mark.parametrize("steady", [True, False])
def test_an_infinite_value_in_a_column_that_is_not_used_blocks_nothing(
    nme, small, tmp_path, steady
):
    odd = np.where(small["id"] == "a", np.inf, 1.0) if steady else small["x"].mask(
        small.index == 3, np.inf)  # fmt: skip
    small.assign(unused=odd).to_csv(tmp_path / "long.csv", index=False)
    roles = ("--person", "id", "--time", "day", "--outcome", "n")
    done = nme("check", tmp_path / "long.csv", *roles, "--features", "x")
    assert done.code == 0, done
    assert "infinite in some rows: 'unused'" in done.out
