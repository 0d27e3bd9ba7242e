"""New rows for a run: the same kinds of file as for the fit, read as the run's file was."""

import json

import numpy as np
import pandas as pd
import pytest

from nme_core.io import RunFolder
from nme_core.study import Remedy
from nme_core.study.clean.remedy_files import as_json

N_PERSONS, OCCASIONS = 8, range(1, 8)


@pytest.fixture(scope="module")
def wide():
    """One row per person: sleep_1 … sleep_7, mood_1 … mood_7; some moods are -99."""
    rng = np.random.default_rng(0)
    columns = {"id": [f"p{k}" for k in range(N_PERSONS)]}
    for n in OCCASIONS:
        columns[f"sleep_{n}"] = rng.normal(7, 1, N_PERSONS).round(2)
    for n in OCCASIONS:
        columns[f"mood_{n}"] = (columns[f"sleep_{n}"] / 2 + rng.normal(0, 0.5, N_PERSONS)).round(2)
    columns["mood_7"][0] = -99.0
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def wide_run(nme, wide, tmp_path_factory):
    """A run that was fitted on the wide table, by remedies."""
    folder = tmp_path_factory.mktemp("wide")
    wide.to_csv(folder / "wide.csv", index=False, sep=";", decimal=",", encoding="utf-16")
    remedies = [
        Remedy("wide_to_long", tuple(name for name in wide if name != "id")),
        Remedy("set_missing", ("mood",), ("-99",)),
    ]
    text = f"[{','.join(map(as_json, remedies))}]"
    (folder / "remedies.json").write_text(text, encoding="utf-8")
    said = nme(
        *("fit", folder / "wide.csv", "--person", "id", "--time", "occasion", "--outcome", "mood"),
        *("--encoding", "utf-16", "--decimal", ",", "--remedy", folder / "remedies.json"),
        *("--model", "nme-mlp", "--hidden", "", "--baselines", "none", "--epochs", 20, "--quiet"),
        *("--out", folder / "run"),
    )
    assert said == (0, "", "")
    return folder / "run"


def test_the_run_records_what_was_said_about_its_file(wide_run):
    how = RunFolder(wide_run).data["how_read"]
    assert how["given"] == ["encoding", "decimal"]
    assert (how["encoding"], how["decimal"], how["delimiter"]) == ("utf-16", ",", ";")


def test_wide_rows_are_predicted_as_long_ones_are(nme, wide, wide_run, tmp_path):
    new = wide[["id", *(f"sleep_{n}" for n in range(2, 6))]]  # fewer occasions, no outcome
    new.to_csv(tmp_path / "wide.csv", index=False, sep=";", decimal=",", encoding="utf-16")
    assert nme("predict", wide_run, tmp_path / "wide.csv", "--out", tmp_path / "a.csv").code == 0
    long = pd.wide_to_long(new, "sleep", i="id", j="occasion", sep="_").reset_index()
    long = long.sort_values(["id", "occasion"])
    long.to_csv(tmp_path / "long.csv", index=False, sep=";", decimal=",", encoding="utf-16")
    assert nme("predict", wide_run, tmp_path / "long.csv", "--out", tmp_path / "b.csv").code == 0
    first, second = pd.read_csv(tmp_path / "a.csv"), pd.read_csv(tmp_path / "b.csv")
    assert len(first) == N_PERSONS * 4
    pd.testing.assert_frame_equal(first, second)
    assert first["predicted"].notna().all()


@pytest.mark.parametrize("form", ["xlsx", "sav", "parquet"])
def test_every_format_gives_the_same_predictions(nme, wide, wide_run, tmp_path, form):
    write_sav = pytest.importorskip("pyreadstat").write_sav
    write = {
        "xlsx": lambda path: wide.to_excel(path, index=False),
        "sav": lambda path: write_sav(wide, str(path)),
        "parquet": lambda path: wide.to_parquet(path, index=False),
    }
    write[form](tmp_path / f"new.{form}")
    wide.to_csv(tmp_path / "new.csv", index=False, sep=";", decimal=",", encoding="utf-16")
    for file, out in ((f"new.{form}", "a.csv"), ("new.csv", "b.csv")):
        assert nme("predict", wide_run, tmp_path / file, "--out", tmp_path / out).code == 0
    pd.testing.assert_frame_equal(*(pd.read_csv(tmp_path / name) for name in ("a.csv", "b.csv")))


def test_what_is_said_about_a_new_file_goes_before_what_the_run_recorded(
    nme, wide, wide_run, tmp_path
):
    wide.to_csv(tmp_path / "new.csv", index=False)
    said = nme("predict", wide_run, tmp_path / "new.csv", "--out", tmp_path / "out.csv")
    assert said.code == 2
    assert "not a text file in UTF-16" in said.err
    said = nme(
        *("predict", wide_run, tmp_path / "new.csv", "--out", tmp_path / "out.csv"),
        *("--encoding", "utf-8", "--decimal", "."),
    )
    assert said.code == 0


def test_new_persons_of_a_wide_file_are_adapted_to_and_its_codes_are_missing(
    nme, wide, wide_run, tmp_path
):
    new = wide.assign(id=[f"q{k}" for k in range(N_PERSONS)])
    new.to_excel(tmp_path / "new.xlsx", index=False)
    assert nme("adapt", wide_run, tmp_path / "new.xlsx", "--out", tmp_path / "out").code == 0
    effects = RunFolder(tmp_path / "out").table("random_effects")
    counts = effects.drop_duplicates("person").set_index("person")["n_obs"]
    assert list(counts) == [6, *[7] * (N_PERSONS - 1)]  # the -99 of the first is missing


def test_wide_rows_for_a_run_of_long_ones_are_refused_with_what_to_do(nme, fit_tiny, tmp_path):
    columns = {f"{name}_{n}": [1.0, 2.0] for name in ("sleep", "stress") for n in OCCASIONS}
    pd.DataFrame({"id": ["a", "b"], **columns}).to_csv(tmp_path / "wide.csv", index=False)
    said = nme("predict", fit_tiny("nme-mlp"), tmp_path / "wide.csv", "--out", tmp_path / "out.csv")
    assert said.code == 2
    assert "The table is wide" in said.err
    assert "Give the new rows in the same form." in said.err


def test_undecided_dates_are_mended_in_new_rows_as_in_the_runs(nme, tmp_path):
    rng = np.random.default_rng(1)
    days = pd.date_range("2024-03-01", periods=8)
    frame = pd.DataFrame(
        {
            "id": np.repeat([f"p{k}" for k in range(5)], 8),
            "day": [f"{day.day}/{day.month}/{day.year}" for day in days] * 5,
            "sleep": rng.normal(7, 1, 40).round(2),
            "mood": rng.normal(5, 1, 40).round(2),
        }
    )
    frame.to_csv(tmp_path / "long.csv", index=False)
    roles = ("--person", "id", "--time", "day", "--outcome", "mood")
    said = nme("check", tmp_path / "long.csv", *roles)
    assert said.code == 2
    fixes = [line.strip() for line in said.out.splitlines() if "read_dates" in line]
    assert [json.loads(fix)["to"] for fix in fixes] == ["dmy", "mdy"]
    (tmp_path / "remedies.json").write_text(f"[{fixes[0]}]", encoding="utf-8")
    said = nme(
        *("fit", tmp_path / "long.csv", *roles, "--remedy", tmp_path / "remedies.json"),
        *("--model", "nme-mlp", "--hidden", "", "--baselines", "none", "--epochs", 5, "--quiet"),
        *("--out", tmp_path / "run"),
    )
    assert said == (0, "", "")
    said = nme("predict", tmp_path / "run", tmp_path / "long.csv", "--out", tmp_path / "out.csv")
    assert said.code == 0
    assert list(pd.read_csv(tmp_path / "out.csv")["time"][:2]) == ["2024-03-01", "2024-03-02"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--encoding", "klingon"), "No encoding is called 'klingon'"),
        (("--delimiter", "semi"), "'semi' cannot part the columns"),
        (("--decimal", "x"), "'x' is no decimal mark"),
        (("--delimiter", ",", "--decimal", ","), "cannot part both"),
    ],
)
def test_what_cannot_be_is_refused(nme, tmp_path, options, message):
    (tmp_path / "long.csv").write_text("id;x;y\na;1,5;2\n", encoding="utf-8")
    said = nme("check", tmp_path / "long.csv", "--person", "id", "--outcome", "y", *options)
    assert said.code == 2
    assert message in said.err


def test_a_wrong_guess_is_corrected(nme, tmp_path):
    rows = "".join(f"p{k // 6};{k % 6};{k % 3},{k % 5}00;{k % 7}\n" for k in range(36))
    text = "id;t;x;größe\n" + rows
    (tmp_path / "long.csv").write_bytes(text.encode("cp437"))
    roles = ("--person", "id", "--time", "t")
    said = nme(
        *("check", tmp_path / "long.csv", *roles, "--outcome", "größe", "--encoding", "cp437"),
        *("--delimiter", "semicolon", "--decimal", ","),
    )
    assert said.code == 0
    assert "CP437, columns separated by semicolon, decimal comma" in said.out
