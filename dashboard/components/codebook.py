"""The codebook of a study: read, edited in place, taken away."""

from __future__ import annotations

import streamlit as st

from dashboard.services.roles import COLUMN_TYPES
from dashboard.services.studies import codebook, codebook_file, keep_codebook
from dashboard.words.study import CODEBOOK, CODEBOOK_COLUMNS
from nme_core.vocabulary.language import tr


def show_codebook(study: str) -> None:
    """A table of the study's columns; labels, types and units can be edited and are kept."""
    with st.expander(tr(CODEBOOK)["title"]):
        st.caption(tr(CODEBOOK)["lead"])
        table, words = codebook(study), tr(CODEBOOK_COLUMNS)
        edited = st.data_editor(
            table,
            hide_index=True,
            num_rows="fixed",
            disabled=["name", "range", "missing", "role"],
            column_config={
                **{name: st.column_config.Column(words[name]) for name in table.columns},
                "type": st.column_config.SelectboxColumn(
                    words["type"], options=list(COLUMN_TYPES), required=True
                ),
                "label": st.column_config.TextColumn(words["label"], max_chars=200, width="medium"),
                "unit": st.column_config.TextColumn(words["unit"], max_chars=40),
            },
            key=f"codebook_{study}",
        )
        if not edited.equals(table):
            keep_codebook(study, edited)
        st.download_button(
            tr("Codebook (CSV)"),
            lambda: codebook_file(study),
            file_name="codebook.csv",
            mime="text/csv",
            key="codebook_csv",
            on_click="ignore",
        )
