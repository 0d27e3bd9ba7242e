"""A new person: rows in, a matrix or a curve out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.components.errors import guard
from dashboard.components.figures import show
from dashboard.components.messages import in_app_words
from dashboard.components.text import plain
from dashboard.services import newcomers, people, results
from dashboard.services.drafts import TABLES
from dashboard.services.figures import outcome_name
from dashboard.services.runs import Run
from dashboard.words.new_person import NEW_PERSON
from nme_core.figures.moves_of_person import comparison
from nme_core.figures.run_figure import RunFigure
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said
from nme_core.vocabulary.numbers import number, place

_EMPTY_ROWS = 6


def ask_for_rows(run: Run, *, folded: bool) -> None:
    """Upload or type in rows, and start adapting; folded where there are results to look at."""
    if folded:
        with st.expander(tr(NEW_PERSON)["again"], key="again"):
            _ask(run)
    else:
        _ask(run)


def _ask(run: Run) -> None:
    roles = newcomers.columns(run.id)
    needed = [roles["person"], roles["time"], roles["sequence"], *roles["features"]]
    names = ", ".join(dict.fromkeys(name for name in [*needed, roles["outcome"]] if name))
    typed, uploaded = st.tabs([tr("Type in"), tr("Upload")])
    with typed:
        free = roles["time"] and roles["time"] not in roles["features"]
        timed = f" {tr(NEW_PERSON)['type_time'].format(time=roles['time'])}" if free else ""
        st.caption(plain(f"{tr(NEW_PERSON)['type']}{timed}"))
        rows = st.data_editor(
            _blank(run, roles), num_rows="dynamic", hide_index=True, key=f"typed_{run.id}",
            column_config=_configuration(run, roles), placeholder="",
        )  # fmt: skip
        if st.button(tr("Adapt to these rows"), key="adapt_typed", type="primary"):
            with guard():
                _begin(run, newcomers.typed_table(run.id, rows))
    with uploaded:
        file = st.file_uploader(
            tr(NEW_PERSON)["upload"].format(columns=plain(names)), TABLES,
            key="upload_new",
        )  # fmt: skip
        if st.button(
            tr("Adapt to this file"), key="adapt_file", type="primary", disabled=file is None
        ) and file is not None:  # fmt: skip
            with guard():
                _begin(run, file.getvalue(), file.name)
    st.caption(tr(NEW_PERSON)["how"])


def _begin(run: Run, rows: bytes | pd.DataFrame, name: str = "") -> None:
    state.keep_job(run.id, newcomers.start(run.id, rows, name))
    st.rerun()


def _blank(run: Run, roles: dict[str, object]) -> pd.DataFrame:
    """Empty rows to type into: time and outcome first, however many features there are."""
    kinds = {str(roles["time"]): newcomers.time_kind(run.id)} if roles["time"] else {}
    kinds[str(roles["outcome"])] = "str" if _states(run) else "float64"
    kinds |= {str(name): "float64" for name in roles["features"]}  # type: ignore[attr-defined]
    return pd.DataFrame(
        {name: pd.Series([None] * _EMPTY_ROWS, dtype=kind) for name, kind in kinds.items()}
    )


def _configuration(run: Run, roles: dict[str, object]) -> dict[str, Any]:
    states = _states(run)
    if not states:
        return {}
    return {str(roles["outcome"]): st.column_config.SelectboxColumn(options=states)}


def _states(run: Run) -> list[str]:
    """Classes of the outcome; none where it is a number."""
    if results.has_table(run.id, "transitions"):
        return list(dict.fromkeys(results.table(run.id, "transitions")["from"]))
    return results.response_classes(run.id)


def follow(run: Run, job: str) -> None:
    """Where the adaptation stands; then what came out."""
    found = newcomers.status(run.id, job)
    if found is None:
        return
    if found.state in ("queued", "running"):
        _live(run.id, job)
    elif found.state == "failed":
        st.error(plain(in_app_words(found.message)))
    else:
        for message in newcomers.cautions(run.id, job):
            st.warning(plain(said(results.names(run.id).in_text(message))))
        _results(run, newcomers.narrowing(run.id, job))
        for reason in newcomers.approximate(run.id, job):
            st.caption(plain(said(reason)))


@st.fragment(run_every=0.7)
def _live(identity: str, job: str) -> None:
    found = newcomers.status(identity, job)
    if found is None or found.state not in ("queued", "running"):
        st.rerun()
    st.progress(
        found.progress, text=tr("Adapting: {message}").format(message=plain(said(found.message)))
    )


def _results(run: Run, table: pd.DataFrame) -> None:
    persons = [name for name in dict.fromkeys(table["person"]) if name != results.POPULATION]
    person = persons[0]
    if len(persons) > 1:
        person = st.selectbox(tr("New person"), persons, key="new_person")
    own = table[table["person"] == person]
    shared = table[(table["person"] == results.POPULATION) & (table["k"] == table["k"].max())]
    if not results.tells_people_apart(run.id):
        st.warning(tr(NEW_PERSON)["alike"])
    if "from" in table.columns:
        _matrix(person, own, shared)
    else:
        _curve(run, person, own, shared)


def _matrix(person: str, own: pd.DataFrame, shared: pd.DataFrame) -> None:
    last = own[own["k"] == own["k"].max()]
    found = comparison(
        last,
        shared,
        label=person,
        title=tr("Transitions of {person}").format(person=person),
        who=person,
    )
    show(replace(found, sentence=f"{found.sentence} {tr(NEW_PERSON)['few']}"))
    staying = people.supported(own[own["from"] == own["to"]]).dropna(subset=["value"])
    staying = staying.assign(
        what=[tr("stay in {state}").format(state=one) for one in staying["from"]]
    )
    shares = shared[shared["from"] == shared["to"]].set_index("from")["value"]
    population = {
        tr("stay in {state}").format(state=state): float(shares[state])
        for state in staying["from"].unique()
    }
    _narrowing(staying, population, "probability", probability=True)


def _curve(run: Run, person: str, own: pd.DataFrame, shared: pd.DataFrame) -> None:
    columns = st.columns(2)
    features = list(dict.fromkeys(own["feature"]))
    feature = columns[0].selectbox(tr("Feature"), features, key="new_feature")
    classes = [label for label in dict.fromkeys(own["class"]) if label]
    label = columns[1].selectbox(tr("Class"), classes, key="new_class") if classes else ""
    outcome = outcome_name(run)
    what = tr("probability of {label}").format(label=label) if label else outcome
    own, shared = (
        rows[(rows["feature"] == feature) & (rows["class"] == label)] for rows in (own, shared)
    )
    last = own[own["k"] == own["k"].max()]
    arguments = {
        "own": last, "population": shared, "person": person, "feature": feature, "outcome": what,
    }  # fmt: skip
    sentence = tr(NEW_PERSON)["curve"].format(outcome=what)
    show(
        RunFigure(
            "newcomer_curve",
            tr("Response to {feature} of {person}").format(feature=feature, person=person),
            sentence,
            arguments,
        )
    )
    middle = shared["x"].sort_values().iloc[len(shared) // 2]
    at = tr("{what} at {feature} = {middle}").format(
        what=what, feature=feature, middle=place(middle)
    )
    rows = own[own["x"] == middle].assign(what=at)
    population = {at: float(shared.loc[shared["x"] == middle, "value"].iloc[0])}
    _narrowing(rows, population, what, probability=bool(label))


def _narrowing(
    rows: pd.DataFrame, population: dict[str, float], name: str, *, probability: bool
) -> None:
    columns = ["what", "k", "value", "ci_low", "ci_high"]
    rows = rows[columns].assign(k=rows["k"].astype(int))
    widths = (rows["ci_high"] - rows["ci_low"]).groupby(rows["k"]).mean()
    if len(widths) < 2 or widths.isna().any():
        return
    first, last = int(widths.index[0]), int(widths.index[-1])
    sentence = tr(NEW_PERSON)["narrowing"].format(
        first=first, s="" if first == 1 else "s", last=last,
        what=tr("(mean over the panels)") if len(population) > 1 else "",
        before=number(widths.iloc[0], 2), after=number(widths.iloc[-1], 2),
    ).replace("  ", " ")  # fmt: skip
    arguments = {
        "table": rows, "population": population, "value_name": name, "probability": probability,
    }  # fmt: skip
    show(RunFigure("narrowing", tr("How the interval narrows"), sentence, arguments))
