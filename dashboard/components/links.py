"""The pages, in the order of work, and links between them that keep the run in the address."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from dashboard import state
from dashboard.glossary import PAGES

_ARROW = ":material/arrow_forward:"
_FOLDER = Path(__file__).parent.parent / "pages"


def navigation_pages() -> list[Page]:
    """Every page for ``st.navigation``; the bare address opens the first.

    `look` writes the groups between them: Streamlit's own groups are no list to a screen reader.
    """
    shown = [st.Page(_file(path), title=title, url_path=path) for path, title in PAGES.items()]
    start = st.Page(_FOLDER / "start.py", title="NME", default=True, visibility="hidden")
    return [start, *shown]


def link(path: str, label: str | None = None) -> None:
    """A link to another page."""
    st.page_link(_file(path), label=label or PAGES[path], icon=_ARROW, query_params=state.address())


def go(path: str) -> None:
    """Open another page now."""
    st.switch_page(_file(path), query_params=state.address())


def _file(path: str) -> Path:
    return _FOLDER / f"{path}.py"
