"""The little that theme settings cannot say: margins, headings, focus, pages without content."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard.words.pages import PAGE_GROUPS
from dashboard.words.study import UPLOAD
from nme_core.vocabulary.language import tr

_STYLE = """
<style>
.stMainBlockContainer { padding: 2.5rem 2.5rem 4rem 2.5rem; max-width: 1180px; }
.stMainBlockContainer h1 { font-size: 1.9rem; padding: 0.5rem 0 0.25rem 0; }
.stMainBlockContainer h2 { font-size: 1.25rem; padding: 0.75rem 0 0.25rem 0; }
.stMain [data-testid="stPageLink"] a { border: 1px solid #808A9473; border-radius: 0.5rem; }
.stMain p { max-width: 46rem; }
/* Notes are quieter than text, yet have 4.5 to 1 on every background, light or dark. */
.stApp [data-testid="stCaptionContainer"] { color: inherit; opacity: 0.8; }
@media (max-width: 1000px) {
    .stMainBlockContainer { padding: 2rem 1.25rem 3rem 1.25rem; }
    [data-testid="stMetricValue"] { font-size: 1.4rem; }
    [data-testid="stMetricLabel"] p { white-space: normal; }
    [class*="st-key-pair"] [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
    [class*="st-key-pair"] [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] {
        min-width: 100%;
    }
    /* A figure keeps its width and scrolls in its own frame; the page does not. */
    [data-testid="stElementContainer"]:has(.js-plotly-plot) { overflow-x: auto; }
    [data-testid="stFullScreenFrame"]:has(.js-plotly-plot) { min-width: 640px; }
    [class*="st-key-figure_transitions"] [data-testid="stFullScreenFrame"] { min-width: 820px; }
    /* What a button says is never cut. */
    [data-testid="stColumn"]:has(button p):not(
        :has([data-testid="stMarkdown"], [data-testid="stFileUploader"], .js-plotly-plot)
    ) {
        min-width: max-content;
    }
    .st-key-library [data-testid="stHorizontalBlock"] { flex-wrap: nowrap; }
    .st-key-library [data-testid="stColumn"]:nth-child(2):not(:last-child) {
        min-width: max-content;
    }
}
@media (prefers-color-scheme: dark) {
    /* The dark theme's primary colour has too little contrast as text and under white text. */
    [data-variant="segmented_control"][data-selected="true"] p { color: #7FC0F0; }
    .stApp [data-testid^="stBaseButton-primary"] { background-color: #1F75B5; }
}
.st-key-next a { background: var(--primary, #0072B2); border: none; padding: 0.4rem 1rem; }
.st-key-next a * { color: #FFFFFF !important; }
[data-testid="stSidebarHeader"] { height: 2rem; margin-bottom: 0; padding: 0.5rem 1rem 0; }
[data-testid="stSidebarUserContent"] { padding-top: 0; }
[data-testid="stSidebarNavItems"] li::before {
    display: block; padding: 0 0.5rem; margin-top: 0.55rem; font-size: 0.875rem; font-weight: 600;
}
[data-testid="stSidebarNavLink"] { padding: 0 0.5rem; margin: 0; line-height: 1.55; }
[data-testid="stSidebarNavLink"] p, [data-testid="stSidebarNavLink"] span { line-height: 1.55; }
[data-testid="stSidebarNavSeparator"] { margin: 0.5rem 1rem; }
/* 3 to 1 on every background. */
:is(.stSelectbox, .stMultiSelect, .stTextInput, .stNumberInput):has(input:focus-visible),
label:has([type="radio"]:focus-visible, [type="checkbox"]:focus-visible),
a:focus-visible, button:focus-visible, [role="tab"]:focus-visible, summary:focus-visible {
    outline: 3px solid #B36B00 !important; outline-offset: 2px; border-radius: 0.25rem;
}
.stMain:focus-visible { outline: 3px solid #B36B00 !important; outline-offset: -3px; }
</style>
"""

#: A page that has nothing to show yet: a hollow dot that is not read aloud.
_EMPTY = """
<style>
{links} {{ font-style: italic; }}
{marks} {{ content: "\\25CB" / ""; margin-left: auto; font-size: 0.7rem; font-style: normal; }}
</style>
"""


#: What Streamlit says on its uploader, in English alone, is said in the language of the session.
_UPLOAD = """
[data-testid="stFileUploaderDropzone"] button p { display: none; }
[data-testid="stFileUploaderDropzoneInstructions"] span { display: none; }
[data-testid="stFileUploaderDropzone"] button [data-testid="stMarkdownContainer"]::after {
    content: "PRESS";
}
[data-testid="stFileUploaderDropzoneInstructions"]::after { content: "FILES"; }
"""


def apply() -> None:
    """Put the style on the page."""
    upload = _UPLOAD.replace("PRESS", tr(UPLOAD)["press"]).replace("FILES", tr(UPLOAD)["files"])
    st.html(f"{_STYLE}<style>{' '.join(_group_titles())}{upload}</style>")


def _group_titles() -> list[str]:
    """A rule for each group of pages: its title stands above its first page."""
    return [
        f'[data-testid="stSidebarNavItems"] li:has(a[href*="/{next(iter(pages))}"])::before '
        f'{{ content: "{tr(title)}"; }}'
        for title, pages in PAGE_GROUPS.items()
    ]


def mark_empty(paths: Sequence[str]) -> None:
    """Mark pages in the navigation that have nothing to show yet."""
    if not paths:
        return
    chosen = [f'[data-testid="stSidebarNavLink"][href*="/{path}"]' for path in paths]
    marks = [f"{link}::after" for link in chosen]
    st.html(_EMPTY.format(links=", ".join(chosen), marks=", ".join(marks)))
