"""Terms of the screen, of reports and of the documents, and where they are explained."""

from __future__ import annotations

#: Terms of the screen, of reports and of the documents, in plain words.
TERMS = {
    "95 % interval": "A range that holds the true value in 95 of 100 studies, as far as the model "
    "is right.",
    "adapting": "Learning the parameters of a new person from the rows that there are, with all "
    "else left as it was learned.",
    "baseline": "A simpler model that is fitted to the same rows, to see what the model adds.",
    "calibration": "Whether what is predicted with a probability happens that often.",
    "Cohen's κ": "How far predicted and observed states agree beyond what chance gives: 0 is "
    "chance, 1 is always right.",
    "compliance": "How many of the planned occasions a person answered.",
    "conditional probability": "How probable the next state is, given the state now. It compares "
    "people at the same features; how often a move was made, the expected and the observed share "
    "say.",
    "confounder": "Something related to both people's parameters and the covariate, and "
    "possibly the reason why they are associated.",
    "converged": "Training had learned what it could: more passes through the data no longer "
    "helped.",
    "corrected p": "A p value that counts how many tests were made.",
    "covariance": "How much people differ in each parameter, and which parameters differ together.",
    "covariate": "Something known of each person once, such as a depression score.",
    "deviation": "A person's parameter minus the population's.",
    "distance": "How far a person lies from the population over all parameters: the root mean "
    "square of the deviations, each in SDs of the model.",
    "estimator": "The way in which parameters are learned from the data.",
    "expected share": "Which share of a person's moves from a state went to another, as the model "
    "sees that person's own rows.",
    "feature": "What is known on each occasion and used to predict the outcome.",
    "fixed effect": "A parameter's value for the population: what a person's own value is "
    "compared with.",
    "generic model": "One model for all people: everybody is predicted by the same numbers.",
    "held back": "Occasions that the model did not see while it was trained, the last of each "
    "person, on which it is judged.",
    "HSIC": "The Hilbert–Schmidt independence criterion: a number that is 0 where two things are "
    "independent, in whatever way they may depend on each other. It has no direction.",
    "intraclass correlation (ICC)": "The share of what the features leave unexplained that lies "
    "between people.",
    "log-loss": "How surprised a model is by what happened, on average per step; lower is better. "
    "It compares models on the same occasions and means little alone.",
    "mean squared error (MSE)": "The squared distance of predicted from observed, averaged over "
    "occasions; lower is better.",
    "NME": "Neural mixed effects: a network some of whose parameters differ by person, held "
    "together by a distribution over people.",
    "observed share": "Which share of a person's moves from a state went to another, counted in "
    "the recorded rows; no model is involved.",
    "occasion": "One row of the long table: one person at one time.",
    "outcome": "What is predicted: a number, a class, or a state in a sequence.",
    "p": "How often chance alone would give as much as was seen, if there were nothing; a small p "
    "says that chance is an unlikely reason, not how large or how important something is.",
    "parameter": "A number that the model learns; some are the same for all people, some each "
    "person's own.",
    "Pearson r": "How closely predicted and observed go up and down together, from −1 to 1.",
    "permutation test": "The covariate is dealt out to the people anew many times; p is how often "
    "chance gives as much dependence as was seen.",
    "person-specific": "Learned for one person, beside what all people share.",
    "placement": "Which parameters of the network differ by person.",
    "population": "What all people share; a prediction for somebody of whom nothing is known.",
    "posterior": "What is believed of a person's parameters once that person's rows were seen, "
    "and how uncertain it still is.",
    "random effect": "How far a person's parameter lies from the population's.",
    "read-out": "One way to put a person's transitions into numbers.",
    "reliability": "The share of how estimates differ between people that is not error; 0 is "
    "noise, 1 is certainty.",
    "response curve": "How the predicted outcome changes with one feature, all others at their "
    "mean.",
    "run": "One training of a model on a study, with all that came out of it.",
    "SD": "Standard deviation: how far values typically lie from their mean.",
    "score": "The model's raw number for a transition, where rows and columns add up to 0; "
    "positive means more than average. No probability.",
    "seed": "The number from which all chance in a run starts; the same seed on the same computer "
    "gives the same numbers.",
    "sequence": "Rows of one person that follow each other without a break, such as a session.",
    "shrinkage": "How far estimates of people are pulled towards the population; the fewer "
    "occasions, the more.",
    "Spearman's ρ": "How closely two things go up together over people, in ranks: −1 and 1 are "
    "perfect, 0 is no trend.",
    "stability": "Whether halves of each person's occasions, or another seed, give the same "
    "differences between people.",
    "state": "What somebody is in at a time, such as calm or tense.",
    "strength": "How closely two things depend on each other, in whatever way: 0 is not at all, 1 "
    "as closely as can be.",
    "transition": "A move from the state at one step to the state at the next; staying counts too.",
}

#: Numbers of the study report that are counted in a term.
FACT_HELP = {
    "Rows": TERMS["occasion"],
    "Features": TERMS["feature"],
    "Covariates": TERMS["covariate"],
}

#: Terms that each page may show, in the order in which a reader meets them.
PAGE_TERMS: dict[str, tuple[str, ...]] = {
    "study": ("occasion", "outcome", "state", "sequence", "feature", "covariate", "compliance"),
    "runs": ("run", "outcome", "person-specific", "generic model"),
    "model": (
        "outcome", "state", "transition", "feature", "parameter", "person-specific",
        "generic model", "held back", "log-loss", "mean squared error (MSE)", "95 % interval", "p",
        "corrected p",
    ),
    "fit": (
        "occasion", "held back", "NME", "person-specific", "population", "generic model",
        "log-loss",
        "Cohen's κ", "mean squared error (MSE)", "Pearson r", "95 % interval", "p", "corrected p",
    ),
    "transitions": (
        "state", "transition", "population", "conditional probability", "expected share",
        "observed share", "95 % interval", "sequence", "held back",
    ),
    "random-effects": (
        "random effect", "population", "parameter", "response curve", "feature", "transition",
        "expected share", "95 % interval",
    ),
    "covariates": (
        "covariate", "parameter", "population", "transition", "expected share", "response curve",
        "p", "corrected p", "strength", "95 % interval",
    ),
    "new-person": (
        "occasion", "outcome", "feature", "population", "parameter", "adapting",
        "conditional probability", "response curve", "95 % interval",
    ),
    "research": (
        "covariate", "population", "95 % interval", "p", "held back", "person-specific",
        "HSIC", "covariance", "placement", "random effect", "SD", "seed", "calibration",
        "generic model", "conditional probability", "estimator", "log-loss",
        "Spearman's ρ", "permutation test", "mean squared error (MSE)", "reliability",
    ),
    "gallery": ("run", "population", "95 % interval"),
    "export": (
        "run", "population", "person-specific", "conditional probability", "expected share",
        "observed share", "score", "response curve", "covariate", "95 % interval",
        "random effect", "reliability", "shrinkage", "HSIC", "permutation test",
    ),
}  # fmt: skip

#: Terms that only the Researcher view of a page adds.
RESEARCHER_TERMS: dict[str, tuple[str, ...]] = {
    "study": ("SD", "Spearman's ρ", "p"),
    "runs": (
        "converged", "log-loss", "Cohen's κ", "mean squared error (MSE)", "Pearson r", "placement",
        "covariance", "estimator", "seed", "baseline", "95 % interval", "p",
    ),
    "model": (
        "NME", "baseline", "placement", "covariance", "estimator", "seed", "converged",
        "random effect",
    ),
    "fit": (
        "baseline", "converged", "calibration", "random effect", "reliability",
        "shrinkage", "intraclass correlation (ICC)", "fixed effect", "estimator", "SD",
    ),
    "transitions": ("read-out", "score", "covariate"),
    "random-effects": (
        "deviation", "SD", "reliability", "shrinkage", "covariance", "covariate", "distance",
        "estimator", "corrected p", "p", "state",
    ),
    "covariates": (
        "HSIC", "Spearman's ρ", "permutation test", "confounder", "compliance", "posterior",
        "reliability", "stability", "seed", "shrinkage", "score", "SD", "person-specific",
    ),
    "new-person": ("state", "shrinkage"),
    "research": (),
    "gallery": (
        "expected share", "observed share", "score", "log-loss", "random effect", "reliability",
        "covariate", "HSIC", "corrected p",
    ),
    "export": (
        "NME", "generic model", "log-loss", "Cohen's κ", "mean squared error (MSE)", "Pearson r",
        "covariance", "posterior", "estimator", "p", "corrected p", "SD",
    ),
}  # fmt: skip
