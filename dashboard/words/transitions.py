"""The page Transitions."""

from __future__ import annotations

PLAIN_TRANSITIONS = (
    "Where does this person go next? Rows are the state now, columns the next one; n is how often "
    "the move was observed."
)

#: The sections that matter to a clinician.
PLAIN_SECTIONS = ("person", "time", "sequence")

SECTIONS = {
    "person": "One person",
    "all": "All people",
    "groups": "Groups",
    "time": "Moves and time",
    "two": "Two people",
    "sequence": "Over time",
}
