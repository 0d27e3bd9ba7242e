"""How reliable the person parameters of a run are, and what that means for a test of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nme_core.analysis.covariates import OF_ROWS, PersonParameters, own_effects
from nme_core.io import RunFolder
from nme_core.vocabulary.terms import in_steps

if TYPE_CHECKING:
    from nme_core.estimators.person_posterior import Known

#: A test of parameters with less carries a warning: most of what it sees is noise.
LEAST = 0.3
POSTERIOR, SPLIT_HALF = "posterior", "split-half"
#: Row of ``stability.csv`` that is about all parameters together.
TOGETHER = "all"
#: Of a fit that has no seed.
NO_SEED = "The fit has no chance in it: every seed gives the same estimates."


@dataclass(frozen=True)
class Reliability:
    """Reliability of a run's person parameters.

    Attributes
    ----------
    single : Series
        By parameter: the split-half reliability where ``stability.csv`` is there, else the median
        over persons of the posterior reliability, 1 − se²/variance; missing where neither is known.
    together : float
        Of all parameters: the row ``all`` of ``stability.csv``, else ``posterior``.
    kind : str
        ``"split-half"``, ``"posterior"`` or ``""``.
    seeds : float
        Agreement between seeds of all parameters together; missing where it was not computed.
    posterior : float
        Of all parameters together by the model alone (`PersonPosterior.reliability_together`;
        the mean of `single` without the model's file, missing for points): low where it cannot
        tell them from others of the same person, even if halves of the data agree on what it makes
        of them.
    weeks : float
        Lowest agreement of all parameters together where one `part` of each person's rows, a week
        or a seventh, is left out.
    has_seed : bool
        Whether another seed could give another estimate.
    """

    single: pd.Series
    together: float
    kind: str
    seeds: float
    posterior: float
    weeks: float = np.nan
    part: str = "week"
    has_seed: bool = True

    @property
    def unreliable(self) -> list[str]:
        """Parameters below `LEAST`."""
        return [str(name) for name in self.single.index[self.single < LEAST]]

    def note(self) -> str:
        """What is known of stability, in a sentence."""
        if self.kind != SPLIT_HALF:
            said = "Stability: not checked (nme stability RUN LONG.csv)."
            if np.isnan(self.together):
                return said
            return f"{said} The model's own estimate of reliability: {self.together:.2f}."
        if not self.has_seed:
            seeds = "certain, as the fit has no chance in it"
        else:
            seeds = "not checked" if np.isnan(self.seeds) else f"{self.seeds:.2f}"
        weeks = (
            ""
            if np.isnan(self.weeks)
            else f", without any one {self.part} {self.weeks:.2f} or more"
        )
        return (
            f"Stability: split-half reliability of the parameters together {self.together:.2f}, "
            f"agreement between seeds {seeds}{weeks}."
        )

    def caution(self) -> str:
        """Why a test of these parameters should not be relied on; empty where nothing speaks."""
        if self.together >= LEAST and self.posterior < LEAST:
            return (
                f"Halves of the data agree on the parameters together ({self.together:.2f}), but "
                f"by the model their reliability is {self.posterior:.2f}, below {LEAST}: it "
                "cannot tell them from other parameters of the same person that move with them. "
                "An association may belong to those as well; with fewer person-specific "
                "parameters it can be told whose it is."
            )
        if not self.together < LEAST:
            return ""
        return (
            f"The reliability of the parameters together is {self.together:.2f} ({self.kind}), "
            f"below {LEAST}: most of how people differ in them is noise. Neither an effect nor "
            "its absence should be read off these tests; more observations per person are needed."
        )


def has_seed(config: dict[str, Any]) -> bool:
    """Whether another seed could change what a run's tables hold: not where their model, of a
    mixture the leader, has no hidden layers and lies at a maximum.
    """
    leader = (config.get("candidate") or {}).get("hidden")
    linear = config["hidden"] == "auto" and leader == []
    return "methods" not in config or (in_steps(config) and not linear)


def reliability(
    run: RunFolder, parameters: PersonParameters, posterior: Known | None = None
) -> Reliability:
    """Look up the reliability of what of a run is tested.

    Parameters
    ----------
    run, parameters
        A run, and what of it is tested.
    posterior : Known, optional
        That of the parameters, where it has been read already.
    """
    names = parameters.values.columns
    posterior = posterior or known_of(run, parameters)
    if posterior is not None:
        by_model = posterior.reliability().median().reindex(names)
        by_posterior = posterior.reliability_together(standardise=parameters.standardise)
    else:
        by_model = _by_table(run, names)
        by_posterior = _mean(by_model, parameters)
    table = run.table("stability").set_index("parameter") if run.has_table("stability") else None
    if table is not None and names.isin(table.index).any():  # else it is of something else
        halves = table["split_half"].to_dict()
        together: dict[Any, Any] = table.loc[TOGETHER].to_dict()
        single = pd.Series([halves.get(name, np.nan) for name in names], index=names)
        weeks, part = together.get("week_agreement", np.nan), together.get("weeks", "week")
        seeds = together["seed_agreement"]
        found = single, halves[TOGETHER], SPLIT_HALF, seeds, by_posterior, weeks, part
        return Reliability(*found, has_seed(run.config))
    kind = "" if np.isnan(by_posterior) else POSTERIOR
    return Reliability(by_model, by_posterior, kind, np.nan, by_posterior)


def known_of(run: RunFolder, parameters: PersonParameters) -> Known | None:
    """What is known of what is tested; None where the run has no model, or points."""
    from nme_core.analysis.person_curves import curves_of_run
    from nme_core.estimators.person_posterior import MarginalPosterior

    if parameters.of in OF_ROWS[:2]:
        if parameters.of == "curves":
            found = curves_of_run(run)
        else:
            names = parameters.values.columns
            se, single = (own_effects(run, one)[names] for one in ("se", "reliability"))
            found = MarginalPosterior(parameters.values, se, single)
        return None if found.single.isna().any(axis=None) else found
    if not run.model_path.exists():
        return None
    from nme_core.estimators import load
    from nme_core.estimators.person_posterior import person_posterior

    model: Any = load(run.model_path)
    if model._posterior.covariance is None:
        return None
    return person_posterior(model, parameters.of)


def _mean(single: pd.Series, parameters: PersonParameters) -> float:
    """Mean of single reliabilities, weighted by how much each varies in what is tested."""
    variances = parameters.values.var()
    weights = variances * 0 + 1 if parameters.standardise else variances
    known = single.notna()
    total = float(weights[known].sum())
    return float((single * weights)[known].sum()) / total if total > 0 else np.nan


def _by_table(run: RunFolder, names: pd.Index[str]) -> pd.Series:
    """Posterior reliability of each parameter as the run's table has it, in the median."""
    effects = run.table("random_effects")
    if "group" in effects:
        effects = effects[effects["group"] == effects["group"].iloc[0]]
    return effects.groupby("parameter", sort=False)["reliability"].median().reindex(names)
