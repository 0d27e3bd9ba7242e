"""Block elimination against dense algebra, for factors that cross, nest, or both."""

import numpy as np
import pytest

from nme_core.training.block_cholesky import BlockCholesky
from nme_core.training.grouping import Factor, Grouping

N_ROWS, WIDTH, N_FIXED = 200, 2, 3


def levels(design: str, rng: np.random.Generator) -> list[np.ndarray]:
    person = np.unique(rng.integers(40, size=N_ROWS), return_inverse=True)[1]
    if design == "crossed":
        return [rng.integers(5, size=N_ROWS), person, rng.integers(7, size=N_ROWS)]
    if design == "nested":
        return [person % 6, person]
    return [person, (person % 12) % 4, rng.integers(3, size=N_ROWS), person % 12]


def made(design: str, n_outputs: int):
    """Blocks of A, and A as a whole."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N_ROWS, N_FIXED))
    factors = [
        Factor(one, one.max() + 1, x[:, :WIDTH], rng.normal(size=(WIDTH, n_outputs)))
        for one in levels(design, rng)
    ]
    zeros = np.zeros(N_ROWS, dtype=np.int64)
    grouping = Grouping.of(factors, Factor(zeros, 1, x, rng.normal(size=(N_FIXED, n_outputs))))
    root = rng.normal(size=(N_ROWS, n_outputs, n_outputs))
    weights = root @ root.transpose(0, 2, 1) + 0.1 * np.eye(n_outputs)
    blocks = grouping.products(weights)
    for g in range(grouping.last):
        blocks[g, g] = blocks[g, g] + np.eye(WIDTH)
    parts = []
    for one in grouping.factors:
        part = np.zeros((N_ROWS, n_outputs, one.n_levels, one.width))
        for j in range(N_ROWS):
            part[j, :, one.levels[j]] = (one.z[j][:, None] * one.directions).T
        parts.append(part.reshape(N_ROWS, n_outputs, -1))
    z = np.concatenate(parts, axis=2)
    whole = np.einsum("jor,jop,jps->rs", z, weights, z)
    n_random = len(whole) - N_FIXED
    whole[np.arange(n_random), np.arange(n_random)] += 1
    return grouping, blocks, z, whole


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize(
    ("design", "n_chain"), [("crossed", 1), ("nested", 2), ("nested and crossed", 3)]
)
@pytest.mark.parametrize("fixed", [True, False])
def test_everything_agrees_with_the_dense_matrix(design, n_chain, n_outputs, fixed):
    grouping, blocks, z, whole = made(design, n_outputs)
    assert grouping.n_chain == n_chain
    factor = BlockCholesky(grouping, blocks)
    kept = len(whole) if fixed else len(whole) - N_FIXED
    inverse = np.zeros_like(whole)
    inverse[:kept, :kept] = np.linalg.inv(whole[:kept, :kept])
    expected = np.linalg.slogdet(whole[:kept, :kept])[1]
    assert factor.log_determinant(fixed=fixed) == pytest.approx(expected, rel=1e-12)
    rng = np.random.default_rng(1)
    right = [rng.normal(size=(one.n_levels, one.width, 2)) for one in grouping.factors]
    flat = np.concatenate([one.reshape(-1, 2) for one in right])
    found = np.concatenate([one.reshape(-1, 2) for one in factor.solve(right, fixed=fixed)])
    np.testing.assert_allclose(found, inverse @ flat, atol=1e-10)
    parts = factor.inverse(fixed=fixed)
    starts = np.cumsum([0, *(one.n_levels * one.width for one in grouping.factors)])
    for (g, h), block in parts.items():
        meeting = grouping.meeting(g, h)
        one, other = grouping.factors[g].width, grouping.factors[h].width
        for k, (a, b) in enumerate(zip(meeting.first, meeting.second, strict=True)):
            row, column = starts[g] + a * one, starts[h] + b * other
            own = inverse[row : row + one, column : column + other]
            np.testing.assert_allclose(block[k], own, atol=1e-10)
    leverage = np.einsum("jor,rs,jps->jop", z, inverse, z)
    np.testing.assert_allclose(grouping.between(parts, fixed=fixed), leverage, atol=1e-10)


def test_parts_change_nothing(monkeypatch):
    """Many rows and levels are worked on some at a time."""
    grouping, blocks, _, _ = made("nested and crossed", 3)
    inverse = BlockCholesky(grouping, blocks).inverse(fixed=True)
    for module in ("grouping", "block_cholesky"):
        monkeypatch.setattr(f"nme_core.training.{module}.AT_ONCE", 50)
    monkeypatch.setattr("nme_core.training.block_cholesky._FILLED", 2.0)
    again, its_blocks, _, _ = made("nested and crossed", 3)
    its_inverse = BlockCholesky(again, its_blocks).inverse(fixed=True)
    for pair, block in inverse.items():
        np.testing.assert_allclose(its_blocks[pair], blocks[pair], atol=1e-12)
        np.testing.assert_allclose(its_inverse[pair], block, atol=1e-12)
