"""How often `nme covariance` calls a diagonal Σ not diagonal, and finds correlations there are.

    python -m benchmarks.covariance_errors [--studies 400] [--people 60] [--rows 10]

Linear studies with a slope of people's own; p < .05 of the likelihood ratio and of the correlations
against the diagonal model, with the standard error of each share.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import torch

from nme_core.analysis import effect_correlations
from nme_core.estimators import NMEMLPRegressor
from nme_core.runs.comparing.likelihood_ratio import likelihood_ratio


def p_values(correlation: float, people: int, rows: int, seed: int) -> tuple[float, float]:
    """Simulate one study; p of the likelihood ratio and of the correlations."""
    rng = np.random.default_rng([seed, people, rows])
    sigma = np.array([[1.0, correlation], [correlation, 1.0]])
    own = rng.multivariate_normal(np.zeros(2), sigma, size=people)
    x = rng.normal(size=(people, rows))
    y = own[:, :1] + own[:, 1:] * x + rng.normal(size=(people, rows))
    who = np.repeat(np.arange(people), rows)
    fits = []
    for covariance in ("diagonal", "full"):
        model = NMEMLPRegressor((), "all", covariance=covariance, estimator="laplace")
        fits.append(model.fit(x.reshape(-1, 1), y.ravel(), groups=who, uncertainty=False))
    low, high = (one.log_likelihood_ for one in fits)
    correlations = effect_correlations(fits[0], seed=seed)
    ratio = likelihood_ratio(low, high, df=1, n_variances=0)
    return ratio.p, float(correlations["p_adjusted"].min())


def main(arguments: list[str] | None = None) -> int:
    """Simulate, and print the shares."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.covariance_errors")
    for name, default in (("studies", 400), ("people", 60), ("rows", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for correlation in (0.0, 0.3, 0.6):
        p = np.array(
            [p_values(correlation, given.people, given.rows, k) for k in range(given.studies)]
        )
        share = (p < 0.05).mean(0)
        error = np.sqrt(share * (1 - share) / given.studies)
        told = [f"{100 * s:.1f} % (± {100 * e:.1f})" for s, e in zip(share, error, strict=True)]
        print(f"correlation {correlation}: likelihood ratio {told[0]}, correlations {told[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
