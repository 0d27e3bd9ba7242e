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

WEIGHTS = (
    "A single weight of a network means little by itself, and which of them carries a difference "
    "is partly arbitrary; the page Random effects shows what differs in terms of the outcome."
)

RESPONSE_CURVES = (
    "Single weights of a network mean little by themselves. How each person's predicted outcome "
    "changes with a feature is shown first."
)
