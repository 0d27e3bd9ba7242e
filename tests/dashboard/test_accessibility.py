"""No page breaks a rule of axe-core that is serious or critical; the keyboard alone is enough."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from benchmarks.browser import new_page, open_page, page_link, serve, settled
from benchmarks.home import at_home
from dashboard.services import settings
from dashboard.words.pages import PAGES

pytestmark = pytest.mark.browser
GRAVE = {"moderate", "serious", "critical"}
#: Rules that another theme can break.
OF_COLOUR = ("color-contrast", "link-in-text-block")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The NME_HOME of all tests."""
    home = tmp_path_factory.mktemp("rules") / "home"
    with at_home(home):
        yield home


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[str]:
    """Address of a fresh dashboard."""
    with serve(home) as (server, _):
        yield server


@pytest.fixture
def address(server: str, crf_run: str) -> str:
    """Of any page, with a finished run of states."""
    return f"{server}/{{page}}?run={crf_run}"


def violations(page: Page, *only: str) -> list[str]:
    """What axe-core finds grave on a page, by all rules or these: rule, element, how to fix it."""
    options = {"resultTypes": ["violations"], **({"runOnly": only} if only else {})}
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(f"axe.run({json.dumps(options)})")
    return [
        f"{rule['id']}: {node['html'][:120]} ({node['failureSummary']})"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


#: Text of the element that has the focus, and whether a ring or a shadow shows it. Of a choice, the
#: label is seen.
FOCUS = """() => {
    const focused = document.activeElement;
    const choice = focused.matches('[type=radio], [type=checkbox]') && focused.closest('label');
    const one = choice || focused;
    const field = one.closest('.stSelectbox, .stMultiSelect, .stTextInput, .stNumberInput');
    const around = [one.parentElement, one.parentElement?.parentElement, field].filter(Boolean);
    const own = one.matches('.stMain, label');  // what they hold has no focus
    const all = [one, ...(own ? [] : one.querySelectorAll('*')), ...(own ? [] : around)];
    const shown = all.map(each => getComputedStyle(each));
    const ring = shown.some(style => (style.outlineStyle !== 'none'
        && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none');
    const text = (one.innerText || one.getAttribute('aria-label') || '').trim();
    return [focused === document.body ? '' : text, ring];
}"""


def tab_to(page: Page, words: str, most: int = 45) -> int:
    """Press Tab until the element that says so has the focus, each one visibly; how often."""
    for presses in range(1, most + 1):
        page.keyboard.press("Tab")
        text, ring = page.evaluate(FOCUS)
        if text and not ring:  # while a page is drawn anew the ring may come a moment later
            settled(page)
            text, ring = page.evaluate(FOCUS)
        assert ring or not text, f"no focus to be seen on {text!r}"
        if text.endswith(words):  # an icon comes before
            return presses
    raise AssertionError(f"{words!r} was not reached in {most} Tabs.")


def enter(page: Page, words: str, heading: str) -> None:
    """Tab to what says so, press Enter and wait for the page that it opens."""
    tab_to(page, words)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    settled(page)


def test_the_keyboard_trains_and_leads_to_a_person_in_another_language(
    server: str, state_study: str, browser: Browser
) -> None:
    settings.set_view("clinician")
    page = new_page(browser)
    page.goto(f"{server}/study?study={state_study}")
    expect(page.get_by_text("Report on diary")).to_be_visible(timeout=60_000)
    # The first page of a server's life has the side bar of all others.
    expect(page.get_by_test_id("stSidebar")).to_have_css("width", "230px")
    settled(page)
    enter(page, "Next: choose a model", "Model")
    tab_to(page, "Train")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Result", exact=True)).to_be_visible(timeout=120_000)
    settled(page)
    enter(page, "Transitions", "Transitions")
    tab_to(page, "Person (type to search)")
    page.keyboard.type("017")
    page.keyboard.press("Enter")
    settled(page)
    expect(page.get_by_text("Person 017", exact=True)).to_be_visible()
    tab_to(page, "English")
    for arrow, heading, view in (
        ("ArrowRight", "Übergänge", "Klinik"), ("ArrowLeft", "Transitions", "Clinician")
    ):  # fmt: skip
        page.keyboard.press(arrow)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        settled(page)
        expect(page.get_by_label(view, exact=True)).to_be_checked()
        expect(page.get_by_text("Person 017", exact=True)).to_be_visible()
    page.context.close()


def test_the_keyboard_leads_from_the_study_to_a_test(address: str, browser: Browser) -> None:
    settings.set_view("researcher")
    page = new_page(browser)
    page.goto(address.format(page="study"))
    expect(page.get_by_text("Report on diary")).to_be_visible(timeout=60_000)
    settled(page)
    enter(page, "Next: choose a model", "Model")
    enter(page, "Covariates", "Covariates")
    tab_to(page, "Run HSIC test")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Permuting people").first).to_be_visible()
    page.context.close()


def test_every_page_keeps_the_rules_in_both_views_and_themes(
    address: str, browser: Browser
) -> None:
    found = {}
    settings.set_view("clinician")
    page = new_page(browser)
    page.goto(address.format(page="study"))
    expect(page.get_by_text("Report on diary")).to_be_visible(timeout=60_000)
    for view in ("Clinician", "Researcher"):
        page.locator(".st-key-view").get_by_text(view, exact=True).click()
        settled(page)
        for path, title in PAGES.items():
            if page_link(page, title).count():
                open_page(page, title)
            else:
                page.goto(address.format(page=path))
                expect(page.get_by_role("heading", level=1)).to_be_visible()
                settled(page)
            found[view, path, "light"] = violations(page)
            page.emulate_media(color_scheme="dark")
            settled(page)
            found[view, path, "dark"] = violations(page, *OF_COLOUR)
            page.emulate_media(color_scheme="light")
    page.context.close()
    assert len(found) == 2 * 2 * len(PAGES)
    assert {where: grave for where, grave in found.items() if grave} == {}
