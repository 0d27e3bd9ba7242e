"""Messages of the library in words of the app: a remedy that names an option of Python or of the
shell names what is to be chosen on a page instead; translations do so by themselves."""

from __future__ import annotations

import re

from dashboard.words.pages import APP_WORDS
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said
from nme_core.vocabulary.settings import SETTINGS

#: An option of the shell in brackets only repeats what the sentence says.
_IN_BRACKETS = re.compile(r" \([^()]*--[a-z][^()]*\)")
_OPTION = re.compile(r"(?<![\w-])--([a-z-]+[a-z])")
_ARGUMENT = re.compile(r"""\b([a-z]+)=(["'])([^"']*)\2""")


def in_app_words(message: str) -> str:
    """The message as somebody can follow it who uses the app alone."""
    message = said(message)
    for name, words in APP_WORDS.items():
        message = message.replace(name, words)
    message = _OPTION.sub(_setting, _IN_BRACKETS.sub("", message))
    return _ARGUMENT.sub(r"the \1 \3", message)


def _setting(option: re.Match[str]) -> str:
    """What the page Model calls an option of the shell; the option where it has none."""
    known = SETTINGS.get(option[1].replace("-", "_"))
    return option[0] if known is None or not known.label else f"“{tr(known.label)}”"
