"""Cholesky factor of the normal equations of effects of several grouping factors.

    A = ( M   G )      M block-diagonal, a block for each level of the first factor
        ( Gᵀ  B )      S = B − Gᵀ M⁻¹ G     log|A| = Σ log|M_i| + log|S|

and likewise again with S as long as the next factor's blocks stay apart (factors nested in one
another); what is left – factors that cross, and the fixed effects, which come last – is one dense
matrix. Of A⁻¹ only the blocks of levels that share a row are ever needed; they follow from the
dense part backwards (Takahashi, Fagan & Chin 1973):

    A⁻¹[i, c] = − Σ_k H_ik A⁻¹[k, c],    A⁻¹[i, i] = M_i⁻¹ − Σ_c A⁻¹[i, c] H_icᵀ,    H = M⁻¹ G.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg, sparse

from nme_core.training.grouping import AT_ONCE, Codes, Grouping, Numbers, sums

Blocks = dict[tuple[int, int], Numbers]
#: Share of elements above which a sparse matrix is multiplied as a dense one.
_FILLED = 0.1


class BlockCholesky:
    """The factor of one matrix A.

    Parameters
    ----------
    grouping : Grouping
        Which levels share a row.
    blocks : dict of (g, h) to array, shape (n_pairs, R_g, R_h)
        A, for the places g ≤ h.

    Raises
    ------
    numpy.linalg.LinAlgError
        If A is not positive definite.
    """

    def __init__(self, grouping: Grouping, blocks: Blocks) -> None:
        self._grouping = grouping
        self._lower: list[Numbers] = []
        self._white: Blocks = {}  # L⁻¹ G
        self._wide: list[sparse.csr_matrix] = []  # the same, of all dense factors
        left = dict(blocks)
        dense = self._assemble(left)
        for k in range(grouping.n_chain):
            dense -= self._eliminate(k, left)
        self._dense = linalg.cholesky(dense, lower=True, overwrite_a=True, check_finite=False)

    def _assemble(self, blocks: Blocks) -> Numbers:
        """Make one matrix of the blocks of the dense factors."""
        grouping, offsets = self._grouping, self._grouping.offsets
        result = np.zeros((grouping.n_dense, grouping.n_dense))
        for g, h in grouping.pairs():
            if g in offsets:
                row, column = grouping.places(g, h)
                result[row, column] = blocks[g, h]
                result[column, row] = blocks[g, h]
        return result

    def _eliminate(self, k: int, left: Blocks) -> Numbers:
        """Take out the chain factor k: update what is left and return what leaves the dense."""
        grouping = self._grouping
        lower = np.linalg.cholesky(left[k, k])
        inverse = np.linalg.inv(lower)
        self._lower.append(inverse)
        for h in range(k + 1, len(grouping.factors)):
            meeting = grouping.meeting(k, h)
            self._white[k, h] = inverse[meeting.first] @ left[k, h]
        for m in range(k + 1, grouping.n_chain):
            own = self._white[k, m].transpose(0, 2, 1)
            for h in range(m, len(grouping.factors)):
                pairs, to = grouping.meeting(k, h), grouping.lifted(k, m, h)
                change = own[pairs.first] @ self._white[k, h]
                left[m, h] = left[m, h] - sums(to, change, len(left[m, h]))
        wide = self._wider(k)
        self._wide.append(wide)
        if wide.nnz > _FILLED * wide.shape[0] * wide.shape[1]:
            result = np.zeros((wide.shape[1], wide.shape[1]))
            step = max(1, AT_ONCE // wide.shape[1])
            for low in range(0, wide.shape[0], step):
                part = wide[low : low + step].toarray()
                result += part.T @ part
            return result
        return np.asarray((wide.T @ wide).toarray())

    def _wider(self, k: int) -> sparse.csr_matrix:
        """One sparse matrix of L⁻¹ G of a chain factor with all dense ones."""
        grouping, offsets = self._grouping, self._grouping.offsets
        factor, parts = grouping.factors[k], []
        for h in grouping.dense:
            meeting, other = grouping.meeting(k, h), grouping.factors[h]
            column = meeting.second[:, None] * other.width + np.arange(other.width)
            columns = np.broadcast_to(column[:, None, :], self._white[k, h].shape)
            row = meeting.first[:, None] * factor.width + np.arange(factor.width)
            rows = np.broadcast_to(row[:, :, None], self._white[k, h].shape)
            parts.append((self._white[k, h].ravel(), rows.ravel(), columns.ravel() + offsets[h]))
        values, rows, columns = (np.concatenate(part) for part in zip(*parts, strict=True))
        shape = (factor.n_levels * factor.width, grouping.n_dense)
        return sparse.csr_matrix((values, (rows, columns)), shape)

    def _n_kept(self, fixed: bool) -> int:
        """Dense effects, with or without the fixed effects, which come last."""
        last = self._grouping.factors[-1].width
        return len(self._dense) - (0 if fixed else last)

    def log_determinant(self, *, fixed: bool) -> float:
        """log|A|, or that of the part without the fixed effects."""
        chain = sum(-2 * np.log(np.diagonal(one, 0, 1, 2)).sum() for one in self._lower)
        kept = np.diagonal(self._dense)[: self._n_kept(fixed)]
        return float(chain + 2 * np.log(kept).sum())

    def solve(self, right: Sequence[Numbers], *, fixed: bool) -> list[Numbers]:
        """A⁻¹ right, or that of the part without the fixed effects.

        Parameters
        ----------
        right : sequence of arrays, shape (P_g, R_g, m)
            For each factor in order; the last is not read without the fixed effects.

        Returns
        -------
        list of arrays, shape (P_g, R_g, m)
            Those of the fixed effects are 0 without them.
        """
        grouping, left, m = self._grouping, list(right), right[0].shape[2]
        dense = np.concatenate([left[g].reshape(-1, m) for g in grouping.dense])
        for k in range(grouping.n_chain):
            left[k] = self._lower[k] @ left[k]
            for h in range(k + 1, grouping.n_chain):
                to = grouping.meeting(k, h).second
                change = self._white[k, h].transpose(0, 2, 1) @ left[k]
                left[h] = left[h] - sums(to, change, len(left[h]))
            dense = dense - self._wide[k].T @ left[k].reshape(-1, m)
        kept, solution = self._n_kept(fixed), np.zeros_like(dense)
        if kept:
            factor = self._dense[:kept, :kept]
            solution[:kept] = linalg.cho_solve((factor, True), dense[:kept], check_finite=False)
        return self._back(left, solution)

    def spread(self, noise: Sequence[Numbers]) -> list[Numbers]:
        """L⁻ᵀ noise with L Lᵀ = A, without the fixed effects, so that N(0, 1) becomes N(0, A⁻¹).

        Shapes as for `solve`.
        """
        m, kept = noise[0].shape[2], self._n_kept(False)
        solution = np.concatenate([noise[g].reshape(-1, m) for g in self._grouping.dense])
        solution[kept:] = 0.0
        if kept:
            factor = self._dense[:kept, :kept]
            solution[:kept] = linalg.solve_triangular(factor, solution[:kept], lower=True, trans=1)
        return self._back(noise, solution)

    def _back(self, left: Sequence[Numbers], solution: Numbers) -> list[Numbers]:
        """Substitute the dense solution backwards through the chain, and cut it by factor."""
        grouping, m = self._grouping, solution.shape[1]
        result: dict[int, Numbers] = {}
        for g, start in grouping.offsets.items():
            one = grouping.factors[g]
            part = solution[start : start + one.n_levels * one.width]
            result[g] = part.reshape(one.n_levels, one.width, m)
        for k in reversed(range(grouping.n_chain)):
            rest = left[k] - (self._wide[k] @ solution).reshape(left[k].shape)
            for h in range(k + 1, grouping.n_chain):
                rest = rest - self._white[k, h] @ result[h][grouping.meeting(k, h).second]
            result[k] = self._lower[k].transpose(0, 2, 1) @ rest
        return [result[g] for g in range(len(grouping.factors))]

    def fixed_covariance(self) -> Numbers:
        """Block of A⁻¹ of the fixed effects, shape (q, q)."""
        kept = self._n_kept(False)
        own = self._dense[kept:, kept:]
        return np.asarray(linalg.cho_solve((own, True), np.eye(len(own)), check_finite=False))

    def inverse(self, *, fixed: bool) -> Blocks:
        """Blocks of A⁻¹ of levels that share a row, or of the part without the fixed effects.

        Those of the fixed effects are 0 without them.
        """
        grouping, kept = self._grouping, self._n_kept(fixed)
        dense = np.zeros_like(self._dense)
        if kept:
            found, info = linalg.lapack.dpotri(self._dense[:kept, :kept], lower=True)
            if info:
                raise np.linalg.LinAlgError("The matrix is singular.")
            lower = np.tril(found)
            dense[:kept, :kept] = lower + np.tril(lower, -1).T
        result: Blocks = {}
        for g, h in grouping.pairs():
            if g >= grouping.n_chain:
                row, column = grouping.places(g, h)
                result[g, h] = dense[row, column]
        for k in reversed(range(grouping.n_chain)):
            self._add_inverse(k, dense, result)
        return result

    def _add_inverse(self, k: int, dense: Numbers, result: Blocks) -> None:
        """Add the blocks of a chain factor to those of the factors behind it."""
        grouping, n = self._grouping, len(self._grouping.factors)
        own = self._lower[k].transpose(0, 2, 1)
        slope = {
            (k, h): own[grouping.meeting(k, h).first] @ self._white[k, h] for h in range(k + 1, n)
        }
        self._gather(k, slope, dense, result)
        for h in grouping.dense:
            first = grouping.meeting(k, h).first
            for m in range(k + 1, grouping.n_chain):
                behind = result[m, h][grouping.lifted(k, m, h)]
                result[k, h] -= slope[k, m][first] @ behind
        for h in range(k + 1, grouping.n_chain):
            home = grouping.meeting(k, h).second
            block = np.zeros(
                (grouping.factors[k].n_levels, *own.shape[1:2], grouping.factors[h].width)
            )
            for m in range(k + 1, grouping.n_chain):
                if m <= h:
                    behind = result[m, h][self._homes(k, m, h)]
                else:
                    behind = result[h, m][self._homes(k, h, m)].transpose(0, 2, 1)
                block -= slope[k, m] @ behind
            for d in grouping.dense:
                pairs = grouping.meeting(k, d)
                behind = result[h, d][grouping.lifted(k, h, d)].transpose(0, 2, 1)
                block -= sums(pairs.first, slope[k, d] @ behind, len(home))
            result[k, h] = block
        block = own @ self._lower[k]
        for h in range(k + 1, n):
            change = result[k, h] @ slope[k, h].transpose(0, 2, 1)
            block = block - sums(grouping.meeting(k, h).first, change, len(block))
        result[k, k] = block

    def _homes(self, k: int, m: int, h: int) -> Codes:
        """Pair (m, h) of chain factors, m ≤ h, in which each level of k lies."""
        grouping = self._grouping
        home = grouping.meeting(k, m).second
        return home if m == h else grouping.meeting(m, h).find(home, grouping.meeting(k, h).second)

    def _gather(self, k: int, slope: Blocks, dense: Numbers, result: Blocks) -> None:
        """−H A⁻¹ of the dense part where levels share a row.

        A level needs those rows and columns of A⁻¹ alone that it meets: levels that meet as many
        are taken together, some at a time.
        """
        grouping, offsets = self._grouping, self._grouping.offsets
        levels, columns, values = [], [], []
        for h in grouping.dense:
            meeting, width = grouping.meeting(k, h), grouping.factors[h].width
            column = offsets[h] + meeting.second[:, None] * width + np.arange(width)
            levels.append(np.repeat(meeting.first, width))
            columns.append(column.ravel())
            values.append(slope[k, h].transpose(0, 2, 1).reshape(column.size, -1))
        order = np.argsort(np.concatenate(levels), kind="stable")
        met, rows = np.concatenate(columns)[order], np.concatenate(values)[order]
        counts = np.bincount(np.concatenate(levels), minlength=grouping.factors[k].n_levels)
        starts = np.cumsum(counts) - counts
        found = np.empty_like(rows)
        for count in np.unique(counts[counts > 0]):
            alike = starts[counts == count]
            step = max(1, AT_ONCE // count**2)
            for low in range(0, len(alike), step):
                place = alike[low : low + step, None] + np.arange(count)
                some = met[place]
                every = count == len(dense)
                around = dense if every else dense[some[:, :, None], some[:, None, :]]
                found[order[place]] = -(around @ rows[place])
        ends = np.cumsum([len(one) for one in columns])[:-1]
        for h, part in zip(grouping.dense, np.split(found, ends), strict=True):
            shape = (len(grouping.meeting(k, h)), grouping.factors[h].width, part.shape[1])
            result[k, h] = part.reshape(shape).transpose(0, 2, 1)
