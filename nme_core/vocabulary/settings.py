"""The settings of a fit, each written once: `nme fit`, the Model page, scripts and reports read it.

A further setting is one more alias and one more field here, and what it does in
`nme_core.runs.fit.options`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Annotated, Any, get_args, get_type_hints

from nme_core.exceptions import OptionError
from nme_core.vocabulary.choices import COVARIANCES, ESTIMATORS, FAMILIES, MODELS, PLACEMENTS
from nme_core.vocabulary.terms import BASELINES

#: What leaves a choice to the rows; of ``hidden``, a mixture of networks.
AUTO = "auto"
NONE = "none"
_NUMBER, _CLASS = "number", "class"


def names(text: str | None) -> list[str] | None:
    """The names in a list with commas."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def layers(text: str) -> str | tuple[int, ...]:
    """The units of each hidden layer, or "auto"; empty text is "none"."""
    word = text.strip().lower()
    if word == AUTO:
        return AUTO
    try:
        return () if word == NONE else tuple(int(width) for width in names(text) or ())
    except ValueError:
        raise OptionError(
            f"--hidden {text!r} is not a list of numbers.",
            remedy="Write auto, none, or for example 32 or 32,16.",
        ) from None


def _listed(text: str) -> tuple[str, ...]:
    return () if text.strip() == NONE else tuple(names(text) or ())


@dataclass(frozen=True)
class Setting:
    """What every surface knows of one setting.

    Attributes
    ----------
    help : str
        One sentence, for ``nme fit --help``.
    choices : mapping of str to str
        Values that it takes and what each means; empty where it is no choice.
    of_mlps : tuple of str
        Those of the choices that only an nme-mlp takes.
    of_networks : tuple, optional
        Values that a model with hidden layers takes; None: all.
    form : str
        What stands for the value in the help; the choices where it is empty.
    low, high : int or None
        Bounds of a number.
    label, plain : str
        What the Model page calls it, and how it explains it; without a label it is not shown.
    blank : str
        What no value means, as the page says it.
    models, outcomes : tuple of str
        Models and kinds of outcome that take it.
    read : callable, optional
        Makes the value of text; None where the value is the text itself, a number or a switch.
    """

    help: str
    choices: Mapping[str, str] = field(default_factory=dict)
    of_mlps: tuple[str, ...] = ()
    of_networks: tuple[object, ...] | None = None
    form: str = ""
    low: int | None = None
    high: int | None = None
    label: str = ""
    plain: str = ""
    blank: str = ""
    models: tuple[str, ...] = tuple(MODELS)
    outcomes: tuple[str, ...] = (_NUMBER, _CLASS)
    read: Callable[[str], Any] | None = None

    @property
    def metavar(self) -> str | None:
        """What stands for the value in the help; None: what its type says."""
        return self.form or "|".join(self.choices) or None

    def choices_of(self, model: str) -> dict[str, str]:
        """Values that a model of this kind takes."""
        left_out = () if model == "nme-mlp" else self.of_mlps
        return {name: words for name, words in self.choices.items() if name not in left_out}

    def takes(self, model: str, outcome: str | None) -> bool:
        """Whether a model of this kind and an outcome of this kind have it."""
        return model in self.models and outcome in self.outcomes


_LINEAR = ("nme-mlp",)
Model = Annotated[str, Setting("Kind of model.", form="|".join(reversed(MODELS)))]
Placement = Annotated[
    str | None,
    Setting(
        "Where the person-specific parameters stand.",
        choices=PLACEMENTS,
        form="first|last|all|transitions|last+transitions|…",
    ),
]
Family = Annotated[
    str | None,
    Setting(
        "Kind of outcome of an nme-mlp; default: gaussian, or categorical for classes.",
        choices=FAMILIES,
        label="Kind of outcome",
        plain="What kind of values the outcome has, which decides how errors are weighed.",
        models=_LINEAR,
    ),
]
Covariance = Annotated[
    str,
    Setting(
        "How people's parameters covary; auto: full where it gives a linear model of a number with "
        "--time a lower AIC, else diagonal.",
        choices=COVARIANCES,
        of_mlps=("blocks",),
        of_networks=("auto", "diagonal", "full"),
        label="Covariance of people",
        plain="What the model learns about how people differ: how much in each parameter "
        "(diagonal), or also which parameters differ together (full).",
    ),
]
Estimator = Annotated[
    str,
    Setting(
        "How the differences between people are learned.",
        choices=ESTIMATORS,
        label="Estimator",
        plain="How the differences between people are learned.",
    ),
]
Hidden = Annotated[
    str | tuple[int, ...] | None,
    Setting(
        "Units of each hidden layer; auto: several networks, weighted by the validation rows. "
        "Default: auto for nme-mlp, none for nme-crf.",
        form="auto|none|32[,16…]",
        label="Units of the hidden layers",
        plain="auto (of an NME-MLP): a linear model and three networks, each weighted by how well "
        "it predicts the validation part. Or one number per layer, separated by commas, such as "
        "32,16. Empty: no hidden layer, a linear model.",
        blank="no hidden layer",
        read=layers,
    ),
]
Activation = Annotated[
    str | None,
    Setting("What stands between named layers; default: relu.", form="tanh|relu"),
]
Residual = Annotated[
    str,
    Setting(
        "Residuals of a number: independent, or autocorrelated over --time; auto: autocorrelated "
        "where times are given and the model has no hidden layers.",
        choices={
            "auto": "Neighbouring residuals may be alike where times are given and the model is "
            "linear.",
            "iid": "What the model does not explain is independent from row to row.",
            "ar1": "Neighbouring residuals are alike, less so the further apart they are in time.",
        },
        label="Residuals over time",
        plain="Whether what the model does not explain lasts from one occasion to the next.",
        models=_LINEAR,
        outcomes=(_NUMBER,),
    ),
]
Reml = Annotated[
    bool,
    Setting(
        "Restricted likelihood, for a linear nme-mlp.",
        of_networks=(False,),
        label="Restricted likelihood (REML)",
        plain="For a linear model of a number. Variances are not underestimated where people are "
        "few; likelihoods of models with different features can then not be compared.",
        models=_LINEAR,
        outcomes=(_NUMBER,),
    ),
]
Shrink = Annotated[
    str,
    Setting(
        "Shrink the effects of a linear nme-mlp's features as far as the rows say, for prediction "
        "from many features.",
        choices={
            "none": "Effects of features are estimated as they are.",
            "inputs": "Effects of features are pulled towards 0 as far as the data suggest: for "
            "prediction from many features, not for interpreting their effects.",
        },
        of_networks=("none",),
        label="Effects of features",
        plain="For a model without hidden layers.",
        models=_LINEAR,
    ),
]
Quadrature = Annotated[
    int,
    Setting(
        "Points of quadrature for a linear nme-mlp of classes or counts with one random effect; 1: "
        "Laplace's approximation. Take 7 or more for rare events and few rows each.",
        of_networks=(1,),
        form="N",
        low=1,
        label="Points of quadrature",
        plain="For a linear model of classes or counts in which people differ in one parameter. "
        "1: Laplace's approximation. Take 7 or more for rare events and few occasions each.",
        models=_LINEAR,
    ),
]
Baselines = Annotated[
    tuple[str, ...],
    Setting(
        "Models to compare with.",
        choices=BASELINES,
        form="generic,specific,lme,mlp-lme,unregularised|none",
        label="Compared with",
        read=_listed,
    ),
]
Epochs = Annotated[
    int | None,
    Setting(
        "Exactly so many; default: until converged.",
        low=1,
        label="Passes through the data",
        plain="How often training goes through the data. Empty: until it has converged.",
        blank="until it has converged",
    ),
]
Seed = Annotated[
    int,
    Setting(
        "Same seed, same machine, same numbers.",
        low=0,
        high=2**32 - 1,
        label="Seed",
        plain="Where the random numbers of training start. The same seed gives the same results on "
        "the same computer; another one shows how far results depend on chance.",
    ),
]
Device = Annotated[str, Setting("cpu, cuda or auto.")]
Refit = Annotated[str, Setting("Fit again on all rows for what is interpreted.", form="all|none")]
Tune = Annotated[
    int,
    Setting(
        "Choose hidden layers and covariance by the validation rows.",
        form="TRIALS",
        low=0,
        high=100,
        label="Settings to try",
        plain="How many settings of hidden layers and covariance are tried; the best on the "
        "validation part is kept. 0: the settings chosen here.",
    ),
]


@dataclass(frozen=True)
class FitSettings:
    """What is fitted; the names are those of ``nme fit`` and of ``config.json``."""

    model: Model
    placement: Placement = None
    family: Family = None
    covariance: Covariance = AUTO
    estimator: Estimator = "variational"
    hidden: Hidden = None
    activation: Activation = None
    residual: Residual = AUTO
    reml: Reml = False
    shrink: Shrink = "none"
    quadrature: Quadrature = 1
    baselines: Baselines = ("generic", "specific")
    epochs: Epochs = None
    seed: Seed = 0
    device: Device = "cpu"
    refit: Refit = "all"
    tune: Tune = 0

    @property
    def are_states(self) -> bool:
        """Whether the outcome is a class where nothing else is said of it."""
        return self.model == "nme-crf" or self.family in ("categorical", "ordinal")

    @property
    def has_layers(self) -> bool:
        """Whether the model has hidden layers; a mixture has some with and one without."""
        return bool(self.hidden) or (self.hidden is None and self.model == "nme-mlp")

    def only_linear(self) -> list[str]:
        """Names of the settings whose values a model with these hidden layers does not take."""
        return [
            name
            for name, one in SETTINGS.items()
            if self.has_layers
            and one.of_networks is not None
            and getattr(self, name) not in one.of_networks
        ]

    def words(self) -> list[str]:
        """The arguments of ``nme fit`` that ask for the same."""
        found = []
        for one in fields(self):
            value = getattr(self, one.name)
            if value is None or (one.default is not MISSING and value == one.default):
                continue
            option = f"--{one.name}"
            if isinstance(value, tuple):
                value = ",".join(map(str, value)) or NONE
            found += [option] if value is True else [option, str(value)]
        return found


#: Each setting by its name, in their order.
SETTINGS: dict[str, Setting] = {
    name: next(one for one in get_args(hint) if isinstance(one, Setting))
    for name, hint in get_type_hints(FitSettings, include_extras=True).items()
}
