"""Messages of the library in words of the app: a remedy that names an option of Python or of the
shell names what is to be chosen on a page instead; translations do so by themselves."""

from __future__ import annotations

import re

from dashboard.words.pages import APP_WORDS
from nme_core.vocabulary.messages import said

#: An option of the shell in brackets only repeats what the sentence says.
_IN_BRACKETS = re.compile(r" \([^()]*--[a-z][^()]*\)")
_ARGUMENT = re.compile(r"""\b([a-z]+)=(["'])([^"']*)\2""")


def in_app_words(message: str) -> str:
    """The message as somebody can follow it who uses the app alone."""
    message = said(message)
    for name, words in APP_WORDS.items():
        message = message.replace(name, words)
    return _ARGUMENT.sub(r"the \1 \3", _IN_BRACKETS.sub("", message))
