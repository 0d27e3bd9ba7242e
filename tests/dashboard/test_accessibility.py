"""No page breaks a rule of axe-core that is serious or critical; the keyboard alone is enough."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from benchmarks.browser import chromium, new_page, serve, settled
from dashboard.glossary import PAGES
from dashboard.services import settings

pytestmark = pytest.mark.browser
GRAVE = {"serious", "critical"}


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
