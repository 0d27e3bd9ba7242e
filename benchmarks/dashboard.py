"""How long each page of the dashboard takes after a click, on studies of 200 and 2,000 persons.

The pages are run by Streamlit's own test harness in this process: the time is that of the page's
script with all its tables and figures, without the browser's drawing. Reported is the time of the
processor, as a busy computer does not change it much; the time that passed is the remark.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.home import at_home, kept_study, until_done
from benchmarks.table import Row
from nme_core.vocabulary.settings import FitSettings

_APP = Path(__file__).resolve().parents[1] / "dashboard" / "app.py"
#: Persons, occasions of each, and the longest time that a page may take.
SIZES = ((200, 40, 2.0), (2000, 20, 4.0))
#: Page: key of the choice between its sections.
_SECTIONS = {
    "fit": "fit_section",
    "transitions": "section",
    "random-effects": "effect_section",
}


def run(*, small: bool = False) -> list[Row]:
    """Measure."""
    sizes = ((20, 12, 2.0),) if small else SIZES
    models = ("nme-mlp",) if small else ("nme-crf", "nme-mlp")
    rows = []
    with tempfile.TemporaryDirectory(prefix="nme-pages-") as folder, at_home(Path(folder)):
        trained = [
            (model, persons, most, trained(model, persons, occasions))
            for persons, occasions, most in sizes
            for model in models
        ]
        list(times(trained[0][3]))  # what is imported once per server is not a page's time
        for model, persons, most, run_id in trained:
            for page, cpu, wall in times(run_id):
                what = f"page {page}, {model}, {persons:,} people"
                rows.append(
                    Row(what, f"≤ {most:g} s", f"{cpu:.2f} s", cpu <= most, f"{wall:.2f} s passed")
                )
    return rows


def trained(model: str, persons: int, occasions: int) -> str:
    """A run of a few epochs on simulated persons; its id."""
    from dashboard.services import covariates, runs
    from nme_core.simulate import simulate_dyads, simulate_mood

    if model == "nme-crf":
        sample = simulate_dyads(n_persons=persons, n_steps=occasions)
    else:
        sample = simulate_mood(n_persons=persons, n_steps=occasions)
    record = kept_study(sample, sample.long)
    placement = "last+transitions" if model == "nme-crf" else "last"
    options = FitSettings(model, placement, baselines=("generic",), epochs=3)
    identity = runs.start(record, options)
    until_done(lambda: runs.run_record(identity), model, patience_s=1800)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        covariates.run_tests(identity, "depression")
    return identity


def times(identity: str) -> Iterator[tuple[str, float, float]]:
    """Every page and section of a run: processor's and passed seconds after the click."""
    from streamlit.testing.v1 import AppTest

    from dashboard.words.pages import PAGES

    app = AppTest.from_file(_APP, default_timeout=600)
    app.query_params["run"] = identity
    app.run()
    for page in PAGES:
        yield page, *_timed(lambda page=page: app.switch_page(f"pages/{page}.py").run())
        _check(app)
        if page in _SECTIONS and app.get("button_group"):
            choice = app.segmented_control(key=_SECTIONS[page])
            for section in choice.options[1:]:
                chosen = app.segmented_control(key=_SECTIONS[page]).set_value(section)
                yield f"{page}: {section}", *_timed(chosen.run)
                _check(app)


def _timed(action: Any) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), _cpu()
    action()
    return _cpu() - cpu, time.perf_counter() - wall


def _cpu() -> float:
    return time.process_time()  # os.times counts in hundredths: a quick page would take none


def _check(app: Any) -> None:
    if app.exception or app.error:
        raise RuntimeError(f"A page failed: {app.exception or app.error}")
