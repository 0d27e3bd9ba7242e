"""How often tests of person parameters against a covariate reject, by guard.

    python -m benchmarks.hsic_calibration linear [--studies 200]
    python -m benchmarks.hsic_calibration few [--studies 200]
    python -m benchmarks.hsic_calibration confounder [--studies 200]
    python -m benchmarks.hsic_calibration crf [--of moves|scores] [--studies 200]
    python -m benchmarks.hsic_calibration slopes [--studies 200]
    python -m benchmarks.hsic_calibration power [--studies 200]

`linear`: persons with an intercept and two slopes of their own, N(0, I), residual variance 4,
features N(0, 1); their number of observations lies between 5 and 100. The parameters are the
posterior means given the true Σ and σ², in closed form: what a fitted model shrinks towards.
Compliance is the correlation (on a normal scale) of the covariate with having few observations.
`few`: the same with 3 to 40 observations each; effects also of a skewed distribution.
`confounder`: parameters and covariate both go with age and with a group of persons, nothing else.
`crf`: an NME-CRF fitted to 300 persons of 20 to 80 steps each of the generator of the sample
`null`; a study is 100 of them at random. Without an effect the covariate is made of a person's
number of steps alone, −log n + 0.15 ε: whatever is found is the trap. With an effect it is their
depression.
`slopes`: the same of a network of 8 units fitted to 300 persons with an intercept and two slopes of
their own and 5 to 60 rows each, without an effect.
`power`: p of HSIC, of the largest single association, of both together, and of the best single
Spearman corrected by Bonferroni, where one parameter of 16 goes with the covariate in a line, four
do, or one in a bend.
Each prints a Markdown table of rejections at 5 % with the Monte-Carlo standard error.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.analysis import person_effects
from nme_core.analysis.covariate_tests import DRAWS
from nme_core.analysis.covariates import wide_effects
from nme_core.estimators import NMECRF, NMEMLPRegressor
from nme_core.estimators.person_posterior import (
    Known,
    MarginalPosterior,
    PersonPosterior,
    person_posterior,
)
from nme_core.independence import (
    Arrangement,
    arranged_test,
    conditional_test,
    effects_table,
    gaussian_kernel,
    hsic_test,
    permutations,
    quantile_strata,
)
from nme_core.independence.conditional import u_centred
from nme_core.independence.kernel_sums import permuted_sums

REPS, ALPHA = 99, 0.05
SIZES, COMPLIANCE = (40, 100), (0.0, 0.9)
#: Distributions of the random effects; mean 0 and variance 1.
SHAPES: dict[str, Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float64]]] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape) - 1,
}
#: Persons of a fitted model, and of each study drawn from them.
FITTED, DRAWN = 300, 100

#: A study: posterior of every person's effects, the covariate, and the number of observations.
Made = tuple[PersonPosterior, pd.Series, pd.Series]


def attendance(
    rng: np.random.Generator, n: int, compliance: float, ends: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Covariate, and number of observations between the two ends, of n persons."""
    score = rng.normal(size=n)
    silence = compliance * score + np.sqrt(1 - compliance**2) * rng.normal(size=n)
    share = (np.argsort(np.argsort(silence)) + 0.5) / n
    return score, np.round(ends[0] * (ends[1] / ends[0]) ** (1 - share)).astype(int)


def linear_study(rng: np.random.Generator, n: int, compliance: float, effect: float) -> Made:
    """5 to 100 observations each."""
    score, n_obs = attendance(rng, n, compliance, (5, 100))
    effects = rng.normal(size=(n, 3))
    effects[:, 1] += effect * score
    mean, covariance = np.empty((n, 3)), np.empty((n, 3, 3))
    for i, size in enumerate(n_obs):
        design = np.column_stack([np.ones(size), rng.normal(size=(size, 2))])
        outcome = design @ effects[i] + 2 * rng.normal(size=size)
        covariance[i] = np.linalg.inv(design.T @ design / 4 + np.eye(3))
        mean[i] = covariance[i] @ design.T @ outcome / 4
    return _made(mean, covariance, score, n_obs)


def few_rows_study(rng: np.random.Generator, n: int, compliance: float, shape: str) -> Made:
    """3 to 40 observations each, no effect."""
    score, n_obs = attendance(rng, n, compliance, (3, 40))
    effects = SHAPES[shape](rng, (n, 3))
    person = np.repeat(np.arange(n), n_obs)
    x = rng.normal(size=(len(person), 2))
    outcome = effects[person, 0] + (effects[person, 1:] * x).sum(1)
    outcome += 2 * rng.normal(size=len(person))
    mean, covariance = np.empty((n, 3)), np.empty((n, 3, 3))
    for i, size in enumerate(n_obs):
        design = np.column_stack([np.ones(size), x[person == i]])
        covariance[i] = np.linalg.inv(design.T @ design / 4 + np.eye(3))
        mean[i] = covariance[i] @ design.T @ outcome[person == i] / 4
    return _made(mean, covariance, score, n_obs)


def _made(
    mean: NDArray[np.float64],
    covariance: NDArray[np.float64],
    score: NDArray[np.float64],
    n_obs: NDArray[np.int64],
) -> Made:
    persons = [f"{i:04d}" for i in range(len(mean))]
    posterior = PersonPosterior(list("abc"), persons, mean, covariance, np.ones(3), np.eye(3))
    return posterior, pd.Series(score, persons), pd.Series(n_obs, persons, name="n_obs")


def p_of(x: pd.DataFrame, other: NDArray[np.float64], drawn: NDArray[np.intp]) -> float:
    """p of `hsic_test`, from the U-centred kernel of the covariate and ready permutations."""
    kernel = u_centred(gaussian_kernel(x.to_numpy()))
    null = permuted_sums(kernel, other, drawn)
    return float((1 + np.sum(null >= np.vdot(kernel, other) * (1 - 1e-10))) / (len(drawn) + 1))


def p_by_guard(
    posterior: PersonPosterior, score: pd.Series, n_obs: pd.Series, seed: int, *, draws: bool = True
) -> dict[str, float]:
    """p of every guard for one study; `draws` take as long as all others together, and longer."""
    persons = posterior.persons
    other = u_centred(gaussian_kernel(score.loc[persons].to_numpy(dtype=float)))
    strata = quantile_strata(n_obs.loc[persons]).to_numpy()
    free = permutations(len(persons), REPS, random_state=seed)
    within = permutations(len(persons), REPS, strata=strata, random_state=seed)
    found = {
        "none": p_of(posterior.estimate(), other, free),
        "strata": p_of(posterior.estimate(), other, within),
        "reliability (default)": p_of(posterior.unshrunken(), other, free),
    }
    if draws:
        drawn = [p_of(draw, other, free) for draw in posterior.draws(DRAWS, seed)]
        found["draws"] = min(1.0, 2 * float(np.median(drawn)))
    return found


def table(
    conditions: dict[str, Callable[[int], dict[str, float]]], studies: int, only: str
) -> None:
    """Print how often each method rejects in each condition whose name holds `only`."""
    header = False
    for name, test in conditions.items():
        if only not in name:
            continue
        found = pd.DataFrame([test(seed) for seed in range(studies)])
        share = (found <= ALPHA).mean()
        if not header:
            print("| " + " | ".join(["condition", *share.index]) + " |")
            print("|---" * (len(share) + 1) + "|")
            header = True
        cells = [f"{100 * p:.1f} ± {100 * np.sqrt(p * (1 - p) / studies):.1f}" for p in share]
        print("| " + " | ".join([name, *cells]) + " |", flush=True)


def linear(studies: int, only: str) -> None:
    """No effect and a planted one, with and without compliance."""

    def condition(n: int, compliance: float, effect: float) -> Callable[[int], dict[str, float]]:
        def test(seed: int) -> dict[str, float]:
            study = linear_study(np.random.default_rng(seed), n, compliance, effect)
            return p_by_guard(*study, seed)

        return test

    table(
        {
            f"{what}, {n} people, compliance {compliance:.1f}": condition(n, compliance, effect)
            for what, effect, sizes in (
                ("no effect", 0.0, SIZES),
                ("effect 0.7", 0.7, SIZES[1:]),
            )
            for n in sizes
            for compliance in COMPLIANCE
        },
        studies,
        only,
    )


def confounder(studies: int, only: str) -> None:
    """Parameters and covariate that share a cause, with and without an effect beyond it."""

    def condition(n: int, effect: float, category: bool) -> Callable[[int], dict[str, float]]:
        def test(seed: int) -> dict[str, float]:
            rng = np.random.default_rng(seed)
            given = pd.DataFrame({"age": rng.normal(size=n), "group": rng.choice(list("abc"), n)})
            common = given["age"] + (given["group"] == "a")
            own = rng.normal(size=n)
            y = common + own
            x = pd.DataFrame(rng.normal(size=(n, 4)))
            x[0] += common + effect * own
            y = y > y.median() if category else y
            held, _ = conditional_test(x, y, given, reps=REPS, random_state=seed)
            return {
                "not held": hsic_test(x, y, reps=REPS, random_state=seed).p,
                "held": held.p,
            }

        return test

    table(
        {
            f"{what}, {n} people, {kind}": condition(n, effect, kind == "two groups")
            for what, effect in (("no effect", 0.0), ("effect 0.7", 0.7))
            for n in (30, 60)
            for kind in ("number", "two groups")
        },
        studies,
        only,
    )


def few(studies: int, only: str) -> None:
    """Few observations of the least observed persons; no effect."""

    def condition(n: int, compliance: float, shape: str) -> Callable[[int], dict[str, float]]:
        def test(seed: int) -> dict[str, float]:
            study = few_rows_study(np.random.default_rng(seed), n, compliance, shape)
            return p_by_guard(*study, seed, draws=False)

        return test

    table(
        {
            f"{shape} effects, {n} people, compliance {compliance:.1f}": condition(
                n, compliance, shape
            )
            for shape in SHAPES
            for n in SIZES
            for compliance in COMPLIANCE
        },
        studies,
        only,
    )


def fitted_crf(compliance: bool, effect: float, of: str) -> tuple[Known, pd.Series, pd.Series]:
    """What is known of moves or scores of `FITTED` persons, their depression, their steps."""
    from nme_core.simulate import simulate_null
    from nme_core.study import Study

    sample = simulate_null(FITTED, (20, 80), compliance_effect=compliance, effect=effect, seed=100)
    roles = {name: value for name, value in sample.roles.items() if name != "model"}
    study = Study.from_frame(sample.long, covariates=sample.covariates, **roles)
    model = NMECRF(hidden=(), placement="transitions")
    ids = study.sequence_ids
    model.fit(study.X, study.y, groups=study.groups, sequence_ids=ids, uncertainty=False)
    posterior = person_posterior(model, of)
    return posterior, study.covariates["depression"], model.n_obs_.loc[posterior.persons]


def fitted_slopes() -> tuple[Known, pd.Series, pd.Series]:
    """What is known of levels and slopes of `FITTED` persons, nothing, their rows."""
    rng = np.random.default_rng(1)
    n_obs = np.round(5 * 12 ** rng.uniform(size=FITTED)).astype(int)
    person = np.repeat([f"{i:04d}" for i in range(FITTED)], n_obs)
    own = np.repeat(rng.normal(size=(FITTED, 3)), n_obs, axis=0)
    X = pd.DataFrame(rng.normal(size=(len(person), 2)), columns=["a", "b"])
    y = own[:, 0] + own[:, 1] * X["a"] + own[:, 2] * X["b"] + 2 * rng.normal(size=len(X))
    model = NMEMLPRegressor(hidden=(8,), placement="last").fit(X, y, groups=person)
    table = person_effects(model, X)
    parts = (wide_effects(table, name) for name in ("estimate", "se", "reliability"))
    return MarginalPosterior(*parts), pd.Series(dtype=float), model.n_obs_


def tests_by_guard(
    known: Known, score: pd.Series, n_obs: pd.Series, rows: NDArray[np.intp], seed: int
) -> dict[str, float]:
    """p of every guard, both looks together, of some persons; of the default also each alone."""
    strata = Arrangement(strata=quantile_strata(n_obs.iloc[rows]))
    free, how = Arrangement(), {"reps": REPS, "random_state": seed}
    plain, whole = known.estimate().iloc[rows], known.unshrunken().iloc[rows]
    usual = arranged_test(whole, score, free, **how)
    return {
        "none": arranged_test(plain, score, free, **how).p,
        "strata": arranged_test(plain, score, strata, **how).p,
        "reliability (default)": usual.p,
        "its HSIC alone": usual.hsic.p,
        "its largest single alone": usual.single.p,
    }


def drawn_from(
    fitted: Callable[[], tuple[Known, pd.Series, pd.Series]], effect: bool
) -> Callable[[int], dict[str, float]]:
    """Studies of `DRAWN` of the persons of one fit."""
    once, rng = lru_cache(maxsize=1)(fitted), np.random.default_rng(0)

    def test(seed: int) -> dict[str, float]:
        known, depression, n_obs = once()
        rows = np.sort(rng.choice(FITTED, DRAWN, replace=False))
        chosen = n_obs.iloc[rows]
        silence = 0.15 * rng.normal(size=DRAWN) - np.log(chosen.to_numpy())
        score = depression if effect else pd.Series(silence, chosen.index, name="silence")
        return tests_by_guard(known, score, n_obs, rows, seed)

    return test


def crf(studies: int, only: str, of: str = "moves") -> None:
    """A fitted NME-CRF, with and without an effect on two transitions."""
    table(
        {
            f"{of}: {what}": drawn_from(partial(fitted_crf, compliance, effect, of), effect > 0)
            for what, compliance, effect in (
                ("no effect, covariate made of the number of steps", True, 0.0),
                ("effect of depression, compliance effect", True, 0.5),
            )
        },
        studies,
        only,
    )


def slopes(studies: int, only: str) -> None:
    """A fitted network, without an effect."""
    name = "slopes: no effect, covariate made of the number of rows"
    table({name: drawn_from(fitted_slopes, effect=False)}, studies, only)


def power(studies: int, only: str) -> None:
    """Either look, both, and the best single Spearman."""

    def condition(n_tied: int, effect: float, bend: bool) -> Callable[[int], dict[str, float]]:
        def test(seed: int) -> dict[str, float]:
            rng = np.random.default_rng(seed)
            y = pd.Series(rng.normal(size=60), name="score")
            x = pd.DataFrame(rng.normal(size=(60, 16))).rename(columns=str)
            x.iloc[:, :n_tied] += effect * (y**2 if bend else y).to_numpy()[:, None]
            found = arranged_test(x, y, Arrangement(), reps=199, random_state=seed)
            best = effects_table(x, y, adjust="none")["p"].min()
            return {
                "both (p)": found.p,
                "HSIC": found.hsic.p,
                "largest single": found.single.p,
                "best Spearman × 16": min(1.0, 16 * best),
            }

        return test

    table(
        {
            "nothing": condition(1, 0.0, False),
            "one of 16 in a line (0.5)": condition(1, 0.5, False),
            "four of 16 in a line (0.35)": condition(4, 0.35, False),
            "one of 16 in a bend (1.0)": condition(1, 1.0, True),
        },
        studies,
        only,
    )


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("linear", "few", "confounder", "crf", "slopes", "power"))
    parser.add_argument("--studies", type=int)
    parser.add_argument("--only", default="", help="conditions whose name holds this")
    parser.add_argument("--of", default="moves", help="what crf tests")
    given = parser.parse_args()
    run, usual = {
        "linear": (linear, 200),
        "few": (few, 200),
        "confounder": (confounder, 200),
        "crf": (partial(crf, of=given.of), 200),
        "slopes": (slopes, 200),
        "power": (power, 200),
    }[given.what]
    run(given.studies or usual, given.only)


if __name__ == "__main__":
    main()
