"""Reports are opened as a reader would: in a parser, a browser without network, a PDF reader."""

import re
import shutil
import xml.etree.ElementTree as ET
from base64 import b64decode
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from nme_core.figures.run_figure import RunFigure
from nme_core.io import RunFolder
from nme_core.reports import ResultTable
from nme_core.reports.blocks import Code, Items, Report, Section, Text
from nme_core.reports.content import study_report
from nme_core.reports.html import to_html
from nme_core.reports.pdf import to_pdf
from nme_core.reports.person import person_report
from nme_core.reports.render import render
from nme_core.runs.saying import speaker
from tests.dashboard.words import outside, speaking_brackets


@pytest.fixture(scope="module")
def run(nme, fit_tiny) -> RunFolder:
    """A finished NME-CRF run with tests against two covariates."""
    folder = RunFolder(fit_tiny("nme-crf"))
    words = ("--covariate", "depression", "--covariate", "clinic", "--reps", 199)
    assert nme("hsic", folder.path, *words).code == 0
    return folder


@pytest.fixture(scope="module")
def html(nme, run, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("reports") / "report.html"
    assert nme("report", run.path, "--out", out) == (0, f"Wrote {out}.\n", "")
    return out


class Page(HTMLParser):
    """Tags of a page in order, with their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


#: What a report has beside its words: the study's names, what models and options are called.
OWN = {
    "sleep", "stress", "depression", "clinic", "north", "south", "None", "generic", "specific",
    "frequent", "last", "markov", "linear", "mean", "ewma", "state", "mood", "note", "beep",
    "session", "diagonal", "gaussian", "delta", "hsic", "excludes", "exclude", "missing",
    "rows", "Coverage", "these", "intervals", "examined", "estimator", "with", "options",
    "difference", "lower", "than", "worse", "Spearman", "interval", "test", "rest",
}  # fmt: skip


def said_words(report: Report) -> Iterator[str]:
    """Texts of a report but what is cited or typed, and tables as they stand in the folder."""
    yield from (report.title, report.lead)
    for section in report.sections:
        yield section.title
        for block in section.blocks:
            if isinstance(block, Text):
                yield block.text
            elif isinstance(block, Items) and not block.cited:
                yield from block.items
            elif isinstance(block, RunFigure):
                yield from (block.title, block.sentence)
            elif isinstance(block, ResultTable) and ".csv)" not in block.caption:
                yield from (block.caption, block.note, *block.cells, *block.cells.to_numpy().flat)


@pytest.mark.parametrize("person", [None, "000"])
def test_every_word_of_a_report_can_be_translated(run, person, monkeypatch):
    with speaking_brackets(monkeypatch):
        made = study_report(run) if person is None else person_report(run, person)
        texts = list(said_words(made.said(speaker(run))))
    for text in texts:
        if "SHA-256" in text or "Versions" in text:
            continue
        left = re.sub(r"'[^']*'|\S*[/_.]\S*|\w+:", " ", outside(text))
        words = {one for one in re.findall(r"[^\W\d_]{4,}", left) if one not in OWN}
        assert not words & {*re.findall(r"[^\W\d_]{4,}", text)}, text


def test_a_report_in_german_has_its_numbers_and_no_english_sentence(run, nme, html, tmp_path):
    out = tmp_path / "bericht.html"
    assert nme("report", run.path, "--out", out, "--language", "de").code == 0
    german = Page(out.read_text(encoding="utf-8"))
    assert german.all("html") == [{"lang": "de"}]
    assert "Für die Forschung, nicht zur Diagnose." in german.text
    english = Page(html.read_text(encoding="utf-8")).text
    told = re.search(r"HSIC = \.(\d+), p = \.(\d+)", english)
    assert f"HSIC = 0,{told[1]}, p = 0,{told[2]}" in german.text
    words = german.text.split("Benjamini, Y.")[0]
    assert not (found := re.search(r".*\b(the|were|than|which|their|with)\b.*", words)), found[0]
    assert nme("report", run.path, "--out", out, "--language", "fr").code == 2


def test_html_is_accessible_and_needs_nothing_else(html):
    page = Page(html.read_text(encoding="utf-8"))
    assert page.all("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(cell["scope"] in ("row", "col") for cell in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table")) >= 7
    pictures = page.all("img")
    assert len(pictures) >= 5
    for picture in pictures:
        assert len(picture["alt"]) > 40
        head, _, content = picture["src"].partition(",")
        assert head == "data:image/svg+xml;base64"
        drawing = ET.fromstring(b64decode(content))
        assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
        assert drawing.findall(".//{http://www.w3.org/2000/svg}text")  # text is text
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert all(link["href"].startswith("#") for link in page.all("a"))
    targets = {attributes.get("id") for _, attributes in page.tags}
    assert {link["href"][1:] for link in page.all("a")} <= targets


def test_the_report_says_what_the_run_holds(html, run):
    text = Page(html.read_text(encoding="utf-8")).text
    for heading in (
        "Data", "Missing values and compliance", "Model", "Fit and comparison", "Model checks",
        "Calibration", "Transitions", "How much people differ", "What became of the observations",
        "Codebook: the columns that were used", "What the check of the data found",
        "Fixed and random effects", "Covariates", "Limits", "References", "How to reproduce",
    ):  # fmt: skip
        assert heading in text
    assert run.data["inputs"][0]["sha256"] in text
    assert run.config["command"] in text
    tested = "--covariate depression --covariate clinic --of moves --reps 199 --guard reliability"
    assert tested in text
    assert "Number of tests: 2." in text
    assert "stress 0.9 %" in text  # 2 of 216
    metrics = run.table("metrics").query("split == 'test' and scope == 'pooled' and model == 'nme'")
    accuracy = metrics.set_index("metric").loc["accuracy", "value"]
    assert f"nme: accuracy = {accuracy:.2f}".replace("0.", ".") in text


@pytest.mark.browser
def test_html_opens_in_a_browser_without_network(html, chromium_path):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(java_script_enabled=True, offline=True)
        page, asked, complaints = context.new_page(), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(html.as_uri())
        sizes = page.eval_on_selector_all("img", "all => all.map(one => one.naturalWidth)")
        wide = page.evaluate("document.documentElement.scrollWidth")
        browser.close()
    assert len(sizes) >= 5
    assert min(sizes) > 100
    assert wide <= 1280
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert complaints == []


def test_pdf_has_text_and_embedded_fonts(nme, run, poppler, tmp_path):
    out = tmp_path / "report.pdf"
    assert nme("report", run.path, "--out", out).code == 0
    text = poppler("pdftotext", "-layout", out, "-")
    assert "Fit and comparison" in text
    assert "Hilbert–Schmidt" in text
    assert "Cohen's κ" in text
    fonts = poppler("pdffonts", out).splitlines()[2:]
    assert len(fonts) >= 4
    for font in fonts:
        assert re.search(r"DejaVuSans.* yes yes yes", font), font
    assert "/Title" in out.read_bytes().decode("latin-1")


@pytest.mark.parametrize("model", ["nme-crf", "nme-mlp"])
def test_a_person_has_one_page_in_plain_words(nme, fit_tiny, poppler, model, tmp_path):
    out = tmp_path / "person.pdf"
    said = nme("report", fit_tiny(model), "--person", "007", "--out", out)
    assert (said.code, said.err) == (0, "")
    assert re.search(r"Pages: +1\n", poppler("pdfinfo", out))
    text = " ".join(poppler("pdftotext", out, "-").split())
    assert "Person 007" in text
    assert "Research use, not diagnosis" in text
    assert "beside those of 11 other people" in text
    assert "Nothing here says what causes what" in text
    for word in ("HSIC", "posterior", "random effect", "p =", "log-loss"):
        assert word not in text


def test_intervals_decide_what_is_said_of_a_person(run, tmp_path):
    copy = RunFolder(shutil.copytree(run.path, tmp_path / "run"))
    table = copy.table("transitions")
    own = (table["readout"] == "conditional") & (table["person"] == "007")
    table["visits"] = 20
    counted = (table["readout"] == "observed") & (table["person"] == "007")
    table.loc[own, ["ci_low", "ci_high"]] = [0.0, 1.0]
    copy.write_table("transitions", table)
    text = unescape(render(copy, person="007").decode())
    assert "includes the population's value, so this may be chance" in text
    assert "In all, none of 9 intervals exclude the population's value" in text
    first = table[own].index[0]
    table.loc[first, ["value", "ci_low", "ci_high"]] = [0.97, 0.95, 0.99]
    table.loc[table[counted].index[:3], "count"] = [20, 1, 2]
    copy.write_table("transitions", table)
    text = unescape(render(copy, person="007").decode())
    assert "In all, 1 of 9 intervals excludes the population's value" in text
    assert "probability 0.97 [0.95, 0.99] against" in text
    assert "It was observed 20 of 23 times." in text
    start = table.loc[first, "from"]
    table.loc[(table["person"] == "007") & (table["from"] == start), "visits"] = 0
    copy.write_table("transitions", table)
    text = unescape(render(copy, person="007").decode())
    assert "In all, none of 6 intervals exclude" in text  # never in this state
    assert f"This person was never in {start}" in text
    assert f"stays in {start}" not in text
    assert f"moves from {start}" not in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--out", "report.doc"), "Let the name end in one of"),
        (("--out", "r.html", "--person", "nobody"), "The run has no person 'nobody'."),
        (("--out", "r.docx", "--person", "007"), "The page about a person is .html or .pdf."),
    ],
)
def test_what_cannot_be_reported_is_said(nme, run, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    said = nme("report", run.path, *words)
    assert said.code == 2
    assert message in said.err
    assert list(tmp_path.iterdir()) == []


def test_words_to_paste_are_written(nme, run, tmp_path):
    for name, start in (("w.txt", b"Method\n"), ("w.bib", b"@"), ("w.docx", b"PK")):
        assert nme("report", run.path, "--out", tmp_path / name).code == 0
        assert (tmp_path / name).read_bytes().startswith(start)


NASTY = "<script>alert(1)</script> & ünï"


def test_names_from_the_data_are_text_in_both_files():
    table = ResultTable("t", NASTY, pd.DataFrame({NASTY: [NASTY], "n": ["1"]}), NASTY)
    blocks = (Text(NASTY), Items((NASTY,)), Code(NASTY), table)
    report = Report(NASTY, NASTY, (Section(NASTY, blocks),))
    page = Page(to_html(report))
    assert "script" not in {tag for tag, _ in page.tags}
    assert page.text.count(NASTY) >= 9
    assert to_pdf(report) == to_pdf(report)


def test_figures_carry_their_numbers(run):
    figures = study_report(run).figures
    assert len(figures) >= 5
    for figure in figures:
        assert len(figure.numbers())
        assert figure.sentence.endswith(".")


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("nme-crf", "predicted {n} right; treating all people alike it would have been 0"),
        ("nme-mlp", "off by 0.50 on average, treating all people alike by 1.2"),
    ],
)
def test_a_person_is_told_beside_treating_all_alike(fit_tiny, tmp_path, model, told):
    copy = RunFolder(shutil.copytree(fit_tiny(model), tmp_path / "run"))
    table = copy.table("predictions")
    own = (table["model"] == "nme") & (table["split"] == "test") & (table["person"] == "007")
    states = model == "nme-crf"
    observed = table.loc[own, "observed"]
    table.loc[own, "predicted"] = observed if states else observed + 0.5
    table.loc[own, "population_predicted"] = "none" if states else observed - 1.23
    copy.write_table("predictions", table)
    text = " ".join(render(copy, person="007").decode().split())
    assert told.format(n=int(own.sum())) in text
