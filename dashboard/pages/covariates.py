"""Covariates: do persons' parameters go with what else is known about them?"""

import streamlit as st

from dashboard import state
from dashboard.components.context import empty, finished_run, title
from dashboard.components.covariate_results import show_covariate, show_plainly, show_tests
from dashboard.components.errors import guard
from dashboard.components.messages import in_app_words
from dashboard.components.test_choices import choose_how
from dashboard.components.testing import rests_on, test
from dashboard.components.text import plain
from dashboard.services import covariates, results
from dashboard.words.covariates import TEST_ALL
from dashboard.words.pages import EMPTY
from dashboard.words.terms import TERMS
from nme_core.vocabulary.language import tr

title("covariates")
run = finished_run()
names = list(results.covariates(run.id).columns)
if not names:
    empty("no_covariates", "study")

press = st.container(key="pair_press")
left, middle, right = press.columns([3, 1, 1], vertical_alignment="bottom")
covariate = left.selectbox(
    tr("Covariate"), names, key="covariate", persist_state="session", help=tr(TERMS)["covariate"]
)
label = tr("Run HSIC test") if state.researcher() else tr("Test")
one = middle.button(label, key="run_hsic", type="primary", width="stretch")
every = len(names) > 1 and right.button(
    tr(TEST_ALL)["press"].format(n=len(names)), key="run_all", width="stretch",
    help=tr(TEST_ALL)["help"],
)  # fmt: skip
how = choose_how(run.id, covariate) if state.researcher() else covariates.options(run.id)
test(run.id, names if every else [covariate] if one else [], how)
told = rests_on(run, covariate, how)
if not covariates.ready(run.id):
    st.info(tr(EMPTY)["tests_elsewhere" if covariates.tested(run.id) else "no_tests"])
    st.stop()
with guard(), st.spinner(tr("Permuting people")):
    found = covariates.kept_tests(run.id)
    assert found is not None
    for doubt in covariates.doubts_of(found, covariate, told=told):
        st.warning(in_app_words(results.speaker(run.id)(doubt)))
    if state.researcher():
        show_tests(run, found)
    if covariate not in set(found.hsic["covariate"]):
        st.info(
            tr("{covariate} has not been tested on this run yet.").format(
                covariate=plain(covariate)
            )
        )
    elif state.researcher():
        show_covariate(run, found, covariate)
    else:
        show_plainly(run, found, covariate)
