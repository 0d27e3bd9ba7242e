"""The whole way through in a real browser: upload, train, look, test, download; nothing leaves."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, TimeoutError, expect

from benchmarks import screenshots
from benchmarks.browser import SIZE, new_page, open_page, serve, settled
from dashboard.words.pages import PAGES

TRAINING_MS = 180_000
MAKING_MS = 120_000

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The NME_HOME that all walks share."""
    return tmp_path_factory.mktemp("walk") / "nme"


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A fresh dashboard with an empty home: its address and process."""
    with serve(home) as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a session of its own, at 1280 x 800."""
    page = new_page(browser)
    yield page
    page.context.close()


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    """A diary of 20 persons in three states, whose persistence goes with depression."""
    rng = np.random.default_rng(0)
    depression = rng.integers(0, 40, 20)
    rows = []
    for i, score in enumerate(depression):
        state = 0
        for day in range(30):
            stay = 0.3 + 0.015 * score
            if rng.random() > stay:
                state = int((state + rng.integers(1, 3)) % 3)
            sleep, steps = rng.normal(7 - state, 1), rng.normal(5 + state, 1)
            rows.append((f"{i:03d}", day, ("calm", "tense", "low")[state], sleep, steps))
    long = pd.DataFrame(rows, columns=["pid", "day", "feeling", "sleep", "steps"]).round(3)
    long.to_csv(tmp_path / "diary.csv", index=False)
    scores = pd.DataFrame({"pid": [f"{i:03d}" for i in range(20)], "depression": depression})
    scores.to_csv(tmp_path / "scores.csv", index=False)
    return tmp_path / "diary.csv", tmp_path / "scores.csv"


def choose(page: Page, key: str, typed: str) -> None:
    field = page.locator(f".st-key-{key} input").first
    option = page.get_by_role("option").filter(has_text=typed).first
    for last in (False, False, True):  # a page that is run again closes the list
        field.click()
        field.fill(typed)
        try:
            option.click(timeout=30_000 if last else 8_000)
            break
        except TimeoutError:
            if last:
                raise
    settled(page)


def as_researcher(page: Page) -> None:
    """Take the view of researchers."""
    page.locator(".st-key-view").get_by_text("Researcher", exact=True).click()
    settled(page)


def begin_training(page: Page, epochs: int) -> None:
    page.get_by_text("More options").click()
    page.locator(".st-key-epochs input").fill(str(epochs))
    page.locator(".st-key-epochs input").press("Enter")
    settled(page)
    page.locator(".st-key-train button").click()
    expect(page.locator(".st-key-progress")).to_be_visible()
    expect(page.locator(".st-key-cancel button")).to_be_visible()
    assert re.search(r"[?&]run=[0-9a-f-]+", page.url)


def train(page: Page) -> None:
    """Train with few passes; the run is still there after a refresh."""
    begin_training(page, 8)
    page.reload()
    expect(page.get_by_text("Result", exact=True)).to_be_visible(timeout=TRAINING_MS)
    expect(page.locator(".st-key-train button")).to_be_visible()
    settled(page)


def press_fix(page: Page, fix: str) -> None:
    """Press the button of a fix, which goes once the problem does."""
    button = page.get_by_role("button", name=fix)
    button.click()
    expect(button).to_have_count(0)
    settled(page)


def figure(page: Page, nth: int = 0) -> None:
    expect(page.locator(".js-plotly-plot .main-svg").nth(nth)).to_be_visible()


def download(page: Page, kind: str, key: str = "") -> bytes:
    with page.expect_download(timeout=MAKING_MS) as waiting:
        page.locator(f".st-key-{key or f'export_{kind}'} button").click()
    assert waiting.value.suggested_filename.endswith(f".{kind}")
    return Path(waiting.value.path()).read_bytes()


def take_the_report(page: Page, reader: Page) -> None:
    """Press for the report and the bundle; both open, and the report asks nobody for anything."""
    page.get_by_role("tab", name="Report and bundle").click()
    report = download(page, "html", "report_html").decode("utf-8")
    asked: list[str] = []
    reader.context.set_offline(True)
    reader.on("request", lambda request: asked.append(request.url))
    reader.set_content(report)
    expect(reader.get_by_role("heading", level=1)).to_be_visible()
    pictures = reader.locator("svg, img")
    assert pictures.count() > 3
    assert all(pictures.evaluate_all("all => all.map(e => e.getBoundingClientRect().width > 0)"))
    assert not [url for url in asked if not url.startswith("data:")]
    with zipfile.ZipFile(io.BytesIO(download(page, "zip", "bundle_zip"))) as bundle:
        promised = json.loads(bundle.read("MANIFEST.json"))["sha256"]
        found = {name: sha256(bundle.read(name)).hexdigest() for name in promised}
    assert found == promised
    assert {*found} >= {"run/model.safetensors", "report.html", "report.pdf", "analysis.ipynb"}


def test_the_whole_way_through(
    page: Page,
    browser: Browser,
    server: tuple[str, psutil.Process],
    tables: tuple[Path, Path],
) -> None:
    address, process = server
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket_: asked.append(socket_.url))

    # The first thing asked of a fresh server is not its front page.
    page.goto(f"{address}/transitions")
    expect(page.get_by_text("No study yet.")).to_be_visible(timeout=60_000)
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Study")
    assert page.url.endswith("/study")
    # It opens for clinicians; a door leads researchers in.
    expect(page.locator(".st-key-view").get_by_role("radio").first).to_be_checked()
    page.locator(".st-key-own_researcher button").click()
    expect(page.locator(".st-key-view").get_by_role("radio").last).to_be_checked()

    page.locator(".st-key-upload_long input[type=file]").set_input_files(tables[0])
    expect(page.locator(".st-key-role_person")).to_be_visible()
    page.locator(".st-key-upload_covariates input[type=file]").set_input_files(tables[1])
    expect(page.locator(".st-key-role_covariates").get_by_text("depression")).to_be_visible()
    choose(page, "role_outcome", "feeling")
    # Ids become random codes unless that is undone: these ids are kept, to be found again below.
    codes = page.locator(".st-key-privacy_codes")
    expect(codes.get_by_role("checkbox")).to_be_checked()
    codes.locator("label").click()
    expect(codes.get_by_role("checkbox")).not_to_be_checked()
    settled(page)
    name = page.locator(".st-key-study_name input")
    expect(name).to_have_attribute("placeholder", re.compile(r"Study of \d+ \w+, 20 people"))
    name.fill("diary")
    name.press("Enter")
    settled(page)
    page.locator(".st-key-load_study button").click()
    expect(page.get_by_text("Report on diary")).to_be_visible()
    figure(page, 0)

    open_page(page, "Model")
    train(page)

    open_page(page, "Fit")
    expect(page.get_by_text("All test occasions together", exact=True)).to_be_visible()

    open_page(page, "Transitions")
    figure(page)
    choose(page, "person", "007")
    expect(page.get_by_text("Person 007").first).to_be_visible()
    expect(page.get_by_text(re.compile("^Person 007 .* often than the population"))).to_be_visible()
    choose(page, "readout", "observed")
    figure(page)

    open_page(page, "Random effects")
    figure(page)
    expect(page.get_by_text("the model's own SD is")).to_be_visible()

    open_page(page, "Covariates")
    choose(page, "covariate", "depression")
    page.locator(".st-key-run_hsic button").click()
    figure(page, 1)
    page.get_by_text("How to read it").first.click()
    expect(page.get_by_text("HSIC answers whether")).to_be_visible(timeout=60_000)
    page.keyboard.press("Escape")

    open_page(page, "Export")
    expect(page.get_by_test_id("stImage").locator("img")).to_be_visible()
    png = download(page, "png")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    image = Image.open(io.BytesIO(png))
    image.load()
    assert image.info["dpi"] == pytest.approx((300, 300), abs=1)
    assert image.width > 900
    assert len(image.convert("RGB").getcolors(image.width * image.height)) > 20
    assert download(page, "pdf").startswith(b"%PDF-")
    assert b"<svg" in download(page, "svg")[:2000]
    numbers = pd.read_csv(io.BytesIO(download(page, "csv")), dtype={"person": str})
    assert set(numbers["person"]) == {"007"}
    assert len(numbers) == 9
    reader = new_page(browser)
    take_the_report(page, reader)
    reader.context.close()

    open_page(page, "Model")
    page.locator(".st-key-model_kind").get_by_text("NME-MLP", exact=True).click()
    settled(page)
    train(page)
    open_page(page, "Random effects")
    figure(page, 1)
    expect(page.get_by_text("Response curves", exact=True)).to_be_visible()
    open_page(page, "Transitions")
    expect(page.get_by_text("Transitions exist only for sequence models.")).to_be_visible()

    hosts = {re.sub(r"^\w+://([^/:]+).*", r"\1", url) for url in asked if "://" in url}
    assert hosts == {"127.0.0.1"}
    family = [process, *process.children(recursive=True)]
    peers = {c.raddr.ip for one in family for c in one.net_connections("inet") if c.raddr}
    assert peers <= {"127.0.0.1"}


def test_a_messy_file_is_mended_by_clicks(
    page: Page, server: tuple[str, psutil.Process], tmp_path: Path
) -> None:
    address, _ = server
    names = ("Ada Hill", "Ben Ray", "Cem Acar", "Dora Kern", "Jo Lind")
    names = (*names, "<b>Gil</b> Oz", "**Hal** Ito", "$x$ Iv\u202eo")
    rng = np.random.default_rng(0)
    rows = [(n, f"{d:02d}.03.2024", *rng.normal(6, 1, 2).round(1)) for n in names
            for d in range(1, 13)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["pid", "date", "sleep", "mood"]).astype({"sleep": object})
    table.loc[5, "sleep"] = "k.A."
    table.loc[[9, 30], "mood"] = -99
    table = pd.concat([table, table.tail(1)])
    table.to_csv(tmp_path / "messy.csv", sep=";", decimal=",", encoding="utf-16", index=False)

    page.goto(f"{address}/study")
    as_researcher(page)
    page.locator(".st-key-upload_long input[type=file]").set_input_files(tmp_path / "messy.csv")
    expect(page.get_by_text("Text table, UTF-16, columns separated by semicolon")).to_be_visible()
    expect(page.get_by_text("pid tells people apart by names")).to_be_visible()
    press_fix(page, "Treat 'k.A.' in 'sleep'")
    expect(page.get_by_text("Before this table can be used")).to_have_count(0)
    page.locator(".st-key-load_study button").click()
    expect(page.get_by_text(re.compile(r"Report on Study of .*, 8 people"))).to_be_visible()
    # A row that stands twice keeps nothing from being loaded: the report shows and fixes it.
    expect(page.get_by_text("1 row repeats another one in every column")).to_be_visible()
    press_fix(page, "Keep the last of the rows alike")
    page.get_by_role("button", name="Treat '-99' in 'mood'").click()
    expect(page.locator(".st-key-undo_2")).to_be_visible()
    settled(page)
    figure(page, 1)
    with page.expect_download() as waiting:
        page.locator(".st-key-privacy_key button").click()
    key = pd.read_csv(waiting.value.path(), dtype="str")
    # Ids stand in one form, without characters that are not seen, in the key as in the study.
    assert set(key["person"]) == {name.replace("\u202e", "") for name in names}
    page.locator(".st-key-undo_2 button").click()
    expect(page.get_by_text("holds -99 (2 times)")).to_be_visible()
    for shown in ("b", "strong", ".katex"):
        assert page.locator(shown).filter(has_text=re.compile("Gil|Hal|x")).count() == 0


def test_a_picture_of_a_page(
    browser: Browser, server: tuple[str, psutil.Process], tmp_path: Path
) -> None:
    shown = {shot.title for shots in screenshots.SHOTS.values() for shot in shots}
    assert shown == set(PAGES.values())
    for theme, dark in (("light", False), ("dark", True)):
        page = new_page(browser, theme)
        made = list(
            screenshots.shoot(page, server[0], "empty", tmp_path, titles=("Model",), whole=False)
        )
        page.context.close()
        assert [path.name for path in made] == ["empty-03-model.png"]
        image = Image.open(made[0]).convert("L")
        assert image.size == (SIZE["width"], SIZE["height"])
        assert (np.median(np.asarray(image)) < 128) == dark


def test_a_clinician_looks_at_the_run_of_a_researcher(
    page: Page, server: tuple[str, psutil.Process]
) -> None:
    page.goto(f"{server[0]}/runs")
    view = page.locator(".st-key-view")
    view.get_by_text("Clinician", exact=True).click()
    expect(page.get_by_text("Compare two runs")).to_have_count(0)
    row = page.get_by_test_id("stHorizontalBlock").filter(has_text="nme-crf").last
    row.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fit")
    settled(page)
    expect(page.get_by_text("The numbers behind this")).to_be_visible()
    expect(page.get_by_text("All test occasions together")).to_have_count(0)

    open_page(page, "Transitions")
    expect(page.locator(".st-key-readout")).to_have_count(0)
    choose(page, "person", "003")
    figure(page)
    expect(page.get_by_text(re.compile("^Person 003 .* often than the population"))).to_be_visible()
    expect(page.get_by_text("Learned from everybody's rows.")).to_be_visible()
    page.get_by_text("Over time", exact=True).click()
    expect(page.get_by_text("30 steps of person 003")).to_be_visible()

    open_page(page, "Random effects")
    expect(page.get_by_text("Somebody is always furthest")).to_be_visible()
    expect(page.locator(".st-key-parameter")).to_have_count(0)
    open_page(page, "Model")
    page.get_by_text("Train again").click()
    expect(page.locator(".st-key-train button")).to_be_visible()
    for key in ("preset", "model_kind", "placement", "epochs"):
        expect(page.locator(f".st-key-{key}")).to_have_count(0)
    open_page(page, "Export")
    assert download(page, "png").startswith(b"\x89PNG")
    view.get_by_text("Researcher", exact=True).click()
    settled(page)


def test_a_training_outlives_refresh_and_server_and_is_cancelled_from_another_session(
    page: Page, browser: Browser, server: tuple[str, psutil.Process], home: Path
) -> None:
    address, process = server
    page.goto(f"{address}/study")
    as_researcher(page)
    choose(page, "sample_study", "mood")
    page.locator(".st-key-load_study button").click()
    expect(page.get_by_text("Report on mood")).to_be_visible()
    open_page(page, "Model")
    begin_training(page, 5000)
    page.reload()
    expect(page.locator(".st-key-progress")).to_be_visible()

    stranger, colleague = new_page(browser), new_page(browser)
    stranger.goto(f"{address}/model")
    expect(stranger.get_by_text("No study yet.")).to_be_visible()
    colleague.goto(page.url)
    expect(colleague.locator(".st-key-progress")).to_be_visible()

    process.kill()
    process.wait()
    with serve(home, int(address.rpartition(":")[2])):
        page.goto(page.url)
        expect(page.locator(".st-key-progress")).to_be_visible()
        colleague.goto(page.url)
        colleague.locator(".st-key-cancel button").click()
        expect(colleague.get_by_text("Cancelled.")).to_be_visible()
        expect(page.get_by_text("Cancelled.")).to_be_visible()
        open_page(page, "Runs")
        expect(page.get_by_text("cancelled", exact=True).first).to_be_visible()
        expect(page.get_by_text("finished", exact=True).first).to_be_visible()
        for other in (stranger, colleague):
            other.context.close()
