"""Sentences that stand under figures, on the screen and in reports."""

from __future__ import annotations

#: Statistics of the checks of single persons that are not called by their name; and of all.
PERSON_STATISTICS = {"mean": "mean", "sd": "SD"}
STATISTICS = {
    ("distribution", "mean"): "mean",
    ("distribution", "sd"): "SD",
    ("distribution", "skewness"): "skewness",
    ("distribution", "quantile 0.05"): "5 % quantile",
    ("distribution", "quantile 0.25"): "25 % quantile",
    ("distribution", "quantile 0.5"): "median",
    ("distribution", "quantile 0.75"): "75 % quantile",
    ("distribution", "quantile 0.95"): "95 % quantile",
    ("persons", "sd of means"): "spread between people",
    ("persons", "mean of sds"): "spread within people",
    ("autocorrelation", "lag 1"): "autocorrelation",
}

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

OBSERVATIONS_LIMIT = "How regularly in time they come is not shown here."

EFFECT_LIMIT = (
    "Estimates are pulled towards the population, the more so the fewer occasions a person has; "
    "their spread is therefore narrower than the curve."
)

CURVES = (
    "Over the values of {feature} that a person had, the person's curve of the predicted {what} "
    "changes by {own} between its lowest and highest point, the population's by {others} (medians "
    "over people). Other features are held at their mean; the curve describes predictions, not "
    "what would happen if the feature were changed."
)
#: The same of the one person who is highlighted.
CURVE = (
    "Over the values of {feature} that person {person} had, the person's curve of the predicted "
    "{what} changes by {own} between its lowest and highest point, the population's by {others}. "
    "Other features are held at their mean; the curve describes predictions, not what would happen "
    "if the feature were changed."
)

SCATTER_LIMIT = "One point per person; an association between people, not within one."

LOSSES = {
    "epochs": "Loss after each pass through the data (passes – {epochs}).",
    "cut": "The axis is set by the losses after each model's first 5 % of passes; higher ones "
    "before lie outside of it.",
    "limit": "Lower is better; the levels of different models compare only on the same rows.",
}

PAIRED_FIGURE = (
    "{apart} of {all} intervals exclude 0. A positive difference means that the other model's "
    "metric is larger: worse for errors and log-loss, better for accuracy and correlations."
)

SKILL_FIGURE = (
    "What the model saves of the loss of each simple rule and each other model: above the line it "
    "predicts better, on it a simple rule does as well. {beaten} of {all} intervals lie below 0."
)

CONFUSION = {
    "sentence": "{right} of {all} held-back occasions are predicted right.{most} Rows add up to 1; "
    "rare states are easily missed even by a good model.",
    "most": " The most frequent mistake: {start} predicted as {end} ({n} of {of}).",
}

RESIDUALS = (
    "Observed minus predicted has a mean of {mean} and an SD of {sd} on {n} held-back occasions. A "
    "slope or a funnel speaks against the model; occasions of one person are not independent."
)

CALIBRATION = {
    "number": "The {expected} % prediction intervals hold {observed} % of {n} held-back occasions. "
    "Bars that rise at both ends say that intervals are too narrow. Intervals here take occasions "
    "as independent, and are themselves somewhat too narrow.",
    "class": "In {inside} of {all} groups of held-back occasions the 95 % interval of the observed "
    "share holds the predicted probability. Intervals take occasions as independent, and are "
    "somewhat too narrow.",
}

CATERPILLAR = (
    "{apart} of {all} people's 95 % intervals exclude the population (orange); if nobody differed, "
    "fewer than one in twenty would, as estimates are pulled towards the population, the more so "
    "the fewer occasions a person has."
)

QQ = (
    "Points that leave the band speak against a normal distribution; shrinkage makes estimates "
    "look more alike than people are. {outside} of {all} lie outside it."
)

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
FITS = (
    "Observed, the person's own prediction and the population's. Right of a dotted line nothing "
    "was fitted; the lines are expected values, around which single occasions scatter."
)
