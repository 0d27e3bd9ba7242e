"""The interactive copy opens from a file, moves, and asks no host for anything."""

import re

import pytest

from nme_core.figures import drawing
from nme_core.figures.interactive import to_html

RANGE = "document.querySelector('.js-plotly-plot').layout.xaxis.range"
NASTY = "</title><script>alert(1)</script> $x$ & more"


@pytest.fixture
def content(examples):
    shown = drawing.on_screen("response_curves", examples["response_curves"])
    return to_html(shown, title="Curves", sentence=NASTY).decode()


def test_it_fetches_nothing_and_text_is_text(content):
    assert "default-src 'none'" in content
    assert not re.findall(r"<(?:script|img|link|iframe)[^>]+(?:src|href)=", content)
    assert "<title>Curves</title>" in content
    assert "alert(1)</script>" not in content


@pytest.mark.browser
def test_it_opens_in_a_browser_without_network(content, chromium_path, tmp_path):
    from playwright.sync_api import sync_playwright

    (tmp_path / "figure.html").write_text(content, encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_context(offline=True).new_page()
        asked, complaints = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto((tmp_path / "figure.html").as_uri())
        page.wait_for_selector(".main-svg .lines")
        before = page.evaluate(RANGE)
        box = page.locator(".nsewdrag").first.bounding_box()
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + 200, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + 500, middle, steps=4)
        page.mouse.up()
        page.wait_for_function(f"{RANGE}[0] > {before[0]} + 0.1")
        text, wide = page.inner_text("body"), page.evaluate("document.body.scrollWidth")
        browser.close()
    assert NASTY in text
    assert wide <= 1280
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert complaints == []
