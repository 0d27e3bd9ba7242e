"""The page Fit."""

from __future__ import annotations

#: What the metric that sums up a fit means, in plain words.
PLAIN_METRICS = {
    "log_loss": "how surprised the model is by what happened, on average for one step; 0 would be "
    "no surprise at all, and lower is better",
    "mse": "the distance between prediction and observation, squared and averaged; lower is better",
}

PLAIN_NAMES = {
    "nme": "each person with parameters of their own",
    "generic": "one model for everybody",
}

PLAIN_DIFFERENCE = (
    "With one model for everybody, a person's own {metric} changes by {difference}, averaged over "
    "{n} people (95 % interval {limits}, corrected {p})."
)

PLAIN_VERDICTS = {
    "better": "People differ in ways that help to predict them: on occasions that the model has "
    "not seen, giving people parameters of their own predicts better than one model for all.",
    "worse": "One model for everybody predicts better here than giving people parameters of their "
    "own. Look at single people with care.",
    "alike": "These data do not show whether giving people parameters of their own predicts "
    "better than one model for everybody. Look at single people with care.",
    "alone": "This run has no other model to compare with.",
    "unjudged": "No person has enough occasions for a test part; nothing can be said about the "
    "fit.",
}

#: Of the warnings of training the one that matters most, for readers who choose nothing.
PLAIN_WARNINGS = {
    "unsettled": "Training ended before the model had settled: read what follows with care, or "
    "train again.",
    "other": "Training gave a warning that should be read before the results are used; the "
    "Researcher view has its words.",
    "alike": "In some respects no differences between people could be told from chance, so the "
    "model treats people nearly alike there; more rows per person would tell more.",
}

NUMBERS_BEHIND = "The numbers behind this"

FIT_SECTIONS = {
    "models": "Models",
    "persons": "People",
    "errors": "Errors",
    "checks": "Model checks",
    "training": "Training and certainty",
}

TOGETHER = {
    "title": "All test occasions together",
    "limit": "These values have no interval: occasions of one person are not independent.",
}

#: What opens the notes on the tables of Fit.
TABLE_HELP = {
    "together": "How to read this table: models, metrics, and what was judged",
    "by_person": "How to read this table, and why it can differ from the one above",
    "paired": "These differences as a table, and how they were tested",
    "verdict": "Training, and how the model compares in other ways",
}

BY_PERSON = {
    "title": "Each person's own, averaged over people",
    "what": "First NME's own mean over the people for whom the metric is defined, then the mean "
    "difference of each other model from NME, person by person; in brackets 95 % intervals over "
    "people; the fitted models themselves are taken as given.",
    "why": "The two tables can differ, even in sign: together, every occasion counts the same, and "
    "telling people apart raises κ, macro F1, correlations and CCC; person by person, everybody "
    "counts the same, and only what varies within the person does that.",
}

CERTIFICATE = {
    "offer": "Fits the linear mixed model of this study (random intercept and slopes) twice, here "
    "and by MixedLM of statsmodels, and shows both side by side.",
    "agrees": "All {n} numbers of the two fits agree to 0.001; the largest relative difference is "
    "{largest}.",
    "differs": "**The two fits do not agree everywhere**: the largest relative difference of {n} "
    "numbers is {largest}. MixedLM may have stopped early; the table says where they differ.",
    "own": "Of this run's own model, on the rows that it was fitted to, in units of the data.",
    "other": "Of the linear mixed model of this study, not of this run's own model.",
}

PAIRED = (
    "Each person's own metric under another model minus the same person's under NME, averaged. The "
    "interval comes from drawing people again and again with replacement (studentised bootstrap); "
    "p from swapping the two models of randomly chosen people. The corrected p allows for the "
    "number of models that are compared on the same metric (Holm), not for the number of metrics."
)

SEQUENCE_LOSS = (
    "The log-loss of an NME-CRF is −log p(all labels of the person's held-out segment together, "
    "given the label before it), divided by the number of steps. It is not computed from the "
    "probabilities of single states (p_<state>) in the predictions."
)

FLAT = {
    "number": "predicts nearly the same number for everybody: it found no pattern",
    "class": "predicts the same class every time: it found no pattern",
}

SPLIT = (
    "Fitted on the first 60 % of each person's occasions, watched on the next 20 %, judged on the "
    "last 20 %. This is the future of the same people, not of new ones."
)

SPLIT_FEW = (
    "Most people have fewer than 5 occasions: some people's last one was watched, others' last "
    "one judged, and all else fitted. This is the future of the same people, not of new ones."
)

PLAIN_INTERPRETED = {
    "all rows": "Learned from everybody's rows.",
    "training rows": "Learned from the first 60 % of each person's rows.",
}

INTERPRETED = {
    "all rows": "From a second fit of the same model on all rows; the metrics on the page Fit come "
    "from the fit that has not seen the test part.",
    "training rows": "From the fit on the training part, the first 60 % of each person's rows.",
}
