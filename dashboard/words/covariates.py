"""The page Covariates."""

from __future__ import annotations

#: Guard against the compliance trap: its name, and what it does.
GUARDS = {
    "strata": (
        "permute among people observed equally often",
        "People are exchanged only with others of similar numbers of occasions. Safe, but where "
        "the covariate follows compliance closely it finds less.",
    ),
    "reliability": (
        "undo the pull towards the population",
        "Each person's deviations are divided by the square root of their reliability, so that "
        "people observed seldom vary as much as the others.",
    ),
    "draws": (
        "test draws instead of estimates",
        "Draws from each person's posterior are tested; who was observed seldom is then more "
        "uncertain instead of nearer to the population. The most cautious.",
    ),
    "none": (
        "none",
        "No guard: if the covariate is related to answering less often, a finding may be "
        "compliance alone.",
    ),
}

#: What opens the notes on tests.
TESTS_HELP = {
    "rests_on": "What the tests rest on: the fit, compliance, and reliability",
    "table": "How to read this table, and how it was tested",
}

TEST_ALL = {
    "press": "Test all {n}",
    "help": "Every covariate in one go, corrected for their number; the table lists them all.",
    "working": "Testing",
    "permuting": "Dealing the covariates out to people anew",
    "next": "Tested next: {names}.",
}

PERMUTE = {"within": "people within blocks", "whole": "whole blocks"}

CORRECTIONS = {"bh": "Benjamini–Hochberg", "holm": "Holm"}

TEST_OPTIONS = {
    "of": "What of each person is tested. The first is what the other pages show.",
    "guard": "People who answer seldom are pulled more towards the population. If the covariate "
    "is related to answering seldom, that alone can look like an effect: the compliance trap.",
    "confounders": "What a linear regression on these tells is taken out of both sides, of the "
    "parameters and of the covariate; a curved influence is not.",
    "blocks": "People of one clinic or family are alike. Permuting within blocks takes out what "
    "they share; permuting whole blocks is for covariates that whole blocks share.",
    "incremental": "Holds each person's mean and variability (of states: shares and rate of "
    "switching), and asks what the parameters tell of the covariate beyond them.",
    "adjust": "Benjamini–Hochberg limits the expected share of false findings among all findings; "
    "Holm the chance of even one, and finds less.",
    "again": "Tested on this run before: {names}. All are tested again in this way, and counted.",
}

COMPLIANCE = {
    "trap": "People with a higher score have {less} observations. Estimates from few observations "
    "are pulled more towards the population, which alone can look like dependence.",
    "strata": "The test guards against it: people are exchanged only with others who were "
    "observed about as often.",
    "reliability": "The test guards against it: the pull towards the population is undone first.",
    "draws": "The test guards against it: draws from each person's posterior are tested.",
    "none": "Nothing guards against it here: choose a guard under “How it is tested”.",
}

STABILITY = {
    "caution": "People's parameters together have a reliability of {value}, below .30: most "
    "of how people differ in them is noise. Neither an effect nor its absence should be read off "
    "these tests; more observations per person are needed.",
    "posterior": "Reliability of the parameters together, as the model itself estimates it: "
    "{value}; below .30: {few} of {all} parameters. Whether halves of the data agree was not "
    "checked.",
    "split-half": "Reliability of the parameters together, from halves of each person's data: "
    "{value}; below .30: {few} of {all} parameters.{seeds}{weeks}",
    "unknown": "How reliable the parameters are is not known: this model has no standard errors.",
    "seeds": " Agreement with a fit from another seed: {r}.",
    "weeks": " Agreement with all rows where one {part} of each person is left out: {r} or more.",
    "offer": "Estimates every person twice, from halves of their data, and fits the model once "
    "more with another seed. Takes about as long as the last fit, beside the page.",
    "offer_halves": "Estimates every person twice, from halves of their data, and without each "
    "week in turn, beside the page.",
    "help": "Whether what is tested is a property of the people: if halves of a person's own data "
    "do not agree on it, no covariate can be associated with it.",
}

PLAIN_FINDINGS = {
    "beyond": "In these data, {what} is associated with {covariate}, more than by chance "
    "({p}{tests}, {n} people). That is an association between people; it does not say why.",
    "within": "These data do not show that {what} is associated with {covariate} "
    "({p}{tests}, {n} people). That does not prove that it is not.",
    "circular": "{covariate} is part of the outcome itself, so that its association with {what} is "
    "no finding.",
    "unsure": "Too little is known about single people here to say whether {what} is associated "
    "with {covariate} ({n} people).",
}

#: Size of a dependence in plain words: the least strength of each, from the largest down.
SIZES = {0.25: "strong", 0.09: "moderate", 0.01: "weak", 0.0: "very weak"}

PLAIN_SIZE = {
    "strength": "The link is {size}: its strength is {value}, where 0 is none and 1 the closest "
    "that there can be.",
    "none": "The strength that is seen, {value}, where 0 is none and 1 the closest that there can "
    "be, lies within what chance gives.",
    "unknown": "How strong the link is cannot be said from these data.",
    "rule": "Words for the strength: weak from 0.01, moderate from 0.09, strong from 0.25, the "
    "squares of the correlations .1, .3 and .5 that are usually called so.",
}

#: What of each person is tested, in the middle of a sentence,
HOW_PERSONS = {
    "moves": "how people move between states",
    "scores": "the order in which people's states follow each other, beyond how often each occurs,",
    "slopes": "how people differ in level and response",
    "curves": "how people respond",
    "weights": "what the model learned of each person",
}

#: and by itself: name of the choice, and what it is.
TESTED = {
    "moves": (
        "moves",
        "Tested is where each person goes next from each state, all features at their average: "
        "what the page Transitions shows, as log-odds.",
    ),
    "scores": (
        "scores (dynamics beyond level)",
        "Tested are the double-centred transition scores: which state follows which, beyond how "
        "often each occurs. Another question than what the page Transitions shows.",
    ),
    "slopes": (
        "level and slopes",
        "Tested are each person's level, at average features, and average slope of every feature: "
        "what the page Random effects shows.",
    ),
    "curves": (
        "response curves",
        "Tested are points of each person's response curves: what the page Random effects draws.",
    ),
    "weights": (
        "weights",
        "Tested are all person-specific numbers of the model; of a network with hidden layers "
        "they mean nothing one by one.",
    ),
}

STRENGTH = (
    "Strength: 0 is independence, 1 the closest link that there can be; it has no direction. The "
    "clearest single effect gives direction and size (Spearman's ρ with a number, a difference of "
    "means between groups) with its 95 % interval. p counts every covariate that was tested on "
    "this run. Only the score is tested, never its bands."
)

BANDS = {
    "title": "Groups of people in figures",
    "thirds": "lowest and highest third, or the values themselves",
    "own": "bands of your own",
    "help": "Bands group people in figures and colour points. They are never tested, and are no "
    "diagnosis.",
    "source": "Usual bands, {source}; they can be changed.",
    "recognised": "The values look like {known}; the bands follow that.",
}

CONTRASTS = (
    "Scores are contrasts whose rows and columns add up to 0: when one transition is higher in "
    "some people, others in its row and column are lower. A shift of a single transition "
    "therefore shows in several rows of this table."
)
