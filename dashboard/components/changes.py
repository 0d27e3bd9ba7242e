"""What was found in a table, with buttons that mend it; and the changes made, each to be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from dashboard.components.messages import in_app_words
from dashboard.components.text import plain
from dashboard.services.drafts import REMEDIED, Finding, Remedy
from dashboard.words.study import CHANGES, SEVERITIES
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said

Change = Callable[[tuple[Remedy, ...]], None]

#: Findings of one severity that are shown at once; the others are a click away.
Colour = Literal["red", "orange", "gray"]
_COLOURS: dict[str, Colour] = {"stop": "red", "look": "orange", "info": "gray"}
_AT_ONCE = 4


def show_findings(
    findings: Sequence[Finding], made: tuple[Remedy, ...], change: Change, *, prefix: str = ""
) -> None:
    """The findings, worst first, with a button for each change that would mend one.

    `change` gets all changes, those that were made before included; `prefix` keeps the keys of the
    buttons apart where a page shows findings twice.
    """
    for severity, label in tr(SEVERITIES).items():
        colour = _COLOURS[severity]
        chosen = [finding for finding in findings if finding.severity == severity]
        for n, finding in enumerate(chosen[:_AT_ONCE]):
            _show_finding(finding, f"{prefix}{severity}_{n}", label, colour, made, change)
        if len(chosen) > _AT_ONCE:
            with st.expander(
                tr("{at_once} more: {label}").format(at_once=len(chosen) - _AT_ONCE, label=label)
            ):
                for n, finding in enumerate(chosen[_AT_ONCE:], _AT_ONCE):
                    _show_finding(finding, f"{prefix}{severity}_{n}", label, colour, made, change)


def show_changes(
    made: tuple[Remedy, ...], change: Change, *, done: Sequence[str] = (), prefix: str = ""
) -> None:
    """The changes made so far, each with a button that undoes it, and what they did in numbers."""
    if not made:
        return
    with st.container(border=True, gap="xxsmall", key=f"{prefix}changes"):
        st.badge(tr(CHANGES)["made"], color="green")
        st.caption(tr(CHANGES)["undo"])
        for n, remedy in enumerate(made):
            words, button = st.columns([5, 1], vertical_alignment="center")
            words.text(said(str(remedy)))
            button.button(
                tr("Undo"),
                key=f"{prefix}undo_{n}",
                on_click=change,
                args=(made[:n] + made[n + 1 :],),
                width="stretch",
            )
        for note in done:
            st.caption(plain(said(note.removeprefix(REMEDIED))))


def _show_finding(
    finding: Finding,
    key: str,
    label: str,
    colour: Colour,
    made: tuple[Remedy, ...],
    change: Change,
) -> None:
    with st.container(border=True, gap="xxsmall"):
        st.badge(label, color=colour)
        st.text(in_app_words(finding.message))
        if finding.remedy:
            st.text(in_app_words(finding.remedy))
        if finding.fixes:
            with st.container(gap="xxsmall", key=f"fixes_{key}"):
                for k, remedy in enumerate(finding.fixes):
                    effect = finding.effects[k] if k < len(finding.effects) else None
                    with st.container(horizontal=True, vertical_alignment="center"):
                        st.button(
                            plain(said(str(remedy))),
                            key=f"fix_{key}_{k}",
                            on_click=change,
                            args=((*made, remedy),),
                        )
                        if effect:
                            st.caption(plain(tr(CHANGES)["effect"].format(effect=said(effect))))
