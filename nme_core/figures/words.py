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
    ("persons", "sd of means"): "spread between persons",
    ("persons", "mean of sds"): "spread within persons",
    ("autocorrelation", "lag 1"): "autocorrelation",
}

TRANSITION_LIMIT = (
    "It describes the recorded sequences as the model sees them and is no evidence of a cause; "
    "small differences may be chance."
)

OBSERVATIONS_LIMIT = "How regularly in time they come is not shown here."

EFFECT_LIMIT = (
    "Estimates are pulled towards the population, the more so the fewer occasions a person has; "
    "their spread is therefore narrower than the curve."
)

CURVES = (
    "Over the values of {feature} that a person had, the person's curve of the predicted {what} "
    "changes by {own} between its lowest and highest point, the population's by {others} (medians "
    "over persons). Other features are held at their mean; the curve describes predictions, not "
    "what would happen if the feature were changed."
)

SCATTER_LIMIT = "One point per person; an association between persons, not within one."

LOSSES = {
    "epochs": "Loss after each pass through the data (passes – {epochs}).",
    "cut": "The axis is set by the losses after each model's first 5 % of passes; higher ones "
    "before lie outside of it.",
    "limit": "Lower is better; the levels of different models compare only on the same rows.",
}
