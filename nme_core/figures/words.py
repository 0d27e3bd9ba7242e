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

SMALLEST = "Of all parameters that were tested it has the smallest p."
SCATTER_LIMIT = "One point per person; an association between people, not within one."

LOSSES = {
    "epochs": "Loss after each pass through the data (passes – {epochs}).",
    "cut": "The axis is set by the losses after each model's first 5 % of passes; higher ones "
    "before lie outside of it.",
    "limit": "Lower is better; the levels of different models compare only on the same rows.",
}

PAIRED_FIGURE = (
    "Intervals that exclude 0: {apart} of {all}. A positive difference means that the other "
    "model's metric is larger: worse for errors and log-loss, better for accuracy and correlations."
)

SKILL_FIGURE = (
    "What the model saves of the loss of each simple rule and each other model: above the line it "
    "predicts better, on it a simple rule does as well. Intervals below 0: {beaten} of {all}."
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
    "class": "The 95 % interval of the observed share holds the predicted probability in {inside} "
    "of {groups} of held-back occasions. Intervals take occasions as independent, and are "
    "somewhat too narrow.",
}

CATERPILLAR = (
    "People whose 95 % interval excludes the population (orange): {apart} of {all}; if nobody "
    "differed, fewer than one in twenty would, as estimates are pulled towards the population, the "
    "more so the fewer occasions a person has."
)

QQ = (
    "Points that leave the band speak against a normal distribution; shrinkage makes estimates "
    "look more alike than people are. Outside it: {outside} of {all}."
)

INDIVIDUAL = {
    "off": "On {n} of person {person}, held back for this, the person's own "
    "prediction is off by {own} on average, the population's by {shared}.",
    "rmse": "On {n} of person {person}, held back for this, the person's own "
    "prediction has an RMSE of {own}, the population's one of {shared}.",
    "right": "On {n} of person {person}, held back for this, the person's own "
    "prediction is right in {own} %, the population's in {shared} %.",
    "untested": "Person {person} has no occasion that was held back with a known outcome.",
    "several numbers": "Each panel is one person; {outcome} has the same scale in all, time has "
    "each person's own.",
    "several states": "Each panel is one person, each cell one of the person's occasions.",
    "all cut": "Right of the dotted line nothing was fitted.",
    "some cut": "Where there is a dotted line, nothing right of it was fitted; where there is "
    "none, all was.",
    "none fitted": "None of these occasions was fitted.",
    "none cut": "All of these occasions were fitted, so this is no test of the prediction.",
    "numbers": "The lines are expected values; single occasions scatter around them.",
    "states": "The strips are what was observed, and the most probable states for this person and "
    "for the population.",
    "days": "days since the person's first",
}

PERSON_ERRORS = (
    "The median {metric} of {people} is {median}; the worst predicted is person {person} "
    "({worst}; {occasions} fitted). Few held-back occasions make a person's value unsure."
)

CHECKS = (
    "Outside the middle 95 % of what the model simulates for the same people and occasions: "
    "{outside} of {all} observed values{which}; by chance it would be one in twenty. The model was "
    "fitted to these data, so that agreement is no proof that it predicts."
)

CHECKS_BY_PERSON = {
    "outside": "Outside the middle 95 % of what the model simulates for them: {each}; about "
    "5 % would by chance, and fewer where the model has learned a person's own level."
    "{worst}",
    "worst": " Furthest outside is person {person} ({what}: observed {observed}, simulated {low} "
    "to {high}).",
    "chance": " Of {n} people somebody may be so far out by chance.",
    "thinned": " Every {step}th person is drawn.",
}

#: Statistics of the checks of states, by check.
STATE_STATISTICS = {
    "share": "share of {state}",
    "dwell": "stay in {state}",
    "persons": "spread between people of the share of {state}",
}

SHRINKAGE = {
    "median": "Shrinkage is the share by which the variance of people's estimates falls short "
    "of the variance that the model says people have: {median} in the median of {parameters} "
    "(0: none, 1: all estimates at the population's value).",
    "most": "Shown are the {shown} most informative parameters.",
    "icc": "The intraclass correlation is {icc}: the share of what the features leave unexplained "
    "that lies between people.",
    "limit": "Strong shrinkage means that the data say little about single people.",
}

VARIANCE_TRACES = (
    "The variance of random effects says how much people differ in their parameters; σ², for "
    "numbers, what the model leaves unexplained. Training has settled where the lines stay level."
)

PARAMETER_CORRELATIONS = {
    "largest": "The largest correlation of people's estimates is {value}, of {pair}; the model's "
    "own, of what is estimated (Σ), is {own}. Estimates can go together only because a person's "
    "rows cannot tell two parameters apart.",
    "band": "Outside the band (framed) in which the model expects 95 % of such correlations: "
    "{outside} of {all} pairs, where chance gives about {chance}; after correction for all pairs "
    "{kept}.",
    "inside": "The pair lies inside the band in which the model expects 95 % of such correlations.",
    "outside": "The pair lies outside the band in which the model expects 95 % of such "
    "correlations.",
    "stopped": "Training had not converged, which makes the band too narrow.",
    "unknown": "What of it the model expects is not known, as this estimator gives no standard "
    "errors: this alone is no evidence that people's parameters go together.",
    "diagonal": "The pairs that are furthest from what the model expects. The band is simulated "
    "from the model (parametric bootstrap), for which parameters vary independently over people "
    "(diagonal covariance). A pair outside speaks against that; a model with full covariance can "
    "learn it. What all people share is taken as given.",
    "full": "The pairs that are furthest from what the model expects. The band is simulated from "
    "the model (parametric bootstrap), which has learned how parameters go together over people "
    "(their covariance). A pair outside speaks against its normal distribution of people. What "
    "all people share is taken as given.",
}

RELIABILITY = {
    "what": "Reliability is the share of the variance between people that a person's own data "
    "settle: {median} in the median.",
    "rho": "Across these people its rank correlation with the number of observations is {rho}; "
    "how much an observation tells depends on the person's data too.",
    "same": "All people drawn have the same number of observations or the same reliability.",
}

PERSON_MAP = (
    "Each point is a person; people close together have similar parameters. The two directions "
    "carry {share} % of the variance between people. Colours are no test: see the page Covariates."
)

NOT_LEARNED = "Not learned: the data hold next to nothing about people here."

CURVE_INTERVAL = (
    "The band is the 95 % interval of person {person}'s expected {what}; single occasions scatter "
    "around it."
)

GROUPS_LIMIT = (
    "Means of people's own curves, drawn where at least half of a group was observed, other "
    "features at their mean; a description, not a test."
)

HSIC = (
    "The dependence of people's {parameters} on {covariate} {finding} what chance gives in "
    "{reps:,} permutations ({p}; corrected for {tests} {p_adjusted}; {people}). {limit}"
)

HSIC_LIMIT = (
    "HSIC answers whether there is any dependence, of any shape; it has no direction and says "
    "nothing about cause."
)

LOOK_SENTENCES = {
    "missing": "Values are missing of {n} of {all}, most in {what}: {share} % on average over the "
    "steps of time with rows. It does not show why values are missing.",
    "series": "{outcome} of {who}, {rows} in order of time.",
    "cut": " Of each person the first {most} rows are drawn.",
    "line": "All panels have the same scale; a gap is a missing value.",
    "ribbon": "Each cell is one row, whatever the time to the next one; a grey or empty cell is a "
    "missing value.",
    "distributions": "{columns} of numbers; {name} is most at an end of its scale: {share} % of "
    "its values are the {end} one. People are pooled here.",
    "correlations": "Within and between people differ most for {a} and {b}: {within} from row to "
    "row within people, {between} between people's means. Between people says who is higher than "
    "whom, within says when; neither says why.",
    "moment": "Most by time varies {what}: {high} on {top}, {low} on {bottom}. Each person counts "
    "once; which people answered when may differ.",
}

#: Units of times that are numbers.
TIME_UNITS = {
    "s": "seconds", "min": "minutes", "h": "hours", "d": "days", "w": "weeks", "mo": "months",
    "y": "years",
}  # fmt: skip
