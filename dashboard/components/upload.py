"""The files that were uploaded, as a draft; and how they were read."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard.components.text import plain
from dashboard.glossary import WIDE
from dashboard.services.drafts import Draft, draft_upload


def chosen_upload(long: UploadedFile, second: UploadedFile | None) -> Draft:
    """Read the uploaded tables, of the sheet that is chosen, and say how they were read."""
    table = None if second is None else second.getvalue()
    other = None if second is None else second.name
    draft = draft_upload(long.name, long.getvalue(), table, None, other)
    if len(draft.sheets) > 1:
        sheet = st.selectbox("Sheet", draft.sheets, index=None, key="sheet",
                             placeholder="The first with a table", width=420)  # fmt: skip
        if sheet is not None:
            draft = draft_upload(long.name, long.getvalue(), table, sheet, other)
    sheet = draft.sheet
    if draft.wide is not None:
        with st.container(border=True, key="wide"):
            st.text(draft.wide.sentence)
            if st.checkbox(WIDE, key=f"make_long_{draft.token[:12]}"):
                draft = draft_upload(long.name, long.getvalue(), table, sheet, other, True)
    for line in draft.how:
        st.caption(plain(line))
    return draft
