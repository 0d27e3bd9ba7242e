"""Sentences that stand under figures of transitions, and what read-outs are called."""

from __future__ import annotations

READOUTS = {
    "conditional": (
        "conditional probability",
        "Probability of the next state given this one in a long sequence of this person in which "
        "all features stay at their average. It serves to compare people at the same features and "
        "does not say how often a move was made; expected and observed share say that.",
    ),
    "expected": (
        "expected share in the recorded situations",
        "Shares of the next states in the situations in which this person was recorded, as the "
        "model expects them: how often the person stayed or moved there. They also reflect the "
        "features that the person had.",
    ),
    "observed": (
        "observed share",
        "Counted in the recorded sequences, no model involved; shares of few moves are unsure.",
    ),
    "scores": (
        "score",
        "The model's raw contrast: rows and columns add up to 0, positive means more than average. "
        "Not a probability; used for the tests.",
    ),
}

#: The read-out that every page begins with, and those who choose none see: one story per person.
PLAIN_READOUT = "conditional"

TRANSITION_LIMIT = (
    "It describes the recorded sequences as the model sees them and is no evidence of a cause; "
    "small differences may be chance."
)

OBSERVED_LIMIT = (
    "Counted in the recorded sequences, no model involved; with few moves a share can be far off "
    "by chance."
)

_PULLED = (
    "of a person like the population fewer than one in twenty would, as estimates are pulled "
    "towards it."
)

#: What a read-out serves to say.
READOUT_NOTES = {
    "conditional": "It serves to compare people at the same features and does not say how often a "
    "move was made.",
    "expected": "Expected shares say how often somebody stayed or moved in the recorded "
    "situations, as the model sees them.",
}

#: What is told of a person's moves, by read-out: the same on every page, in reports and figures.
MOVES = {
    "conditional": "{what} {way} than the population: probability {own}{interval} against "
    "{shared}, all features at their average{certain}.",
    "expected": "{what} {way} than the population in the recorded situations: expected share "
    "{own}{interval} against {shared}{certain}.",
    "observed": "{what} {way} than all people together: {own}{interval} of these moves "
    "against {shared}{certain}.",
    "scores": "has a {way} score for {what} than the population: {own}{interval} against "
    "{shared}{certain}.",
    "apart": "; the 95 % interval excludes the population's value",
    "chance": "; the 95 % interval includes the population's value, so this may be chance",
    "no interval": "; this model does not say how certain that is",
    "alike": "{who} does not differ from the population.",
    "rare": "{who} was in no state often enough to name a largest difference.",
    "never": "This person was never in {states}, so nothing is shown for it (grey rows).",
    "framed": "In all, {n} of the person's 95 % intervals {verb} the population's value (framed "
    "cells); {chance}",
    "by chance, scores": _PULLED,
    "by chance, conditional": _PULLED,
    "by chance, expected": "as shares also reflect the features that the person had, some may "
    "where the person moves like the population.",
    "by chance, observed": "of a person who moves like all together about one in twenty would, if "
    "moves do not depend on earlier ones.",
}

ORDERS = {"id": "in the order of the study", "similarity": "people with similar moves together"}

GROUP_MEANS = {
    "differ": "The groups' means of the {word} differ most in {start} to {end}: {low} ({first}), "
    "{high} ({last}); {contrast} is {gap}{interval}.",
    "beyond": "The move that is most clearly associated with {covariate}, {start} to {end}: a mean "
    "{word} of {low} ({first}) and {high} ({last}); {contrast} is {gap}{interval}. Tested alone, "
    "with all others counted, {p}.",
    "together": "No single move stands out once all are counted: the test is of all together.",
    "within": "The differences between these groups lie within what chance gives (see the test "
    "above): none is named.",
    "circular": "These groups are made by a part of the outcome itself: that they differ is no "
    "finding.",
    "unsure": "Too little is known of single people to read a difference between groups off this "
    "figure.",
    "left_out": "In no group shown: {n} of {all} people, {why}.",
    "thirds": "neither in the lowest nor in the highest third",
    "bands": "in a band of fewer than five people or in none",
    "values": "in none",
    "unknown": "without a value of {covariate}",
    "limit": "Means of people's own matrices, each person counting the same. Intervals stand "
    "in the text over each cell, beside how many people its mean is of: Student's t over people, "
    "Welch's for the difference, each cell by itself. A description, not a test: the largest of "
    "many differences was picked.",
    "pulled": "Each person's estimates are pulled towards the population, which makes groups look "
    "more alike than they are.",
}

DWELL = {
    "what": "How many steps a state is kept before it is left. Filled: as the model expects it in "
    "the recorded rows, 1 / (1 − expected share of staying); hollow: as counted, 1 / (1 − observed "
    "share).",
    "limit": "The population's filled mark is somebody like the population, the hollow one all "
    "people's moves together, so that the two need not agree.",
    "never": "never observed to be left",
}

TWO_LIMIT = (
    "Intervals of the difference of two people are not known; small differences may be chance."
)

RIBBON = {
    "steps": "{steps} of person {person}{sequences}; {fitted}. Probabilities take the whole "
    "sequence of features into account.",
    "sequences": " in {n} sequences one after the other, thin lines between them",
    "all": "the model was fitted to all of them",
    "none": "the model was fitted to none of them",
    "part": "the model was not fitted to the last {n}, from the dotted line on",
}

ARROWS = {
    "drawn": "Drawn by the {word}{instead}: the larger it is, the wider is the arrow and, of "
    "staying, the larger the circle. Moves below {rarest} are left out{why}.",
    "instead": ", as scores are no probabilities",
    "many": ", so that on average two arrows or fewer leave a state; the matrix has them all",
}

MULTIPLES = (
    "{shown} of {all} people, {order}. Every cell is from a state (row) to a state (column), on "
    "one scale for all."
)
