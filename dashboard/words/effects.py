"""The page Random effects."""

from __future__ import annotations

EFFECT_SECTIONS = {
    "levels": "Levels and slopes",
    "curves": "Response curves",
    "parameter": "One parameter",
    "estimates": "Estimates",
    "across": "Across parameters",
    "persons": "People",
}

#: Columns of the table of one parameter, which has other names in a file.
EFFECT_COLUMNS = {
    "person": "person",
    "n_obs": "observations",
    "estimate": "estimate",
    "se": "standard error",
    "reliability": "reliability",
    "ci_low": "95 % interval from",
    "ci_high": "to",
}
PARAMETER_CORRELATIONS = {
    "largest": "The largest correlation of people's estimates is {value}, of {pair}; the model's "
    "own, of what is estimated (Σ), is {own}. Estimates can go together only because a person's "
    "rows cannot tell two parameters apart.",
    "band": "{outside} of {all} pairs lie outside the band (framed) in which the model expects 95 "
    "% of such correlations; by chance about {chance} would. After correction for all pairs "
    "{kept} remain{s}.",
    "one": "The pair lies {where} the band in which the model expects 95 % of such correlations.",
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

ESTIMATES = (
    "What is shared by all people, with its 95 % interval (of weights of hidden layers there is "
    "none: their units can change places), and how much people differ from it: the SD of the "
    "model's normal distribution of people, and the mean reliability of people's own values. "
    "{units}"
)

ESTIMATE_UNITS = {
    "data": "In the units of the data: of a weight, what one unit of the feature changes (of "
    "classes and states their score, on the scale of log-odds).",
    "standard": "Features and outcome are standardised inside: in standard deviations of both.",
}

RESIDUAL = "Residual SD: {sd}. Intraclass correlation given the features: {icc}."

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

FACTORS = (
    "Rows may belong to more than people, such as clinics. Each of these factors has differences "
    "of its own; a person's parameters are the population's, plus the clinic's, plus the person's."
)

FACTOR = (
    "{n} groups of {factor} differ in {parameter} with an SD of {own} (the model's own). Their "
    "estimates are pulled towards the population, the more so the fewer observations a group has."
)

FACTOR_PERSONS = "People differ with an SD of {between}, beyond their groups."

PARAMETER_NAMES = (
    "“a → b” is the score of moving from state a to state b. “sleep on low” is the weight with "
    "which a feature moves the score of a class or state; without a class, it moves the outcome "
    "itself, and “intercept” is what the outcome is where all features are 0. “Unit 3” is the "
    "third unit of a hidden layer, which has no meaning by itself. The tables of a run have the "
    "names that the model uses, such as layers.0.weight[2,1], which count from 0. Most "
    "informative: what people's own data say most about."
)

LEVELS = (
    "The level is the prediction at the study's average features; the slope of a feature is by how "
    "much the prediction changes, on average, for one unit more of it (of a feature with two "
    "values: from one to the other). Each point is a person's difference from the population. "
    "Tests against covariates are of these numbers."
)

LEVEL_OF_ALL = "In the population the {effect} is {value}{interval}."

PLAIN_FURTHEST = {
    "title": "Furthest from the population",
    "level": "the predicted {what} is {way} than that of all people together, by {by} on average "
    "over the values of {feature} that the person had.",
    "unknown": "differs only in ways that have no plain words here.",
    "limit": "States that a person was in fewer than five times do not count. Somebody is always "
    "furthest: five are listed, whether or not they differ by more than chance, and the largest "
    "of many differences is easily too large. It is no finding about the person; their data may "
    "be worth a look.",
    "limit_curves": "Somebody is always furthest: five are listed, whether or not they differ by "
    "more than chance, which an average over a curve does not say; each one's curve has its "
    "interval. It is no finding about the person; their data may be worth a look.",
}

FURTHEST = (
    "Distance: root mean square of a person's deviations, each in the model's SD. Shrinkage "
    "keeps it below 1 for most. People far out may be worth a look at their data."
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

WEIGHTS = (
    "A single weight of a network means little by itself, and which of them carries a difference "
    "is partly arbitrary; the page Random effects shows what differs in terms of the outcome."
)

RESPONSE_CURVES = (
    "Single weights of a network mean little by themselves. How each person's predicted outcome "
    "changes with a feature is shown first."
)
