"""Tables of a finished run, in the shape that figures and pages want."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from pandas.api.types import is_numeric_dtype

from dashboard.services.caching import shared
from dashboard.services.home import folder
from nme_core.analysis.random_effects import LEARNED, most_informative, variance_of
from nme_core.analysis.support import of_persons
from nme_core.exceptions import RunFolderError
from nme_core.io import POPULATION as POPULATION
from nme_core.io import ParameterNames, RunFolder, hidden_layers
from nme_core.metrics.comparison import with_corrected_p
from nme_core.runs import saying
from nme_core.runs.skill import plain_verdict, simple_is_as_good, skill_sentences

#: Predictions whose SD is below this share of the outcome's are called the same for everybody.
FLAT = 0.05
#: Kinds of warnings after which the model holds; persons only cannot be told apart everywhere.
ALIKE = {"BoundaryWarning", "SingularWarning"}
#: Kinds of warnings after which training did not come to its end.
UNSETTLED = {"ConvergenceWarning", "DivergenceWarning"}


def run_folder(identity: str) -> RunFolder:
    """The run's folder; RunFolderError where there is none."""
    path = folder("runs", identity)
    if path is None:
        raise RunFolderError("This run is no longer there.", remedy="Train the model again.")
    return RunFolder(path)


def names(identity: str) -> ParameterNames:
    """Words for the run's parameters: features and classes by their names."""
    return _names(identity, stamp(identity))


@shared(16)
def _names(identity: str, stamp_: int) -> ParameterNames:
    return run_folder(identity).parameter_names


def speaker(identity: str) -> saying.Say:
    """Says a text of the run in the language of the session; the study's own words stay."""
    return saying.speaker(run_folder(identity))


def stamp(identity: str) -> int:
    """Changes when a run is trained again; part of the key of all that is kept of a run."""
    return (run_folder(identity).path / "status.json").stat().st_mtime_ns


def table(identity: str, name: str) -> pd.DataFrame:
    """One table of a finished run; not to be changed in place."""
    return _table(identity, name, stamp(identity))


@shared(64)
def _table(identity: str, name: str, stamp_: int) -> pd.DataFrame:
    found = run_folder(identity).table(name)
    if name == "comparison" and "p_adjusted" not in found:
        found = with_corrected_p(found)
    return found


def plain_skill(identity: str) -> str:
    """The model beside the best simple rule, without terms; empty where that is not known."""
    return plain_verdict(table(identity, "skill")) if has_table(identity, "skill") else ""


def simple_does(identity: str) -> bool:
    """Whether some simple rule predicts as well as the model, or better."""
    return has_table(identity, "skill") and simple_is_as_good(table(identity, "skill"))


def skill(identity: str) -> list[str]:
    """What the model is worth beside the best of all rivals, in sentences."""
    return skill_sentences(table(identity, "skill")) if has_table(identity, "skill") else []


def has_table(identity: str, name: str) -> bool:
    """Whether the run wrote this table."""
    return run_folder(identity).has_table(name)


def covariates(identity: str) -> pd.DataFrame:
    """Person-level covariates of the run, index person."""
    return run_folder(identity).covariates


def interpreted_from(identity: str) -> str:
    """Which rows the interpreted fit used: "all rows" or "training rows"."""
    return str(run_folder(identity).data["interpreted_from"])


def verdicts(identity: str) -> dict[str, str]:
    """How each model's training ended, in words."""
    return dict(run_folder(identity).config["verdicts"])


def is_linear(identity: str) -> bool:
    """Whether the network whose parameters the tables hold has no hidden layer."""
    return not hidden_layers(run_folder(identity).config)


class TrainingWarning(NamedTuple):
    """A warning of a fit; ``kind`` is the name of its class, empty where it was not recorded."""

    model: str
    kind: str
    message: str

    @property
    def own(self) -> bool:
        """Whether it is of the run's own model, not of one to compare with or of a trial."""
        return self.model.split(" ")[0] == "nme"

    @property
    def alike(self) -> bool:
        """Whether it only says that persons cannot be told apart in something."""
        return self.kind in ALIKE

    @property
    def serious(self) -> bool:
        """Whether it says more than that, of a model that is judged or interpreted."""
        return not self.alike and not self.model.startswith("trial ")


def training_warnings(identity: str) -> list[TrainingWarning]:
    """The warnings of the fits, in the order in which they came."""
    notes = run_folder(identity).config.get("warnings", [])
    return [
        TrainingWarning(str(note["model"]), str(note.get("kind", "")), str(note["message"]))
        for note in notes
    ]


def approximations(identity: str) -> dict[str, list[str]] | None:
    """Tables whose intervals are only approximate, by reason; None where it was not recorded."""
    notes = run_folder(identity).config.get("approximate")
    if notes is None:
        return None
    reasons: dict[str, list[str]] = {}
    for note in notes:
        reasons.setdefault(str(note["reason"]), []).append(str(note["table"]))
    return reasons


# -- transitions ----------------------------------------------------------------------------------


def readouts(identity: str) -> list[str]:
    """Names of the read-outs in the run, in the order written."""
    return list(table(identity, "transitions")["readout"].unique())


def persons(identity: str) -> list[str]:
    """Persons with transitions, in the study's order."""
    found = table(identity, "transitions")["person"].unique()
    return [person for person in found if person != POPULATION]


def people(identity: str) -> list[str]:
    """All people of the run, in the study's order."""
    return [str(person) for person in effects(identity)["person"].unique()]


# -- random effects -------------------------------------------------------------------------------


def factors(identity: str) -> list[str]:
    """Names of the grouping factors, the persons' first; empty where there are only persons."""
    found = table(identity, "random_effects")
    return list(found["group"].unique()) if "group" in found else []


def effects(identity: str, factor: str | None = None) -> pd.DataFrame:
    """Rows of ``random_effects`` of one grouping factor; of the persons where none is named."""
    return _of_factor(table(identity, "random_effects"), factor)


def covariances(identity: str, factor: str | None = None) -> pd.DataFrame:
    """Rows of ``covariance`` of one grouping factor; of the persons where none is named."""
    return _of_factor(table(identity, "covariance"), factor)


def _of_factor(found: pd.DataFrame, factor: str | None) -> pd.DataFrame:
    return of_persons(found) if factor is None else found[found["group"] == factor]


def parameters(identity: str) -> list[str]:
    """Names of the parameters that vary by person."""
    return list(effects(identity)["parameter"].unique())


def random_effect(identity: str, parameter: str, factor: str | None = None) -> pd.DataFrame:
    """One parameter's rows of ``random_effects``, index person (or group of another factor)."""
    rows = effects(identity, factor)
    return rows[rows["parameter"] == parameter].set_index("person")


def variance(identity: str, parameter: str, factor: str | None = None) -> float:
    """The model's variance of one random effect, between persons or groups of another factor."""
    return variance_of(covariances(identity, factor), parameter)


def model_sd(identity: str, factor: str | None = None) -> pd.Series:
    """The model's SD of each random effect, between persons or groups of another factor."""
    rows = covariances(identity, factor)
    rows = rows[rows["parameter"] == rows["parameter_2"]]
    return rows.set_index("parameter")["value"].clip(lower=0) ** 0.5


def informative_parameters(identity: str, most: int = 200) -> list[str]:
    """Parameters by how much the data say about persons, most first."""
    return most_informative(effects(identity))[:most]


def is_learned(identity: str, parameter: str) -> bool:
    """Whether the data say more than next to nothing about persons in this parameter."""
    return not random_effect(identity, parameter)["reliability"].median() < LEARNED


def tells_people_apart(identity: str) -> bool:
    """Whether the data say more than next to nothing about people in any parameter."""
    return any(is_learned(identity, parameter) for parameter in parameters(identity))


def shared_by_all(identity: str) -> pd.DataFrame:
    """What all persons share and how much they differ from it, one row per parameter.

    Columns parameter, estimate, ci_low, ci_high, mean reliability (``reliability``) and the
    model's SD between persons (``sd``) or between groups of each factor (``sd of <factor>``);
    missing where a parameter does not vary; with 95 % intervals of the SD between persons
    (``between_low``, ``between_high``) where the run has them. Parameters that neither vary nor
    have an interval are left out: weights of hidden layers mean nothing by themselves.
    """
    found = table(identity, "fixed_effects")[["parameter", "estimate", "ci_low", "ci_high"]]
    several = factors(identity) if len(factors(identity)) > 1 else [None]
    spreads = {
        "sd" if factor is None else f"sd of {factor}": model_sd(identity, factor)
        for factor in several
    }
    for name, spread in spreads.items():
        found = found.assign(**{name: found["parameter"].map(spread)})
    for end, limits in sd_limits(identity).items():
        found = found.assign(**{f"between_{end}": found["parameter"].map(limits)})
    reliability = effects(identity).groupby("parameter")["reliability"].mean()
    found = found.assign(reliability=found["parameter"].map(reliability))
    told = found["ci_low"].notna() | found[[*spreads]].notna().any(axis=1)
    return found[told].reset_index(drop=True)


def sd_limits(identity: str) -> dict[str, pd.Series]:
    """Ends of the 95 % intervals of the SD between persons, by parameter; nothing without."""
    if not has_table(identity, "summary"):
        return {}
    rows = table(identity, "summary")
    rows = rows[rows["group"] == rows["group"].iloc[0]]  # persons come first
    ends = {end: rows[rows["quantity"] == f"sd_{end}"] for end in ("low", "high")}
    return {end: own.set_index("parameter")["value"] for end, own in ends.items() if len(own)}


def residual(identity: str) -> tuple[float, float] | None:
    """SD of the residuals and the persons' intraclass correlation; None where there are none."""
    if not has_table(identity, "summary"):
        return None
    rows = table(identity, "summary")
    whole = rows[rows["parameter"] == ""].drop_duplicates("quantity").set_index("quantity")["value"]
    if "icc" not in whole:
        return None
    return float(whole["residual_variance"]) ** 0.5, float(whole["icc"])


# -- fit ------------------------------------------------------------------------------------------


def metrics_table(identity: str, split: str = "test") -> pd.DataFrame:
    """Models × metrics, pooled over persons."""
    rows = table(identity, "metrics")
    rows = rows[(rows["split"] == split) & (rows["scope"] == "pooled")]
    models = list(dict.fromkeys(rows["model"]))
    names = list(dict.fromkeys(rows["metric"]))
    wide = rows.pivot(index="model", columns="metric", values="value")
    return wide.reindex(index=models, columns=names)


def main_metric(table: pd.DataFrame) -> str:
    """The metric that a fit is summed up by: log-loss where there is one, else the first."""
    return "log_loss" if "log_loss" in table.columns else str(table.columns[0])


def training_only(identity: str) -> int:
    """Number of persons with too few occasions for a validation and a test part."""
    rows = table(identity, "predictions")
    judged = rows.loc[rows["split"] == "test", "person"]
    return len(set(rows["person"]) - set(judged))


def flat_models(identity: str) -> set[str]:
    """Models that predict nearly the same for every test row."""
    rows = table(identity, "predictions")
    rows = rows[rows["split"] == "test"].dropna(subset=["observed", "predicted"])
    grouped = rows.groupby("model")
    if is_numeric_dtype(rows["predicted"]):
        spread = grouped[["predicted", "observed"]].std(ddof=0)
        flat = spread["predicted"] < FLAT * spread["observed"]
    else:
        flat = grouped["predicted"].nunique() == 1
    return set(flat.index[flat])


def test_rows(identity: str) -> int:
    """Number of occasions that the test metrics rest on."""
    rows = table(identity, "metrics")
    rows = rows[(rows["split"] == "test") & (rows["scope"] == "pooled")]
    return int(rows["n"].max()) if len(rows) else 0


# -- response curves ------------------------------------------------------------------------------


def response_features(identity: str) -> list[str]:
    """Features that have response curves, in the study's order."""
    return list(table(identity, "response_curves")["feature"].unique())


def response_classes(identity: str) -> list[str]:
    """Classes whose probability the curves show; empty where the outcome is a number."""
    found = table(identity, "response_curves")["class"].unique()
    return [label for label in found if label]


def response_persons(identity: str, feature: str) -> list[str]:
    """Persons with a curve of this feature."""
    rows = table(identity, "response_curves")
    found = rows.loc[rows["feature"] == feature, "person"].unique()
    return [person for person in found if person != POPULATION]
