"""Random effects: how far persons stand from the population."""

import streamlit as st

from dashboard import state
from dashboard.components import effects
from dashboard.components.context import empty, finished_run, title
from dashboard.components.figures import show
from dashboard.components.response import choose_response
from dashboard.components.verdict import interpreted_note
from dashboard.services import results
from dashboard.words.effects import EFFECT_SECTIONS, RESPONSE_CURVES
from nme_core.vocabulary.language import tr

title("random-effects")
run = finished_run()
interpreted_note(run)

factor = effects.choose_factor(run.id) if state.researcher() else None
if factor is not None:
    effects.another_factor(run.id, factor)
    st.stop()
names = results.informative_parameters(run.id)
curves = results.has_table(run.id, "response_curves")
levels = results.has_table(run.id, "person_effects")
if not names and not curves:
    empty("no_random_effects", "model")
possible = [
    *(["levels"] if levels else []),
    *(["curves"] if curves else []),
    *(["parameter", "estimates", "across", "persons"] if names else []),
]
if not state.researcher():
    possible = [name for name in possible if name in ("levels", "curves", "persons")]
section = possible[0] if len(possible) == 1 else st.segmented_control(
    tr("Show"), possible, default=possible[0], required=True,
    format_func=tr(EFFECT_SECTIONS).__getitem__, key="effect_section", label_visibility="collapsed",
)  # fmt: skip
if section == "levels":
    effects.levels_and_slopes(run)
elif section == "curves":
    if state.researcher():
        st.markdown(tr(RESPONSE_CURVES))
    show(choose_response(run))
elif section == "estimates":
    effects.estimates(run.id)
elif section == "parameter":
    effects.one_parameter(run.id, names)
elif section == "across":
    effects.across_parameters(run.id, names)
elif state.researcher():
    effects.persons(run.id)
else:
    effects.persons_plainly(run)
