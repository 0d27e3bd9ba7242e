"""Messages of the library in words of the app: a remedy that names an option of Python or of the
shell names what is to be chosen on a page instead."""

from __future__ import annotations

import re

from dashboard.words.pages import APP_WORDS

#: An option of the shell in brackets only repeats what the sentence says.
_IN_BRACKETS = re.compile(r" \([^()]*--[a-z][^()]*\)")
_ARGUMENT = re.compile(r"""\b([a-z]+)=(["'])([^"']*)\2""")


def in_app_words(message: str) -> str:
    """The message as somebody can follow it who uses the app alone."""
    for said, words in APP_WORDS.items():
        message = message.replace(said, words)
    return _ARGUMENT.sub(r"the \1 \3", _IN_BRACKETS.sub("", message))
