"""The choices of the model page: a preset, the model, and everything else under one fold."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import streamlit as st

from dashboard import glossary, state
from dashboard.components.text import durations
from dashboard.services.estimate import Estimate
from dashboard.services.runs import ModelOptions
from dashboard.services.studies import StudyRecord
from dashboard.services.terms import BASELINES

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
        return st.expander("Train another model meanwhile")
    if not state.researcher():
        return st.expander("Train again")
    st.divider()
    st.subheader("Train another model", anchor=False)
    return nullcontext()


def model_form(record: StudyRecord) -> ModelOptions | None:
    """Preset, model, placement and all other options; None while an entry makes no sense."""
    kinds = ["nme-mlp"] if record.outcome_kind == "number" else ["nme-crf", "nme-mlp"]
    first = kinds.index(record.model) if record.model in kinds else 0
    if not state.researcher():
        model = kinds[first]
        st.markdown(glossary.PLAIN_MODELS[model])
        return _preset("quick", record, model, _PLACEMENTS[model][0])
    preset = st.radio(
        "How thoroughly", list(_PRESETS), format_func=lambda name: glossary.PRESETS[name][0],
        captions=[glossary.PRESETS[name][1] for name in _PRESETS], key="preset", horizontal=True,
    )  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        model = st.radio(
            "Model", kinds, first, lambda kind: glossary.MODELS[kind][0], key="model_kind",
            captions=[glossary.MODELS[kind][1] for kind in kinds],
        )  # fmt: skip
        if len(kinds) == 1:
            st.caption(glossary.ONLY_NUMBERS)
    with right:
        placement = st.selectbox(
            "Where people differ", _PLACEMENTS[model], key="placement",
            help=glossary.TERMS["placement"],
        )  # fmt: skip
        st.caption(glossary.PLACEMENTS[placement])
    start = _preset(preset, record, model, placement)
    state.preset("baselines", (record.id, preset), list(start.baselines))
    state.preset("tune", (record.id, preset), start.tune)
    with st.expander("More options"):
        return _options(record, start)


def _preset(name: str, record: StudyRecord, model: str, placement: str) -> ModelOptions:
    """What a preset stands for; everything else as `nme fit` takes it where nothing is said."""
    if name == "quick":
        return ModelOptions(model, placement, baselines=("generic",))
    return ModelOptions(model, placement, baselines=tuple(_baselines(record)), tune=_TRIALS)


def _baselines(record: StudyRecord) -> dict[str, str]:
    """Models that a model of this study can be compared with, and what they are."""
    left_out = () if record.outcome_kind == "number" else glossary.FOR_NUMBERS
    return {name: words for name, words in BASELINES.items() if name not in left_out}


def _options(record: StudyRecord, start: ModelOptions) -> ModelOptions | None:
    left, right = st.columns(2, gap="large")
    with left:
        estimator = _explained("Estimator", glossary.ESTIMATORS, "estimator")
        covariance = _explained("Covariance of people", glossary.COVARIANCES, "covariance")
        known = _baselines(record)
        baselines = st.multiselect(
            "Compared with", list(known), key="baselines", help=glossary.TERMS["baseline"]
        )
        st.caption("; ".join(f"{name}: {words}" for name, words in known.items()))
    with right:
        family = _family(record, start.model)
        # The key carries the model, so that its default follows the model.
        text = st.text_input(
            "Units of the hidden layers", _HIDDEN[start.model], key=f"hidden_{start.model}",
            placeholder="no hidden layer", help=glossary.OPTIONS["hidden"],
        )  # fmt: skip
        epochs = st.number_input(
            "Passes through the data", 1, 5000, None, key="epochs",
            placeholder="until it has converged", help=glossary.OPTIONS["epochs"],
        )  # fmt: skip
        tune = st.number_input("Settings to try", 0, 100, key="tune", help=glossary.OPTIONS["tune"])
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", help=glossary.OPTIONS["seed"])
    hidden: str | tuple[int, ...] | None = _units(text)
    if text.strip().lower() == "auto" and start.model == "nme-mlp":
        hidden = "auto"
    if hidden is None:
        st.error("Hidden layers are auto, or whole numbers of units, such as 32 or 32,16.")
        return None
    return replace(
        start,
        covariance=covariance,
        estimator=estimator,
        family=family,
        hidden=None if text.strip().lower() == _HIDDEN[start.model] else hidden,
        baselines=tuple(baselines),
        epochs=None if epochs is None else int(epochs),
        seed=int(seed),
        tune=int(tune),
    )


def _explained(label: str, choices: dict[str, str], key: str) -> str:
    """A selector whose choice is explained in a sentence under it."""
    chosen = st.selectbox(label, list(choices), key=key, help=glossary.OPTIONS[key])
    st.caption(choices[chosen])
    return chosen


def _family(record: StudyRecord, model: str) -> str | None:
    """Kind of outcome of an NME-MLP; None for a sequence model, which has only one."""
    if model != "nme-mlp":
        return None
    possible = glossary.FAMILIES_OF[record.outcome_kind]
    choices = {name: glossary.FAMILIES[name] for name in possible}
    family = _explained("Kind of outcome", choices, "family")
    return None if family == possible[0] else family


def estimate_words(found: Estimate | None) -> str:
    """How long a training may take, in words."""
    if found is None:
        return glossary.ESTIMATE["none"]
    one = found.n_runs == 1
    runs = "1 earlier training" if one else f"{found.n_runs} earlier trainings"
    said = glossary.ESTIMATE["range"].format(time=durations(found.low, found.high), runs=runs)
    return said + (glossary.ESTIMATE["one"] if one else "")


def _units(text: str) -> tuple[int, ...] | None:
    """Layers from text; None where it is not a list of positive numbers."""
    cleaned = text.replace(" ", "")
    if not cleaned:
        return ()
    if not re.fullmatch(r"[1-9]\d{0,3}(,[1-9]\d{0,3})*", cleaned):
        return None
    return tuple(int(part) for part in cleaned.split(","))
