"""The choices of the model page."""

from __future__ import annotations

import re

import streamlit as st

from dashboard import glossary
from dashboard.services.runs import ModelOptions
from dashboard.services.studies import StudyRecord

# The first of each list is the default of `nme fit`.
_PLACEMENTS = {
    "nme-crf": [
        "last+transitions", "transitions", "first+transitions", "all+transitions",
        "last", "first", "all",
    ],
    "nme-mlp": ["last", "first", "all"],
}  # fmt: skip
# What `nme fit` takes where nothing is said.
_HIDDEN = {"nme-crf": "", "nme-mlp": "32"}


def model_form(record: StudyRecord) -> ModelOptions | None:
    """Selectors for model, placement and options; None while an entry makes no sense."""
    kinds = ["nme-mlp"] if record.outcome_kind == "number" else ["nme-crf", "nme-mlp"]
    first = kinds.index(record.model) if record.model in kinds else 0
    left, right = st.columns(2, gap="large")
    with left:
        model = st.radio(
            "Model", kinds, first, lambda kind: glossary.MODELS[kind][0], key="model_kind",
            captions=[glossary.MODELS[kind][1] for kind in kinds],
        )  # fmt: skip
        if len(kinds) == 1:
            st.caption(glossary.ONLY_NUMBERS)
    with right:
        placement = st.selectbox("Where persons differ", _PLACEMENTS[model], key="placement")
        st.caption(glossary.PLACEMENTS[placement])
    with st.expander("More options"):
        return _options(model, placement)


def _options(model: str, placement: str) -> ModelOptions | None:
    left, right = st.columns(2, gap="large")
    with left:
        baselines = st.multiselect(
            "Compared with", list(glossary.BASELINES), ["generic", "specific"], key="baselines",
        )  # fmt: skip
        st.caption("; ".join(f"{name}: {words}" for name, words in glossary.BASELINES.items()))
        covariance = st.selectbox(
            "Covariance of persons", ["diagonal", "full"], key="covariance",
            help=glossary.OPTIONS["covariance"],
        )  # fmt: skip
        st.caption(glossary.COVARIANCES[covariance])
    with right:
        # The key carries the model, so that its default follows the model.
        text = st.text_input(
            "Units of the hidden layers", _HIDDEN[model], key=f"hidden_{model}",
            placeholder="no hidden layer", help=glossary.OPTIONS["hidden"],
        )  # fmt: skip
        epochs = st.number_input(
            "Passes through the data", 1, 5000, None, key="epochs",
            placeholder="until it has converged", help=glossary.OPTIONS["epochs"],
        )  # fmt: skip
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", help=glossary.OPTIONS["seed"])
    hidden = _units(text)
    if hidden is None:
        st.error("Hidden layers are whole numbers of units, such as 32 or 32,16.")
        return None
    return ModelOptions(
        model=model,
        placement=placement,
        covariance=covariance,
        hidden=None if hidden == _units(_HIDDEN[model]) else hidden,
        baselines=tuple(baselines),
        epochs=None if epochs is None else int(epochs),
        seed=int(seed),
    )


def _units(text: str) -> tuple[int, ...] | None:
    """Layers from text; None where it is not a list of positive numbers."""
    cleaned = text.replace(" ", "")
    if not cleaned:
        return ()
    if not re.fullmatch(r"[1-9]\d{0,3}(,[1-9]\d{0,3})*", cleaned):
        return None
    return tuple(int(part) for part in cleaned.split(","))
