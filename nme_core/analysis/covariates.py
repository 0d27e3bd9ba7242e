"""What of a run is tested against covariates: one row of numbers per person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logit

from nme_core.analysis.support import of_persons
from nme_core.exceptions import OptionError, RunFolderError
from nme_core.io import RunFolder

#: What of a person may be tested, and what that is; each label begins with its name.
LABELS = {
    "moves": "moves (log-odds of where next, at average features)",
    "scores": "scores (double-centred transition scores)",
    "slopes": "slopes (level and average slopes)",
    "curves": "curves (response curves)",
    "weights": "weights (random effects in model SD)",
}
#: What is offered for a model of sequences, and for one of rows; the first is the default.
OF_SEQUENCES, OF_ROWS = ("moves", "scores", "weights"), ("slopes", "curves", "weights")


@dataclass(frozen=True)
class PersonParameters:
    """Person-specific numbers of a run.

    Attributes
    ----------
    of : str
        One of `LABELS`.
    values : DataFrame, shape (n_persons, n_parameters)
        Index: person. Differences from the population; of scores the scores themselves.
    n_obs : Series
        Rows of each person that the fit used.
    """

    of: str
    values: pd.DataFrame
    n_obs: pd.Series

    @property
    def label(self) -> str:
        """What the numbers are, in words."""
        return LABELS[self.of]

    @property
    def standardise(self) -> bool:
        """Whether a test has to standardise the columns, because they have no common scale yet."""
        return self.of != "weights"


def of_label(label: str) -> str:
    """Undo `LABELS`, and the labels of earlier versions."""
    name = label.split(" ", 1)[0]
    return name if name in LABELS else "scores" if "centred" in label else "weights"


def known_covariates(run: RunFolder) -> pd.DataFrame:
    """Covariates of a run's people; OptionError where it has none."""
    known = run.covariates
    if known.columns.empty:
        raise OptionError(
            f"The run {run.path} has no covariates.",
            remedy="Fit it with --covariates C.csv, a table with one row per person.",
        )
    return known


def offered(run: RunFolder) -> tuple[str, ...]:
    """What of a run may be tested; the first is the default."""
    if run.has_table("transitions"):
        scores = _effects(run)["parameter"].str.startswith("transitions[").any()
        return OF_SEQUENCES if scores else tuple(one for one in OF_SEQUENCES if one != "scores")
    return OF_ROWS if run.has_table("person_effects") else ("weights",)


def person_parameters(run: RunFolder, of: str | None = None) -> PersonParameters:
    """What of a run is tested against covariates.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    of : {"moves", "scores", "slopes", "curves", "weights"}, optional
        ``moves``: the log-odds of ``conditional``, where next from each state at average features;
        ``scores``: the double-centred transition scores; ``slopes``: each person's level and
        average slopes (``person_effects.csv``); ``curves``: points of each person's response
        curves; ``weights``: all person-specific parameters, each divided by the model's standard
        deviation of it, so that what does not vary between persons weighs nothing. By default
        ``moves`` for sequences and ``slopes`` for rows.

    Raises
    ------
    RunFolderError
        If the run has no person-specific parameters.
    OptionError
        For what this run does not have.
    """
    effects = _effects(run)
    if effects.empty:
        raise RunFolderError(
            f"{run.path} has no person-specific parameters.", remedy="Fit an NME model."
        )
    known = offered(run)
    of = known[0] if of is None else of
    if of not in known:
        raise OptionError(
            f"of={of!r} cannot be tested on this run: {_why_not(run, of)}",
            remedy=f"Choose {', '.join(known)}.",
        )
    n_obs = effects.drop_duplicates("person").set_index("person")["n_obs"]
    read = {"moves": _moves, "scores": _scores, "slopes": _slopes, "curves": _curves}
    values = read.get(of, _weights)(run)
    return PersonParameters(of, values, n_obs)


def _why_not(run: RunFolder, of: str) -> str:
    if of not in LABELS:
        return "that is not one of the choices."
    if of == "scores" and run.has_table("transitions"):
        return "all people share its transition scores."
    sequences, rows = of in OF_SEQUENCES, of in OF_ROWS
    if run.has_table("transitions") or not rows:
        return f"it is for models of {'sequences' if sequences else 'rows (NME-MLP)'}."
    return "it was fitted by an earlier version, without person_effects.csv."


def _effects(run: RunFolder) -> pd.DataFrame:
    return of_persons(run.table("random_effects"))


def _moves(run: RunFolder) -> pd.DataFrame:
    from nme_core.estimators.person_posterior import EDGE, move_name

    table = run.table("transitions").query("readout == 'conditional'")
    odds = logit(table["value"].clip(EDGE, 1 - EDGE))
    names = [move_name(*pair) for pair in zip(table["from"], table["to"], strict=True)]
    wide = _wide(table.assign(parameter=names, estimate=odds))
    return wide.drop(index="") - wide.loc[""]


def _scores(run: RunFolder) -> pd.DataFrame:
    table = run.table("transitions").query("readout == 'scores' and person != ''")
    names = "transitions[" + table["from"] + "," + table["to"] + "]"
    return _wide(table.assign(parameter=names, estimate=table["value"]))


def _slopes(run: RunFolder) -> pd.DataFrame:
    """Without those that all persons share."""
    values = own_effects(run, "estimate")
    differs = (values != 0).any()
    return values.loc[:, differs] if differs.any() else values


def own_effects(run: RunFolder, column: str) -> pd.DataFrame:
    """A column of the run's ``person_effects``, person × level and slopes."""
    return wide_effects(run.table("person_effects"), column)


def wide_effects(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """A column of a table of `person_effects`, person × level and slopes."""
    table = table[table["person"] != ""]
    return _wide(table.assign(parameter=table["effect"], estimate=table[column]))


def _curves(run: RunFolder) -> pd.DataFrame:
    from nme_core.analysis.person_curves import curves_of_run

    return curves_of_run(run).values


def _weights(run: RunFolder) -> pd.DataFrame:
    covariance = of_persons(run.table("covariance"))
    own = covariance[covariance["parameter"] == covariance["parameter_2"]]
    sd = np.sqrt(own.set_index("parameter")["value"])
    wide = _wide(_effects(run))
    scaled: pd.DataFrame = wide / sd[wide.columns]
    return scaled


def _wide(table: pd.DataFrame) -> pd.DataFrame:
    """Person × parameter, both in the order of the table."""
    wide = table.pivot(index="person", columns="parameter", values="estimate")
    return wide.loc[table["person"].unique(), table["parameter"].unique()].rename_axis(columns=None)
