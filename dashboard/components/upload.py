"""The files that were uploaded, as a draft; and how they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard import state
from dashboard.components.messages import in_app_words
from dashboard.components.text import plain
from dashboard.services.drafts import TEXTS, Draft, HowRead, ReadAs, draft_upload
from dashboard.services.files import NO_INSTRUMENT
from dashboard.words.reading import DECIMALS, DELIMITERS, ENCODINGS, READING, STEPS, WIDE
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said


def chosen_upload(long: UploadedFile, second: UploadedFile | None) -> Draft:
    """Read the uploaded tables, of the sheet that is chosen, and say how they were read."""
    make = partial(
        draft_upload,
        long.name,
        long.getvalue(),
        None if second is None else second.getvalue(),
        second_name=None if second is None else second.name,
    )
    read_as = _reading_form(long)
    draft = make(read_as)
    read_as = _sheets(draft, read_as, long.file_id, second is not None)
    if read_as != draft.read_as:
        draft = make(read_as)
    if len(draft.instruments) > 1:
        with st.container(border=True, key="instruments"):
            draft = make(replace(draft.read_as, instrument=_instrument(draft, long.file_id)))
    if draft.step is not None:
        with st.container(border=True, key="steps"):
            st.text(tr(STEPS)["lead"])
            length = st.text_input(tr(STEPS)["length"], draft.step, key=f"step_{draft.token[:12]}")
            if st.checkbox(tr(STEPS)["make"], True, key=f"make_steps_{draft.token[:12]}"):
                draft = make(replace(draft.read_as, step=length))
    if draft.wide is not None:
        with st.container(border=True, key="wide"):
            st.text(said(draft.wide.sentence))
            if st.checkbox(tr(WIDE), key=f"make_long_{draft.token[:12]}"):
                draft = make(draft.read_as, reshaped=True)
    with st.container(gap="xxsmall", key="how_read"):
        for line in draft.how:
            st.caption(plain(in_app_words(line)))
    return draft


def _sheets(draft: Draft, read_as: ReadAs, file: str, second: bool) -> ReadAs:
    """The sheets that are chosen for both tables, where there are several."""
    columns = st.columns(2)
    if len(draft.sheets) > 1:
        sheet = columns[0].selectbox(
            tr(READING)["sheet"], draft.sheets, index=None, key=f"sheet_{file}",
            placeholder=_read_from(draft.reading),
        )  # fmt: skip
        read_as = replace(read_as, sheet=sheet)
    if len(draft.second_sheets) > 1:
        sheets = [*([] if second else [""]), *draft.second_sheets]
        sheet = columns[1].selectbox(
            tr(READING)["people_sheet"], sheets, index=None, key=f"people_sheet_{file}_{second}",
            format_func=lambda one: one or tr(READING)["no_sheet"],
            placeholder=_read_from(draft.second) or tr(READING)["no_sheet"],
        )  # fmt: skip
        read_as = replace(read_as, covariates_sheet=sheet)
    return read_as


def _instrument(draft: Draft, file: str) -> str | None:
    """The repeating instrument whose rows are the occasions."""
    read = None if draft.reading is None else draft.reading.instrument
    words = {NO_INSTRUMENT: tr(READING)["no_instrument"]}
    return st.selectbox(
        tr(READING)["instrument"], draft.instruments, index=None, key=f"instrument_{file}",
        format_func=lambda one: words.get(one, one), placeholder=words.get(str(read), str(read)),
        help=tr(READING)["instrument_help"],
    )  # fmt: skip


def _read_from(how: HowRead | None) -> str:
    """The sheet that was read by itself."""
    if how is None or how.sheet is None:
        return ""
    return tr(READING)["all_sheets"] if how.sheet == "*" else how.sheet


def _reading_form(file: UploadedFile) -> ReadAs:
    """What a researcher says of a text file, and the file that explains its columns."""
    if not (state.researcher() and file.name.lower().endswith(TEXTS)):
        return ReadAs()
    with st.expander(tr("How the table is read")):
        st.caption(tr(READING)["lead"])
        columns = st.columns(3)
        with columns[0]:
            encoding = _choice(tr("Encoding"), tr(ENCODINGS), file.file_id, tr(READING)["encoding"])
        with columns[1]:
            delimiter = _choice(tr("Between columns"), tr(DELIMITERS), file.file_id)
        with columns[2]:
            decimal = _choice(tr("Decimal mark"), tr(DECIMALS), file.file_id)
        header = st.text_input(
            tr(READING)["header"],
            key=f"reading_header_{file.file_id}",
            placeholder=tr("as recognised"),
            help=tr(READING)["header_help"],
        )
        explained = st.file_uploader(
            tr(READING)["metadata"],
            ["json", "csv"],
            key=f"upload_metadata_{file.file_id}",
        )
    metadata = None if explained is None else explained.getvalue()
    return ReadAs(
        encoding=encoding,
        delimiter=delimiter,
        decimal=decimal,
        header=header.strip() or None,
        metadata=metadata,
    )


def _choice(
    label: str, words: Mapping[str, str], file: str, help_: str | None = None
) -> str | None:
    """A choice that is open again for the next file."""
    return st.selectbox(
        label, list(words), index=None, format_func=words.__getitem__,
        key=f"reading_{label}_{file}", placeholder=tr("as recognised"), help=help_,
    )  # fmt: skip
