"""The words of the screen: all of them can be translated, and none is the process's own."""

import json
import re
from collections.abc import Callable, Iterable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import covariates, settings
from dashboard.words.effects import EFFECT_SECTIONS
from dashboard.words.fit import FIT_SECTIONS
from dashboard.words.pages import PAGES
from dashboard.words.transitions import SECTIONS
from nme_core.study.questionnaires import QUESTIONNAIRES
from nme_core.vocabulary.choices import PLACEMENTS
from nme_core.vocabulary.settings import SETTINGS
from nme_core.vocabulary.terms import BASELINES
from tests.dashboard.conftest import PERSONS, STATES
from tests.dashboard.words import outside, speaking_brackets

OpenPage = Callable[..., AppTest]

#: Names of options, which the command line has too.
CHOICES = [name for one in SETTINGS.values() for name in (*(one.choices or {}), *BASELINES)]
#: What stands on a page and is the same in every language: the study's own words, names of
#: methods, formats and parameters.
DATA = {
    *PERSONS, *STATES, "diary", "pid", "day", "sleep", "steps", "feeling", "depression", "clinic",
    "north", "south", "English", "Deutsch", "NME", "CRF", "MLP", "HSIC", "PDF", "SVG", "PNG",
    "CSV", "HTML", "ZIP", "nme", "crf", "mlp", "mood", "dyads", "dpi", "UTC", "null",
    *re.findall(r"[^\W\d_]+", " ".join([*PLACEMENTS, *CHOICES, *QUESTIONNAIRES])),
}  # fmt: skip
#: Widgets with the words of files: the codebook, and the tables of a report.
ENGLISH = ("codebook", "table_choice", "report_table")
#: Switches between the sections of a page.
SWITCHES = {
    "fit_section": FIT_SECTIONS, "section": SECTIONS, "effect_section": EFFECT_SECTIONS,
}  # fmt: skip
#: Icons, colours, HTML, places of numbers and names that were cut.
MARKUP = re.compile(
    r"\S*…\S*|:material/\w+:|:(small|gray|red|orange|green|blue)\b|<[^>]*>|%\{[^}]*\}"
)
#: Fields of a widget or an element that a reader sees or hears.
SEEN = {
    "body",
    "label",
    "help",
    "placeholder",
    "options",
    "text",
    "caption",
    "captions",
    "title",
    "content_label",
    "value",
    "default",
    "name",
    "page_label",
    "section_header",
}
#: Texts of a figure.
DRAWN = {"text", "name", "hovertext", "ticktext", "hovertemplate", "texttemplate"}


def messages(message: object) -> Iterator[str]:
    """Texts that a reader sees in the protobuf of an element."""
    for field, value in message.ListFields():  # type: ignore[attr-defined]
        for one in (
            [value] if isinstance(value, str) or hasattr(value, "ListFields") else _each(value)
        ):
            if field.message_type is not None and hasattr(one, "ListFields"):
                yield from messages(one)
            elif isinstance(one, str) and field.name in SEEN:
                yield one


def _each(value: object) -> Iterator[object]:
    return iter(value) if isinstance(value, Iterable) and not isinstance(value, bytes) else iter(())


def drawn(spec: object, key: str = "") -> Iterator[str]:
    """Texts of a figure."""
    if isinstance(spec, dict):
        for name, value in spec.items():
            if name not in ("template", "meta", "customdata"):
                yield from drawn(value, name)
    elif isinstance(spec, list):
        for value in spec:
            yield from drawn(value, key)
    elif isinstance(spec, str) and key in DRAWN:
        yield spec


def shown(node: object) -> Iterator[str]:
    """Everything that a reader sees in a part of a page."""
    if str(getattr(node, "key", "")).startswith(ENGLISH):
        return
    for child in getattr(node, "children", {}).values():
        yield from shown(child)
    proto = getattr(node, "proto", None)
    kind = getattr(node, "type", "")
    if kind == "plotly_chart":
        yield from drawn(json.loads(proto.spec))
    elif kind == "html":
        yield from re.findall(r'content: "([^"\\]+)"', proto.body)
    elif hasattr(proto, "ListFields"):
        yield from messages(proto)
    value = getattr(node, "value", None)
    if hasattr(value, "columns"):
        configured = json.loads(getattr(proto, "columns", "") or "{}")
        named = {name: one.get("label") for name, one in configured.items()}
        yield from (named.get(str(name)) or str(name) for name in value.columns)
        for column in value:
            if value[column].dtype == object or str(value[column].dtype).startswith("str"):
                yield from {str(one) for one in value[column].dropna()}


def hard_coded(texts: Iterator[str]) -> set[str]:
    """Texts with a word that no translation reaches."""
    found = set()
    for text in texts:
        words = re.findall(r"[^\W\d_]{2,}", MARKUP.sub(" ", outside(text)))
        if any(word not in DATA for word in words):
            found.add(text)
    return found


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A language in which every text stands in brackets."""
    with speaking_brackets(monkeypatch):
        yield


def every_section(app: AppTest) -> Iterator[AppTest]:
    """A page, and then the page at each of its sections."""
    yield app
    for group in app.get("button_group"):
        for name in list(SWITCHES.get(group.key, ()))[1 : len(group.options)]:
            app.segmented_control(key=group.key).set_value(name).run()
            yield app


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("run", "view"),
    [("crf_run", "researcher"), ("crf_run", "clinician"), ("mlp_run", "researcher")],
)
@pytest.mark.usefixtures("pseudo")
def test_every_word_of_a_page_can_be_translated(
    open_page: OpenPage, request: pytest.FixtureRequest, run: str, page: str, view: str
) -> None:
    settings.set_view(view)
    app = open_page(page, run=request.getfixturevalue(run), language="pseudo")
    found = hard_coded(shown(app.sidebar))
    for at in every_section(app):
        assert not at.exception
        found |= hard_coded(shown(at.main))
    assert not found, "\n".join(sorted(found))


@pytest.mark.usefixtures("pseudo")
@pytest.mark.parametrize("view", ["researcher", "clinician"])
@pytest.mark.parametrize("run", ["crf_run", "mlp_run"])
def test_every_word_of_tests_can_be_translated(
    open_page: OpenPage, request: pytest.FixtureRequest, run: str, view: str
) -> None:
    identity = request.getfixturevalue(run)
    settings.set_view(view)
    covariates.run_tests(identity, "depression")
    covariates.run_tests(identity, "clinic")
    app = open_page("covariates", run=identity, language="pseudo")
    assert not app.exception
    assert not (found := hard_coded(shown(app.main))), "\n".join(sorted(found))
