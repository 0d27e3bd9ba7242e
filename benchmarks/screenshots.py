"""Pictures of every page, in both views and both themes; ``python run.py screenshots``.

Trains briefly on the sample studies in a home of its own, then walks through the pages with one
browser. With ``--whole`` a picture is as high as its page instead of 800 pixels.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from benchmarks.browser import (
    ROOT,
    SIZE,
    chromium,
    new_page,
    open_page,
    page_link,
    serve,
    settled,
)
from benchmarks.home import at_home, kept_study, until_done
from nme_core.vocabulary.settings import FitSettings

VIEWS = ("clinician", "researcher")
THEMES = ("light", "dark")
_EPOCHS = 40
_HIGHEST = 6000


@dataclass(frozen=True)
class Shot:
    """A page, and the words that are clicked on it, one picture after each of them."""

    title: str
    clicks: tuple[str, ...] = ()


_FIT = ("People", "Errors", "Model checks", "Training and certainty")
#: What is looked at on a run of a sequence model, and on a run of a network.
SHOTS = {
    "crf": (
        Shot("Study"),
        Shot("Runs"),
        Shot("Model"),
        Shot("Fit", _FIT),
        Shot(
            "Transitions",
            ("All people", "Groups", "Moves and time", "Two people", "Over time"),
        ),
        Shot("Random effects", ("Estimates", "Across parameters", "People")),
        Shot("Covariates"),
        Shot("Research"),
        Shot("New person"),
        Shot("Export", ("Report and bundle", "Words to paste", "Tables")),
        Shot("Gallery"),
    ),
    "mlp": (
        Shot("Model"),
        Shot("Fit", _FIT),
        Shot("Transitions"),
        Shot("Random effects", ("One parameter", "Estimates", "Across parameters", "People")),
        Shot("Covariates"),
        Shot("Research"),
        Shot("New person"),
        Shot("Export"),
    ),
    "empty": (Shot("Study"), Shot("Runs"), Shot("Model"), Shot("Transitions"), Shot("Export")),
}


def prepare(epochs: int = _EPOCHS) -> dict[str, dict[str, str]]:
    """Train on two samples in the home in use, test, adapt; what the address of each run says."""
    from dashboard.services import covariates, newcomers, runs
    from nme_core.simulate import sample_study

    addresses = {}
    for key, sample, model, placement in (
        ("crf", "dyads", "nme-crf", "transitions"), ("mlp", "mood", "nme-mlp", "last"),
    ):  # fmt: skip
        study = sample_study(sample)
        record = kept_study(study, study.long, sample)
        options = FitSettings(model, placement, baselines=("generic",), epochs=epochs)
        addresses[key] = {"run": runs.start(record, options), "study": record.id}
    for key, address in addresses.items():
        run = address["run"]
        until_done(lambda run=run: runs.run_record(run), f"training {key}")
        covariates.run_tests(run, "depression")
        job = address["job"] = newcomers.start(run, _new_rows(key))
        until_done(lambda run=run, job=job: newcomers.status(run, job), f"adapting {key}")
    return addresses


def _new_rows(key: str) -> bytes:
    """A file with the first rows of one person, under another name."""
    sample, person = {"crf": ("dyads", "D001"), "mlp": ("mood", "P001")}[key]
    head, *lines = (ROOT / "sample_data" / sample / "long.csv").read_text("utf-8").splitlines()
    own = [line.replace(person, "New", 1) for line in lines if line.startswith(person)]
    return "\n".join([head, *own[:20]]).encode()


def take(page: Page, file: Path, *, whole: bool) -> None:
    """One picture of the page as it is."""
    if whole:
        height = page.get_by_test_id("stMain").evaluate("e => e.scrollHeight")
        page.set_viewport_size({"width": SIZE["width"], "height": min(height, _HIGHEST)})
        page.wait_for_timeout(400)
    page.screenshot(path=file)
    if whole:
        page.set_viewport_size(SIZE)


def shoot(
    page: Page, address: str, key: str, folder: Path, *, titles: Sequence[str], whole: bool
) -> Iterator[Path]:
    """Pictures of the pages of one run; the address carries the run."""
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=60_000)
    for number, shot in enumerate(SHOTS[key], 1):
        if (titles and shot.title not in titles) or not page_link(page, shot.title).count():
            continue  # this view does not have it
        open_page(page, shot.title)
        name = f"{key}-{number:02d}-{_slug(shot.title)}"
        for i, words in enumerate(("", *shot.clicks)):
            if words:
                choice = page.get_by_test_id("stMain").get_by_text(words, exact=True)
                if not choice.count():
                    continue  # this view does not offer it
                choice.first.click()
                settled(page)
            page.wait_for_timeout(500)  # figures and images that are still being drawn
            file = folder / (f"{name}-{i}-{_slug(words)}.png" if words else f"{name}.png")
            take(page, file, whole=whole)
            yield file


def _slug(text: str) -> str:
    return text.lower().replace(" ", "-")


def make(
    out: Path,
    *,
    titles: Sequence[str] = (),
    views: Sequence[str] = VIEWS,
    themes: Sequence[str] = THEMES,
    keys: Sequence[str] = tuple(SHOTS),
    epochs: int = _EPOCHS,
    whole: bool = False,
) -> list[Path]:
    """Make the pictures; their paths."""
    made = []
    with tempfile.TemporaryDirectory(prefix="nme-screenshots-") as temporary:
        full, bare = Path(temporary) / "full", Path(temporary) / "bare"
        addresses: dict[str, dict[str, str]] = {}
        if set(keys) - {"empty"}:
            with at_home(full):
                addresses = prepare(epochs)
        with chromium() as browser:
            for home, here in ((full, [*addresses]), (bare, ["empty"])):
                wanted = [key for key in here if key in keys]
                if not wanted:
                    continue
                with serve(home) as (server, _):
                    for theme in themes:
                        for view in views:
                            folder = out / theme / view
                            folder.mkdir(parents=True, exist_ok=True)
                            _set_view(home, view)
                            for key in wanted:
                                page = new_page(browser, theme)
                                query = "&".join(
                                    f"{name}={value}"
                                    for name, value in addresses.get(key, {}).items()
                                )
                                made += shoot(
                                    page, f"{server}/model?{query}", key, folder,
                                    titles=titles, whole=whole,
                                )  # fmt: skip
                                page.context.close()
                                print(f"{theme}, {view}, {key}", file=sys.stderr, flush=True)
    return made


def _set_view(home: Path, view: str) -> None:
    from dashboard.services import settings

    with at_home(home):
        settings.set_view(view)


def main(arguments: Sequence[str]) -> int:
    """Read the command line and make the pictures."""
    parser = argparse.ArgumentParser(prog="run.py screenshots", description=__doc__)
    parser.add_argument("titles", nargs="*", help="titles of pages, such as Fit; all by default")
    parser.add_argument("--out", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--view", choices=VIEWS, action="append")
    parser.add_argument("--theme", choices=THEMES, action="append")
    parser.add_argument("--whole", action="store_true", help="whole pages instead of 800 pixels")
    options = parser.parse_args(arguments)
    made = make(
        options.out, titles=options.titles, views=options.view or VIEWS,
        themes=options.theme or THEMES, whole=options.whole,
    )  # fmt: skip
    print(f"{len(made)} pictures in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
