"""What the screen figure and the print figure compute alike: bins, curves, lines, boxes, limits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

#: More persons than this are drawn by every so-manieth, in an order that the figure names.
MOST_PERSONS = 300

#: Groups with fewer persons get no box: their quartiles are the points themselves.
LEAST_BOXED = 5

#: Share of the epochs whose losses do not set the axis, where they would widen it so much.
EARLY, WIDENED = 0.05, 1.25

#: Parts of the data whose losses are drawn, in words.
LOSS_PARTS = {"train": "training rows", "validation": "validation rows"}

READOUTS = ("scores", "conditional", "expected", "observed")


@dataclass(frozen=True)
class Histogram:
    """Counts in equally wide bins; ``edges`` has one more entry than ``counts``."""

    edges: np.ndarray
    counts: np.ndarray

    @property
    def width(self) -> float:
        """Width of one bin, in the units of the data."""
        return float(self.edges[1] - self.edges[0])

    @property
    def centres(self) -> np.ndarray:
        """Middle of every bin."""
        return (self.edges[:-1] + self.edges[1:]) / 2


@dataclass(frozen=True)
class Box:
    """Quartiles and whiskers (the last values within 1.5 interquartile ranges)."""

    q1: float
    median: float
    q3: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """A fitted line: points along it, and the pointwise 95 % interval of the mean there."""

    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray


def histogram(
    values: pd.Series | np.ndarray, *, whole_numbers: bool = True, width_of_one: float = 0.0
) -> Histogram:
    """Bins that fit the values: between 5 and 40, around whole numbers where all are whole.

    Parameters
    ----------
    values : array
        Numbers; what is not finite is left out.
    whole_numbers : bool
        False for quantities that are continuous even if the values happen to be whole.
    width_of_one : float
        Width of the only bin where all values are equal; 0: a tenth of the value.

    Raises
    ------
    ValueError
        There is no finite value.
    """
    finite = finite_values(values)
    low, high = float(finite.min()), float(finite.max())
    whole = whole_numbers and bool(np.all(finite == np.round(finite))) and high - low < 1e9
    if whole:
        step = max(1, math.ceil((high - low + 1) / 30))
        n_bins = int((high - low) // step) + 1
        edges = low - 0.5 + step * np.arange(n_bins + 1, dtype=float)
    elif high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        half = width_of_one / 2 or 0.05 * abs(low) or 0.05
        edges = np.array([low - half, low + half])
    else:
        n_bins = int(np.clip(len(np.histogram_bin_edges(finite, "sqrt")) - 1, 5, 40))
        edges = np.linspace(low, high, n_bins + 1)
    return Histogram(edges, np.histogram(finite, edges)[0])


def random_effect_bins(estimates: pd.Series, variance: float) -> Histogram:
    """Bins of a random effect's estimates; one bin has a quarter of the model's sd as width."""
    return histogram(estimates, whole_numbers=False, width_of_one=math.sqrt(variance) / 4)


def padded(low: float, high: float, *, least: float = 0.0) -> tuple[float, float]:
    """An axis range with some room at both ends, at least `least` wide."""
    room = max(0.03 * (high - low), (least - (high - low)) / 2)
    return low - room, high + room


def whole_step(top: float, most: int = 8) -> int | None:
    """Step 1 for an axis of counts that ends at `top`; None where automatic steps are whole."""
    return 1 if top <= most else None


def even_ticks(low: float, high: float, *, most: int, whole: bool) -> list[float]:
    """About ``most`` round numbers at most from ``low`` to ``high``, evenly spaced."""
    step = round_step((high - low) / most)
    step = max(step, 1.0) if whole else step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def round_step(least: float) -> float:
    """The smallest of 1, 2 or 5 times a power of 10 that is not below ``least``."""
    unit = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    return next(unit * k for k in (1, 2, 5, 10) if unit * k >= least * (1 - 1e-9))


def share_ticks(top: float) -> list[float]:
    """Ticks of an axis of shares from 0 to `top`, never above 1."""
    step = 0.2 if top > 0.5 else 0.1 if top > 0.25 else 0.05 if top > 0.1 else 0.02
    return [i * step for i in range(round(1 / step) + 1) if i * step <= top * 1.1]


def parted(rows: pd.DataFrame) -> pd.DataFrame:
    """Epochs of one model with an empty row before each further fit: no line leads back to it."""
    rows = rows.reset_index(drop=True)
    again = rows[rows["epoch"].diff() <= 0]
    gaps = again[["epoch"]].set_axis(again.index - 0.5)
    return pd.concat([rows, gaps]).sort_index()


def settling_range(table: pd.DataFrame) -> tuple[float, float] | None:
    """Range of the losses after each model's first 5 % of epochs; None where the rest is near it.

    ``table`` has the columns model, epoch, loss. The first losses are often so large that what
    follows would look level.
    """
    last = table.groupby("model")["epoch"].transform("max")
    later = table.loc[table["epoch"] > EARLY * last, "loss"]
    low, high = float(later.min()), float(later.max())
    widened = float(np.ptp(table["loss"])) > WIDENED * (high - low) > 0
    return (low, high) if widened else None


def is_logarithmic(losses: pd.Series) -> bool:
    """Whether losses are drawn on a logarithmic axis: positive and over a factor of 30 apart."""
    return bool(losses.min() > 0 and losses.max() / losses.min() > 30)


def finite_values(values: pd.Series | np.ndarray) -> np.ndarray:
    """The finite values as float64; ValueError where there are none."""
    array = np.asarray(values, dtype=float)
    finite = array[np.isfinite(array)]
    if finite.size == 0:
        raise ValueError("No value is left to draw.")
    return finite


def normal_curve(variance: float, bins: Histogram, n: int) -> tuple[np.ndarray, np.ndarray]:
    """N(0, variance) as expected number of persons per bin; x covers bins and ±3.2 sd."""
    sd = math.sqrt(variance)
    low, high = min(bins.edges[0], -3.2 * sd), max(bins.edges[-1], 3.2 * sd)
    x = np.linspace(low, high, 241)
    density = np.exp(-0.5 * (x / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
    return x, n * bins.width * density


def least_squares(x: np.ndarray, y: np.ndarray) -> Line | None:
    """Least-squares line with its interval; None below 3 points or where x does not vary.

    The interval is Student's: the residuals are taken as independent, of one variance.
    """
    from scipy.special import stdtrit

    if len(x) < 3 or np.ptp(x) == 0:
        return None
    n, spread_x = len(x), float(np.square(x - x.mean()).sum())
    slope = float((x - x.mean()) @ (y - y.mean())) / spread_x
    at = np.linspace(x.min(), x.max(), 41)
    line = y.mean() + slope * (at - x.mean())
    left = float(np.square(y - y.mean() - slope * (x - x.mean())).sum()) / (n - 2)
    reach = stdtrit(n - 2, 0.975) * np.sqrt(left * (1 / n + np.square(at - x.mean()) / spread_x))
    return Line(at, line, line - reach, line + reach)


def box(values: np.ndarray) -> Box:
    """Box plot numbers of one group."""
    q1, median, q3 = (float(q) for q in np.percentile(values, [25, 50, 75]))
    reach = 1.5 * (q3 - q1)
    low = min(float(values[values >= q1 - reach].min()), q1)
    high = max(float(values[values <= q3 + reach].max()), q3)
    return Box(q1, median, q3, low, high)


def group_order(labels: pd.Series) -> list[str]:
    """The groups of a categorical covariate: by size where all are numbers, else by name."""
    found = sorted(labels.unique())
    numbers = pd.to_numeric(pd.Series(found, dtype="str"), errors="coerce")
    if numbers.isna().any():
        return found
    return [found[i] for i in numbers.argsort(kind="stable")]


def spread(n: int, width: float = 0.5) -> np.ndarray:
    """Sideways offsets that keep `n` points of a group apart; always the same ones."""
    golden = (math.sqrt(5) - 1) / 2
    offsets = np.mod(np.arange(n) * golden, 1.0)
    return (offsets - offsets.mean()) * width if n else offsets


def value_limits(readout: str, *matrices: np.ndarray) -> tuple[float, float]:
    """Colour range of the panels: 0 to 1 for probabilities, symmetric around 0 for scores."""
    if readout != "scores":
        return 0.0, 1.0
    limit = _symmetric(matrices, least=0.1)
    return -limit, limit


def curve_changes(curves: pd.DataFrame) -> tuple[float, float]:
    """How far a person's response curve changes, and the population's over the same values.

    Medians over persons with more than one value; ``curves`` has the columns person ("" is the
    population), x and value.
    """
    alone = curves["person"] == ""
    shared, own = curves[alone].sort_values("x"), curves[~alone]
    values = pd.DataFrame(
        {"own": own["value"], "shared": np.interp(own["x"], shared["x"], shared["value"])}
    ).groupby(own["person"])
    changes = (values.max() - values.min())[values.size() > 1].median()
    return float(changes["own"]), float(changes["shared"])


def lies_outside(rows: pd.DataFrame, column: str = "observed") -> pd.Series:
    """Which values of a column lie outside of simulated_low to simulated_high."""
    return (rows[column] < rows["simulated_low"]) | (rows[column] > rows["simulated_high"])


def difference_limit(difference: np.ndarray) -> float:
    """Half the colour range of a difference; never so narrow that a trifle looks large."""
    return _symmetric((difference,), least=0.2)


def _symmetric(matrices: tuple[np.ndarray, ...], *, least: float) -> float:
    values = np.abs(np.concatenate([np.ravel(matrix) for matrix in matrices]))
    largest = float(values[np.isfinite(values)].max(initial=0.0))
    if largest <= least:
        return least
    unit = 10 ** math.floor(math.log10(largest)) / 2
    return round(math.ceil(round(largest / unit, 6)) * unit, 9)
