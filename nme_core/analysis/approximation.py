"""What of a fitted model's uncertainty is approximate, and why, for the screen and config.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nme_core.analysis.coverage import (
    HIGHEST,
    MARGIN,
    READOUTS,
    Coverage,
    StudyKind,
    coverage_of,
    coverage_of_new,
    has_transitions,
)

if TYPE_CHECKING:
    from nme_core.estimators import NeuralMixedEffects

#: How `reason` calls the intervals of tables that have several kinds.
_PARTS = {
    "transitions": {
        **{one: f"people's {one}" for one in READOUTS},
        **{f"population_{one}": f"the population's {one}" for one in READOUTS},
    },
    "summary": {
        "variances": "variances between people",
        "residual_variance": "the residual variance",
    },
}

_UNSEEN = "Coverage of these intervals was not examined for {}."

#: Fewest and most rows of a person, people and groups of a second factor that were simulated,
SEVERAL_FACTORS = ((5, 8), (30, 60), (6, 15))
#: and the share of intervals of groups' effects that held the truth where the outcome has classes.
SEVERAL_FACTORS_OF_CLASSES = (0.86, 0.90)
#: and of a second factor with fewer groups than these where it is a number.
FEW_GROUPS, FEW_GROUPS_OF_NUMBERS = 15, (0.91, 0.92)


def approximations(model: NeuralMixedEffects) -> list[dict[str, Any]]:
    """Tables whose intervals are only approximate, missing or not examined, with the reason.

    Returns
    -------
    list of dict
        Keys ``table`` (``fixed_effects``, ``random_effects``; ``transitions`` of an NME-CRF,
        ``person_effects`` of an NME-MLP, ``response_curves`` of networks; ``summary`` where the
        variances have intervals), ``reason`` in words, and
        ``status``: ``missing`` (there are no intervals), ``outside`` (in simulations of such
        studies they contained the true value in fewer than 92 or in more than 97 %; then also
        ``covered``, the smallest and the largest share) or ``not examined``. Empty where all were
        examined and contained it in 92 to 97 % (docs/uncertainty.md).
    """
    tables = ["fixed_effects", "random_effects"]
    tables.append("transitions" if has_transitions(model) else "person_effects")
    variances = model._variances
    known = variances is not None and bool(np.isfinite(variances.by_factor[..., 1:]).any())
    shown = [*tables, "summary"] if known else tables
    if model._posterior.joint is not None:
        return _several_factors(model, shown) + _curves(model)
    found = _missing(model, tables)
    absent, kind = {note["table"] for note in found}, StudyKind.of(model)
    for table in shown:
        if table not in absent:
            found += _examined(kind, table)
    return found + _curves(model)


def new_people_approximations(model: NeuralMixedEffects) -> list[dict[str, Any]]:
    """As `approximations`, of the intervals of people whom this model is adapted to.

    Of the tables that tell of them: ``random_effects``, and ``transitions`` or
    ``response_curves``.
    """
    tables = ["random_effects", "transitions" if has_transitions(model) else "response_curves"]
    counted, kind = model._posterior.uncertainty, StudyKind.of(model)
    if counted is None:
        notes = {note["table"]: note for note in [*_missing(model, tables), *_curves(model)]}
        return [*notes.values()]
    if model.hidden:
        reason = "For new people a network's intervals do not count how uncertain Σ and σ² are"
    elif counted.fits is None:
        reason = (
            "This fit kept nothing of what else Σ may be (it has a set number of epochs or was not"
            " exact, is too large, or is of an older version), so that for new people variances"
            " alone count as uncertain, each by itself"
        )
    else:
        return _new_examined(kind, tables)
    return [_note(one, "not examined", f"{reason}: intervals may be too narrow.") for one in tables]


#: What simulations of new people held intervals against, by table.
_OF_NEW = {
    "random_effects": "new_people",
    "response_curves": "new_curves",
    "transitions": "new_conditional",
}


def _new_examined(kind: StudyKind, tables: list[str]) -> list[dict[str, Any]]:
    """What simulations said of new people's intervals, where that is not that they are right."""
    notes = []
    for table in tables:
        found = coverage_of_new(kind, _OF_NEW[table])
        if found.status == "outside":
            notes.append(_outside(table, kind, found, " of new people"))
        elif found.status == "not examined":
            what = kind.other or f"such studies ({kind.words})"
            reason = f"Coverage of intervals of new people was not examined for {what}."
            notes.append(_note(table, "not examined", reason))
    return notes


def _curves(model: NeuralMixedEffects) -> list[dict[str, Any]]:
    """Curves of networks, and of mixtures of them, have intervals that no simulation examined."""
    if has_transitions(model) or model._posterior.covariance is None:
        return []
    if not model.hidden:
        counted, joint = model._posterior.uncertainty, model._posterior.joint
        if joint is not None or (counted is not None and counted.across is not None):
            return []
        reason = "The shared parameters count as known: the intervals are too narrow."
        return [_note("response_curves", "not examined", reason)]
    what = "a mixture of networks" if model.hidden == "auto" else "a network with hidden layers"
    return [_note("response_curves", "not examined", _UNSEEN.format(what))]


def _missing(model: NeuralMixedEffects, tables: list[str]) -> list[dict[str, Any]]:
    """Tables without intervals, or with such as leave something out, by what the fit kept."""
    posterior = model._posterior
    if posterior.covariance is None:
        reason = f"The estimator {model.estimator!r} gives points: there are no intervals."
        return [_note(table, "missing", reason) for table in tables]
    if posterior.uncertainty is not None:
        if not model._widths:
            return []
        reason = "The weights of a network with hidden layers are not unique: they have none."
        return [_note("fixed_effects", "missing", reason)]
    if len(model.factors_) > 1:
        reason = "With several grouping factors the shared parameters count as known"
    elif posterior.covariance.dim() == 2:
        reason = "There are too many person-specific parameters to count how they go together"
    else:
        reason = (
            "The study is too large, or a parameter too uncertain, to count how uncertain the"
            " shared parameters are"
        )
    own = _note("random_effects", "not examined", f"{reason}: the intervals are too narrow.")
    rest = [one for one in tables if one != "random_effects"]
    return [own, *(_note(one, "missing", f"{reason}: there are no intervals.") for one in rest)]


def _several_factors(model: NeuralMixedEffects, tables: list[str]) -> list[dict[str, Any]]:
    """What was simulated of several factors, a random intercept of each (docs/uncertainty.md)."""
    kind, per_group = StudyKind.of(model), len(model.parameter_names())
    n_groups = [len(levels) for levels in model.factors_.values()]
    examined = (
        len(n_groups) == 2
        and per_group == 1
        and kind.family in ("gaussian", "binary")
        and all(
            low / MARGIN <= number <= high * MARGIN
            for number, (low, high) in zip((kind.rows, *n_groups), SEVERAL_FACTORS, strict=True)
        )
    )
    if not examined:
        what = f"{len(n_groups)} grouping factors, {kind.words}"
        reason = f"Coverage of these intervals was not examined for such studies ({what})."
        return [_note(table, "not examined", reason) for table in tables]
    if kind.family == "binary":
        low, high, which = *SEVERAL_FACTORS_OF_CLASSES, ""
    elif n_groups[1] < FEW_GROUPS:
        low, high, which = *FEW_GROUPS_OF_NUMBERS, f" of the {n_groups[1]} groups"
    else:
        return []
    reason = (
        f"In simulations of such studies ({kind.words}, two grouping factors) the 95% intervals"
        f"{which} contained the true value in {100 * low:.0f} to {100 * high:.0f} %."
    )
    return [{**_note("random_effects", "outside", reason), "covered": [low, high]}]


def _examined(kind: StudyKind, table: str) -> list[dict[str, Any]]:
    """What simulations said of a table's intervals, where that is not that they are right."""
    other = kind.other
    if kind.family == "network" and table != "person_effects":
        other = "one network of a mixture"
    if other:
        return [_note(table, "not examined", _UNSEEN.format(other))]
    parts = _parts(kind, table)
    found = {name: coverage_of(kind, name) for name in parts}
    notes = []
    unseen = [name for name, one in found.items() if one.status == "not examined"]
    if unseen:
        listed = ", ".join(parts[name] for name in unseen)
        which = "" if len(unseen) == len(found) else f" of {listed}"
        reason = f"Coverage{which} was not examined for such studies ({kind.words})."
        notes.append(_note(table, "not examined", reason))
    for name, one in found.items():
        if one.status == "outside":
            which = f" of {parts[name]}" if parts[name] else ""
            notes.append(_outside(table, kind, one, which))
    return [*notes, *_memory(kind, table)]


def _parts(kind: StudyKind, table: str) -> dict[str, str]:
    """What a table's intervals are of, by quantity, in words where there are several kinds.

    A linear model's levels and slopes are its effects.
    """
    if table in _PARTS:
        parts = _PARTS[table]
        numbers = kind.family == "gaussian"
        return {
            name: said for name, said in parts.items() if numbers or name != "residual_variance"
        }
    linear = table == "person_effects" and kind.family != "network"
    return {"random_effects" if linear else table: ""}


def _outside(table: str, kind: StudyKind, found: Coverage, which: str) -> dict[str, Any]:
    wide = ": they are wider than they need to be" if found.lowest > HIGHEST else ""
    reason = (
        f"In simulations of such studies ({kind.words}) the 95% intervals{which} contained "
        f"the true value in {found.share}{wide}."
    )
    note = _note(table, "outside", reason)
    return {**note, "covered": [found.lowest, found.highest]}


def _memory(kind: StudyKind, table: str) -> list[dict[str, Any]]:
    """What becomes of the intervals where residuals remember and the model does not know it."""
    if kind.times or kind.family == "crf":
        return []
    found = [coverage_of(kind, name, rho=0.5) for name in _parts(kind, table)]
    what = "where neighbouring rows of a person have correlated residuals (simulated: .5)"
    if any(one.status == "not examined" for one in found):
        reason = f"Coverage was not examined {what}, which this model leaves out."
        return [_note(table, "not examined", reason)]
    if all(one.status == "within" for one in found):
        return []
    remedy = (
        " Give the time of each row, and of a network residual='ar1', to have it counted."
        if kind.family == "gaussian"
        else ""
    )
    lowest, highest = min(one.lowest for one in found), max(one.highest for one in found)
    share = Coverage("outside", lowest, highest).share
    reason = (
        f"Residuals count as independent: in simulations {what}, the 95% intervals contained "
        f"the true value in {share}.{remedy}"
    )
    return [{**_note(table, "outside", reason), "covered": [lowest, highest]}]


def _note(table: str, status: str, reason: str) -> dict[str, Any]:
    return {"table": table, "status": status, "reason": reason}
