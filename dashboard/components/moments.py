"""Moments as the reader's own clock shows them."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from nme_core.vocabulary.language import tr


def when(moment: str) -> str:
    """A moment (ISO 8601 with its zone) in the browser's time zone, which is named."""
    there = datetime.fromisoformat(moment).astimezone(_zone(st.context.timezone))
    return f"{there.strftime(tr('%Y-%m-%d %H:%M'))} {there:%Z}"


def _zone(name: str | None) -> tzinfo:
    """The zone of that name; UTC where the browser says none that this computer knows."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
