"""What of a fitted model's uncertainty is approximate, and why, for the screen and config.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nme_core.estimators import NeuralMixedEffects

#: Persons from whom on the intervals were simulated.
FEW_PERSONS = 15


def approximations(model: NeuralMixedEffects) -> list[dict[str, str]]:
    """Tables whose intervals are only approximate, with the reason, in words.

    Returns
    -------
    list of dict
        Keys ``table`` (``random_effects``, ``fixed_effects`` or ``transitions``) and ``reason``.
        Empty where the intervals' coverage was found between 92 and 97 % in simulations of such
        models (docs/uncertainty.md).
    """
    posterior = model._posterior
    tables = ["fixed_effects", "random_effects"]
    if hasattr(model, "transition_matrix"):
        tables.append("transitions")
    if posterior.covariance is None:
        reason = f"The estimator {model.estimator!r} gives points: there are no intervals."
        return [{"table": table, "reason": reason} for table in tables]
    reasons: list[tuple[str, str]] = []
    if len(model.factors_) > 1 and posterior.joint is None:
        text = "With several grouping factors the shared parameters count as known"
        reasons.append(("random_effects", f"{text}."))
        reasons += [(table, f"{text}: there are no intervals.") for table in tables[::2]]
    elif posterior.covariance.dim() == 2:
        reasons.append(
            (
                "random_effects",
                "With so many person-specific parameters their correlations are left out: the"
                " intervals are too narrow.",
            )
        )
        reasons += [(table, "There are too many parameters for them.") for table in tables[::2]]
    elif posterior.uncertainty is None:
        text = "The study is too large, or a parameter too uncertain, to"
        reasons.append(("random_effects", f"{text} count the shared parameters' uncertainty."))
        reasons += [(table, f"{text} give intervals.") for table in tables[::2]]
    elif model._widths:
        reasons.append(
            ("fixed_effects", "The weights of a network with hidden layers are not unique.")
        )
        text = "The hidden layers count as known."
        reasons += [(table, text) for table in tables if table != "fixed_effects"]
    if posterior.joint is not None and not model._family().has_residual_variance:
        text = (
            "With several grouping factors and few rows of each group, intervals of groups' own"
            " numbers held the truth in 86 to 90 % of simulated cases."
        )
        reasons.append(("random_effects", text))
    if getattr(model, "shrink", "none") == "inputs":
        reasons.append(("fixed_effects", "They are for prediction: shrunk towards 0."))
    for number, (factor, levels) in enumerate(model.factors_.items()):
        if len(levels) < FEW_PERSONS:
            who = f"groups of {factor}" if number else "persons"
            text = (
                f"Only {len(levels)} {who} tell of the variances between"
                f" {'them' if number else 'persons'} (fewer than {FEW_PERSONS})."
            )
            reasons += [(table, text) for table in tables]
    if "transitions" in tables:
        text = (
            "The population's intervals of conditional probabilities are wide: the rows do not tell"
            " how much of a transition's score is the state's own, only the prior does."
        )
        reasons.append(("transitions", text))
        if model.placement != "transitions":
            text = "Coverage was simulated only for models whose transitions alone are personal."
            reasons.append(("transitions", text))
    return [{"table": table, "reason": reason} for table, reason in reasons]
