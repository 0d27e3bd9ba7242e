"""What in the tables tells who somebody is, said before anything is stored, and what is done."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.text import plain
from dashboard.services.drafts import ChosenRoles, Draft
from dashboard.services.noticed import Noticed, Privacy, notice
from dashboard.words.study import CLINICIAN_PRIVACY, PRIVACY
from nme_core.vocabulary.language import tr, written
from nme_core.vocabulary.messages import said


def privacy_form(draft: Draft, roles: ChosenRoles | None) -> Privacy:
    """Say what was noticed and offer what can be done about it."""
    noticed = notice(draft, roles)
    state.preset("privacy_codes", draft.token, True)
    state.preset("privacy_dates", draft.token, True)
    state.preset("privacy_ages", draft.token, True)
    if draft.source == "sample":
        return Privacy()
    with (
        st.expander(tr(PRIVACY)["title"], expanded=state.is_proposal_open()),
        st.container(gap="xsmall"),
    ):
        if roles is not None:
            used = {*roles.columns, *roles.covariates}
            n_left_out = sum(str(name) not in used for name in draft.long.columns)
            words = "stored_all" if n_left_out == 0 else "stored"
            st.caption(tr(PRIVACY)[words].format(n=n_left_out))
        _show_noticed(noticed, roles)
        if not state.researcher():
            done = {"codes": True, "dates": noticed.dates, "ages": noticed.old_ages}
            for what, holds in done.items():
                if holds:
                    st.caption(tr(CLINICIAN_PRIVACY)[what])
            return Privacy(codes=True)
        first, second, third = st.columns(3)
        codes = first.checkbox(
            tr(PRIVACY)["codes"], key="privacy_codes", help=tr(PRIVACY)["codes_help"]
        )
        dates = ages = True
        if noticed.dates:
            dates = second.checkbox(
                tr(PRIVACY)["dates"], key="privacy_dates", help=tr(PRIVACY)["dates_help"]
            )
        if noticed.old_ages:
            ages = third.checkbox(
                tr(PRIVACY)["ages"], key="privacy_ages", help=tr(PRIVACY)["ages_help"]
            )
    return Privacy(codes, dates, ages)


def show_key(study: str) -> None:
    """The key to the codes of a study that was just loaded, to be taken away."""
    key = state.key_of(study)
    if key is None:
        return
    with st.container(border=True, key="key_of_codes"):
        st.markdown(tr(PRIVACY)["key"])
        st.download_button(
            tr("Key of the codes (CSV)"),
            key,
            file_name="key-of-codes.csv",
            mime="text/csv",
            key="privacy_key",
            on_click="ignore",
        )


def _show_noticed(noticed: Noticed, roles: ChosenRoles | None) -> None:
    """Name the columns that may tell who somebody is, and whether they would be stored."""
    used: set[str] = set() if roles is None else {*roles.columns, *roles.covariates}
    for one in noticed.personal:
        words = {
            "column": plain(one.column),
            "kind": said(one.kind),
            "n": written(f"{one.n_cells:,}"),
        }
        if roles is not None and one.column == roles.person:
            st.warning(tr(PRIVACY)["person"].format(**words))
        elif one.column in used:
            st.warning(tr(PRIVACY)["used"].format(**words))
        else:
            st.caption(tr(PRIVACY)["noticed"].format(**words))
