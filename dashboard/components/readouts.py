"""Which read-out of the transitions is shown, and what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard import state
from dashboard.services import results
from nme_core.figures.words_moves import PLAIN_READOUT, READOUT_NOTES, READOUTS
from nme_core.vocabulary.language import tr

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


def choose_readout(run: str, place: DeltaGenerator) -> str:
    """A selector; the plain read-out for those who choose nothing."""
    if not state.researcher():
        return PLAIN_READOUT
    available = [name for name in READOUTS if name in results.readouts(run)]
    readout = place.selectbox(
        tr("Read-out"), available, format_func=lambda name: tr(READOUTS)[name][0], key="readout",
        persist_state="session", help=" ".join(tr(READOUT_NOTES).values()),
    )  # fmt: skip
    return str(readout)
