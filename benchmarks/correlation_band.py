"""How often correlations of estimates leave the band of `effect_correlations`, in simulation.

    python benchmarks/correlation_band.py [linear] [correlated] [crf] [--studies 20]

Persons' parameters are drawn independently (in ``correlated`` the slopes of two features with a
correlation of 0.6), and a model with a diagonal Σ is fitted. Prints Markdown rows: the share of
pairs outside the band of 95 %, ± its Monte-Carlo standard error over studies; the share of studies
in which any pair is outside after correction for all pairs (p < .05); and, for comparison, the
share of pairs that an ordinary test of a correlation calls different from 0.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

from nme_core.analysis import effect_correlations
from nme_core.estimators import NMECRF, NMEMLPRegressor
from nme_core.exceptions import NMEWarning
from nme_core.simulate import simulate_dyads
from nme_core.study import Study

N_PERSONS = 60


def linear(seed: int, *, correlation: float = 0.0) -> pd.DataFrame:
    """Intercept and three slopes by person, 5 to 24 rows each; two features go together."""
    rng = np.random.default_rng(seed)
    persons = np.repeat(np.arange(N_PERSONS), rng.integers(5, 25, N_PERSONS))
    x = rng.normal(size=(len(persons), 3))
    x[:, 1] = 0.7 * (x[:, 0] + x[:, 1])
    shape = np.eye(4)
    shape[1, 3] = shape[3, 1] = correlation
    sd = np.array([0.6, 0.5, 0.5, 0.5])
    own = rng.multivariate_normal(np.zeros(4), shape * np.outer(sd, sd), N_PERSONS)[persons]
    y = own[:, 0] + (own[:, 1:] * x).sum(1) + x @ [0.5, 0.0, 0.3] + rng.normal(size=len(x))
    model = NMEMLPRegressor((), "all", covariance="diagonal", estimator="laplace")
    model.fit(x, y, groups=persons)
    return effect_correlations(model)


def correlated(seed: int) -> pd.DataFrame:
    """As `linear`, the slopes of the first and the third feature correlated."""
    return linear(seed, correlation=0.6)


def crf(seed: int) -> pd.DataFrame:
    """Four states, 60 persons of 80 steps, no effect of depression."""
    sample = simulate_dyads(N_PERSONS, 80, effect=0.0, missing=0.0, seed=seed)
    roles = {name: value for name, value in sample.roles.items() if name != "model"}
    study = Study.from_frame(sample.long, covariates=sample.covariates, **roles)
    model = NMECRF((), "transitions")
    model.fit(study.X, study.y, groups=study.groups, sequence_ids=study.sequence_ids)
    return effect_correlations(model)


SETTINGS: dict[str, Callable[[int], pd.DataFrame]] = {
    "linear": linear, "correlated": correlated, "crf": crf,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Calibration of the band of correlations.")
    parser.add_argument("settings", nargs="*", default=list(SETTINGS))
    parser.add_argument("--studies", type=int, default=20)
    asked = parser.parse_args()
    print("| simulated | studies | pairs outside the band | studies with p < .05 | ordinary test |")
    print("|---|---|---|---|---|")
    for name in asked.settings:
        outside, found, ordinary = [], [], []
        for seed in range(asked.studies):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NMEWarning)
                table = SETTINGS[name](seed)
            r = table["correlation"]
            inside = r.between(table["simulated_low"], table["simulated_high"])
            outside.append(1 - inside.mean())
            found.append(table["p_adjusted"].min() < 0.05)
            ordinary.append((np.arctanh(r).abs() > 1.96 / (N_PERSONS - 3) ** 0.5).mean())
        error = np.std(outside) / len(outside) ** 0.5
        print(
            f"| {name} | {asked.studies} | {np.mean(outside):.3f} ± {error:.3f} | "
            f"{np.mean(found):.2f} | {np.mean(ordinary):.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
