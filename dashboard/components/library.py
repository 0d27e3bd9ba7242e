"""Studies and runs as a list: open, rename, delete, train again."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.components.errors import guard
from dashboard.components.kept import kept_words
from dashboard.components.links import go
from dashboard.components.messages import in_app_words
from dashboard.components.moments import when
from dashboard.components.text import plain
from dashboard.components.verdict import metric_value, standing
from dashboard.services import library, results, runs
from dashboard.services.runs import Run
from dashboard.services.studies import outcome_words
from dashboard.words.runs import RUN_STATES, RUNS, SHORT_VERDICTS
from nme_core.vocabulary.choices import MODELS
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said
from nme_core.vocabulary.terms import short_metric_name

#: So many studies stand on one page, and so many runs of a study before the rest is folded.
STUDIES_A_PAGE = 6
RUNS_SHOWN = 6
_COLUMNS = [3.4, 1.7, 3.3, 1.0, 1.3]


def show_library(shelves: list[library.Shelf]) -> None:
    """Every study with its runs, a page at a time."""
    pages = -(-len(shelves) // STUDIES_A_PAGE)
    page = st.pagination(pages, key="library_page") if pages > 1 else 1
    for shelf in shelves[(page - 1) * STUDIES_A_PAGE : page * STUDIES_A_PAGE]:
        with st.container(border=True):
            _show_shelf(shelf)


def show_damaged(found: list[library.Damaged]) -> None:
    """What cannot be listed with the others: why, and a button that deletes it."""
    for one in found:
        with st.container(border=True), guard():
            name, manage = st.columns([8.4, 2.3], vertical_alignment="center")
            name.markdown(
                _two_lines(f"**{plain(tr(RUNS)[f'damaged_{one.kind}'])}**", plain(said(one.why)))
            )
            with manage.popover(tr("Change"), key=f"change_{one.id}", width="stretch"):
                if _confirmed(one.id, tr(RUNS)["delete_damaged"]):
                    library.delete_damaged(one)
                    st.rerun()


def _show_shelf(shelf: library.Shelf) -> None:
    study = shelf.study
    if study is None:
        st.markdown(f"**{tr(RUNS)['orphans']}**")
    else:
        name, _, opener, manage = st.columns([5.9, 2.5, 1.0, 1.3], vertical_alignment="center")
        about = tr("Study, loaded {when}, outcome {outcome_words}").format(
            when=when(study.created), outcome_words=plain(outcome_words(study.id))
        )
        name.markdown(_two_lines(f"**{plain(study.name)}**", about))
        if opener.button(tr("Open"), key=f"open_study_{study.id}", width="stretch"):
            state.choose_study(study.id)
            go("study")
        with manage.popover(tr("Change"), key=f"change_{study.id}", width="stretch"):
            _manage_study(shelf)
    for run in shelf.runs[:RUNS_SHOWN]:
        _show_run(run)
    if older := shelf.runs[RUNS_SHOWN:]:
        with st.expander(
            tr("{older} older {which}").format(
                older=len(older), which=tr("run") if len(older) == 1 else tr("runs")
            )
        ):
            for run in older:
                _show_run(run)
    if not shelf.runs:
        st.caption(tr("No model was trained on it yet."))


def _show_run(run: Run) -> None:
    name, ended, metric, opener, manage = st.columns(_COLUMNS, vertical_alignment="center")
    name.markdown(_two_lines(plain(run.name), f"{tr(MODELS)[run.model][0]}, {when(run.created)}"))
    _show_end(run, ended)
    found = None if run.active else library.outcome(run)
    verdict = "" if found is None else tr(SHORT_VERDICTS)[_standing(run.id)]
    if found is not None and not state.researcher():
        metric.markdown(verdict)
    elif found is not None:
        word = short_metric_name(found.metric)
        beside = (
            ""
            if found.generic is None
            else tr(" (generic {metric_value})").format(
                metric_value=metric_value(found.metric, found.generic)
            )
        )
        value = f"{word} {metric_value(found.metric, found.value)}{beside}"
        metric.markdown(_two_lines(verdict, plain(f"{value}; {tr(found.ending)}")))
    if opener.button(tr("Open"), key=f"open_{run.id}", width="stretch"):
        state.choose_run(run.id, run.study)
        go("fit" if runs.kept_models(run.id) and not run.active else "model")
    with manage.popover(tr("Change"), key=f"change_{run.id}", width="stretch"):
        _manage_run(run)
    if not run.done and not run.active:
        _show_reason(run)


def _standing(run: str) -> str:
    """How the model stands beside the best simple rule, else beside one model for all."""
    return "simple" if results.simple_does(run) else standing(run)


def _two_lines(first: str, second: str) -> str:
    """Two lines of Markdown, the second small and grey."""
    return f"{first}  \n:small[:gray[{second}]]"


def _show_end(run: Run, where: st.delta_generator.DeltaGenerator) -> None:
    where.markdown(tr(RUN_STATES)[run.status.state])
    if run.waiting and (ahead := runs.place(run.id)):
        where.caption(tr("{ahead} before it").format(ahead=ahead))


def _show_reason(run: Run) -> None:
    """Why a run came to no end, over the whole width, and a button that trains it again."""
    reason, button = st.columns([8.4, 2.3], vertical_alignment="center")
    reason.caption(plain(in_app_words(f"{run.status.message} {kept_words(run.id)}")))
    if button.button(
        tr(RUNS)["restart"], key=f"restart_{run.id}", help=tr(RUNS)["restart_help"], width="stretch"
    ):
        with guard():
            runs.restart(run.id)
            st.rerun()


def _manage_run(run: Run) -> None:
    with guard():
        name = st.text_input(
            tr("Name"), run.name, max_chars=runs.LONGEST_NAME, key=f"name_{run.id}"
        )
        if st.button(tr("Rename"), key=f"rename_{run.id}"):
            library.rename_run(run.id, name)
            st.rerun()
        if _confirmed(run.id, tr(RUNS)["delete_run"]):
            library.delete_run(run.id)
            if state.run_id() == run.id:
                state.leave_run()
            st.rerun()


def _manage_study(shelf: library.Shelf) -> None:
    study = shelf.study
    assert study is not None
    with guard():
        name = st.text_input(
            tr("Name"), study.name, max_chars=runs.LONGEST_NAME, key=f"name_{study.id}"
        )
        if st.button(tr("Rename"), key=f"rename_{study.id}"):
            library.rename_study(study.id, name)
            st.rerun()
        count = len(shelf.runs)
        words = (
            tr("its 1 run")
            if count == 1
            else tr("its {count} runs").format(count=count)
            if count
            else tr("nothing else")
        )
        if _confirmed(study.id, tr(RUNS)["delete_study"].format(runs=words)):
            library.delete_study(study.id)
            if state.study_id() == study.id:
                state.leave_study()
            st.rerun()


def _confirmed(identity: str, what: str) -> bool:
    """A tick and a button: whether deleting was asked for and confirmed."""
    st.caption(what)
    sure = st.checkbox(tr("Yes, delete for good"), key=f"sure_{identity}")
    return st.button(tr("Delete"), key=f"delete_{identity}", disabled=not sure)
