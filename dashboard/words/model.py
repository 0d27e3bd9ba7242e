"""The page Model."""

from __future__ import annotations

#: What is trained, for readers who choose nothing.
PLAIN_MODELS = {
    "nme-crf": "The computer learns from these data how people move from one state to the next: "
    "what all have in common, and what is each person's own.",
    "nme-mlp": "The computer learns from these data how the outcome depends on the other columns: "
    "what all people have in common, and what is each person's own.",
}

ONLY_NUMBERS = (
    "The outcome of this study is a number, so NME-MLP is the model for it. If its values are "
    "states, load the study again with “The outcome is: class (state)”; then NME-CRF is here too."
)

PRESETS = {
    "quick": ("Quick", "Until it has converged, beside one model for all people."),
    "thorough": (
        "Thorough",
        "Tries several sizes of network and kinds of covariance on the validation part first, "
        "then compares with every other kind of model. Takes many times as long.",
    ),
}

ESTIMATE = {
    "range": "Rough estimate: {time}, judged by {runs} of this kind on this computer.",
    "one": " How much that varies is not known yet.",
    "none": "Nothing is known yet of how long it takes: no training of this kind was finished on "
    "this computer.",
}

NO_LAYERS = "Hidden layers are auto, or whole numbers of units, such as 32 or 32,16."

ONLY_LINEAR = (
    "“{settings}” is for a model without hidden layers. Either leave the units of the hidden "
    "layers empty, or set it back."
)

#: Baselines for numbers only.
FOR_NUMBERS = ("lme", "mlp-lme")
