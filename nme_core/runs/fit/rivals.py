"""Simple rules beside the models of a run, and the skill of its model against all of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.estimators import NMECRF, LinearMixedModel, NeuralMixedEffects, NMEMLPRegressor
from nme_core.metrics import evaluate
from nme_core.metrics.evaluation import as_labels, log_losses
from nme_core.metrics.simple_rules import ClassRules, Histories, NumberRules, rules_for
from nme_core.metrics.skill import COLUMNS, skill_rows, split_losses
from nme_core.runs.fit.rows import StudyRows

#: Rows ahead at which skill is given, beside the whole block that was held back.
HORIZONS = (1, 2, 5, 10)

Floats = NDArray[np.float64]
_NOTHING = pd.DataFrame(columns=["model", "person", "split", "observed", "predicted"])


class Rivals:
    """What simple rules say of the rows of a study that were held back.

    Parameters
    ----------
    rows : StudyRows
        All rows.
    split : Categorical
        Part of each.
    classes : list of str, optional
        Of a class or state; None of a number.
    """

    def __init__(self, rows: StudyRows, split: pd.Categorical, classes: list[str] | None) -> None:
        self.rows, self.split, self.classes = rows, split, classes
        y = rows.y if classes is None else as_labels(rows.y)
        self.histories = Histories.of(y, rows.persons, rows.sequence_ids, rows.time, classes)
        self.rules = rules_for("number" if classes is None else "class")
        self.test = np.asarray(split == "test")
        #: By model and horizon, of every row: the expected number, or −log p of the class.
        self._said: dict[tuple[str, int | None], Floats] = {}
        self._learned = lru_cache(self._learn)

    def _learn(self, part: str) -> NumberRules | ClassRules:
        before = np.asarray(self.split == "train")
        if part == "test":
            before = before | np.asarray(self.split == "validation")
        kind = NumberRules if self.classes is None else ClassRules
        return kind(self.histories, before)

    def metrics(self) -> pd.DataFrame:
        """Metrics of every rule on validation and test rows."""
        parts = []
        for part in ("validation", "test"):
            chosen = np.asarray(self.split == part)
            if not chosen.any():
                continue
            learned, origin = self._learned(part), self.histories.last_before(chosen)
            rows = np.flatnonzero(chosen)
            for rule in self.rules:
                table = self._predictions(learned, rule, rows, origin[rows])
                table["split"], table["model"] = part, rule
                parts.append(evaluate(table, "number" if self.classes is None else "class"))
        return pd.concat(parts, ignore_index=True) if parts else evaluate(_NOTHING, "number")

    def _predictions(
        self, learned: NumberRules | ClassRules, rule: str, rows: NDArray[np.intp], origin: Any
    ) -> pd.DataFrame:
        table = pd.DataFrame(
            {
                "person": self.rows.persons.iloc[rows].to_numpy(),
                "observed": self.rows.y.iloc[rows].to_numpy(),
            }
        )
        if isinstance(learned, NumberRules):
            table["predicted"] = learned.predict(rule, rows, origin)
            return table
        assert self.classes is not None
        chances = learned.chances(rule, rows, origin)
        predicted = learned.predict(rule, rows, origin, chances)
        table["predicted"] = np.array(self.classes, dtype=object)[predicted]
        for k, name in enumerate(self.classes):
            table[f"p_{name}"] = chances[:, k]
        if self.rows.before is not None:
            chosen = np.zeros(len(self.histories.y), dtype=bool)
            chosen[rows] = True
            table["loss"] = learned.path_losses(rule, chosen)[rows]
        return table

    def add(
        self, name: str, model: NeuralMixedEffects | LinearMixedModel, predictions: pd.DataFrame
    ) -> None:
        """Take what a model says of the test rows; `predictions` has them in their order."""
        block = np.full(len(self.test), np.nan)
        if self.classes is None:
            block[self.test] = predictions["predicted"].to_numpy(np.float64)
        else:
            seen = predictions[predictions["observed"].notna()]
            block[self.test & self.histories.seen] = log_losses(seen, as_labels(seen["observed"]))
        self._said[name, None] = block
        ahead: dict[int, Floats] = {}
        if isinstance(model, NMEMLPRegressor) and np.isfinite(model.residual_autocorrelation_):
            rows = self.rows
            assert rows.time is not None
            ahead = model.predict_ahead(
                rows.X, rows.y, groups=rows.groups, times=rows.time, steps=HORIZONS
            )
        elif isinstance(model, NMECRF):
            ahead = self._states_ahead(model)
        for steps in HORIZONS:  # without use of earlier outcomes every horizon is the same
            self._said[name, steps] = ahead.get(steps, block)

    def _states_ahead(self, model: NMECRF) -> dict[int, Floats]:
        """−log p of each test row given the label so many rows before, of the same sequence."""
        histories, near = self.histories, self.test.copy()
        for back in range(1, max(HORIZONS) + 1):
            near[:-back] |= self.test[back:]
        found = {steps: np.full(len(near), np.nan) for steps in HORIZONS}
        labels = list(map(str, model.classes_))
        order = np.array([labels.index(name) for name in self.classes or ()])
        for chosen, rows in self.rows.take(near).in_parts():
            at = np.flatnonzero(near)[chosen]
            broken = (np.diff(at) > 1) | (np.diff(histories.sequence[at]) != 0)
            said = model.predict_ahead(
                rows.X,
                rows.y,
                groups=rows.groups,
                sequence_ids=np.cumsum([0, *broken]),
                steps=HORIZONS,
            )
            asked = self.test[at] & histories.seen[at]
            own = histories.y[at[asked]]
            for steps, chances in said.items():
                own_chances = chances[asked, order[own]].clip(np.finfo(np.float64).eps)
                found[steps][at[asked]] = -np.log(own_chances)
        return found

    def _add_rules(self) -> None:
        learned = self._learned("test")
        rows, block = np.flatnonzero(self.test), self.histories.last_before(self.test)
        for steps in (None, *HORIZONS):
            origin = (block if steps is None else self.histories.back(steps))[rows]
            for rule in self.rules:
                found = np.full(len(self.test), np.nan)
                if isinstance(learned, NumberRules):
                    found[rows] = learned.predict(rule, rows, origin)
                elif steps is None and self.rows.before is not None:
                    found = learned.path_losses(rule, self.test)
                else:
                    chances = learned.chances(rule, rows, origin)
                    own = chances[np.arange(len(rows)), np.maximum(self.histories.y[rows], 0)]
                    found[rows] = -np.log(own)
                self._said[rule, steps] = found

    def table(self, model: str = "nme") -> pd.DataFrame:
        """The table ``skill``: the model against every rule and every other model."""
        self._add_rules()
        references = list(dict.fromkeys(name for name, _ in self._said if name != model))
        rules = [name for name in references if name in self.rules]
        others = [name for name in references if name not in self.rules]
        parts = [
            self._rows(model, reference, steps)
            for steps in (None, *HORIZONS)
            for reference in (*rules, *others)
            if (model, steps) in self._said and (reference, steps) in self._said
        ]
        filled = [part for part in parts if len(part)]
        return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=COLUMNS)

    def _rows(self, model: str, reference: str, steps: int | None) -> pd.DataFrame:
        own, other = self._said[model, steps], self._said[reference, steps]
        used = self.test & self.histories.seen & np.isfinite(own) & np.isfinite(other)
        if not used.any():
            return pd.DataFrame(columns=COLUMNS)
        person = pd.factorize(self.histories.person[used])[0]
        if self.classes is None:
            y = self.histories.y[used]
            both = [split_losses(y, said[used], person) for said in (own, other)]
            losses = {scope: (both[0][scope], both[1][scope]) for scope in both[0]}
            return skill_rows(model, reference, "mse", steps, losses)
        sums = [np.bincount(person, said[used]).astype(np.float64) for said in (own, other)]
        return skill_rows(model, reference, "log_loss", steps, {"pooled": (sums[0], sums[1])})
