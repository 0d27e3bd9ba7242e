"""The server of the app: for this computer alone, and for no other site in its browser.

There is no sign-in. So it listens on this computer only, knows no other name than its own, and
no other site may frame its pages or ask it for anything.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from dashboard.services.compiling import compile_ahead
from dashboard.services.home import NMEError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = "127.0.0.1"
#: Names by which this computer calls itself.
NAMES = {HOST, "localhost"}
#: What the server is started with; the user's own settings of Streamlit do not change it.
SETTINGS: dict[str, Any] = {
    "server.address": HOST,
    "server.allowedHosts": sorted(NAMES),
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.headless": True,  # no question about an e-mail address
    "server.showEmailPrompt": False,
    "server.fileWatcherType": "none",  # watching torch's files costs seconds and inotify handles
    "server.maxUploadSize": 200,  # MB per file
    "browser.serverAddress": HOST,
    "browser.gatherUsageStats": False,
    "global.disableWidgetStateDuplicationWarning": True,  # see `state.choose_language`
    "logger.hideWelcomeMessage": True,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",  # what went wrong stands in the log, not on the page
    "client.showErrorLinks": False,  # they lead to search engines
    "runner.magicEnabled": False,
    "runner.postScriptGC": False,  # to collect all garbage took longer than most pages
    # Light or dark, as the browser asks for.
    "theme.font": "sans-serif",
    "theme.light.primaryColor": "#0072B2",
    "theme.light.backgroundColor": "#FFFFFF",
    "theme.light.secondaryBackgroundColor": "#F3F5F7",
    "theme.light.textColor": "#1F2933",
    "theme.dark.primaryColor": "#2F8ACB",
    "theme.dark.backgroundColor": "#14181D",
    "theme.dark.secondaryBackgroundColor": "#1E242B",
    "theme.dark.textColor": "#E6E9ED",
}
_serving = False


class OwnSite:
    """Answers requests of the app's own pages only, and lets no other site frame them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is the app's own; refuse what is not."""

        async def unframed(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = (b"content-security-policy", b"frame-ancestors 'self'")
                message["headers"] = [*message["headers"], own]
            await send(message)

        if scope["type"] == "lifespan" or _is_own(dict(scope["headers"])):
            await self.app(scope, receive, unframed)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": b"Open it by its own address.\n"})


def _is_own(headers: dict[bytes, bytes]) -> bool:
    """Whether a request is for this computer by name, and from no other site."""
    host = headers.get(b"host", b"").decode("latin-1")
    origin = headers.get(b"origin")
    return host.rsplit(":", 1)[0] in NAMES and origin in (None, f"http://{host}".encode("latin-1"))


def check_served() -> None:
    """Raise NMEError where a browser reaches the app by another server than that of `serve`."""
    if st.context.headers and not _serving:
        raise _no_sign_in("Streamlit was started by itself.")


def serve(port: int) -> None:
    """Serve the app on 127.0.0.1 until it is stopped; NMEError where another address is asked for.

    Parameters
    ----------
    port : int
        Port to listen on.
    """
    global _serving
    asked = os.environ.get("STREAMLIT_SERVER_ADDRESS", HOST)
    if asked not in NAMES:
        raise _no_sign_in(f"STREAMLIT_SERVER_ADDRESS={asked}.")
    _serving = True
    compile_ahead()
    # `app.py` draws the pages; else Streamlit opens the first by itself, in a layout of its own.
    PagesManager.uses_pages_directory = False
    app = st.App(Path(__file__).parent / "app.py", middleware=[Middleware(OwnSite)])
    app.run(config={**SETTINGS, "server.port": port})


def _no_sign_in(what: str) -> NMEError:
    return NMEError(
        f"{what} The dashboard has no sign-in, so it answers this computer alone, on {HOST}.",
        remedy="Start it by “python run.py” or “nme dashboard”, and set no other address.",
    )
