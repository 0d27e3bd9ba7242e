"""New people of a fitted model: adapted to their first rows, their intervals held against truth.

The study is that of the cell, drawn with `NEW` more people, whom the fit does not see. Judged are
what is their own (``new … people``) and what pages show of them: the curve along the feature, with
the fixed effects in it, or where next from each state (``new … curve``, ``new … conditional``).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, softmax

from benchmarks.coverage import chain_models, row_models
from benchmarks.coverage.cells import CHAINS, Cell
from benchmarks.coverage.judging import Held
from nme_core.estimators import NMECRF, NeuralMixedEffects

Floats = NDArray[np.float64]

#: New people, and how many rows each is adapted to.
NEW, STEPS = 20, (1, 3, 10)
#: Where curves are read: the feature has standard deviation 1.
AT = np.array([-1.0, 0.0, 1.0])


def judge(cell: Cell, rng: np.random.Generator) -> dict[str, Held]:
    """Simulate one study, fit it, and hold intervals of new people against the truth."""
    return (_chains if cell.family in CHAINS else _rows)(cell, rng)


def _rows(cell: Cell, rng: np.random.Generator) -> dict[str, Held]:
    drawn = replace(cell, people=cell.people + NEW, rows=max(cell.rows, *STEPS))
    study = row_models.simulate(drawn, rng)
    known = study.person < cell.people
    model = row_models.fit(cell, row_models.only(study, known & (study.time < cell.rows)))
    found = {"run curve": _curve(cell, model, study, model.groups_)}
    for k in STEPS:
        rows = row_models.only(study, ~known & (study.time < k))
        times = {"times": rows.time} if cell.times else {}
        adapted = model.adapt(rows.x, rows.y, groups=rows.person, **times)
        who = adapted.groups_[-NEW:]
        low, high = (end.loc[who, [*study.own]] for end in adapted.effects().interval())
        truth = study.own.iloc[[int(one) for one in who]]
        found[f"new {k} people"] = Held.of(low, high, truth)
        found[f"new {k} curve"] = _curve(cell, adapted, study, who)
    return found


def _curve(
    cell: Cell, model: NeuralMixedEffects, study: row_models.Simulated, who: pd.Index[str]
) -> Held:
    """Expected outcomes of these people along the first feature; of classes every one's."""
    x = np.zeros((len(who), len(AT), study.x.shape[1]))
    x[:, :, 0] = AT
    names = [*study.own]
    own = study.own.iloc[[int(one) for one in who]].to_numpy()
    whole = dict(zip(names, (own + [study.fixed[name] for name in names]).T, strict=True))
    levels, slopes = (
        np.stack([value for name, value in whole.items() if part in name], axis=-1)
        for part in ("bias", ",0]")
    )
    scores = levels[:, None] + slopes[:, None] * AT[:, None]  # (people, places, scores)
    persons = np.repeat(np.asarray(who), len(AT))
    low, high = model.predict_interval(x.reshape(-1, x.shape[2]), persons)
    return Held.of(low, high, _expected(cell.family, scores.reshape(len(persons), -1)))


def _expected(family: str, scores: Floats) -> Floats:
    """Expected number, or probability of every class, (n, classes), of scores (n, 1 or 2)."""
    if family == "gaussian":
        return scores
    if family == "poisson":
        return np.exp(scores)
    if family == "ordinal":
        below = expit(row_models.THRESHOLDS - scores)
        return np.diff(below, axis=1, prepend=0.0, append=1.0)
    return np.asarray(softmax(np.insert(scores, 0, 0.0, axis=1), axis=1))


def _chains(cell: Cell, rng: np.random.Generator) -> dict[str, Held]:
    drawn = replace(cell, people=cell.people + NEW, rows=max(cell.rows, *STEPS))
    study = chain_models.simulate(drawn, rng)
    fitted = [slice(cell.people), slice(cell.rows)]
    model = NMECRF((), "transitions").fit(*study.rows(*fitted), groups=study.person(*fitted))
    found, labels = {}, model.parameter_names()
    for k in STEPS[1:]:  # one state is no transition
        part = slice(cell.people, None), slice(k)
        adapted = model.adapt(*study.rows(*part), groups=study.person(*part))
        who = adapted.groups_[-NEW:]
        scores = study.scores[[int(one) for one in who]]
        low, high = (end.loc[who, labels] for end in adapted.effects().interval())
        own = (scores - chain_models.MIDDLE).reshape(NEW, -1)
        found[f"new {k} people"] = Held.of(low, high, own)
        low, high = (end[-NEW - 1 : -1] for end in adapted.transition_intervals("conditional"))
        truth = chain_models.next_from(scores, cell.family)
        found[f"new {k} conditional"] = Held.of(low, high, truth)
    return found
