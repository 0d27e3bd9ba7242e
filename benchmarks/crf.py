"""NME-CRF: an epoch, and the parts of it, against pytorch-crf (population transitions only)."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch
import torchcrf

from benchmarks.table import Row, seconds
from nme_core.batches.sequences import Batch, pad_units
from nme_core.nn import CRFNetwork, LinearChain, MixedEffects
from nme_core.nn.crf import log_partition, path_score, viterbi
from nme_core.training import Annealed, Laplace, RandomEffectsCovariance, Schedule, train

N_FEATURES, EPOCHS = 8, 5
#: Epochs of a whole training, so that the looks at the curvature count as they do there.
WHOLE = 800


def make_batches(n_persons: int, n_steps: int, n_states: int) -> list[Batch]:
    """Random sequences, one a person."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(n_persons), n_steps)
    x = rng.standard_normal((len(groups), N_FEATURES), dtype=np.float32)
    return pad_units(x, rng.integers(0, n_states, len(groups)), groups, sequences=groups)


def ours(
    batches: list[Batch], n_states: int, estimator: str, epochs: int = EPOCHS
) -> Callable[[], object]:
    """Return what runs epochs of the real loop, decoding the training rows after each."""
    n_persons = sum(len(batch.groups) for batch in batches)
    n_rows = sum(batch.n_rows for batch in batches)

    def run() -> None:
        torch.manual_seed(0)
        mixed = MixedEffects(CRFNetwork(N_FEATURES, (), n_states), ["transitions"], n_persons)
        covariances = [RandomEffectsCovariance(mixed.n_random, "diagonal", start=0.1)]
        if estimator == "annealed":
            problem = Annealed(mixed, LinearChain(), covariances, n_rows=n_rows)
        else:
            problem = Laplace(
                mixed, LinearChain(), covariances, n_rows=n_rows, seed=0, batches=batches
            )

        def decode(progress: object) -> None:
            with torch.no_grad():
                for batch in batches:
                    viterbi(*mixed(batch.x, groups=batch.groups), batch.lengths)

        schedule = Schedule(epochs=epochs, decays=estimator != "annealed")
        train(problem, batches, schedule, seed=0, report=decode)

    return run


def peer(batches: list[Batch], n_states: int, epochs: int = EPOCHS) -> Callable[[], object]:
    """Return what runs epochs of pytorch-crf with a linear layer, decoding after each."""
    (batch,) = batches

    def run() -> None:
        torch.manual_seed(0)
        chain, linear = (
            torchcrf.CRF(n_states, batch_first=True),
            torch.nn.Linear(N_FEATURES, n_states),
        )
        optimiser = torch.optim.Adam([*chain.parameters(), *linear.parameters()], lr=0.01)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it masks with bytes, which torch will give up
            for _ in range(epochs):
                optimiser.zero_grad(set_to_none=True)
                (-chain(linear(batch.x), batch.y)).backward()
                optimiser.step()
                with torch.no_grad():
                    chain.decode(linear(batch.x))

    return run


def layers(batches: list[Batch], n_states: int) -> list[Callable[[], object]]:
    """Return what runs the layer alone, forward and backward: ours, and pytorch-crf's."""
    (batch,) = batches
    emissions = torch.randn(*batch.y.shape, n_states, requires_grad=True)
    own = torch.zeros(len(batch.y), n_states, n_states, requires_grad=True)
    chain = torchcrf.CRF(n_states, batch_first=True)

    def mine() -> None:
        scores, moves = emissions.double(), own.double()
        log_z = log_partition(scores, moves, batch.lengths)
        (log_z - path_score(scores, moves, batch.y, batch.mask)).sum().backward()

    def theirs() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (-chain(emissions, batch.y)).backward()

    return [mine, theirs]


def run(*, small: bool = False) -> list[Row]:
    """Measure."""
    n_persons, n_steps, n_states = (5, 10, 3) if small else (200, 200, 4)
    repeats = 2 if small else 3
    batches = make_batches(n_persons, n_steps, n_states)
    whole = EPOCHS if small else WHOLE
    mine, paper, theirs = seconds(
        ours(batches, n_states, "variational", whole),
        ours(batches, n_states, "annealed"),
        peer(batches, n_states),
        repeats=repeats,
    )
    mine *= EPOCHS / whole
    what = f"NME-CRF epoch ÷ pytorch-crf epoch, P = {n_persons}, T = {n_steps}, K = {n_states}"
    why = "the curvature by differences takes one pass over the rows for each effect"
    remark = "loss, step and decoding"
    rows = [
        Row.ratio(f"{what}, variational", mine / theirs, 0.1, remark, why=why),
        Row.ratio(f"{what}, annealed", paper / theirs, 0.1, remark),
    ]
    layer, peers = seconds(*layers(batches, n_states), repeats=5)
    rows.append(
        Row.ratio("CRF layer alone ÷ pytorch-crf, forward and backward", layer / peers, None)
    )
    base = seconds(ours(batches, n_states, "annealed"), repeats=repeats)[0] / (n_persons * n_steps)
    cases = {
        "people × 5": (5 * n_persons, n_steps, n_states),
        "steps × 5": (n_persons, 5 * n_steps, n_states),
        "states × 2": (n_persons, n_steps, 2 * n_states),
    }
    for name, (p, t, k) in cases.items():
        (taken,) = seconds(ours(make_batches(p, t, k), k, "annealed"), repeats=2)
        rows.append(
            Row.ratio(f"NME-CRF growth, time per step: {name}", taken / (p * t) / base, None)
        )
    return rows
