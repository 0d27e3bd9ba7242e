"""What is fitted."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from nme_core.estimators import (
    GAUSSIAN,
    NMECRF,
    NeuralMixedEffects,
    NMEMLPClassifier,
    NMEMLPRegressor,
    check_baselines,
)
from nme_core.exceptions import OptionError
from nme_core.study import Study
from nme_core.training.structure_choice import DIAGONAL
from nme_core.vocabulary.settings import AUTO, FitSettings

MODELS = ("nme-mlp", "nme-crf")
_MOST_CLASSES = 100


class FitOptions(FitSettings):
    """The settings of a fit, and the model that they ask for."""

    def estimator_for(self, study: Study) -> NeuralMixedEffects:
        """Return the unfitted model; OptionError where the options do not fit the study."""
        if self.model not in MODELS:
            raise OptionError(
                f"No model is called {self.model!r}.", remedy=f"Choose from {', '.join(MODELS)}."
            )
        if self.refit not in ("all", "none"):
            raise OptionError(f"refit={self.refit!r} does not exist.", remedy="Choose all or none.")
        if len(study.classes) > _MOST_CLASSES:
            raise OptionError(
                f"{study.roles.outcome!r} has {len(study.classes)} different values, more than "
                f"the {_MOST_CLASSES} classes that a model may have.",
                remedy="Choose a column with fewer states or, for a number, nme-mlp.",
            )
        kind: type[NeuralMixedEffects]
        if self.model == "nme-crf":
            if study.outcome_kind != "class":
                raise OptionError(
                    "An NME-CRF needs states as outcome, not a number.",
                    remedy="Read the study with outcome_kind='class', or use nme-mlp.",
                )
            if self.family is not None:
                raise OptionError(
                    "An NME-CRF has no family; its states are classes.",
                    remedy="Leave --family out, or use nme-mlp.",
                )
            study.refuse_ties("An NME-CRF")
            kind = NMECRF
        else:
            kind = NMEMLPClassifier if study.outcome_kind == "class" else NMEMLPRegressor
        given: dict[str, Any] = {
            "hidden": self.hidden,
            "placement": self.placement,
            "family": self.family,
        }
        if kind is NMEMLPRegressor:
            given |= {"residual": self.residual, "reml": self.reml}
            given["covariance"] = self.covariance
        elif self.residual == "ar1" or self.reml:
            raise OptionError(
                f"{'--reml' if self.reml else '--residual ar1'} is for a number as outcome.",
                remedy="Leave it out, or use nme-mlp with a number as outcome.",
            )
        if kind is not NMECRF:
            given |= {"shrink": self.shrink, "quadrature": self.quadrature}
        elif self.shrink != "none" or self.quadrature != 1:
            raise OptionError(
                f"{'--quadrature' if self.quadrature != 1 else '--shrink'} is for an nme-mlp.",
                remedy="Leave it out, or use nme-mlp with --hidden none.",
            )
        given.setdefault("covariance", DIAGONAL if self.covariance == AUTO else self.covariance)
        model = kind(
            **{name: value for name, value in given.items() if value is not None},
            activation=self.activation,
            estimator=self.estimator,
            epochs=self.epochs,
            device=self.device,
            random_state=self.seed,
        )
        check_baselines(model, self.baselines)
        for name in set(GAUSSIAN) & set(self.baselines) if study.roles.groups else ():
            raise OptionError(
                f"The baseline {name!r} takes one grouping factor.",
                remedy="Leave it out, or the further groups.",
            )
        return model


def fit_options(config: dict[str, Any]) -> FitOptions:
    """Options of a run, from its ``config.json``; what a search found stands in for it."""
    known: dict[str, Any] = {
        field.name: config[field.name] for field in fields(FitOptions) if field.name in config
    }
    for name, value in known.items():
        known[name] = tuple(value) if isinstance(value, list) else value
    return FitOptions(**{**known, "tune": 0})


def leader_options(config: dict[str, Any]) -> FitOptions:
    """Options of the one network that a run's tables are of; of a mixture its leader's."""
    options = replace(fit_options(config), baselines=())
    if options.hidden != AUTO:
        return options
    leader = config["candidate"]
    return replace(
        options,
        hidden=tuple(leader["hidden"]),
        activation=leader["activation"],
        placement=leader["placement"],
        residual="iid" if options.residual == "auto" else options.residual,  # as candidates had it
    )
