"""Parquet files: columns with their types; nested ones are left out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute, parquet

from nme_core.exceptions import DataError
from nme_core.study.columns import as_labels
from nme_core.study.formats.cells import Converted, from_text
from nme_core.study.formats.collect import Collected
from nme_core.study.formats.columns import assemble, clean_names
from nme_core.study.formats.result import HowRead, Reading
from nme_core.study.formats.source import LARGEST, Source, too_large
from nme_core.study.formats.text import MOST_CELLS

_HOUR = 3_600_000_000_000


def read_parquet(file: Source, *, text: Iterable[str] = ()) -> Reading:
    """Read a Parquet file; see `nme_core.study.read_any`.

    Raises
    ------
    DataError
        The file is damaged, too large, or has no rows or no columns that can be used.
    """
    try:
        table = _read(file)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{file.name} is damaged: it is no Parquet file that can be read.",
            remedy="Write it again, or export it as CSV.",
        ) from error
    if not table.num_rows or not table.num_columns:
        raise DataError(f"{file.name} has no rows.", remedy="Give one row per person and occasion.")
    names, notes = clean_names(file.name, table.column_names)
    keep = set(text)
    collected, left_out = Collected(), []
    for name, column in zip(names, table.columns, strict=True):
        converted = _convert(column, text=name in keep)
        if converted is None:
            left_out.append(name)
            continue
        collected.add(name, converted)
    if left_out:
        listed = ", ".join(repr(name) for name in left_out[:10])
        notes.append(f"Columns with lists or binary content were left out: {listed}.")
    if not collected.columns:
        raise DataError(
            f"{file.name} has no column of numbers, text or times.",
            remedy="Give one row per person and occasion.",
        )
    frame = assemble(collected.columns, pd.RangeIndex(1, 1 + len(table), name="row"))
    how = HowRead("parquet", compression=file.compression, member=file.member)
    return Reading(frame, how, collected.labels, (*notes, *collected.told()))


def _read(file: Source) -> pa.Table:
    """The table without pandas's unnamed index; text stays a dictionary, so that it is bounded."""
    source = pa.BufferReader(file.content)
    opened = parquet.ParquetFile(source)
    meta, schema = opened.metadata, opened.schema_arrow
    if meta.num_rows * max(meta.num_columns, 1) > MOST_CELLS:
        raise DataError(
            f"{file.name} has more than {MOST_CELLS:,} cells.",
            remedy="Leave out columns that are not needed.",
        )
    packed = [meta.row_group(number).total_byte_size for number in range(meta.num_row_groups)]
    if sum(packed) > LARGEST:
        raise too_large(file.name, LARGEST)
    chosen = [name for name in schema.names if not name.startswith("__index_level_")]
    words = [field.name for field in schema if _is_text(field.type)]
    table = parquet.ParquetFile(pa.BufferReader(file.content), read_dictionary=words).read(
        columns=chosen
    )
    table.validate(full=True)  # text may be no UTF-8, which Arrow finds only when it is used
    for column in table.columns:
        if pa.types.is_dictionary(column.type) and _decoded(column) > LARGEST:
            raise too_large(file.name, LARGEST)
    return table


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _decoded(column: pa.ChunkedArray) -> int:
    """Bytes of a dictionary column once every cell has its own text."""
    total = 0
    for chunk in column.chunks:
        if not (_is_text(chunk.dictionary.type) and len(chunk.dictionary)):
            continue
        sizes = compute.binary_length(chunk.dictionary).to_numpy(zero_copy_only=False)
        codes = chunk.indices.drop_null().to_numpy(zero_copy_only=False)
        total += int(np.nan_to_num(sizes.astype(np.float64))[codes].sum())
    return total


def _convert(column: pa.ChunkedArray, *, text: bool) -> Converted | None:
    """A column as pandas holds it; None where it is nested or binary."""
    kind = column.type
    types = pa.types
    if types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if _is_text(kind):
        return from_text(column.to_pandas().astype("str"), text=text)
    if types.is_boolean(kind):
        return Converted(column.to_pandas().astype("boolean"))
    if types.is_timestamp(kind) or types.is_date(kind):
        times = pd.to_datetime(
            column.cast(pa.timestamp("us", getattr(kind, "tz", None))).to_pandas()
        )
        return Converted(times.dt.tz_localize(None) if times.dt.tz is not None else times)
    if types.is_time(kind):
        return Converted(
            _hours(column.cast(pa.time64("ns")).cast(pa.int64())), unit="hours", clock=True
        )
    if types.is_duration(kind):
        return Converted(
            _hours(column.cast(pa.duration("ns")).cast(pa.int64())), unit="hours", clock=True
        )
    if types.is_decimal(kind) or types.is_float16(kind) or types.is_null(kind):
        column = column.cast(pa.float64())
    elif not (types.is_integer(kind) or types.is_floating(kind)):
        return None
    numbers = pd.Series(column.to_pandas())
    return Converted(as_labels(numbers) if text else numbers)


def _hours(nanoseconds: pa.ChunkedArray) -> pd.Series:
    hours = nanoseconds.cast(pa.float64(), safe=False).to_numpy() / _HOUR
    return pd.Series(hours)
