"""Errors on the screen: what and how to mend it, never a stack trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.components.messages import in_app_words
from dashboard.components.text import plain
from dashboard.services.home import NMEError, home, log_exception
from dashboard.words.pages import UNEXPECTED
from nme_core.vocabulary.language import tr


def show_error(error: NMEError) -> None:
    """Message and remedy of an error that was raised on purpose."""
    said = (error.message, error.remedy) if error.remedy else (error.message,)
    st.error("\n\n".join(plain(in_app_words(text)) for text in said))


@contextmanager
def guard() -> Iterator[None]:
    """Show errors raised inside; unexpected ones go to the log file, with a plain sentence here."""
    try:
        yield
    except NMEError as error:
        show_error(error)
    except Exception as error:
        st.error(plain(tr(UNEXPECTED).format(log=log_exception(error))))


@contextmanager
def at_home() -> Iterator[None]:
    """See that there is a place for studies and runs; nothing else is shown where there is none."""
    try:
        home()
        yield
    except NMEError as error:
        show_error(error)
        st.stop()
