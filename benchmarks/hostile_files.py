"""Malformed files thrown at the reader: always a table, a study or an `NMEError` with a remedy.

    python benchmarks/hostile_files.py [--first 0] [--files 5000] [--memory 3]

Each file is made from its number, read, made into a study and checked, in a process whose memory
is bounded (GiB). Prints how many ended how, and the numbers of those that ended in anything else.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import gzip
import io
import resource
import signal
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from nme_core.data import Study, check_study, read_any
from nme_core.exceptions import NMEError

Rng = np.random.Generator
LONGEST = 20  # seconds of the processor for one file
WORDS = (
    *("", "NA", "nan", "inf", "-inf", "1", "-99", "1,5", "1.5", "1.234,5", "1,234", "007", "1e400"),
    *("=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t1", "true", "FALSE", "#DIV/0!"),
    *("31.12.2025 14:30", "2025-12-31", "7:30", "99:59:59", "<b>x</b>", "<script>1</script>"),
    *("\u202eabc", "\u200b", "\ufeff", "é", "\U0001f600", '"', '""', "'", "a\nb", "a,b;c", "#x"),
    *("1" * 400, "0" * 30, "9" * 25, "x" * 3000, "None", " ", "\u00a0", "1_000", "0x10", "١٢"),
)


def words(rng: Rng, many: int) -> list[str]:
    """Cells, most of them ordinary."""
    strange = [WORDS[k] for k in rng.integers(len(WORDS), size=many)]
    plain = [f"{x:.2f}" for x in rng.normal(size=many)]
    return [
        s if odd else p for s, p, odd in zip(strange, plain, rng.random(many) < 0.3, strict=True)
    ]


def table(rng: Rng) -> pd.DataFrame:
    """A small study, or something like it."""
    n, k = int(rng.integers(1, 40)), int(rng.integers(1, 6))
    frame = pd.DataFrame({"id": [f"p{i % max(n // 4, 1)}" for i in range(n)]})
    frame["t"] = np.arange(n)
    for column in range(k):
        odd = rng.random() < 0.5
        frame[f"x{column}"] = words(rng, n) if odd else rng.normal(size=n).round(2)
    return frame


def ragged(rng: Rng) -> bytes:
    """Text of words, delimiters and line ends in any order."""
    mark = rng.choice([",", ";", "\t", "|", " "])
    end = rng.choice(["\n", "\r\n", "\r"])
    lines = [mark.join(words(rng, int(rng.integers(0, 8)))) for _ in range(rng.integers(0, 30))]
    return encoded(rng, end.join(lines))


def ordinary(rng: Rng) -> bytes:
    """A text table as it should be, but for its cells."""
    marks = {"sep": str(rng.choice([",", ";", "\t"])), "decimal": str(rng.choice([".", ","]))}
    return encoded(rng, table(rng).to_csv(index=False, **marks))


def extreme(rng: Rng) -> bytes:
    """One thing too much of."""
    kind = rng.integers(8)
    if kind == 0:
        return (
            ",".join(f"c{i}" for i in range(10_000)).encode() + b"\n" + b",".join([b"1"] * 10_000)
        )
    if kind == 1:
        return b"a,b\n1," + b"x" * int(rng.integers(1, 6_000_000)) + b"\n2,3\n"
    if kind == 2:
        return b"a\n" + b"1\n" * int(rng.integers(0, 100_000))
    if kind == 3:
        return b"a,b,c\n" + b"NA,,nan\n" * int(rng.integers(1, 1000))
    if kind == 4:
        return b"a," * int(rng.integers(1, 30_000))
    if kind == 5:
        return b'a,b\n"' + b"1,2\n" * int(rng.integers(1, 50_000))
    if kind == 6:
        return b"\n" * int(rng.integers(1, 300_000)) + b"a,b\n1,2\n"
    return b"#" * int(rng.integers(1, 300_000)) + b"\n"


def encoded(rng: Rng, text: str) -> bytes:
    """Text in some encoding."""
    name = str(
        rng.choice(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32", "utf-7"])
    )
    return text.encode(name, errors="replace")


def workbook(rng: Rng) -> bytes:
    """An Excel file of a table."""
    book, target = openpyxl.Workbook(), io.BytesIO()
    frame = table(rng)
    for row in [list(frame.columns), *frame.to_numpy(dtype=object).tolist()]:
        book.active.append([None if cell == "" else cell for cell in row])
    book.save(target)
    return target.getvalue()


def columns(rng: Rng) -> bytes:
    """A Parquet file of a table."""
    target = io.BytesIO()
    parquet.write_table(pa.Table.from_pandas(table(rng)), target)
    return target.getvalue()


def spss(rng: Rng) -> bytes:
    """An SPSS file of a table."""
    import tempfile

    import pyreadstat

    with tempfile.NamedTemporaryFile(suffix=".sav") as file:
        frame = table(rng)
        for name in frame.columns:
            if frame[name].dtype == object or str(frame[name].dtype) == "str":
                frame[name] = frame[name].str.slice(0, 200)
        pyreadstat.write_sav(frame, file.name)
        return file.read()


def packed(rng: Rng) -> bytes:
    """A packed file, now and then one that would not end."""
    content = bytes(int(rng.integers(60, 120)) << 20) if rng.random() < 0.05 else ordinary(rng)
    if rng.random() < 0.5:
        return gzip.compress(content, 1)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ["a.csv", "../b.csv"][: int(rng.integers(0, 3))]:
            archive.writestr(name, content)
    return target.getvalue()


def noise(rng: Rng) -> bytes:
    """Any bytes, some behind the first bytes of a format."""
    first = rng.choice(
        [b"", b"PK\x03\x04", b"PAR1", b"$FL2", b"\x1f\x8b", b"\xff\xfe", b"\xd0\xcf"]
    )
    return bytes(first) + rng.bytes(int(rng.integers(0, 3000)))


MAKERS: tuple[Callable[[Rng], bytes], ...] = (
    *(ragged, ragged, ordinary, ordinary, extreme),
    *(workbook, columns, spss, packed, noise),
)


def damaged(rng: Rng, content: bytes) -> bytes:
    """The file cut, with bytes changed, added or repeated; the check sum of gzip set right."""
    data = bytearray(content)
    for _ in range(int(rng.integers(0, 4))):
        place = int(rng.integers(len(data) + 1))
        kind = rng.integers(5)
        if kind == 0:
            del data[place:]
        elif kind == 1:
            data[place : place + 1] = rng.bytes(1)
        elif kind == 2:
            data[place:place] = rng.choice([b"\0", b'"', b"\n", b",", b";", b"\xff", b"\r", b"#"])
        elif kind == 3:
            data[place:place] = data[place : place + int(rng.integers(200))]
        else:
            data[place : place + int(rng.integers(50))] = b""
    return bytes(data)


def make(number: int) -> bytes:
    """The file of this number."""
    rng = np.random.default_rng(number)
    content = MAKERS[int(rng.integers(len(MAKERS)))](rng)
    return damaged(rng, content) if rng.random() < 0.6 else content


def end_of(content: bytes) -> str:
    """How it ends: a report on a study, a table, or an error with a remedy; else it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            frame = read_any(content, "hostile").frame
        except NMEError as error:
            return refused(error)
        if len(frame.columns) < 2:
            return "table"
        try:
            names = list(frame.columns)
            study = Study.from_frame(frame, person=names[0], outcome=names[-1])
            check_study(study)
        except NMEError as error:
            refused(error)
            return "table"
    return "study"


def refused(error: NMEError) -> str:
    """The error has to say what to do."""
    if not error.remedy:
        raise AssertionError(f"no remedy: {error}")
    return "refused"


def _too_long(*_: object) -> None:
    raise TimeoutError(f"more than {LONGEST} s of the processor")


def main() -> int:
    """Throw files at the reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--memory", type=float, default=3.0)
    given = parser.parse_args()
    faulthandler.enable()
    signal.signal(signal.SIGPROF, _too_long)
    limit = int(given.memory * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    ends: collections.Counter[str] = collections.Counter()
    slowest = (0.0, -1)
    for number in range(given.first, given.first + given.files):
        content = make(number)
        start = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, LONGEST)
        try:
            ends[end_of(content)] += 1
        except Exception as error:  # every other exception is what is looked for
            ends["FAILED"] += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(
                f"{number}: {type(error).__name__}: {str(error)[:120]} ({where.name})", flush=True
            )
        signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, (time.process_time() - start, number))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{dict(ends)}; slowest {slowest[0]:.1f} s (file {slowest[1]}); peak {peak:.2f} GiB")
    return int(ends["FAILED"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
