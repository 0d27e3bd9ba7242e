"""What leaves the app."""

from __future__ import annotations

TAKE_AWAY = {
    "report": "The whole run as one file that opens without the app and without a network. The "
    "bundle holds report, figures, tables, script and fingerprints, but not the data; a stranger "
    "can repeat the run with it. Making a file takes up to a minute.",
    "person": "One page about one person, in plain words. Research use, not diagnosis.",
    "words": "Filled from this run. Read it before you use it: it says what was fitted and "
    "tested, not what it means.",
}

#: Tables of a run folder with intervals, as words.
INTERVALS_OF = {
    "fixed_effects": "the fixed effects",
    "random_effects": "people's parameters",
    "transitions": "the transitions",
    "person_effects": "levels and slopes",
    "response_curves": "the response curves",
    "summary": "variances",
}

APPROXIMATE = {
    "unknown": "This run does not record which intervals are approximate; train it again to know.",
    "none": "In simulations of studies like this one, the 95% intervals of this model contained "
    "the true value in 92 to 97% of cases.",
    "some": "Some of this model's intervals are missing, contain the true value less or more "
    "often than they claim in simulations of studies like this one, or were not examined.",
}

EXPORTED = {
    "grey": "Shades of grey, with hatches and marks that tell apart what colours did: for printers "
    "without colour, and for readers who see none.",
    "text": "Text in SVG and PDF stays text, so that it can be edited.",
    "html": "The interactive copy holds all that it needs and asks no other computer for anything.",
}

GALLERY = {
    "empty": "Nothing is pinned yet. Press **Pin** under a figure on any page to keep it here.",
    "kept": "Pinned figures stay as they were when you pinned them, also where the run is trained "
    "again or deleted. They are stored with the study and are deleted with it.",
    "new": "Pinned. It stands on the page Gallery.",
    "known": "This figure is in the gallery already.",
    "captions": "Captions go into captions.txt; the names of the files follow the order.",
    "zip": "The file holds each figure in the chosen formats with its numbers, and captions.txt.",
}
