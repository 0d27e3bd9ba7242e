"""Hilbert–Schmidt independence criterion between persons' parameters and a covariate.

With K and L the kernel matrices of the two sides and n persons, both are centred as

    A_ij = K_ij - Σ_l K_il / (n - 2) - Σ_l K_lj / (n - 2) + ΣΣ K / ((n - 1)(n - 2)),   A_ii = 0

(B likewise from L), and

    statistic = Σ_ij A_ij B_ij / sqrt(Σ_ij A_ij² · Σ_ij B_ij²)

This is what `hyppo.independence.Hsic(compute_kernel=None, bias=False).statistic(K, L)` of hyppo
0.5.2 gives, and with it hyppo's permutation test. Unlike the U-statistic it keeps the ones on the
diagonals in the sums, which adds n / (n - 1) to each of the three sums: no permutation changes
that, so p is the same.

Gretton et al. (2007), A kernel statistical test of independence; Shen and Vogelstein (2021), The
exact equivalence of distance and kernel methods for hypothesis testing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nme_core.exceptions import DataError
from nme_core.independence.kernels import category_kernel, gaussian_kernel, is_categorical
from nme_core.independence.permutation import permutations

#: Below this number of persons a test says nothing.
MIN_PERSONS = 5

#: So many permutations tell whether any of them changes something.
_SEVERAL = 20

#: Equal statistics differ by rounding when their sums run in another order.
TIE = 1e-10


@dataclass(frozen=True)
class HSICResult:
    """Result of one permutation test of independence.

    Attributes
    ----------
    statistic : float
        Normalised HSIC, about 0 under independence, at most 1.
    p : float
        (1 + number of permuted statistics >= `statistic`) / (reps + 1).
    reps : int
        Number of permutations.
    n_persons : int
        Persons whose data were used.
    null : array, shape (reps,)
        The permuted statistics.
    strata : str
        What persons were permuted within; ``"none"`` where all are exchangeable.
    seed : int
        Seed of the permutations.
    method : str
        The two kernels, for instance ``"hsic gaussian x delta"``.
    orders : array of int, shape (reps, n_persons)
        Order of the covariate's persons in each permutation (of whole blocks: of the blocks).
    """

    statistic: float
    p: float
    reps: int
    n_persons: int
    null: NDArray[np.float64]
    strata: str
    seed: int
    method: str
    orders: NDArray[np.intp] = field(repr=False)


def hsic_statistic(kernel_x: ArrayLike, kernel_y: ArrayLike) -> float:
    """Normalised HSIC of two ready kernel matrices, shape (n, n), n > 3; see the module."""
    a, b = _centre(kernel_x), _centre(kernel_y)
    if a.shape != b.shape:
        raise DataError(f"The kernels have the shapes {a.shape} and {b.shape}; they must agree.")
    scale = _scale(a, b)
    return float(np.vdot(a, b) / scale) if scale > 0 else 0.0


def hsic_test(
    x: ArrayLike | pd.Series | pd.DataFrame,
    y: ArrayLike | pd.Series | pd.DataFrame,
    *,
    reps: int = 2000,
    strata: ArrayLike | pd.Series | None = None,
    standardise: bool = True,
    random_state: int = 0,
) -> HSICResult:
    """Test whether `x` and `y` are independent over persons.

    Numbers get a Gaussian kernel with the side's own median bandwidth; text, truth values and
    numbers with two values get the kernel of equality.

    Parameters
    ----------
    x : array, Series or DataFrame, shape (n,) or (n, d)
        One row per person: usually the random effects. No missing values.
    y : array, Series or DataFrame, shape (n,) or (n, k)
        The covariate. Persons for whom it is missing are left out.
    reps : int
        Number of permutations.
    strata : array or Series, shape (n,), optional
        Permute only among persons with the same label here. Strata of the number of observations
        (`quantile_strata`) protect against persons with fewer observations being shrunken more.
    standardise : bool
        Bring every column to standard deviation 1. Without it the columns of a side keep their
        relative scale (the bandwidth takes care of the overall one).
    random_state : int
        Seed.

    Returns
    -------
    HSICResult

    Raises
    ------
    DataError
        Where a side is constant or sets one person apart, `x` has missing values, fewer than 5
        persons are left, the sides do not fit together, or the strata leave nothing to permute.

    Notes
    -----
    Where all of the inputs are pandas objects they are matched by their index, and the order of
    their rows does not matter; otherwise they are matched by position.
    """
    left, right, blocks, label = _align(x, y, strata)
    kernel_x, name_x = side_kernel(left, "x", standardise)
    kernel_y, name_y = side_kernel(right, "y", standardise)
    drawn = permutations(len(left), reps, strata=blocks, random_state=random_state)
    statistic, null, orders = _permuted(_centre(kernel_x), _centre(kernel_y), drawn)
    return HSICResult(
        statistic=statistic,
        p=permutation_p(statistic, null),
        reps=reps,
        n_persons=len(left),
        null=null,
        strata=label,
        seed=random_state,
        method=f"hsic {name_x} x {name_y}",
        orders=orders,
    )


def permutation_p(statistic: float, null: NDArray[np.float64]) -> float:
    """(1 + number of permuted statistics that are as large) / (1 + number of them).

    Raises
    ------
    DataError
        Where no permutation changes the statistic, so that p would be 1 whatever the data say.
    """
    if len(null) >= _SEVERAL and np.abs(null - statistic).max() <= TIE:
        raise DataError(
            "No permutation changes the statistic, as where one person is set apart from people "
            "who are all alike.",
            remedy="Compare groups of two people or more.",
        )
    return float((1 + np.sum(null >= statistic - TIE)) / (len(null) + 1))


def _centre(kernel: ArrayLike) -> NDArray[np.float64]:
    matrix = np.asarray(kernel, dtype=np.float64)
    n = len(matrix)
    if matrix.shape != (n, n) or n < 4:
        raise DataError(f"A kernel of n > 3 people is n × n; this one is {matrix.shape}.")
    sums = matrix.sum(axis=0) / (n - 2)
    total = matrix.sum() / ((n - 1) * (n - 2))
    centred: NDArray[np.float64] = matrix - sums[:, None] - sums[None, :] + total
    np.fill_diagonal(centred, 0.0)
    return centred


def _scale(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.vdot(a, a) * np.vdot(b, b)))


def _permuted(
    a: NDArray[np.float64], b: NDArray[np.float64], drawn: NDArray[np.intp]
) -> tuple[float, NDArray[np.float64], NDArray[np.intp]]:
    """Observed statistic, those with the persons of one side permuted, and the orders of b."""
    scale = _scale(a, b)
    # Which side moves must not depend on the order of the arguments.
    second = bool(np.vdot(a, a) >= np.vdot(b, b))
    fixed, moving = (a, b) if second else (b, a)
    from nme_core.independence.kernel_sums import permuted_sums

    sums: NDArray[np.float64] = permuted_sums(fixed, moving, drawn)
    orders = drawn if second else np.argsort(drawn, axis=1)
    return float(np.vdot(a, b) / scale), sums / scale, orders


def _align(
    x: ArrayLike | pd.Series | pd.DataFrame,
    y: ArrayLike | pd.Series | pd.DataFrame,
    strata: ArrayLike | pd.Series | None,
) -> tuple[pd.DataFrame, pd.DataFrame, NDArray[np.object_] | None, str]:
    """Both sides and the strata over the same persons, in the same order."""
    left, right = _frame(x, "x"), _frame(y, "y")
    blocks = None if strata is None else _frame(strata, "strata")
    label = "none" if strata is None else str(getattr(strata, "name", None) or "given")
    given = [part for part in (x, y, strata) if part is not None]
    if all(isinstance(part, pd.Series | pd.DataFrame) for part in given):
        common = left.index.intersection(right.index)
        common = common if blocks is None else common.intersection(blocks.index)
        ordered = sorted(common, key=str)
        left, right = left.loc[ordered], right.loc[ordered]
        blocks = None if blocks is None else blocks.loc[ordered]
    elif any(len(part) != len(left) for part in (right, blocks) if part is not None):
        raise DataError(
            f"x has {len(left)} rows and y {len(right)}"
            + ("." if blocks is None else f", strata {len(blocks)}."),
            remedy="Give one row per person on every side.",
        )
    present = right.notna().all(axis=1).to_numpy()
    left, right = left[present], right[present]
    if len(left) < MIN_PERSONS:
        raise DataError(
            f"Only {len(left)} people have values on both sides; a test needs {MIN_PERSONS}.",
            remedy="Are the people named alike on both sides?",
        )
    inside = None if blocks is None else blocks[present].iloc[:, 0].to_numpy(dtype=object)
    return left, right, inside, label


def _frame(values: ArrayLike | pd.Series | pd.DataFrame, name: str) -> pd.DataFrame:
    if isinstance(values, pd.DataFrame):
        frame = values
    elif isinstance(values, pd.Series):
        frame = values.to_frame()
    else:
        array = np.asarray(values)
        if array.ndim not in (1, 2):
            raise DataError(f"{name} has {array.ndim} dimensions; one row per person has 1 or 2.")
        frame = pd.DataFrame(array)
    if frame.index.has_duplicates:
        person = str(frame.index[frame.index.duplicated()][0])
        raise DataError(
            f"{name} has more than one row for person {person!r}.",
            remedy="Give one row per person.",
            person=person,
        )
    return frame


def side_kernel(
    side: pd.DataFrame, name: str, standardise: bool
) -> tuple[NDArray[np.float64], str]:
    """Kernel of one side, one row per person, and what it is called; `name` is for messages."""
    missing = side.isna().any(axis=1)
    if missing.any():
        person = str(side.index[missing][0])
        raise DataError(
            f"{name} has a missing value for person {person!r}.",
            remedy="Leave out people whose parameters are not known.",
            person=person,
        )
    column = side.iloc[:, 0]
    if side.shape[1] == 1 and is_categorical(column):
        return category_kernel(column.to_numpy(dtype=object)), "delta"
    text = [column for column in side if not pd.api.types.is_numeric_dtype(side[column])]
    if text:
        raise DataError(
            f"Column {text[0]!r} of {name} holds no numbers.",
            remedy="Test a category alone, as the only column.",
            column=str(text[0]),
        )
    return gaussian_kernel(side.to_numpy(dtype=np.float64), standardise=standardise), "gaussian"
