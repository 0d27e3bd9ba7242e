"""The pages, in the order of work, and links between them that keep the run in the address."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from dashboard import state
from dashboard.words.pages import PAGES, RESEARCHER_PAGES
from nme_core.vocabulary.language import tr

_ARROW = ":material/arrow_forward:"
_FOLDER = Path(__file__).parent.parent / "pages"


def navigation_pages(*, researcher: bool) -> list[Page]:
    """Every page for ``st.navigation``; the bare address opens the first.

    Pages for researchers alone keep their address in the other view.

    `look` writes the groups between them: Streamlit's own groups are no list to a screen reader.
    """
    hidden = set() if researcher else RESEARCHER_PAGES
    shown = [
        st.Page(_file(path), title=title, url_path=path,
                visibility="hidden" if path in hidden else "visible")
        for path, title in tr(PAGES).items()
    ]  # fmt: skip
    start = st.Page(_FOLDER / "start.py", title="NME", default=True, visibility="hidden")
    return [start, *shown]


def link(path: str, label: str | None = None) -> None:
    """A link to another page."""
    st.page_link(
        _file(path), label=label or tr(PAGES)[path], icon=_ARROW, query_params=state.address()
    )


def go(path: str) -> None:
    """Open another page now."""
    st.switch_page(_file(path), query_params=state.address())


def _file(path: str) -> Path:
    return _FOLDER / f"{path}.py"
