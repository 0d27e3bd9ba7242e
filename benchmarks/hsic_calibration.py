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
from nme_core.independence import conditional_test, hsic_test, quantile_strata

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


def p_by_guard(
    posterior: PersonPosterior, score: pd.Series, n_obs: pd.Series, seed: int
) -> dict[str, float]:
    """p of every guard for one study."""
    estimate, y = posterior.estimate(), score.loc[posterior.persons].to_numpy(dtype=float)
    strata = quantile_strata(n_obs.loc[posterior.persons]).to_numpy()

    def p(x: pd.DataFrame, within: NDArray[np.int64] | None = None) -> float:
        return hsic_test(x.to_numpy(), y, reps=REPS, strata=within, random_state=seed).p

    drawn = [p(draw) for draw in posterior.draws(DRAWS, seed)]
    return {
        "none": p(estimate),
        "strata (default)": p(estimate, strata),
        "reliability": p(posterior.unshrunken()),
        "draws": min(1.0, 2 * float(np.median(drawn))),
    }


def table(
    conditions: dict[str, Callable[[int], dict[str, float]]], studies: int, first: int = 0
) -> None:
    """Print how often each method rejects in each condition."""
    header = False
    for name, test in conditions.items():
        found = pd.DataFrame([test(seed) for seed in range(first, first + studies)])
        share = (found <= ALPHA).mean()
        if not header:
            print("| " + " | ".join(["condition", *share.index]) + " |")
            print("|---" * (len(share) + 1) + "|")
            header = True
        cells = [f"{100 * p:.1f} ± {100 * np.sqrt(p * (1 - p) / studies):.1f}" for p in share]
        print("| " + " | ".join([name, *cells]) + " |", flush=True)


def linear(studies: int) -> None:
    """No effect and a planted one, with and without compliance."""

    def condition(n: int, compliance: float, effect: float) -> Callable[[int], dict[str, float]]:
        def test(seed: int) -> dict[str, float]:
            study = linear_study(np.random.default_rng(seed), n, compliance, effect)
            return p_by_guard(*study, seed)

        return test

    table(
        {
            f"{what}, {n} persons, compliance {compliance:g}": condition(n, compliance, effect)
            for what, effect, sizes in (("no effect", 0.0, SIZES), ("effect 0.7", 0.7, SIZES[1:]))
            for n in sizes
            for compliance in COMPLIANCE
        },
        studies,
    )


def confounder(studies: int) -> None:
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
            return {"not held": hsic_test(x, y, reps=REPS, random_state=seed).p, "held": held.p}

        return test

    table(
        {
            f"{what}, {n} persons, {kind}": condition(n, effect, kind == "two groups")
            for what, effect in (("no effect", 0.0), ("effect 0.7", 0.7))
            for n in (30, 60)
            for kind in ("number", "two groups")
        },
        studies,
    )


def crf(studies: int) -> None:
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

    table({"no compliance effect": condition(False), "compliance effect": condition(True)}, studies)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("linear", "confounder", "crf"))
    parser.add_argument("--studies", type=int)
    given = parser.parse_args()
    run, usual = {"linear": (linear, 200), "confounder": (confounder, 200), "crf": (crf, 20)}[
        given.what
    ]
    run(given.studies or usual)


if __name__ == "__main__":
    main()
