"""The choices of the model page: a preset, the model, and everything else under one fold."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.components.text import durations
from dashboard.services.estimate import Estimate
from dashboard.services.runs import layers_of
from dashboard.services.studies import StudyRecord
from dashboard.services.terms import BASELINES, placement_words
from dashboard.words.model import (
    ESTIMATE,
    FOR_NUMBERS,
    NO_LAYERS,
    ONLY_LINEAR,
    ONLY_NUMBERS,
    PLAIN_MODELS,
    PRESETS,
)
from dashboard.words.terms import TERMS
from nme_core.vocabulary.choices import FAMILIES_OF, MODELS, PLACEMENTS
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.settings import SETTINGS, FitSettings

# The first of each list is the default of `nme fit`.
_PLACEMENTS = {
    "nme-crf": [
        "last+transitions", "transitions", "first+transitions", "all+transitions",
        "last", "first", "all",
    ],
    "nme-mlp": ["last", "first", "all"],
}  # fmt: skip
# What `nme fit` takes where nothing is said.
_HIDDEN = {"nme-crf": "", "nme-mlp": "auto"}
_PRESETS = ("quick", "thorough")
#: Settings that the thorough preset tries.
_TRIALS = 10


def another_model(after: bool, *, meanwhile: bool = False) -> AbstractContextManager[object]:
    """Where the form stands: by itself, after a result, or folded while another one trains.

    After a result clinicians find it folded, too.
    """
    if not after:
        return nullcontext()
    if meanwhile:
        return st.expander(tr("Train another model meanwhile"))
    if not state.researcher():
        return st.expander(tr("Train again"))
    st.divider()
    st.header(tr("Train another model"), anchor=False)
    return nullcontext()


def model_form(record: StudyRecord) -> FitSettings | None:
    """Preset, model, placement and all other options; None while an entry makes no sense."""
    kinds = ["nme-mlp"] if record.outcome_kind == "number" else ["nme-crf", "nme-mlp"]
    first = kinds.index(record.model) if record.model in kinds else 0
    if not state.researcher():
        model = kinds[first]
        st.markdown(tr(PLAIN_MODELS)[model])
        return _preset("quick", record, model, _PLACEMENTS[model][0])
    preset = st.radio(
        tr("How thoroughly"), list(_PRESETS), format_func=lambda name: tr(PRESETS)[name][0],
        captions=[tr(PRESETS)[name][1] for name in _PRESETS], key="preset", horizontal=True,
    )  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        model = st.radio(
            tr("Model"), kinds, first, lambda kind: tr(MODELS)[kind][0], key="model_kind",
            captions=[tr(MODELS)[kind][1] for kind in kinds],
        )  # fmt: skip
        if len(kinds) == 1:
            st.caption(tr(ONLY_NUMBERS))
    with right:
        placement = st.selectbox(
            tr("Where people differ"), _PLACEMENTS[model], key="placement",
            help=tr(TERMS)["placement"], format_func=placement_words,
        )  # fmt: skip
        st.caption(tr(PLACEMENTS)[placement])
    start = _preset(preset, record, model, placement)
    state.preset("baselines", (record.id, preset), list(start.baselines))
    state.preset("tune", (record.id, preset), start.tune)
    with st.expander(tr("More options")):
        return _options(record, start)


def _preset(name: str, record: StudyRecord, model: str, placement: str) -> FitSettings:
    """What a preset stands for; everything else as `nme fit` takes it where nothing is said."""
    if name == "quick":
        return FitSettings(model, placement, baselines=("generic",))
    return FitSettings(model, placement, baselines=tuple(_baselines(record)), tune=_TRIALS)


def _baselines(record: StudyRecord) -> dict[str, str]:
    """Models that a model of this study can be compared with, and what they are."""
    left_out = () if record.outcome_kind == "number" else FOR_NUMBERS
    return {name: words for name, words in BASELINES.items() if name not in left_out}


def _options(record: StudyRecord, start: FitSettings) -> FitSettings | None:
    """All other settings of this model and outcome; None while one makes no sense."""
    shown = [
        name
        for name, one in SETTINGS.items()
        if one.label and one.takes(start.model, record.outcome_kind)
    ]
    found: dict[str, Any] = {}
    half = (len(shown) + 1) // 2
    for column, some in zip(st.columns(2, gap="large"), (shown[:half], shown[half:]), strict=True):
        with column:
            found |= {name: _entry(name, record, start) for name in some}
    text = found.pop("hidden")
    hidden = layers_of(text, start.model)
    if hidden is None:
        st.error(tr(NO_LAYERS))
        return None
    by_default = text.strip().lower() == _HIDDEN[start.model]
    asked = replace(start, **found, hidden=None if by_default else hidden)
    if asked.only_linear():
        labels = [tr(SETTINGS[name].label) for name in asked.only_linear()]
        st.error(tr(ONLY_LINEAR).format(settings="”, “".join(labels)))
        return None
    return asked


def _entry(name: str, record: StudyRecord, start: FitSettings) -> Any:
    """The widget of a setting, and what stands in it."""
    one, default = SETTINGS[name], getattr(start, name)
    if name == "family":
        possible = FAMILIES_OF[str(record.outcome_kind)]
        family = _explained(name, {value: one.choices[value] for value in possible})
        return None if family == possible[0] else family
    if name == "baselines":
        known = _baselines(record)
        chosen = st.multiselect(
            tr(one.label), list(known), key=name, help=tr(TERMS)["baseline"], placeholder=tr("none")
        )
        st.caption("; ".join(f"{name}: {words}" for name, words in tr(known).items()))
        return tuple(chosen)
    if name == "hidden":  # the key carries the model, so that its default follows the model
        return st.text_input(
            tr(one.label), _HIDDEN[start.model], key=f"hidden_{start.model}",
            placeholder=tr(one.blank), help=tr(one.plain),
        )  # fmt: skip
    if one.choices:
        return _explained(name, one.choices_of(start.model))
    if isinstance(default, bool):
        return st.checkbox(tr(one.label), default, key=name, help=tr(one.plain))
    preset = {} if name == "tune" else {"value": default}  # which the preset has set
    number = st.number_input(
        tr(one.label), one.low, one.high, key=name, placeholder=tr(one.blank) or None,
        help=tr(one.plain),
        **preset,
    )  # fmt: skip
    return None if number is None else int(number)


def _explained(name: str, choices: Mapping[str, str]) -> str:
    """A selector whose choice is explained in a sentence under it."""
    one = SETTINGS[name]
    chosen = st.selectbox(tr(one.label), list(choices), key=name, help=tr(one.plain))
    st.caption(tr(choices[chosen]))
    return chosen


def estimate_words(found: Estimate | None) -> str:
    """How long a training may take, in words."""
    if found is None:
        return tr(ESTIMATE)["none"]
    one = found.n_runs == 1
    runs = (
        tr("1 earlier training")
        if one
        else tr("{n_runs} earlier trainings").format(n_runs=found.n_runs)
    )
    said = tr(ESTIMATE)["range"].format(time=durations(found.low, found.high), runs=runs)
    return said + (tr(ESTIMATE)["one"] if one else "")
