"""The arguments of a figure as JSON, and back: what was drawn can be drawn again later.

Numbers, text, lists, mappings, arrays and tables; nothing that could run when it is read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def as_json(value: Any) -> Any:
    """A value as `json` writes it; TypeError for anything that no figure takes."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": str(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return {type(value).__name__: [as_json(one) for one in value]}
    if isinstance(value, Mapping):
        return {"mapping": [[as_json(key), as_json(one)] for key, one in value.items()]}
    if isinstance(value, np.ndarray):
        return {"array": [_plain(one) for one in value.tolist()], "dtype": str(value.dtype)}
    if isinstance(value, pd.Series):
        return {"series": _column(value), "index": _index(value.index), "name": as_json(value.name)}
    if isinstance(value, pd.DataFrame):
        columns = [_column(value.iloc[:, i]) for i in range(value.shape[1])]
        return {"table": columns, "index": _index(value.index), "columns": _index(value.columns)}
    raise TypeError(f"A figure does not take {type(value).__name__}.")


def from_json(stored: Any) -> Any:
    """What `as_json` was given."""
    if not isinstance(stored, dict):
        return stored
    if "number" in stored:
        return float(stored["number"])
    if "list" in stored or "tuple" in stored:
        kind = list if "list" in stored else tuple
        return kind(from_json(one) for one in stored[kind.__name__])
    if "mapping" in stored:
        return {from_json(key): from_json(one) for key, one in stored["mapping"]}
    if "array" in stored:
        return np.array(stored["array"], dtype=stored["dtype"])
    index = _read_index(stored["index"])
    if "series" in stored:
        return _read_column(stored["series"], index).rename(from_json(stored["name"]))
    columns = [_read_column(one, index) for one in stored["table"]]
    table = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=index)
    return table.set_axis(_read_index(stored["columns"]), axis=1)


def _column(values: pd.Series) -> dict[str, Any]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        known = values.astype(str).where(values.notna(), None)
        return {"values": known.tolist(), "dtype": str(values.dtype)}
    return {"values": [_plain(one) for one in values.tolist()], "dtype": str(values.dtype)}


def _plain(one: Any) -> Any:
    """A value of a column; JSON has no numbers that are not finite."""
    if isinstance(one, float) and not math.isfinite(one):
        return None if math.isnan(one) else str(one)
    return None if one is pd.NA else one


def _read_column(stored: dict[str, Any], index: pd.Index) -> pd.Series:
    return pd.Series(stored["values"], index=index, dtype=stored["dtype"])


def _index(index: pd.Index) -> dict[str, Any]:
    return {**_column(index.to_series()), "name": as_json(index.name)}


def _read_index(stored: dict[str, Any]) -> pd.Index:
    return pd.Index(stored["values"], dtype=stored["dtype"], name=from_json(stored["name"]))
