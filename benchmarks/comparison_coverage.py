"""Coverage of 95 % intervals for a mean paired difference over persons.

    python benchmarks/comparison_coverage.py [--studies 2000] [--resamples 999]

Each simulated study has n persons whose differences between two models are drawn from one
distribution; an interval covers where it holds that distribution's mean. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from nme_core.metrics.comparison import studentised_interval

Values = NDArray[np.float64]
LEVEL = 0.95
SIZES = (8, 20, 60)


def _lumpy(rng: np.random.Generator, n: int) -> Values:
    """Differences between two accuracies: most are 0, the others a few fifths."""
    return rng.choice([-0.2, 0.0, 0.2, 0.4], p=[0.1, 0.6, 0.2, 0.1], size=n)


#: Name: draw of n differences, and their mean.
DISTRIBUTIONS: dict[str, tuple[Callable[[np.random.Generator, int], Values], float]] = {
    "normal": (lambda rng, n: rng.normal(size=n), 0.0),
    "Student's t₃": (lambda rng, n: rng.standard_t(3, size=n), 0.0),
    "exponential": (lambda rng, n: rng.exponential(size=n), 1.0),
    "log-normal": (lambda rng, n: rng.lognormal(sigma=1.0, size=n), float(np.exp(0.5))),
    "mostly 0": (_lumpy, 0.06),
}


def student(values: Values, drawn: Values) -> tuple[float, float]:
    """Student's t."""
    n = values.size
    width = stdtrit(n - 1, 0.5 + LEVEL / 2) * values.std(ddof=1) / np.sqrt(n)
    return values.mean() - width, values.mean() + width


def percentile(values: Values, drawn: Values) -> tuple[float, float]:
    """Percentiles of the resampled means."""
    low, high = np.quantile(drawn.mean(1), [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return low, high


def expanded(values: Values, drawn: Values) -> tuple[float, float]:
    """Percentiles further out, as wide as Student's t for normal data (Hesterberg 2015)."""
    n = values.size
    tail = ndtr(-np.sqrt(n / (n - 1)) * stdtrit(n - 1, 0.5 + LEVEL / 2))
    low, high = np.quantile(drawn.mean(1), [tail, 1 - tail])
    return low, high


def bca(values: Values, drawn: Values) -> tuple[float, float]:
    """Bias-corrected and accelerated percentiles (Efron 1987)."""
    means, centred = drawn.mean(1), values - values.mean()
    below = (np.mean(means < values.mean()) + np.mean(means <= values.mean())) / 2
    bias = ndtri(np.clip(below, 0.5 / len(means), 1 - 0.5 / len(means)))
    square = np.sum(centred**2)
    acceleration = np.sum(centred**3) / (6 * square**1.5) if square > 0 else 0.0
    z = bias + ndtri([0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    low, high = np.quantile(means, ndtr(bias + z / (1 - acceleration * z)))
    return low, high


def studentised(values: Values, drawn: Values) -> tuple[float, float]:
    """What `nme_core.metrics.compare` uses."""
    return studentised_interval(values, [drawn], LEVEL)


METHODS = {
    "Student's t": student,
    "percentile": percentile,
    "expanded": expanded,
    "BCa": bca,
    "studentised": studentised,
}


def coverage(name: str, n: int, *, studies: int, resamples: int) -> dict[str, tuple[float, float]]:
    """Share of studies covered and median width, by method."""
    draw, mean = DISTRIBUTIONS[name]
    rng = np.random.default_rng(n)
    hits, widths = dict.fromkeys(METHODS, 0), {method: [] for method in METHODS}
    for _ in range(studies):
        values = draw(rng, n)
        drawn = values[rng.integers(n, size=(resamples, n))]
        for method, interval in METHODS.items():
            low, high = interval(values, drawn)
            hits[method] += bool(low - 1e-12 <= mean <= high + 1e-12)
            widths[method].append(high - low)
    return {m: (hits[m] / studies, float(np.median(widths[m]))) for m in METHODS}


def main() -> None:
    """Print coverage (and median width) of every method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=999)
    given = parser.parse_args()
    print(f"| differences | {' | '.join(METHODS)} |")
    print("|---" * (len(METHODS) + 1) + "|")
    for name in DISTRIBUTIONS:
        for n in SIZES:
            found = coverage(name, n, studies=given.studies, resamples=given.resamples)
            cells = [f"{share:.3f} ({width:.2f})" for share, width in found.values()]
            print(f"| {name}, {n} people | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
