"""No page breaks a rule of axe-core that is serious or critical; the keyboard alone is enough."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from benchmarks.browser import chromium, new_page, serve, settled
from dashboard.services import settings
from dashboard.words.pages import PAGES

pytestmark = pytest.mark.browser
GRAVE = {"moderate", "serious", "critical"}


@pytest.fixture
def address(home: Path, crf_run: str) -> Iterator[str]:
    """A dashboard with a finished run of states."""
    with serve(home) as (server, _):
        yield f"{server}/{{page}}?run={crf_run}"


def violations(page: Page) -> list[str]:
    """What axe-core finds grave on a page: rule, element and how to fix it."""
    found = page.evaluate(f"{AXE_SCRIPT}; axe.run({json.dumps({'resultTypes': ['violations']})})")
    return [
        f"{rule['id']}: {node['html'][:120]} ({node['failureSummary']})"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


def test_every_page_keeps_the_rules_in_both_views_and_themes(
    address: str, chromium_path: str
) -> None:
    found = {}
    with chromium(chromium_path) as browser:
        for view in ("clinician", "researcher"):
            settings.set_view(view)
            page = new_page(browser)
            for path in PAGES:
                page.goto(address.format(page=path))
                expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=60_000)
                for theme in ("light", "dark"):
                    page.emulate_media(color_scheme=theme)
                    settled(page)
                    found[view, path, theme] = violations(page)
            page.context.close()
    assert {where: grave for where, grave in found.items() if grave} == {}


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


def test_the_keyboard_leads_from_the_study_to_a_test(address: str, chromium_path: str) -> None:
    with chromium(chromium_path) as browser:
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


def test_the_keyboard_trains_and_leads_to_a_person_in_another_language(
    home: Path, state_study: str, chromium_path: str
) -> None:
    settings.set_view("clinician")
    with serve(home) as (server, _), chromium(chromium_path) as browser:
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
