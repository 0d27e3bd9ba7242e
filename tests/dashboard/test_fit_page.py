"""The page Fit: every section, with each kind of run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import fit, jobs, results, settings
from dashboard.services.figures import figure
from nme_core.io import RunFolder
from nme_core.metrics.skill import COLUMNS
from tests.dashboard.conftest import STATES

OpenPage = Callable[..., AppTest]


def words(app: AppTest) -> str:
    shown = [*app.markdown, *app.caption, *app.header, *app.info, *app.error]
    return "\n".join(str(element.value) for element in shown).replace("\\", "").replace("\xa0", " ")


def record(run: str, notes: list[dict[str, str]]) -> None:
    folder = results.run_folder(run)
    folder.write_json("config", {**folder.config, "approximate": notes})


def section(open_page: OpenPage, run: str, name: str) -> AppTest:
    """The page at one of its sections; nothing went wrong."""
    return turn(open_page("fit", run=run), name)


def turn(app: AppTest, name: str) -> AppTest:
    """The open page at another section; nothing went wrong."""
    app.segmented_control(key="fit_section").set_value(name).run()
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def charts(app: AppTest) -> int:
    return len(app.get("plotly_chart"))


def full(run: str) -> RunFolder:
    """Give a run the tables of checks, calibration, summary, and metrics by person."""
    folder = results.run_folder(run)
    number = fit.is_number(run)
    folder.write_table("checks", _checks(number=number))
    folder.write_table("calibration", _calibration(number=number))
    names = folder.table("random_effects")["parameter"].unique()
    quantities = {"variance": 1.0, "sd": 1.0, "shrinkage": 0.4, "mean_reliability": 0.6}
    rows = [("pid", name, what, value) for name in names for what, value in quantities.items()]
    rows += [("pid", "", "n_groups", 24.0), *([("pid", "", "icc", 0.31)] if number else [])]
    columns = ["group", "parameter", "quantity", "value"]
    folder.write_table("summary", pd.DataFrame(rows, columns=columns))
    metrics = folder.table("metrics")
    own = metrics.merge(pd.DataFrame({"who": fit.persons(run)}), how="cross")
    own = own.assign(scope="person", person=own["who"], n=4).drop(columns="who")
    folder.write_table("metrics", pd.concat([metrics, own]))
    return folder


def _checks(*, number: bool) -> pd.DataFrame:
    if number:
        names = [("distribution", f"quantile {q}") for q in ("0.05", "0.25", "0.5", "0.75", "0.95")]
        names += [("distribution", name) for name in ("mean", "sd", "skewness")]
        names += [("persons", "sd of means"), ("persons", "mean of sds")]
        names += [("autocorrelation", "lag 1")]
    else:
        names = [(check, state) for check in ("share", "dwell") for state in STATES]
        names += [("persons", f"sd of share of {state}") for state in STATES]
        names += [("transition", f"transitions[{a},{b}]") for a in STATES for b in STATES]
    table = pd.DataFrame(names, columns=["check", "statistic"])
    table = table.assign(person="", observed=0.4, simulated_mean=0.3)
    table = table.assign(simulated_low=0.1, simulated_high=0.5)
    table.loc[0, "observed"] = 0.9
    own = table.head(4).assign(check="person", statistic="mean", person=["1", "2", "3", "4"])
    own["observed"] = [0.9, 0.3, 0.7, 0.3]
    return pd.concat([table, own], ignore_index=True)


def _calibration(*, number: bool) -> pd.DataFrame:
    share = np.linspace(0.1, 0.9, 4)
    rows = pd.DataFrame({"expected": share, "observed": share, "low": share, "high": share + 0.1})
    rows = rows.assign(ci_low=share - 0.05, ci_high=share + 0.05, n=96, split="test")
    kinds = [("interval", ""), ("pit", "")] if number else [("probability", s) for s in STATES]
    return pd.concat(
        rows.assign(model=model, kind=kind, **{"class": label})
        for model in ("nme", "generic") for kind, label in kinds
    )  # fmt: skip


@pytest.fixture
def classifier_run(state_study: str, crf_run: str) -> str:
    """A finished NME-MLP run whose outcome is a state."""
    folder = results.run_folder(crf_run)
    (folder.path / "transitions.csv").unlink()
    content = folder.read_json("run")
    content["options"]["model"] = "nme-mlp"
    folder.write_json("run", content)
    folder.write_json("config", {**folder.config, "model": "nme-mlp", "placement": "last"})
    return crf_run


RUNS = ("crf_run", "classifier_run", "mlp_run")


@pytest.mark.parametrize("run", RUNS)
def test_every_section_of_a_run_with_all_tables(
    open_page: OpenPage, request: pytest.FixtureRequest, run: str
) -> None:
    identity = request.getfixturevalue(run)
    full(identity)
    number = run == "mlp_run"
    app = open_page("fit", run=identity)
    assert charts(app) == 1
    together, apart = (one.value for one in app.table)
    assert "[" not in "".join(together.iloc[:, 0])
    assert together.index[1] == "generic (one for all)"
    assert apart.index.tolist() == ["NME (person-specific)", "generic (one for all) minus NME"]
    assert apart.iloc[0, 0] == "0.700 [0.700, 0.700]"
    assert apart.iloc[1, 0] == "+0.100 [0.040, 0.160]"
    assert list(together.columns) == list(apart.columns)
    assert "can differ, even in sign" in words(app)
    app = turn(app, "persons")
    assert charts(app) == 2
    app.selectbox(key="person").select("011").run()
    assert "of person 011, held back for this" in words(app)
    app = turn(app, "errors")
    assert charts(app) == 2
    before = words(app)
    assert ("Observed minus predicted" if number else "are predicted right") in before
    app.selectbox(key=f"fit_model_{identity}").set_value("generic").run()
    assert not app.exception
    assert words(app) != before
    app = turn(app, "checks")
    assert charts(app) == (3 if number else 4)
    assert f"1 of {11 if number else 9} observed values" in words(app)
    assert f"({'5 % quantile' if number else f'share of {STATES[0]}'}); by chance" in words(app)
    assert "2 of 4 in the mean; about 5 % would by chance" in words(app)
    assert "Furthest outside is person 1 (mean: observed 0.900, simulated" in words(app)
    assert ("prediction intervals hold" if number else "groups of held-back") in words(app)
    app = turn(app, "training")
    assert "0.40 in the median of" in words(app)
    assert ("intraclass correlation is 0.31" in words(app)) is number
    assert ("Certificate" in words(app)) is number


def test_every_section_of_an_older_run_and_its_intervals(open_page: OpenPage, mlp_run: str) -> None:
    app = open_page("fit", run=mlp_run)
    for name in ("models", "errors", "checks", "training"):
        shown = words(turn(app, name))
        assert ("no simulated data to compare with" in shown) is (name == "checks")
        assert ("no calibration table" in shown) is (name == "checks")
        assert ("does not record" in shown) is (name == "training")
    tables = ("fixed_effects", "random_effects")
    record(mlp_run, [{"table": table, "reason": "Few people."} for table in tables])
    shown = words(app.run())
    assert shown.count("Few people.") == 1
    assert "Concerns the fixed effects, people's parameters." in shown
    record(mlp_run, [])
    assert "the true value in 92 to 97%" in words(app.run())


def test_a_run_without_baselines(open_page: OpenPage, mlp_run: str) -> None:
    folder = full(mlp_run)
    for table in ("metrics", "predictions", "calibration"):
        rows = folder.table(table)
        folder.write_table(table, rows[rows["model"] == "nme"])
    folder.write_table("comparison", folder.table("comparison").iloc[:0])
    app = open_page("fit", run=mlp_run)
    assert not charts(app)
    assert app.table[1].value.index.tolist() == ["NME (person-specific)"]
    for name in ("errors", "checks"):
        turn(app, name)
        assert f"fit_model_{mlp_run}" not in {one.key for one in app.selectbox}


def test_the_certificate_of_a_linear_run_stands_side_by_side(
    open_page: OpenPage, mlp_run: str
) -> None:
    rows = [("fixed effect", "sleep", "", "", 0.5, 0.5, 1e-6, True),
            ("random effect", "intercept", "", "007", 0.1, 0.2, 0.3, False)]  # fmt: skip
    columns = ["quantity", "parameter", "parameter_2", "person", "ours", "mixedlm"]
    columns += ["relative_difference", "agrees"]
    folder = results.run_folder(mlp_run)
    folder.write_table("certificate", pd.DataFrame(rows, columns=columns))
    app = section(open_page, mlp_run, "training")
    assert "do not agree everywhere" in words(app)
    table = app.dataframe[0].value
    assert table["what"].tolist()[1].startswith("random effect intercept, person 007")
    assert table["agrees"].tolist() == ["yes", "no"]
    assert "Of this run's own model" in words(app)
    folder.write_table("certificate", pd.DataFrame(rows[:1], columns=columns))
    assert "All 1 numbers" in words(app.run())


def test_a_certificate_is_asked_for_as_a_job(
    open_page: OpenPage, mlp_run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}
    monkeypatch.setattr(
        jobs, "start", lambda run, kind, **request: asked.update(request, kind=kind)
    )
    app = section(open_page, mlp_run, "training")
    app.button(key="run_certificate").click().run()
    assert not app.exception
    assert asked["kind"] == "certificate"
    assert Path(asked["long"]).is_file()


BOUNDARY = {
    "model": "nme", "kind": "BoundaryWarning",
    "message": "The variance between people of layers.0.weight[0,0] cannot be told from 0.",
}  # fmt: skip
STOPPED = {"model": "nme (all rows)", "kind": "ConvergenceWarning", "message": "It stopped early."}


def warn(run: str, *notes: dict[str, str]) -> None:
    folder = results.run_folder(run)
    folder.write_json("config", {**folder.config, "warnings": list(notes)})


@pytest.mark.parametrize(
    ("notes", "models"),
    [
        ((), []),
        ((BOUNDARY, STOPPED), ["NME (person-specific)", "NME on all rows"]),
        ((BOUNDARY, {**BOUNDARY, "model": "generic"}),
         ["NME (person-specific) and generic (one for all)"]),
    ],
)  # fmt: skip
def test_a_researcher_has_all_warnings_in_one_list_open_where_one_is_serious(
    open_page: OpenPage, mlp_run: str, notes: tuple[dict[str, str], ...], models: list[str]
) -> None:
    warn(mlp_run, *notes)
    app = open_page("fit", run=mlp_run)
    found = [one for one in app.expander if one.label.startswith("Warnings of training")]
    assert len(found) == bool(notes)
    assert not app.warning
    for expander in found:
        assert expander.label == f"Warnings of training ({len(models)})"
        assert expander.proto.expanded is (STOPPED in notes)
        texts = [str(one.value).replace("\\", "") for one in expander.markdown]
        assert "sleep on unit 1 cannot be told from 0" in texts[0]
        assert [text.split("**")[1] for text in texts] == models


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ((BOUNDARY, BOUNDARY), "no differences between people could be told from chance"),
        ((BOUNDARY, STOPPED), "ended before the model had settled"),
        (({**STOPPED, "model": "generic"},), "should be read before the results are used"),
        (({"model": "nme", "message": "Of an older run."},), "should be read before the results"),
        (({**BOUNDARY, "model": "unregularised"},), ""),
    ],
)
def test_a_clinician_has_one_plain_sentence_of_the_warnings(
    open_page: OpenPage, mlp_run: str, notes: tuple[dict[str, str], ...], said: str
) -> None:
    settings.set_view("clinician")
    quiet = open_page("fit", run=mlp_run)
    before = len(quiet.caption) + len(quiet.warning)
    warn(mlp_run, *notes)
    app = open_page("fit", run=mlp_run)
    shown = "\n".join(str(one.value) for one in [*app.caption, *app.warning])
    assert said in shown
    assert "layer" not in shown
    assert len(app.caption) + len(app.warning) == before + bool(said)


@pytest.mark.parametrize("run", RUNS)
def test_a_clinician_sees_one_person_and_the_numbers_folded_away(
    open_page: OpenPage, request: pytest.FixtureRequest, run: str
) -> None:
    identity = request.getfixturevalue(run)
    full(identity)
    settings.set_view("clinician")
    app = open_page("fit", run=identity)
    assert not app.exception
    assert charts(app) == 1
    assert "fit_section" not in {getattr(widget, "key", None) for widget in app.main}
    app.selectbox(key="person").select("011").run()
    near = "is off by" if run == "mlp_run" else "is right in"
    assert f"occasions of person 011, held back for this, the person's own prediction {near}" in (
        words(app)
    )
    (numbers,) = [one for one in app.expander if one.label == "The numbers behind this"]
    assert not numbers.proto.expanded
    assert numbers.dataframe[0].value["model"].tolist() == [
        "each person with parameters of their own", "one model for everybody",
    ]  # fmt: skip
    assert "changes by +0.100, averaged over 24 people (95 % interval [0.040, 0.160]" in words(app)
    assert "NME" not in str(numbers.markdown[0].value)
    behind = " ".join(str(one.value) for one in (*numbers.markdown, *numbers.caption))
    assert ("surprised" in behind) is (run != "mlp_run")
    assert "held-out segment" not in behind


def test_where_nothing_was_held_back_no_line_is_spoken_of(
    open_page: OpenPage, mlp_run: str
) -> None:
    folder = full(mlp_run)
    rows = folder.table("predictions")
    early = rows["person"].isin(["002"]) | (rows["time"] < 18)
    folder.write_table("predictions", rows.assign(split=np.where(early, "train", "test")))
    app = section(open_page, mlp_run, "persons")
    app.selectbox(key="person").select("002").run()
    assert "All of these occasions were fitted, so this is no test" in words(app)
    assert "Where there is a dotted line, nothing right of it was fitted" in words(app)
    app.selectbox(key="person").select("011").run()
    assert "Right of the dotted line nothing was fitted." in words(app)


def test_dates_are_days_since_the_persons_first(mlp_run: str) -> None:
    own = figure(mlp_run, "fits", person="002").arguments
    assert own["time"] == "day"
    assert own["rows"]["002"]["time"].tolist() == [16, 17, 18, 19]
    folder = results.run_folder(mlp_run)
    rows = folder.table("predictions")
    dates = pd.Timestamp("2024-02-27") + pd.to_timedelta(rows["time"] * 12, unit="h")
    folder.write_table("predictions", rows.assign(time=dates.astype(str)))
    folder.write_status(folder.status)
    own = figure(mlp_run, "fits", person="002").arguments
    assert own["time"] == "days since the person's first"
    assert own["rows"]["002"]["time"].tolist() == [0, 0.5, 1, 1.5]


def test_a_simple_rule_that_predicts_better_comes_first_for_clinicians_and_on_runs(
    open_page: OpenPage, mlp_run: str, home: Path
) -> None:
    row = ("nme", "last", "mse", "pooled", np.nan, -0.5, -0.8, -0.2, 24)
    RunFolder(home / "runs" / mlp_run).write_table("skill", pd.DataFrame([row], columns=COLUMNS))
    settings.set_view("clinician")
    app = open_page("fit", run=mlp_run)
    assert "**Over all people a simple rule, the last value, predicts better" in words(app)
    shown = [element.value for element in open_page("runs").markdown]
    assert "A simple rule predicts as well or better" in shown
