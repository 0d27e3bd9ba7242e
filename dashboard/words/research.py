"""The page Research."""

from __future__ import annotations

from nme_core.vocabulary.terms import QUESTIONS

#: Research tools: the question, and what is done to answer it.
TOOLS = {
    "covariance": (
        QUESTIONS["covariance"],
        "Fits the model again with a diagonal and a full covariance, and compares them: do people "
        "with a high level also have a steep slope?",
    ),
    "calibrate": (
        QUESTIONS["calibrate"],
        "Draws new people and outcomes from the fitted model, fits the same model to them, and "
        "counts how many 95 % intervals contain what was drawn.",
    ),
    "power": (
        QUESTIONS["power"],
        "Simulates studies in which the quantity you choose changes with the covariate, and "
        "tests each as the page Covariates does.",
    ),
    "ablate": (
        QUESTIONS["ablate"],
        "Fits each placement, and one model for all people, to shares of everybody's rows, and "
        "judges all on the same held-back rows.",
    ),
    "multiverse": (
        QUESTIONS["multiverse"],
        "Checks one claim in every defensible analysis: missing values, exclusions, "
        "placement, covariance, residuals.",
    ),
    "replicate": (
        QUESTIONS["replicate"],
        "Freezes the strongest association of this study with a covariate, then fits and tests "
        "another study once, in the same way.",
    ),
}

#: Directions of claims, by what they are about.
DIRECTIONS = {
    "covariate": {
        "any": "changes with it", "positive": "rises with it", "negative": "falls with it",
    },
    "person": {
        "any": "differs from the population", "above": "is above the population",
        "below": "is below the population",
    },
}  # fmt: skip

RESEARCH = {
    "question": "Question",
    "ask": "Ask",
    "working": "Working",
    "answer": "Answer",
    "none": "Not asked of this run yet.",
    "numbers": "Numbers",
    "download": "Table (CSV)",
    "fits": "{n} fits. Stop at any time: what is finished is kept.",
    "fits_covariance": "Two or three fits.",
    "fits_multiverse": "At most {n} fits. Stop at any time: what is finished is kept.",
    "fits_replicate": "One or two fits.",
    "studies": "Simulated studies of each kind",
    "on": "What people differ in",
    "on_stay": "staying in a state",
    "effects": "Effects",
    "effects_help": "By how many SDs of people it is higher where the covariate is one SD higher; "
    "0 gives the share of false alarms.",
    "people": "Numbers of people",
    "people_help": "With commas, such as 50, 100, 200.",
    "rows": "Rows per person",
    "rows_help": "With commas, such as 30, 60.",
    "placements": "Placements",
    "shares": "Shares of each person's rows",
    "shares_help": "With commas, from above 0 to 1. The rows that are kept are the latest.",
    "seeds": "Seeds",
    "about": "The claim is about",
    "about_covariate": "Covariate",
    "about_person": "Person",
    "direction": "Claim",
    "worlds": "Most analyses",
    "study_b": "Study B",
    "halves": "Two halves of this study's people",
    "no_covariates": "This study has no covariates.",
    "no_list": "Write numbers with commas, such as {given}.",
}
