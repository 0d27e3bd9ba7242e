"""Reports, the bundle, words to paste and tables of a run: what leaves the app as it is.

Files that take seconds are made when their button is pressed, in a process of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.components.text import slug
from dashboard.services import take_away
from dashboard.services.runs import Run
from dashboard.words.take_away import TAKE_AWAY
from nme_core.vocabulary.language import tr

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_TABLE_FILES = {
    "csv": ("CSV", "text/csv"),
    "html": ("HTML", "text/html"),
    "tex": ("LaTeX", "text/x-tex"),
    "docx": ("Word", _DOCX),
}


def reports(run: Run) -> None:
    """Buttons for the report, the page about one person, and the bundle."""
    name = slug(run.name)
    st.caption(tr(TAKE_AWAY)["report"])
    with st.container(horizontal=True):
        for kind, mime in (("html", "text/html"), ("pdf", "application/pdf")):
            _file(
                tr("Report ({kind})").format(kind=kind.upper()),
                partial(take_away.report, run.id, kind),
                f"{name}.{kind}",
                mime,
                f"report_{kind}",
            )
        _file(
            tr("Bundle (ZIP)"), lambda: take_away.bundle(run.id), f"{name}.zip", "application/zip",
            "bundle_zip",
        )  # fmt: skip
    st.caption(tr(TAKE_AWAY)["person"])
    people = take_away.persons(run.id)
    chosen = state.person() if state.person() in people else None
    state.preset("report_person", chosen, chosen)
    person = st.selectbox(tr("Person"), people, key="report_person")
    _file(
        tr("Page about this person (PDF)"), lambda: take_away.report(run.id, "pdf", person),
        f"{name}-{slug(person)}.pdf", "application/pdf", "person_pdf",
    )  # fmt: skip


def words(run: Run) -> None:
    """Methods, results and references to copy, and as a Word or BibTeX file."""
    said = take_away.words(run.id)
    st.caption(tr(TAKE_AWAY)["words"])
    st.code(said.text, language=None, wrap_lines=True, height=360)
    with st.container(horizontal=True):
        _file(tr("Words and tables (Word)"), lambda: said.docx, "words.docx", _DOCX, "words_docx")
        _file(
            tr("References (BibTeX)"), said.bibtex.encode, "references.bib", "text/x-bibtex", "bib"
        )


def tables(run: Run) -> None:
    """One table of the run as it is printed, and its files."""
    found = {one.caption: one for one in take_away.words(run.id).tables}
    one = found[st.selectbox(tr("Table"), list(found), key="table_choice")]
    with st.container(key="report_table"):
        st.dataframe(one.cells, hide_index=True)
    st.caption(one.note, unsafe_allow_html=False)
    with st.container(horizontal=True):
        for kind, (label, mime) in _TABLE_FILES.items():
            _file(
                tr(label), partial(take_away.table_file, one, kind),
                f"{one.name}.{kind}", mime, f"table_{kind}",
            )  # fmt: skip


def _file(label: str, make: Callable[[], bytes], name: str, mime: str, key: str) -> None:
    st.download_button(label, data=make, file_name=name, mime=mime, key=key, on_click="ignore")
