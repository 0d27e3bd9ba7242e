"""The dashboard in a browser: a server of its own, a Chromium, and when a page has settled."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from benchmarks.chromium import find_chromium

ROOT = Path(__file__).resolve().parents[1]
#: Nothing that Chromium does by itself may reach for the network.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZE = {"width": 1280, "height": 800}
_PATIENCE_MS = 30_000
expect.set_options(timeout=_PATIENCE_MS)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(home: Path, port: int | None = None) -> Iterator[tuple[str, psutil.Process]]:
    """A dashboard that keeps its things in ``home``: its address and process."""
    port = free_port() if port is None else port
    log = home.parent / f"{home.name}-server.log"
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard", str(port)],
            cwd=ROOT,
            env={**os.environ, "NME_HOME": str(home)},
            stdout=file,
            stderr=file,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(address, process, log)
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_healthy(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers; RuntimeError with its log where it ends before."""
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
            return
        except OSError:
            if process.poll() is not None:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.25)
    raise TimeoutError(f"{address} did not answer within a minute; see {log}.")


@contextmanager
def chromium(path: str | None = None) -> Iterator[Browser]:
    """A browser without a window; FileNotFoundError where there is none."""
    path = path or find_chromium()
    if path is None:
        raise FileNotFoundError("No Chromium was found; install chromium, then run this again.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def new_page(browser: Browser, theme: str = "light") -> Page:
    """A page of a session of its own, as a browser that asks for this theme shows it."""
    page = browser.new_page(viewport=SIZE, color_scheme=theme, accept_downloads=True)
    page.set_default_timeout(_PATIENCE_MS)
    return page


def settled(page: Page) -> None:
    """Wait until no script runs and all is drawn; the page must then be whole and fit its width."""
    page.wait_for_timeout(200)
    expect(page.locator("[data-test-script-state=running]")).to_have_count(0)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)  # parts whose code is loading
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.locator("[data-testid=stAlertContentError]")).to_have_count(0)
    widths = page.get_by_test_id("stMain").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert widths[0] <= widths[1]


def page_link(page: Page, title: str) -> Locator:
    """The link to a page in the navigation."""
    links = page.get_by_test_id("stSidebarNav").get_by_role("link")
    return links.filter(has_text=re.compile(f"^{re.escape(title)}$"))


def open_page(page: Page, title: str) -> None:
    """Click a page in the navigation and wait for it."""
    page_link(page, title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    settled(page)
