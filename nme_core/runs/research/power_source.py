"""What studies of `power` are drawn from: a run's model, its covariates, and what stands in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nme_core.analysis.covariates import known_covariates
from nme_core.estimators import NMECRF, NMEMLPRegressor, load
from nme_core.estimators.options import AUTO
from nme_core.exceptions import DataError, MissingColumnError, OptionError
from nme_core.independence import is_categorical
from nme_core.io import RunFolder
from nme_core.runs.recorded import read_study
from nme_core.runs.research.generating import People
from nme_core.runs.research.person_numbers import Target

#: Autocorrelation of residuals with a larger p is taken as none.
_AUTOCORRELATED = 0.05


@dataclass(frozen=True)
class Source:
    """What studies are drawn from.

    Attributes
    ----------
    run : RunFolder
    people : People
    refit : dict
        Options that a fit to a drawn study has in place of the model's.
    notes : tuple of str
        What stands in for what.
    """

    run: RunFolder
    people: People
    refit: dict[str, Any]
    notes: tuple[str, ...]

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, path: str, long: str | None, covariates: str | None) -> Source:
        """Read a run, and the rows that it was fitted on where they are given.

        Raises
        ------
        OptionError
            For hidden layers, several grouping factors, or nothing that is people's own.
        """
        run = RunFolder(path)
        model, notes = _linear(load(run.model_path))
        refit: dict[str, Any] = {"epochs": None}
        if model.estimator == "annealed":
            refit["estimator"] = "variational"
            notes.append("Studies are fitted by the exact engine, not by annealing as the run was.")
        remembers = _remembers(model)
        if isinstance(model, NMEMLPRegressor):
            refit["residual"] = "ar1" if remembers else "iid"
            if not remembers and np.isfinite(model.residual_autocorrelation_):
                notes.append(
                    f"Residuals are drawn independent: their autocorrelation in the run, "
                    f"{model.residual_autocorrelation_:.2f}, cannot be told from 0."
                )
        size = 0
        if isinstance(model, NMECRF):
            size = max(2, round(run.data["n_rows"] / max(run.data["n_sequences"], 1)))
            notes.append(f"New people have sequences of at most {size} rows, as the run's have.")
        table = None
        if long is not None:
            study = read_study(run, long, [] if covariates is None else covariates)
            table = study.X.set_index(study.groups)
            notes.append("A new person has the features of a real one, from a row by chance on.")
        elif len(model.feature_names_in_):
            notes.append(
                "Features are drawn one by one with the mean and SD that they have in the run; "
                "--long LONG.csv takes those of real people."
            )
        return cls(run, People(model, remembers, size, table), refit, tuple(notes))

    def covariate(self, name: str) -> NDArray[np.float64]:
        """Values of the run's people in SD; of two groups 0 and 1 so.

        Raises
        ------
        MissingColumnError, OptionError, DataError
            Where it is not there, has several groups, or does not vary.
        """
        known = known_covariates(self.run)
        if name not in known:
            raise MissingColumnError(name, map(str, known.columns), table="table of covariates")
        values = known[name].dropna()
        if is_categorical(values):
            labels = sorted(values.unique(), key=str)
            if len(labels) > 2:
                raise OptionError(
                    f"{name!r} has {len(labels)} groups; an effect is simulated for a number or "
                    "for two groups.",
                    remedy="Name another covariate, or join its groups to two.",
                )
            values = values.eq(labels[-1])
        numbers = values.to_numpy(np.float64)
        if not (len(numbers) and numbers.std() > 0):
            raise DataError(f"The covariate {name!r} does not vary.", column=name)
        return np.asarray((numbers - numbers.mean()) / numbers.std())

    def is_group(self, name: str) -> bool:
        """Whether the covariate is two groups."""
        return is_categorical(self.run.covariates[name].dropna())

    def size(self, target: Target) -> str:
        """What an effect of 1 is, in words."""
        model = self.people.model
        moved = target.matrix @ self.people.direction(target.matrix)
        size, unit = float(np.abs(moved).mean()), "on the log scale"
        if isinstance(model, NMEMLPRegressor) and not model.is_count:
            size, unit = size * model._outcome.scale[1], "units of the outcome"
            if target.feature is not None:
                size /= float(model._encoder.scaler.sd[target.feature])
                unit += " per unit of the feature"
        return (
            f"An effect of 1: where the covariate is one SD higher, {target.name} is higher by one "
            f"SD of people, {size:.3g} {unit}."
        )


def _remembers(model: Any) -> bool:
    return isinstance(model, NMEMLPRegressor) and bool(
        np.isfinite(model.residual_autocorrelation_) and model._gaussian.process.p < _AUTOCORRELATED
    )


def _linear(model: Any) -> tuple[Any, list[str]]:
    """The model without hidden layers that studies are drawn from, and what is to be told."""
    notes: list[str] = []
    if len(model.factors_) > 1:
        raise OptionError(
            "Power is simulated for runs with one grouping factor, the people.",
            remedy="Fit the run without --group.",
        )
    if model.hidden == AUTO:
        linear = [not one._widths for _, one in model.candidates()]
        if not any(linear):
            raise _hidden("a mixture without a linear candidate")
        weight = float(model.candidates_["weight"].to_numpy()[linear].sum())
        model = [one for _, one in model.candidates()][linear.index(True)]
        notes.append(
            f"The run is a mixture; its linear candidate (weight {weight:.2f}) stands in for it, in"
            " what is drawn and in what is fitted: what is curved in the run is not in it."
        )
    elif model._widths:
        raise _hidden("a network with hidden layers")
    if not model.parameter_names():
        raise OptionError("In this run nothing is people's own.", remedy="Fit an NME model.")
    return model, notes


def _hidden(what: str) -> OptionError:
    return OptionError(
        f"This run is {what}, which cannot be fitted hundreds of times.",
        remedy="Fit it with --hidden none, or auto, whose linear candidate stands in.",
    )
