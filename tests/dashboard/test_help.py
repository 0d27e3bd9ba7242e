"""The help of each page: there in both views, from the glossary, and of all that the page says."""

import re
from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import settings
from dashboard.words.effects import EFFECT_SECTIONS
from dashboard.words.fit import FIT_SECTIONS
from dashboard.words.pages import PAGE_HELP, PAGES, VIEWS
from dashboard.words.terms import PAGE_TERMS, RESEARCHER_TERMS, TERMS
from dashboard.words.transitions import SECTIONS

OpenPage = Callable[..., AppTest]

#: Term, and how it reads on a page.
WATCHED = {
    "log-loss": "log-loss", "Cohen's κ": "κ", "mean squared error (MSE)": r"\bMSE\b",
    "HSIC": "HSIC",
    "reliability": "reliability", "random effect": "random effect", "posterior": "posterior",
    "population": r"\bpopulation", "95 % interval": "95 % interval", "corrected p": "corrected p",
    "conditional probability": "conditional probabilit", "held back": "held.back",
    "person-specific": "person-specific", "shrinkage": "shrinkage", "covariance": "covariance",
    "Spearman's ρ": "Spearman", "generic model": r"\bgeneric\b", "covariate": "covariate",
    "estimator": "estimator", "expected share": "expected share",
    "observed share": "observed share", "baseline": "baseline", "calibration": "calibration",
    "intraclass correlation (ICC)": "intraclass", "permutation test": "permut",
}  # fmt: skip
#: Switch on a page: its sections and what they are called.
SWITCHES = {
    "fit_section": FIT_SECTIONS,
    "section": SECTIONS,
    "effect_section": EFFECT_SECTIONS,
}


def shown(node: object) -> Iterator[str]:
    """Everything readable in a part of a page, but for its help."""
    if getattr(node, "type", "") == "popover" and node.proto.popover.label == PAGE_HELP:
        return
    for child in getattr(node, "children", {}).values():
        yield from shown(child)
    value = getattr(node, "value", None)
    if hasattr(value, "columns"):
        yield " ".join([*map(str, value.columns), *map(str, value.to_numpy().ravel())])
    for text in (value, getattr(node, "label", None), *getattr(node, "options", ())):
        if isinstance(text, str) and text not in PAGES.values():  # a link to another page
            yield text.replace("\\", "").replace("\u00a0", " ")


def helped(app: AppTest) -> str:
    """What the help of a page says."""
    (help_,) = [one for one in app.get("popover") if one.proto.popover.label == PAGE_HELP]
    return help_.markdown[0].value.replace("\\", "").replace("\u00a0", " ")


def every_section(app: AppTest) -> Iterator[AppTest]:
    yield app
    for group in app.get("button_group"):
        names = {label: name for name, label in SWITCHES.get(group.key, {}).items()}
        for option in group.options[1:] if names else ():
            app.segmented_control(key=group.key).set_value(names[option]).run()
            assert not app.exception
            assert app.segmented_control(key=group.key).value == names[option]
            yield app


def test_every_term_of_a_page_is_explained_once() -> None:
    assert set(PAGE_TERMS) == set(RESEARCHER_TERMS) == set(PAGES)
    for page in PAGES:
        terms = [*PAGE_TERMS[page], *RESEARCHER_TERMS[page]]
        assert set(terms) <= set(TERMS)
        assert len(set(terms)) == len(terms)
    assert set(TERMS) >= set(WATCHED)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("page", PAGES)
def test_an_empty_page_has_its_help(open_page: OpenPage, page: str, view: str) -> None:
    settings.set_view(view)
    said = helped(open_page(page))
    for term in PAGE_TERMS[page]:
        assert f"**{term}** – {TERMS[term]}" in said
    assert all((f"**{t}**" in said) == (view == "researcher") for t in RESEARCHER_TERMS[page])


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("run", ["crf_run", "mlp_run"])
def test_a_page_explains_the_terms_that_it_shows(
    open_page: OpenPage, request: pytest.FixtureRequest, run: str, page: str, view: str
) -> None:
    settings.set_view(view)
    app = open_page(page, run=request.getfixturevalue(run))
    assert not app.exception
    explained = PAGE_TERMS[page] + (RESEARCHER_TERMS[page] if view == "researcher" else ())
    missing = {
        (term, text[:200])
        for at in every_section(app)
        for text in shown(at.main)
        for term, pattern in WATCHED.items()
        if term not in explained and re.search(pattern, text, re.IGNORECASE)
    }
    assert not missing, missing
