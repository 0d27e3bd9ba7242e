"""The little that theme settings cannot say: margins, headings, links that look like links."""

from __future__ import annotations

import streamlit as st

_STYLE = """
<style>
.stMainBlockContainer { padding: 2.5rem 2.5rem 4rem 2.5rem; max-width: 1180px; }
.stMainBlockContainer h1 { font-size: 1.9rem; padding: 0.5rem 0 0.25rem 0; }
.stMainBlockContainer h3 { font-size: 1.25rem; padding: 0.75rem 0 0.25rem 0; }
.stMain [data-testid="stPageLink"] a { border: 1px solid #808A9473; border-radius: 0.5rem; }
</style>
"""


def apply() -> None:
    """Put the style on the page."""
    st.html(_STYLE)
