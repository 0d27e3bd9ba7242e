"""What all simulated studies share: the sample itself, depression scores, lengths, features."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from nme_core.exceptions import OptionError
from nme_core.simulate.texts import readme

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SampleStudy:
    """A simulated study.

    Attributes
    ----------
    name : str
        Name of the generator.
    long : DataFrame
        One row per person and occasion.
    covariates : DataFrame
        One row per person; has the person column.
    truth : dict
        Everything that the data were drawn from, ready for JSON.
    roles : dict
        Keyword arguments of `Study.from_frame` (person, time, outcome, features), plus ``model``,
        the model that fits the study (``"nme-crf"`` or ``"nme-mlp"``).
    """

    name: str
    long: pd.DataFrame
    covariates: pd.DataFrame
    truth: dict[str, Any]
    roles: dict[str, Any]

    @property
    def readme(self) -> str:
        """What was simulated and how, what is planted and what is not; Markdown."""
        return readme(self.truth, n_rows=len(self.long))

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write long.csv, covariates.csv, truth.json and README.md; returns the folder.

        Raises
        ------
        OptionError
            Where one of these files is there and holds something else.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        texts = {
            "long.csv": self.long.to_csv(index=False, lineterminator="\n"),
            "covariates.csv": self.covariates.to_csv(index=False, lineterminator="\n"),
            "truth.json": json.dumps(self.truth, indent=1, ensure_ascii=False) + "\n",
            "README.md": self.readme,
        }
        for name, text in texts.items():
            there = folder / name
            if there.exists() and there.read_bytes() != text.encode():
                raise OptionError(
                    f"{there} is there already and holds something else.",
                    remedy="Give the sample a folder of its own.",
                )
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        return folder


class Feature(NamedTuple):
    """An autoregressive feature in its own units."""

    mean: float
    sd: float
    autocorrelation: float
    lowest: float = -np.inf


def draw_depression(rng: np.random.Generator, n_persons: int) -> Floats:
    """Scores like the BDI-II's (0 to 63): half of the persons low, half of them around 28."""
    low = rng.gamma(2.0, 4.0, n_persons)
    high = rng.normal(28.0, 8.0, n_persons)
    scores = np.where(rng.random(n_persons) < 0.5, low, high)
    return np.clip(np.round(scores), 0, 63)


def draw_lengths(
    rng: np.random.Generator,
    depression: Floats,
    n_steps: int | tuple[int, int],
    compliance_effect: bool,
) -> Ints:
    """Occasions of each person, spread evenly from lowest to highest.

    With a compliance effect, the rank of (depression + noise) decides who has few.
    """
    lowest, highest = (n_steps, n_steps) if isinstance(n_steps, int) else n_steps
    if not 1 <= lowest <= highest:
        raise OptionError(
            f"n_steps = {n_steps} is not a number of occasions.",
            remedy="Give a number above 0, or (lowest, highest).",
        )
    n_persons = len(depression)
    by_depression = np.argsort(np.argsort(depression + rng.normal(0, 4, n_persons)))
    at_random = rng.permutation(n_persons)
    rank = by_depression if compliance_effect else at_random
    share = rank / max(n_persons - 1, 1)
    return np.round(highest - share * (highest - lowest)).astype(np.int64)


def draw_features(
    rng: np.random.Generator, features: dict[str, Feature], lengths: Ints
) -> pd.DataFrame:
    """First-order autoregressive features, rounded to 3 digits.

    Returns
    -------
    DataFrame, shape (sum of lengths, number of features)
        Persons below each other, each in time order.
    """
    n_persons, longest = len(lengths), int(lengths.max())
    recipe = list(features.values())
    memory = np.array([feature.autocorrelation for feature in recipe])
    noise = rng.standard_normal((longest, n_persons, len(recipe)))
    z = np.empty_like(noise)
    z[0] = noise[0]
    for step in range(1, longest):
        z[step] = memory * z[step - 1] + np.sqrt(1 - memory**2) * noise[step]
    means = np.array([feature.mean for feature in recipe])
    sds = np.array([feature.sd for feature in recipe])
    lowest = np.array([feature.lowest for feature in recipe])
    values = np.round(np.maximum(means + sds * z, lowest), 3)
    return pd.DataFrame(to_rows(values, lengths), columns=list(features))


def to_rows(padded: npt.NDArray[Any], lengths: Ints) -> npt.NDArray[Any]:
    """Rows of a padded array, persons below each other.

    Shape (longest, n_persons, ...) → (sum of lengths, ...).
    """
    observed = np.arange(len(padded))[None, :] < lengths[:, None]
    rows: npt.NDArray[Any] = padded.swapaxes(0, 1)[observed]
    return rows


def name_persons(prefix: str, n_persons: int) -> list[str]:
    """Ids such as D001; as many digits as are needed."""
    width = max(3, len(str(n_persons)))
    return [f"{prefix}{number:0{width}d}" for number in range(1, n_persons + 1)]


def person_of_rows(ids: Sequence[str], lengths: Ints) -> pd.Series:
    """Person of each row."""
    return pd.Series(np.repeat(np.array(ids, dtype=object), lengths), dtype="str")


def occasions(lengths: Ints) -> Ints:
    """0, 1, 2, … within each person."""
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.arange(int(lengths.sum())) - starts
