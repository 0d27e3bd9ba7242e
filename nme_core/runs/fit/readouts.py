"""Tables of the model that is interpreted."""

from __future__ import annotations

from collections.abc import Callable

from nme_core.analysis import (
    can_be_certified,
    compare_with_mixedlm,
    covariance_table,
    effect_correlations,
    fixed_effects_table,
    model_checks,
    person_effects,
    random_effects_table,
    response_curves,
    summary_table,
    transitions_table,
)
from nme_core.estimators import NMECRF, NeuralMixedEffects, NMEMLPRegressor
from nme_core.exceptions import OptionError
from nme_core.io import RunFolder
from nme_core.runs.fit.rows import StudyRows
from nme_core.study import Study

#: Rows on which a model is checked, at most.
MOST_CHECKED = 1_000_000


def write_parameters(
    model: NeuralMixedEffects,
    rows: StudyRows,
    folder: RunFolder,
    progress: Callable[[int, int], None],
) -> None:
    """Write the weights, and the tables of the parameters; `progress` as in `write_table`."""
    with folder.writing("model.safetensors") as path:
        model.save(path)
    folder.write_table("fixed_effects", fixed_effects_table(model))
    folder.write_table("random_effects", random_effects_table(model), progress=progress)
    folder.write_table("covariance", covariance_table(model))
    folder.write_table("correlations", effect_correlations(model, seed=model.random_state))
    folder.write_table("summary", summary_table(model, rows.X))


def write_checks(
    model: NeuralMixedEffects, rows: StudyRows, folder: RunFolder, seed: int
) -> list[str]:
    """Write how the rows look beside rows that the model would give.

    Of very many rows some persons are drawn, with all rows of theirs; return what the notes should
    say of it.
    """
    some = rows.of_some_persons(MOST_CHECKED, seed)
    ids = some.sequence_ids
    table = model_checks(model, some.X, some.y, some.groups, sequence_ids=ids, seed=seed)
    folder.write_table("checks", table)
    if some is rows:
        return []
    drawn = some.persons.nunique()
    return [f"The model was checked on the rows of {drawn:,} people, drawn at random."]


def certify(model: NeuralMixedEffects, rows: StudyRows, folder: RunFolder) -> list[str]:
    """Write the certificate of an exact linear model beside MixedLM's fit of the same rows.

    Return what the notes should say of it.
    """
    if not isinstance(model, NMEMLPRegressor) or not can_be_certified(model, len(rows.y)):
        return []
    try:
        found = compare_with_mixedlm(model, rows.X, rows.y, rows.persons)
    except OptionError as error:
        return [f"No certificate was written. {error}"]
    folder.write_table("certificate", found.table)
    return ["Certificate: " + found.verdict, *found.notes]


def write_transitions_or_curves(
    model: NeuralMixedEffects, study: Study, folder: RunFolder
) -> list[str]:
    """Write the transitions of a model of sequences; of any other effects and response curves.

    Return what the notes should say of them.
    """
    if isinstance(model, NMECRF):
        folder.write_table("transitions", transitions_table(model))
        return []
    notes = []
    if study.roles.groups:
        names = ", ".join(map(repr, study.roles.groups))
        notes = [f"A person's response curves have {names} at the population's value."]
    folder.write_table("person_effects", person_effects(model, study.X))
    try:
        folder.write_table("response_curves", response_curves(model, study.X, study.groups))
    except OptionError as error:
        notes = [str(error)]
    return notes
