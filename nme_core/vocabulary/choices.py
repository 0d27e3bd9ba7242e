"""What can be chosen for a fit: name, and one plain sentence."""

from __future__ import annotations

MODELS = {
    "nme-crf": (
        "NME-CRF",
        "For states in a sequence: what somebody does next depends on the state before, and "
        "people may differ in how they move between states.",
    ),
    "nme-mlp": (
        "NME-MLP",
        "For a number or a class on each occasion: a network whose parameters may differ by "
        "person.",
    ),
}

PLACEMENTS = {
    "transitions": "People differ in how they move between states; features mean the same for all.",
    "last": "People differ in the last layer: how what the network found leads to the outcome.",
    "first": "People differ in the first layer: how features are read.",
    "all": "Every layer may differ by person; needs many occasions per person.",
    "last+transitions": "People differ in the last layer and in how they move between states.",
    "first+transitions": "People differ in the first layer and in how they move between states.",
    "all+transitions": "Every layer and the transitions may differ; needs many occasions a person.",
}

ESTIMATORS = {
    "variational": "The best choice for most studies. A model without hidden layers is fitted at "
    "the maximum of its likelihood; a network learns how sure each person's parameters are, and "
    "how much people differ, while it trains.",
    "laplace": "The same as variational without hidden layers. Of a network, how sure each "
    "person's parameters are follows from the curvature of the likelihood.",
    "annealed": "The method of the original paper; tends to find smaller differences between "
    "people than there are, and gives no standard errors.",
}

FAMILIES = {
    "gaussian": "An amount or a rating, with the same spread everywhere.",
    "poisson": "A count: whole numbers from 0.",
    "negative_binomial": "A count that varies more than chance alone would make it, such as "
    "symptoms or drinks a day.",
    "categorical": "Kinds without an order.",
    "ordinal": "Ordered classes, such as the answers of a questionnaire item.",
}

#: Families by kind of outcome; the first is the default.
FAMILIES_OF = {
    "number": ("gaussian", "poisson", "negative_binomial"),
    "class": ("categorical", "ordinal"),
}

COVARIANCES = {
    "auto": "Full where it gives a linear model of a number with times a lower AIC; diagonal "
    "otherwise.",
    "diagonal": "People's deviations are independent of each other across parameters.",
    "full": "People's deviations may be correlated across parameters; slower.",
    "blocks": "Slopes may be correlated with each other and not with the intercept. For models "
    "without hidden layers.",
    "factor": "People differ in one trait, such as inertia, that shows in all parameters, and in "
    "each parameter by itself: Σ = L Lᵀ + D. For models without hidden layers, with three "
    "person-specific parameters or more.",
    "factor2": "The same with two traits; from five person-specific parameters on.",
}
#: Each in front of Σ.
SIGMA = {
    "diagonal": "diagonal", "full": "full", "blocks": "block-diagonal", "factor": "one-factor",
    "factor2": "two-factor",
}  # fmt: skip
