"""Coverage of 95 % intervals in simulation: persons' parameters, transitions, the population's.

    python benchmarks/interval_coverage.py [linear] [mlp] [crf] [--studies 20] [--only TEXT]

Each simulated study is drawn from the model that is fitted to it, with other persons every time. An
interval covers where it holds the truth. Prints Markdown rows: the share covered, its Monte-Carlo
standard error over studies (the intervals of one study depend on each other), and the median width.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from nme_core.data import Study
from nme_core.data.simulate import simulate_dyads
from nme_core.estimators import NMECRF, NMEMLPRegressor
from nme_core.estimators.uncertainty import Z
from nme_core.exceptions import NMEWarning

Floats = NDArray[np.float64]
#: What was estimated: whether each interval covers, and how wide it is.
Found = dict[str, tuple[Floats, Floats]]

COVARIANCE = np.array([[4.0, 0.32], [0.32, 0.16]])
#: Weights and biases of the simulated hidden layer, and of the last one.
HIDDEN = np.array([[1.0, -1.0, 1.0], [0.5, 0.5, -0.8]])
LAST = np.array([1.0, -0.5, 0.8, 0.2])


def held(low: Floats, high: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """Whether each interval holds the truth, and its width; those without ends are left out."""
    kept = np.isfinite(low) & np.isfinite(high)
    inside = (low[kept] <= truth[kept]) & (truth[kept] <= high[kept])
    return inside.astype(float), (high - low)[kept]


def linear(seed: int, *, n_persons: int, n_rows: int, estimator: str, hidden: int = 0) -> Found:
    """y = 50 + b₀ + (0.3 + b₁) x + ε; sd of b 2 and 0.4, correlation 0.4, of ε 3."""
    rng = np.random.default_rng(seed)
    own = rng.multivariate_normal([0, 0], COVARIANCE, n_persons)
    person = np.repeat(np.arange(n_persons), n_rows)
    x = rng.normal(0, 5, len(person))
    y = 50 + own[person, 0] + (0.3 + own[person, 1]) * x + rng.normal(0, 3, len(person))
    model = NMEMLPRegressor((), "all", covariance="full", estimator=estimator)
    model.fit(x[:, None], y, groups=person)
    names = ["layers.0.bias[0]", "layers.0.weight[0,0]"]
    order = [int(group) for group in model.groups_]
    persons = (end[names].to_numpy() for end in model.effects().interval())
    fixed = (end[names].to_numpy() for end in model.fixed_effects_interval())
    return {
        "persons' effects": held(*persons, own[order]),
        "fixed effects": held(*fixed, np.array([50, 0.3])),
    }


def mlp(seed: int, *, n_persons: int, n_rows: int, estimator: str, hidden: int) -> Found:
    """Three rectified units of x, weights of the last layer N(LAST, 0.5²) by person, sd of ε 0.5.

    The hidden layer is not unique: what is judged are the curves, at five values of x.
    """
    rng = np.random.default_rng(seed)
    own = rng.normal(0, 0.5, (n_persons, 4))
    person = np.repeat(np.arange(n_persons), n_rows)

    def units(x: Floats) -> Floats:
        hidden = np.maximum(x[:, None] * HIDDEN[0] + HIDDEN[1], 0)
        return np.column_stack([hidden, np.ones(len(x))])

    x = rng.normal(0, 1, len(person))
    y = (units(x) * (LAST + own[person])).sum(1) + rng.normal(0, 0.5, len(person))
    model = NMEMLPRegressor((hidden,), "last", estimator=estimator)
    model.fit(x[:, None], y, groups=person)
    grid = np.linspace(-1.5, 1.5, 5)
    posterior, scale = model._posterior, model._outcome_scale()[1]
    inputs = torch.from_numpy(model._scaler.transform([grid])).unsqueeze(0)
    slope = posterior.mixed.jacobian(inputs, torch.zeros(1, posterior.mixed.n_random))
    slope = slope[0, :, 0].double().numpy()  # (5, R)
    order = [int(group) for group in model.groups_]
    deviation = scale * posterior.mixed.deviations.double().numpy() @ slope.T
    effects = posterior.uncertainty.effects.numpy()
    half = Z * scale * np.sqrt(np.einsum("gr,prs,gs->pg", slope, effects, slope))
    population = model.predict(grid[:, None], level="population")
    shared = posterior.uncertainty.shared.numpy()
    width = Z * scale * np.sqrt(np.einsum("gr,rs,gs->g", slope, shared, slope))
    true = own[order] @ units(grid).T
    return {
        "persons' curves − the population's": held(deviation - half, deviation + half, true),
        "the population's curve": held(population - width, population + width, units(grid) @ LAST),
    }


def crf(seed: int, *, n_persons: int, n_rows: int, placement: str, hidden: int = 0) -> Found:
    """Dyads in four states, sd of every transition score 0.5; see `simulate_dyads`."""
    sample = simulate_dyads(n_persons, n_rows, effect=0.0, missing=0.0, seed=seed)
    roles = {name: value for name, value in sample.roles.items() if name != "model"}
    study = Study.from_frame(sample.long, **roles)
    model = NMECRF((hidden,) if hidden else (), placement)
    model.fit(study.X, study.y, groups=study.groups, sequence_ids=study.sequence_ids)
    truth = true_transitions(sample.truth, study, model)
    result = {}
    for readout, true in truth.items():
        low, high = model.transition_intervals(readout)
        result[f"persons, {readout}"] = held(low[:-1], high[:-1], true[:-1])
        result[f"population, {readout}"] = held(low[-1], high[-1], true[-1])
    return result


def true_transitions(truth: dict, study: Study, model: NMECRF) -> dict[str, Floats]:
    """All read-outs at the true parameters: the fitted model's own, with these put in."""
    states = model.classes_.tolist()
    order = [truth["states"].index(state) for state in states]
    persons = [truth["persons"][person]["transitions"] for person in model.groups_]
    scores = np.array([*persons, truth["population"]["transitions"]])[:, order][:, :, order]
    weights = truth["emission"]["weights"]
    per_unit = np.array([[weights[name][state] for state in states] for name in study.X.columns])
    intercept = np.array([truth["emission"]["intercept"][state] for state in states])
    emissions = study.X.to_numpy() @ per_unit + intercept
    centred = scores - scores.mean(axis=1, keepdims=True)
    raw = np.exp(scores + emissions.mean(axis=0))
    people = study.groups.to_numpy()
    who = [people == person for person in model.groups_]
    expected = [pairs(scores[k], emissions[rows]) for k, rows in enumerate(who)]
    expected.append(np.sum([pairs(scores[-1], emissions[rows]) for rows in who], axis=0))
    shares = np.array(expected)
    return {
        "scores": centred - centred.mean(axis=2, keepdims=True),
        "conditional": raw / raw.sum(axis=2, keepdims=True),
        "expected": shares / shares.sum(axis=2, keepdims=True),
    }


def pairs(scores: Floats, emissions: Floats) -> Floats:
    """Transitions that are expected in one sequence, (K, K)."""
    from nme_core.nn.crf import forward_backward

    one = (torch.from_numpy(part)[None] for part in (emissions, scores))
    return forward_backward(*one, torch.tensor([len(emissions)])).pairwise[0].numpy()


#: Name of the model: simulation, its options, and studies relative to --studies.
CELLS: dict[str, list[tuple[Callable[..., Found], dict, int]]] = {
    "linear": [
        (linear, {"n_persons": 15, "n_rows": 10, "estimator": "laplace"}, 20),
        (linear, {"n_persons": 30, "n_rows": 10, "estimator": "laplace"}, 10),
        (linear, {"n_persons": 100, "n_rows": 20, "estimator": "laplace"}, 10),
        (linear, {"n_persons": 60, "n_rows": 15, "estimator": "variational"}, 1),
    ],
    "mlp": [
        (mlp, {"n_persons": 40, "n_rows": 30, "estimator": "variational", "hidden": 8}, 1),
        (mlp, {"n_persons": 80, "n_rows": 20, "estimator": "variational", "hidden": 8}, 1),
    ],
    "crf": [
        (crf, {"n_persons": 40, "n_rows": 80, "placement": "transitions"}, 1),
        (crf, {"n_persons": 40, "n_rows": 80, "placement": "last+transitions"}, 1),
    ],
}


def main() -> None:
    """Print the rows of the models that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=[], metavar="model")
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--only", default="", help="rows whose options hold this text")
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", NMEWarning)
    print("| model | interval | covered | Monte-Carlo error | median width | studies |")
    print("|---|---|---|---|---|---|")
    for name in given.models or CELLS:
        for simulate, options, factor in CELLS[name]:
            words = ", ".join(f"{value} {key}" for key, value in options.items())
            if given.only not in words:
                continue
            studies = given.studies * factor
            found = [simulate(seed, **options) for seed in range(studies)]
            for what in found[0]:
                shares = np.array([one[what][0].mean() for one in found])
                width = np.median(np.concatenate([one[what][1] for one in found]))
                error = shares.std(ddof=1) / np.sqrt(studies)
                row = f"| {name}: {words} | {what} | {shares.mean():.3f} | {error:.3f} |"
                print(f"{row} {width:.2f} | {studies} |", flush=True)


if __name__ == "__main__":
    main()
