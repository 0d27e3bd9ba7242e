"""How often tests of person parameters against a covariate reject, by guard.

    python benchmarks/hsic_calibration.py linear [--studies 200]
    python benchmarks/hsic_calibration.py confounder [--studies 200]
    python benchmarks/hsic_calibration.py crf [--studies 20]

`linear`: persons with an intercept and two slopes of their own, N(0, I), residual variance 4,
features N(0, 1); their number of observations lies between 5 and 100. The parameters are the
posterior means given the true Σ and σ², in closed form: what a fitted model shrinks towards.
Compliance is the correlation (on a normal scale) of the covariate with having few observations.
`confounder`: parameters and covariate both go with age and with a group of persons, nothing else.
`crf`: NME-CRFs fitted to studies of the generator of the sample `null`, 40 persons of 20 to
80 steps.
Each prints a Markdown table of rejections at 5 % with the Monte-Carlo standard error.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nme_core.analysis.covariate_tests import DRAWS
from nme_core.estimators import NMECRF
from nme_core.estimators.person_posterior import PersonPosterior, person_posterior
from nme_core.independence import (
    conditional_test,
    gaussian_kernel,
    hsic_test,
    permutations,
    quantile_strata,
)
from nme_core.independence.conditional import u_centred
from nme_core.independence.kernel_sums import permuted_sums

REPS, ALPHA = 99, 0.05
SIZES, COMPLIANCE = (40, 100), (0.0, 0.9)


def linear_study(
    rng: np.random.Generator, n: int, compliance: float, effect: float
) -> tuple[PersonPosterior, pd.Series, pd.Series]:
    """Posterior of every person's three effects, the covariate, and the number of observations."""
    score = rng.normal(size=n)
    silence = compliance * score + np.sqrt(1 - compliance**2) * rng.normal(size=n)
    share = (np.argsort(np.argsort(silence)) + 0.5) / n
    n_obs = np.round(5 * 20 ** (1 - share)).astype(int)
    effects = rng.normal(size=(n, 3))
    effects[:, 1] += effect * score
    mean, covariance = np.empty((n, 3)), np.empty((n, 3, 3))
    for i, size in enumerate(n_obs):
        design = np.column_stack([np.ones(size), rng.normal(size=(size, 2))])
        outcome = design @ effects[i] + 2 * rng.normal(size=size)
        covariance[i] = np.linalg.inv(design.T @ design / 4 + np.eye(3))
        mean[i] = covariance[i] @ design.T @ outcome / 4
    persons = [f"{i:04d}" for i in range(n)]
    posterior = PersonPosterior(list("abc"), persons, mean, covariance, np.ones(3), np.eye(3))
    return posterior, pd.Series(score, persons), pd.Series(n_obs, persons, name="n_obs")


def p_of(x: pd.DataFrame, other: NDArray[np.float64], drawn: NDArray[np.intp]) -> float:
    """p of `hsic_test`, from the U-centred kernel of the covariate and ready permutations."""
    kernel = u_centred(gaussian_kernel(x.to_numpy()))
    null = permuted_sums(kernel, other, drawn)
    return float((1 + np.sum(null >= np.vdot(kernel, other) * (1 - 1e-10))) / (len(drawn) + 1))


def p_by_guard(
    posterior: PersonPosterior, score: pd.Series, n_obs: pd.Series, seed: int
) -> dict[str, float]:
    """p of every guard for one study."""
    persons = posterior.persons
    other = u_centred(gaussian_kernel(score.loc[persons].to_numpy(dtype=float)))
    strata = quantile_strata(n_obs.loc[persons]).to_numpy()
    free = permutations(len(persons), REPS, random_state=seed)
    within = permutations(len(persons), REPS, strata=strata, random_state=seed)
    drawn = [p_of(draw, other, free) for draw in posterior.draws(DRAWS, seed)]
    return {
        "none": p_of(posterior.estimate(), other, free),
        "strata (default)": p_of(posterior.estimate(), other, within),
        "reliability": p_of(posterior.unshrunken(), other, free),
        "draws": min(1.0, 2 * float(np.median(drawn))),
    }


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
            f"{what}, {n} persons, compliance {compliance:.1f}": condition(n, compliance, effect)
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
            f"{what}, {n} persons, {kind}": condition(n, effect, kind == "two groups")
            for what, effect in (("no effect", 0.0), ("effect 0.7", 0.7))
            for n in (30, 60)
            for kind in ("number", "two groups")
        },
        studies,
        only,
    )


def crf(studies: int, only: str) -> None:
    """Fitted NME-CRFs, no effect."""
    from nme_core.data import Study, simulate_null

    def condition(compliance: bool) -> Callable[[int], dict[str, float]]:
        def test(seed: int) -> dict[str, float]:
            sample = simulate_null(40, (20, 80), compliance_effect=compliance, seed=seed)
            roles = {name: value for name, value in sample.roles.items() if name != "model"}
            study = Study.from_frame(sample.long, covariates=sample.covariates, **roles)
            model = NMECRF(hidden=(), placement="transitions", random_state=seed)
            model.fit(study.X, study.y, groups=study.groups, sequence_ids=study.sequence_ids)
            posterior = person_posterior(model, centred_transitions=True)
            return p_by_guard(posterior, study.covariates["depression"], model.n_obs_, seed)

        return test

    table(
        {
            "no compliance effect": condition(False),
            "compliance effect": condition(True),
        },
        studies,
        only,
    )


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("linear", "confounder", "crf"))
    parser.add_argument("--studies", type=int)
    parser.add_argument("--only", default="", help="conditions whose name holds this")
    given = parser.parse_args()
    run, usual = {
        "linear": (linear, 200),
        "confounder": (confounder, 200),
        "crf": (crf, 20),
    }[given.what]
    run(given.studies or usual, given.only)


if __name__ == "__main__":
    main()
