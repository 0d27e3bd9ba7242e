"""Tables as the pages give them to the figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

STATES = ["Other", "Aggressive", "Dysphoric", "Positive"]


def square(values: list[list[float]], states: list[str] = STATES) -> pd.DataFrame:
    return pd.DataFrame(values, index=states, columns=states, dtype=float)


@pytest.fixture
def person() -> pd.DataFrame:
    """Asymmetric; the person was never in the second state."""
    nan = np.nan
    return square([[0.7, 0.1, 0.2, 0.0], [nan] * 4, [0.05, 0.15, 0.5, 0.3], [0.4, 0.1, 0.1, 0.4]])


@pytest.fixture
def population() -> pd.DataFrame:
    return square(
        [[0.6, 0.1, 0.1, 0.2], [0.1, 0.5, 0.3, 0.1], [0.2, 0.1, 0.6, 0.1], [0.3, 0.0, 0.1, 0.6]]
    )


@pytest.fixture
def counts() -> pd.DataFrame:
    return square([[70, 10, 20, 0], [0, 0, 0, 0], [1, 3, 10, 6], [1204, 1, 1, 4]])


@pytest.fixture
def estimates() -> pd.Series:
    values = np.random.default_rng(0).normal(0, 0.5, 60)
    values[3] = np.nan
    return pd.Series(values, index=[f"{i:03d}" for i in range(60)])


@pytest.fixture
def history() -> pd.DataFrame:
    epochs = np.arange(1, 21)
    rows = [
        pd.DataFrame(
            {
                "model": model,
                "epoch": epochs,
                "train_loss": scale + scale / epochs,
                "validation_loss": np.where(epochs < 3, np.nan, scale + scale / epochs + 0.1),
            }
        )
        for model, scale in (("generic", 2.0), ("nme", 1.0))
    ]
    return pd.concat(rows, ignore_index=True)


@pytest.fixture
def curves() -> pd.DataFrame:
    x = np.linspace(4, 10, 7)
    parts = [
        pd.DataFrame({"person": name, "feature": feature, "x": x[::-1], "value": (x - best) ** 2})
        for feature in ("sleep", "steps")
        for name, best in (("", 7.0), ("007", 6.0), ("b", 8.0))
    ]
    return pd.concat(parts, ignore_index=True)
