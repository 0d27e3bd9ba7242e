"""NME-MLP: an epoch against one of a plain shared MLP of the same shape; growth; padding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.table import Row, seconds
from nme_core.batches.sequences import Batch, pad_units
from nme_core.estimators.placement import person_specific
from nme_core.nn import MLP, Gaussian, MixedEffects
from nme_core.training import (
    Annealed,
    Laplace,
    RandomEffectsCovariance,
    Schedule,
    Variational,
    few_effects,
    train,
)

N_FEATURES, HIDDEN, N_ROWS = 10, 10, 50
EPOCHS = 20
OWN_WORK = (
    "weights of every person in the passes, draws, divergence, closed-form updates and curvature "
    "are many small kernels that a plain network does not have"
)
#: Epochs of a whole training, so that the looks at the curvature count as they do there.
WHOLE = 800


def make_rows(
    sizes: np.ndarray, n_features: int = N_FEATURES
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y and persons with these numbers of rows."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.standard_normal((len(groups), n_features), dtype=np.float32)
    return x, x[:, 0] + rng.standard_normal(len(groups), dtype=np.float32), groups


def training(
    batches: list[Batch],
    placement: str,
    estimator: str,
    epochs: int = EPOCHS,
) -> Callable[[], object]:
    """Return what runs epochs of the real training loop, with evaluation after each."""
    n_persons = 1 + max(int(batch.groups.max()) for batch in batches)
    n_rows = sum(batch.n_rows for batch in batches)

    def run() -> None:
        torch.manual_seed(0)
        network = MLP(batches[0].x.shape[2], (HIDDEN,), 1)
        random = person_specific(network, placement, layers="")
        mixed = MixedEffects(network, random, n_persons)
        covariances = [RandomEffectsCovariance(mixed.n_random, "diagonal", start=0.1)]
        if estimator == "annealed":
            problem = Annealed(mixed, Gaussian(), covariances, n_rows=n_rows)
        elif few_effects(mixed):
            problem = Laplace(
                mixed, Gaussian(), covariances, n_rows=n_rows, seed=0, batches=batches
            )
        else:
            problem = Variational(mixed, Gaussian(), covariances, n_rows=n_rows, seed=0)
        schedule = Schedule(epochs=epochs, decays=estimator != "annealed", validate_every=1)
        train(problem, batches, schedule, seed=0, validation=batches)

    return run


def plain(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray], epochs: int = EPOCHS
) -> Callable[[], object]:
    """Return what runs epochs of one shared network, with evaluation after each."""
    x, y = torch.from_numpy(rows[0]), torch.from_numpy(rows[1])

    def run() -> None:
        torch.manual_seed(0)
        network = MLP(x.shape[1], (HIDDEN,), 1)
        optimiser = torch.optim.Adam(network.parameters(), lr=0.01, fused=True)
        for _ in range(epochs):
            optimiser.zero_grad(set_to_none=True)
            (network(x).squeeze(-1) - y).square().mean().backward()
            optimiser.step()
            with torch.no_grad():
                float((network(x).squeeze(-1) - y).square().mean())

    return run


def run(*, small: bool = False) -> list[Row]:
    """Measure."""
    n_persons = 20 if small else 1000
    rows = make_rows(np.full(n_persons, N_ROWS))
    batches, found = pad_units(*rows), []
    for placement, target in (("last", 2.0), ("all", 4.0)):
        whole = EPOCHS if small else WHOLE
        ours, paper, shared = seconds(
            training(batches, placement, "variational", whole),
            training(batches, placement, "annealed"),
            plain(rows),
            repeats=2 if small else 3,
        )
        ours *= EPOCHS / whole
        where = f"NME-MLP epoch ÷ plain shared MLP, {placement} layer(s), P = {n_persons}, n_i = 50"
        detail = f"{1000 * ours / EPOCHS:.1f} ms an epoch, the curvature included"
        found.append(
            Row.ratio(f"{where}, variational", ours / shared, target, detail, why=OWN_WORK)
        )
        found.append(Row.ratio(f"{where}, annealed", paper / shared, target, why=OWN_WORK))
    return [*found, mixed_lengths(small=small), *growth(small=small)]


def mixed_lengths(*, small: bool = False) -> Row:
    """Lengths from 20 to 2,000 against the same rows evenly spread."""
    rng = np.random.default_rng(1)
    n_persons = 10 if small else 200
    sizes = np.exp(rng.uniform(np.log(20), np.log(2000), n_persons)).astype(int)
    even = np.full(n_persons, sizes.sum() // n_persons)
    uneven, spread = seconds(
        training(pad_units(*make_rows(sizes)), "last", "variational"),
        training(pad_units(*make_rows(even)), "last", "variational"),
        repeats=2 if small else 5,
    )
    what = "lengths 20 … 2,000 mixed ÷ the same rows evenly spread"
    why = "stacks of units of like length are smaller, and more of them are computed one by one"
    remark = f"{sizes.sum():,} rows, {n_persons} people"
    return Row.ratio(what, uneven / spread, 1.5, remark, why=why)


def growth(*, small: bool = False) -> list[Row]:
    """Time per row with more persons, rows per person and features."""
    base = 20 if small else 200
    cases = {
        "people × 4": (np.full(4 * base, N_ROWS), N_FEATURES),
        "people × 16": (np.full(16 * base, N_ROWS), N_FEATURES),
        "rows of a person × 16": (np.full(base, 16 * N_ROWS), N_FEATURES),
        "features × 4": (np.full(base, N_ROWS), 4 * N_FEATURES),
    }
    rows = []
    for name, (sizes, n_features) in cases.items():
        first, more = seconds(
            training(pad_units(*make_rows(np.full(base, N_ROWS))), "last", "variational"),
            training(pad_units(*make_rows(sizes, n_features)), "last", "variational"),
            repeats=2 if small else 3,
        )
        per_row = (more / sizes.sum()) / (first / (base * N_ROWS))
        rows.append(Row.ratio(f"NME-MLP growth, time per row: {name}", per_row, None))
    return rows
