"""What is fixed on study A before study B is opened, and what the two together say."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr, ndtri

from nme_core.analysis import CovariateOptions
from nme_core.exceptions import DataError
from nme_core.independence import CovariateTests
from nme_core.io import RunFolder
from nme_core.runs.fit.options import fit_options
from nme_core.study.formats.source import fingerprint

_Z = 1.959964
#: Level of the test on study B.
ALPHA = 0.05


@dataclass(frozen=True)
class Frozen:
    """The hypothesis: one effect with its direction, and how it is tested.

    Attributes
    ----------
    covariate, parameter, group, kind : str
        Which effect: the strongest of study A.
    direction : int
        1 or −1, its sign in study A.
    content : dict
        All that is fixed, as it is written.
    """

    covariate: str
    parameter: str
    group: str
    kind: str
    direction: int
    content: dict[str, Any]

    @classmethod
    def of(
        cls, run: RunFolder, covariate: str, tests: CovariateTests, options: CovariateOptions
    ) -> Frozen:
        """Freeze the strongest effect of study A.

        Raises
        ------
        DataError
            Where no effect is defined.
        """
        table = tests.effects[np.isfinite(tests.effects["p"])]
        if table.empty:
            raise DataError(
                f"Study A has no effect of {covariate!r} that could be tested: people do not differ"
                " in what the model gives them, as far as it can tell.",
                remedy="Fit study A with another --placement.",
                column=covariate,
            )
        best = table.loc[table["p"].idxmin()]
        direction = 1 if best["effect"] >= 0 else -1
        content = {
            "covariate": covariate,
            "parameters": str(tests.hsic["parameters"].iloc[0]),
            "effect": {k: str(best[k]) for k in ("parameter", "group", "kind")},
            "direction": direction,
            "level": ALPHA,
            "one_sided": True,
            "test": asdict(options),
            "fit": asdict(fit_options(run.config)),
            "model_sha256": fingerprint(run.model_path),
            "study_sha256": [one["sha256"] for one in run.data["inputs"]],
        }
        effect: Any = content["effect"]
        return cls(
            covariate, effect["parameter"], effect["group"], effect["kind"], direction, content
        )

    @property
    def text(self) -> str:
        """Content of ``frozen.json``."""
        return json.dumps(self.content, indent=2, ensure_ascii=False, sort_keys=True) + "\n"

    @property
    def sha256(self) -> str:
        """Of ``frozen.json``."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def replication_table(first: CovariateTests, second: CovariateTests) -> pd.DataFrame:
    """The table ``replication``: HSIC, then every effect of study A, strongest first.

    Prediction intervals are for the estimate of study B, given that of study A and both intervals:
    g(a) ± 1.96 √(se_a² + se_b²), g Fisher's z of correlations.
    """
    rows = [_hsic_row(first.hsic.iloc[0], second.hsic.iloc[0])]
    keys = ["parameter", "group", "kind"]
    theirs = second.effects.set_index(keys)
    for _, own in first.effects.sort_values("p", kind="stable").iterrows():
        key = tuple(own[keys])
        rows.append(_effect_row(own, theirs.loc[key] if key in theirs.index else None))
    return pd.DataFrame(rows)


def _hsic_row(own: pd.Series, other: pd.Series) -> dict[str, Any]:
    found: dict[str, Any] = {"what": "hsic"}
    for side, row in (("a", own), ("b", other)):
        found |= {f"estimate_{side}": row["strength"], f"ci_low_{side}": row["strength_low"],
                  f"ci_high_{side}": row["strength_high"], f"p_{side}": row["p"]}  # fmt: skip
    unknown = {"same_direction": None, "inside_prediction_interval": None}
    return {**found, **unknown, "prediction_low": np.nan, "prediction_high": np.nan,
            "parameter": "", "group": "", "kind": "hsic"}  # fmt: skip


def _effect_row(own: pd.Series, other: pd.Series | None) -> dict[str, Any]:
    group = str(own["group"]) if isinstance(own["group"], str) else ""
    found: dict[str, Any] = {
        "what": f"{own['parameter']} {own['kind']}{f' {group}' if group else ''}",
        "estimate_a": own["effect"], "ci_low_a": own["ci_low"], "ci_high_a": own["ci_high"],
        "p_a": own["p"], "estimate_b": np.nan, "ci_low_b": np.nan, "ci_high_b": np.nan,
        "p_b": np.nan, "same_direction": None, "inside_prediction_interval": None,
        "prediction_low": np.nan, "prediction_high": np.nan,
        "parameter": own["parameter"], "group": group, "kind": own["kind"],
    }  # fmt: skip
    if other is None or not np.isfinite(other["effect"]) or not np.isfinite(own["effect"]):
        return found
    same = bool(np.sign(own["effect"]) == np.sign(other["effect"]))
    half = float(other["p"]) / 2
    low, high = prediction_interval(own, other)
    inside = bool(low <= other["effect"] <= high) if np.isfinite(low) else None
    return found | {
        "estimate_b": other["effect"], "ci_low_b": other["ci_low"], "ci_high_b": other["ci_high"],
        "p_b": half if same else 1 - half, "same_direction": same,
        "inside_prediction_interval": inside, "prediction_low": low, "prediction_high": high,
    }  # fmt: skip


def prediction_interval(own: pd.Series, other: pd.Series) -> tuple[float, float]:
    """Where the estimate of a second study falls in 95 % of cases if the effect is the same."""
    straight: tuple[Any, Any] = (np.asarray, np.asarray)
    to, back = (np.arctanh, np.tanh) if own["kind"] == "spearman" else straight
    with np.errstate(divide="ignore", invalid="ignore"):
        widths = [float(to(one["ci_high"]) - to(one["ci_low"])) / (2 * _Z) for one in (own, other)]
        half, middle = _Z * float(np.hypot(widths[0], widths[1])), float(to(own["effect"]))
    if not np.isfinite(half) or not np.isfinite(middle):
        return float("nan"), float("nan")
    return float(back(middle - half)), float(back(middle + half))


def combined(p_a: float, p_b: float, n_a: int, n_b: int) -> dict[str, float]:
    """Fisher's and Stouffer's p of two studies; Stouffer's weighted by the root of their people.

    p_a is that of study A corrected over its effects, two-sided: effect and direction were chosen
    there. p_b is the frozen one-sided one.
    """
    floor = 1e-300
    fisher = float(chdtrc(4, -2 * (np.log(max(p_a, floor)) + np.log(max(p_b, floor)))))
    z = [-ndtri(min(max(p, floor), 1 - 1e-16)) for p in (p_a, p_b)]
    stouffer = float(ndtr(-(n_a**0.5 * z[0] + n_b**0.5 * z[1]) / (n_a + n_b) ** 0.5))
    return {"p_a_corrected": p_a, "p_b_one_sided": p_b, "fisher": fisher, "stouffer": stouffer}
