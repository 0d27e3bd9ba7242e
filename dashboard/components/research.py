"""Research tools: what each is asked, and what it has found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard.components import jobs as follow_jobs
from dashboard.components.errors import guard
from dashboard.components.figures import show
from dashboard.components.messages import in_app_words
from dashboard.components.text import plain
from dashboard.services import jobs, research, results
from dashboard.services.exports import spreadsheet
from dashboard.services.records import tables_of
from dashboard.services.runs import Run
from dashboard.services.terms import placement_words
from dashboard.words.research import DIRECTIONS, RESEARCH, TOOLS
from nme_core.figures.labels import parameter_words
from nme_core.figures.of_research import of_tool
from nme_core.vocabulary.language import tr, written

#: What a tool is asked; None while an entry makes no sense.
Asked = dict[str, Any] | None


def choose_tool() -> str:
    """The question that is asked, by the name of the tool."""
    tool: str = st.selectbox(
        tr(RESEARCH)["question"], list(TOOLS), key="tool", format_func=lambda one: tr(TOOLS)[one][0]
    )
    st.markdown(tr(TOOLS)[tool][1])
    return tool


def ask(run: Run, tool: str) -> None:
    """What the tool needs to know, the button that starts it, and how far it is."""
    kind = research.kind_of(tool)
    with st.container(border=True, key="ask"):
        asked = _FORMS[tool](run)
        idle = asked is not None and not jobs.is_active(run.id, kind)
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(tr(RESEARCH)["ask"], key="ask_tool", type="primary", disabled=not idle):
                with guard():
                    research.start(run.id, run.study, tool, asked or {})
                    st.rerun()
            if asked is not None:
                st.caption(_how_many(tool, asked))
    follow_jobs.follow(run.id, kind, tr(RESEARCH)["working"])


def show_answer(run: Run, tool: str) -> None:
    """The answer in a sentence, its figure, and behind folds what it rests on."""
    found = research.answer(run.id, tool)
    if found is None:
        st.caption(tr(RESEARCH)["none"])
        return
    st.header(tr(RESEARCH)["answer"], anchor=False)
    say = results.speaker(run.id)
    st.markdown(plain(say(found.verdict["answer"])))
    for note in found.verdict["notes"]:
        st.caption(plain(say(note)))
    show(of_tool(tool, found.table, found.verdict, results.run_folder(run.id)))
    with st.expander(tr(RESEARCH)["numbers"]):
        st.dataframe(found.table.dropna(axis=1, how="all").round(4), hide_index=True)
        st.download_button(
            tr(RESEARCH)["download"], spreadsheet(found.table), f"{research.TABLES[tool]}.csv",
            "text/csv", key="tool_table", on_click="ignore",
        )  # fmt: skip


def _how_many(tool: str, asked: dict[str, Any]) -> str:
    """How many fits it takes."""
    if tool == "power":
        n = asked["reps"] * len(asked["persons"]) * len(asked["rows"]) * len(asked["effects"])
    elif tool == "calibrate":
        n = asked["reps"]
    elif tool == "ablate":
        n = (len(asked["placements"]) + 1) * len(asked["shares"]) * asked["seeds"]
    else:
        return tr(RESEARCH)[f"fits_{tool}"].format(n=asked.get("worlds"))
    return tr(RESEARCH)["fits"].format(n=written(f"{n:,}"))


def _covariance(run: Run) -> Asked:
    return {}


def _calibrate(run: Run) -> Asked:
    reps = st.number_input(tr(RESEARCH)["studies"], 10, 2000, 100, key="reps", width=240)
    return {"reps": int(reps)}


def _power(run: Run) -> Asked:
    known = _may_move(run)
    covariate = _covariate(run)
    if not known or covariate is None:
        return None
    left, right = st.columns(2, gap="large")
    with left:
        on = st.selectbox(tr(RESEARCH)["on"], known, key="power_on", format_func=_what)
        effects = _numbers("effects", "0.3, 0.5", float)
        reps = st.number_input(tr(RESEARCH)["studies"], 10, 2000, 100, key="reps", width=240)
    with right:
        persons = _numbers("people", "50, 100, 200", int)
        rows = _numbers("rows", "30, 60", int)
    if None in (effects, persons, rows):
        return None
    sizes = {"effects": effects, "persons": persons, "rows": rows}
    return {"covariate": covariate, "on": on, "reps": int(reps), **sizes}


def _ablate(run: Run) -> Asked:
    hidden = not results.is_linear(run.id)
    choices = ["transitions", "last+transitions"] if run.model == "nme-crf" else (
        ["last", "first", "all"] if hidden else ["layers.0.bias", "all"]
    )  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        placements = st.multiselect(
            tr(RESEARCH)["placements"], choices, choices, key="placements", placeholder=tr("none"),
            format_func=placement_words,
        )  # fmt: skip
    with right:
        shares = _numbers("shares", "0.1, 0.25, 0.5, 1", float)
    seeds = 1
    if hidden:
        seeds = int(st.number_input(tr(RESEARCH)["seeds"], 1, 10, 3, key="seeds", width=240))
    if shares is None or not placements:
        return None
    return {"placements": placements, "shares": shares, "seeds": seeds}


def _multiverse(run: Run) -> Asked:
    known = _may_move(run)
    if not known:
        return None
    people = list(results.effects(run.id)["person"].unique())
    names = list(results.covariates(run.id).columns)
    left, right = st.columns(2, gap="large")
    with left:
        about = st.radio(
            tr(RESEARCH)["about"], (["covariate"] if names else []) + ["person"], horizontal=True,
            key="claim_about", format_func=lambda one: tr(RESEARCH)[f"about_{one}"],
        )  # fmt: skip
        name = st.selectbox(
            tr(RESEARCH)[f"about_{about}"], names if about == "covariate" else people,
            key=f"claim_{about}",
        )  # fmt: skip
    with right:
        possible = [one for one in known if about == "covariate" or one != "stay"]
        what = st.selectbox(tr(RESEARCH)["on"], possible, key="claim_on", format_func=_what)
        direction = st.selectbox(
            tr(RESEARCH)["direction"], list(tr(DIRECTIONS)[about]), key=f"direction_{about}",
            format_func=tr(DIRECTIONS)[about].__getitem__,
        )  # fmt: skip
    worlds = st.number_input(tr(RESEARCH)["worlds"], 2, 500, 100, key="worlds", width=240)
    claim = {about: name, "parameter": what, "direction": direction}
    return {"claim": claim, "worlds": int(worlds)}


def _replicate(run: Run) -> Asked:
    covariate = _covariate(run)
    if covariate is None:
        return None
    others = {None: tr(RESEARCH)["halves"]} | {
        one.id: one.name for one in research.other_studies(run.study)
    }
    chosen = st.selectbox(
        tr(RESEARCH)["study_b"], list(others), key="study_b", format_func=others.__getitem__
    )
    asked: dict[str, Any] = {"covariate": covariate}
    if chosen is not None:
        with guard():
            tables = tables_of(chosen)
            return {**asked, "other": tables["long"], "covariates": tables["covariates"]}
    return asked


_FORMS: dict[str, Callable[[Run], Asked]] = {
    "covariance": _covariance,
    "calibrate": _calibrate,
    "power": _power,
    "ablate": _ablate,
    "multiverse": _multiverse,
    "replicate": _replicate,
}


def _covariate(run: Run) -> str | None:
    names = list(results.covariates(run.id).columns)
    if not names:
        st.info(tr(RESEARCH)["no_covariates"])
        return None
    chosen: str = st.selectbox(tr(RESEARCH)["about_covariate"], names, key="tool_covariate")
    return chosen


def _may_move(run: Run) -> list[str]:
    known, why = research.may_move(run.id)
    if not known:
        st.info(plain(in_app_words(why)))
    return known


def _what(name: str) -> str:
    """What people differ in, as a reader would call it."""
    return tr(RESEARCH).get(f"on_{name}", parameter_words(name).replace(">", " → "))


def _numbers(key: str, given: str, kind: Callable[[str], Any]) -> list[Any] | None:
    """A list of numbers; None, with a word why, where it is none."""
    text = st.text_input(
        tr(RESEARCH)[key], given, key=f"tool_{key}", help=tr(RESEARCH)[f"{key}_help"]
    )
    try:
        found = list(dict.fromkeys(kind(one) for one in text.replace(";", ",").split(",")))
    except ValueError:
        st.error(tr(RESEARCH)["no_list"].format(given=given))
        return None
    return found
