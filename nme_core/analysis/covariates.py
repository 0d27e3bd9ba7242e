"""What of a run is tested against covariates: one row of numbers per person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nme_core.exceptions import RunFolderError
from nme_core.io import RunFolder


@dataclass(frozen=True)
class PersonParameters:
    """Person-specific numbers of a run.

    Attributes
    ----------
    values : DataFrame, shape (n_persons, n_parameters)
        Index: person.
    label : str
        What the numbers are, in words.
    n_obs : Series
        Rows of each person that the fit used.
    standardise : bool
        Whether a test has to standardise the columns, because they have no common scale yet.
    centred_transitions : bool
        Whether the numbers are double-centred transition scores.
    """

    values: pd.DataFrame
    label: str
    n_obs: pd.Series
    standardise: bool
    centred_transitions: bool


def person_parameters(run: RunFolder) -> PersonParameters:
    """Double-centred transition scores where these differ by person, else the random effects.

    The random effects of a network are divided by the model's standard deviation of each, so that
    what does not vary between persons weighs nothing.

    Raises
    ------
    RunFolderError
        If the run has no person-specific parameters.
    """
    effects = _of_persons(run.table("random_effects"))
    if effects.empty:
        raise RunFolderError(
            f"{run.path} has no person-specific parameters.", remedy="Fit an NME model."
        )
    n_obs = effects.drop_duplicates("person").set_index("person")["n_obs"]
    if run.has_table("transitions") and effects["parameter"].str.startswith("transitions[").any():
        table = run.table("transitions").query("readout == 'scores' and person != ''")
        names = "transitions[" + table["from"] + "," + table["to"] + "]"
        wide = _wide(table.assign(parameter=names, estimate=table["value"]))
        return PersonParameters(wide, "transition scores (double-centred)", n_obs, True, True)
    covariance = _of_persons(run.table("covariance"))
    own = covariance[covariance["parameter"] == covariance["parameter_2"]]
    sd = np.sqrt(own.set_index("parameter")["value"])
    wide = _wide(effects)
    label = "random effects (in model sd)"
    return PersonParameters(wide / sd[wide.columns], label, n_obs, False, False)


def _of_persons(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the persons, where a table has other grouping factors too: the first are theirs."""
    return table if "group" not in table else table[table["group"] == table["group"].iloc[0]]


def _wide(table: pd.DataFrame) -> pd.DataFrame:
    """Person × parameter, both in the order of the table."""
    wide = table.pivot(index="person", columns="parameter", values="estimate")
    return wide.loc[table["person"].unique(), table["parameter"].unique()].rename_axis(columns=None)
