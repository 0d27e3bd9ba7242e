"""Malformed files thrown at the reader: always a table, a study or an `NMEError` with a remedy.

    python benchmarks/hostile_files.py [--first 0] [--files 5000] [--memory 3]

Each file is made from its number, read, made into a study and checked, in a process whose memory
is bounded (GiB). Prints how many of each format ended how, and the numbers of those that ended in
anything else. SAS 7 files cannot be written here; their first bytes are among the foreign files.
"""

from __future__ import annotations

import argparse
import bz2
import collections
import faulthandler
import gzip
import io
import lzma
import resource
import signal
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyreadstat
from pyarrow import parquet

from nme_core.exceptions import NMEError
from nme_core.study import Study, check_study, read_any
from nme_core.study.roles.proposal import propose_study

Rng = np.random.Generator
Made = tuple[str, bytes]  # its format, and what is in it
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


def ragged(rng: Rng) -> Made:
    """Text of words, delimiters and line ends in any order."""
    mark = rng.choice([",", ";", "\t", "|", " "])
    end = rng.choice(["\n", "\r\n", "\r"])
    lines = [mark.join(words(rng, int(rng.integers(0, 8)))) for _ in range(rng.integers(0, 30))]
    return encoded(rng, end.join(lines), FORMATS.get(str(mark), "text"))


def ordinary(rng: Rng) -> Made:
    """A text table as it should be, but for its cells."""
    marks = {"sep": str(rng.choice([",", ";", "\t"])), "decimal": str(rng.choice([".", ","]))}
    return encoded(rng, table(rng).to_csv(index=False, **marks), FORMATS[marks["sep"]])


def export(rng: Rng) -> Made:
    """A text table as a program exports it: with keys above, further headers, or events."""
    name = list(EXPORTS)[int(rng.integers(len(EXPORTS)))]
    above, mark, cells = EXPORTS[name]
    lines = [mark.join(str(cell(rng, k)) for cell in cells) for k in range(rng.integers(0, 40))]
    odd = int(rng.integers(len(lines) + 1))
    lines[odd:odd] = [mark.join(words(rng, len(cells)))] * int(rng.integers(0, 2))
    return encoded(rng, "\n".join([*above, *lines]) + "\n", name)


def _text(*choices: str) -> Callable[[Rng, int], object]:
    return lambda rng, k: rng.choice(choices)


def _person(rng: Rng, k: int) -> object:
    return f"P{k // 8:02d}"


def _clock(rng: Rng, k: int) -> object:
    return f"2024-03-{1 + k % 28:02d} {int(rng.integers(24)):02d}:30:00"


def _number(rng: Rng, k: int) -> object:
    return round(float(rng.normal()), 2)


def _seconds(rng: Rng, k: int) -> object:
    return round(4 * k + float(rng.random()), 3)


def _count(rng: Rng, k: int) -> object:
    return k % 8


_QUALTRICS_IDS = ",".join(
    f'"{{""ImportId"":""{name}""}}"' for name in ("startDate", "endDate", "_recordId", "Q1", "Q2")
)
#: Lines above the first row, the delimiter, and the cells of a row.
EXPORTS: dict[str, tuple[tuple[str, ...], str, tuple[Callable[[Rng, int], object], ...]]] = {
    "REDCap": (
        ("record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,mood,sleep",),
        ",",
        (_person, _text("day_1_arm_1", "day_2_arm_1"), _text("", "ema"), _count, _number, _number),
    ),
    "Qualtrics": (
        ("StartDate,EndDate,ResponseId,Q1,Q2_1", "Start,End,Response,Mood?,Sleep?", _QUALTRICS_IDS),
        ",",
        (_clock, _clock, _person, _number, _number),
    ),
    "BORIS": (
        (
            *("Observation id\tobs1", "Player #1\ta.mp4", "", "Observation date\t2024-01-31"),
            "Time\tMedia file path\tTotal length\tFPS\tSubject\tBehavior\tComment\tStatus",
        ),
        "\t",
        (
            *(_seconds, _text("a.mp4"), _text("600"), _text("25"), _person, _text("play", "rest")),
            *(_text(""), _text("START", "STOP", "POINT")),
        ),
    ),
    "ELAN": (
        (),
        "\t",
        (_text("mother", "child"), _text(""), _seconds, _seconds, _count, _text("smile", "talk")),
    ),
    "Actiwatch": (
        (
            *("------- Actiwatch Data -------", "Serial Number:,A1", "Identity:,P1", ""),
            "Line,Date,Time,Activity,Sleep/Wake",
        ),
        ",",
        (_count, _text("31/01/2024"), _text("23:59:30", "00:00:00"), _number, _text("0", "1")),
    ),
}
FORMATS = {",": "csv", ";": "csv", "\t": "tsv", "|": "text", " ": "text"}


def extreme(rng: Rng) -> Made:
    """One thing too much of."""
    return "extreme csv", too_much(rng)


def too_much(rng: Rng) -> bytes:
    """One thing too much of, as text."""
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


def encoded(rng: Rng, text: str, kind: str) -> Made:
    """Text in some encoding."""
    name = str(
        rng.choice(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32", "utf-7"])
    )
    return f"{kind} {name[:6]}".removesuffix(" utf-8"), text.encode(name, errors="replace")


def workbook(rng: Rng) -> Made:
    """An Excel file of a table or several, with merged, hidden and uncalculated cells."""
    book, target = openpyxl.Workbook(), io.BytesIO()
    book.active.title = "Codebook"
    for number in range(int(rng.integers(1, 4))):
        frame = table(rng)
        sheet = book.create_sheet(f"S{number}") if number else book.active
        for row in [list(frame.columns), *frame.to_numpy(dtype=object).tolist()]:
            sheet.append([None if cell == "" else plain_cell(cell) for cell in row])
        if rng.random() < 0.3:
            sheet["C3"], sheet["B4"] = "=A1", "=1/0"
            sheet["C5"].number_format = str(rng.choice(["0%", "yyyy-mm-dd", "[h]:mm", "@"]))
        if rng.random() < 0.4:
            first, last = sorted(int(k) for k in rng.integers(1, 12, size=2))
            sheet.merge_cells(start_row=first, end_row=last, start_column=1, end_column=2)
        if rng.random() < 0.3:
            sheet.row_dimensions[3].hidden = sheet.column_dimensions["B"].hidden = True
    book.save(target)
    content = target.getvalue()
    return "xlsx", in_members(rng, content) if rng.random() < 0.6 else content


def plain_cell(cell: object) -> object:
    """A cell without the characters that openpyxl refuses."""
    return openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell


ABSURD = (
    (b'r="A2"', b'r="XFD1048576"'),
    (b'r="B', b'r="ZZZ'),
    (b'r="3"', b'r="99999999999"'),
    (b'r="3"', b'r="-3"'),
    (b"<v>", b"<v>1e999"),
    (b"<v>", b"<v>-9999999999999"),
    (b't="n"', b't="d"'),
    (b't="s"', b't="b"'),
    (b"<dimension ref=", b'<dimension ref="A1:XFD1048576" x='),
    (b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
    (b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="A0:B"/></mergeCells>' * 300),
    (b"<sheetData>", b'<cols><col min="1" max="99999999" hidden="1"/></cols><sheetData>'),
    (b"<sheetData>", b"<sheetData>" + b"<row><c><v>1</v></c></row>" * 30_000),
    (b"<si>", b"<si/>" * 20_000 + b"<si>"),
    (b"<cellXfs", b"<cellXfs>" + b"<xf/>" * 20_000 + b"</cellXfs><x"),
    (b"<?xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><?xml"),
    (b"numFmtId=", b'numFmtId="999" x='),
    (b"sheetId=", b'state="hidden" sheetId='),
    (b"name=", b'name="&#0;" y='),
    (b"UTF-8", b"UTF-16"),
    (b"<row", b"<c" * 3000 + b"<row"),
)


def in_members(rng: Rng, content: bytes) -> bytes:
    """A zip file with its members damaged, made absurd, swapped, taken out, or doubled."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(int(rng.integers(1, 4))):
        names = list(members)
        name, other = (names[int(k)] for k in rng.integers(len(names), size=2))
        kind = rng.random()
        if kind < 0.5:
            name = str(rng.choice([one for one in names if one.endswith(".xml")]))
            old, new = ABSURD[int(rng.integers(len(ABSURD)))]
            members[name] = members[name].replace(old, new, int(rng.choice([-1, 1, 3])))
        elif kind < 0.75:
            members[name] = damaged(rng, members[name])
        elif kind < 0.85:
            members[name], members[other] = members[other], members[name]
        elif len(members) > 2:
            del members[name]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in members.items():
            archive.writestr(name, part)
    return target.getvalue()


def columns(rng: Rng) -> Made:
    """A Parquet file of a table."""
    target = io.BytesIO()
    parquet.write_table(pa.Table.from_pandas(table(rng)), target)
    return "parquet", target.getvalue()


def statistics(rng: Rng) -> Made:
    """A file of SPSS, Stata or SAS of a table."""
    frame = table(rng)
    for name in frame.columns:
        if frame[name].dtype == object or str(frame[name].dtype) == "str":
            short = frame[name].fillna("").str.slice(0, 60)
            frame[name] = short.str.replace(r"[^A-Za-z0-9 .,:-]", "", regex=True)
    kind = str(rng.choice(["sav", "zsav", "dta", "por", "xport"]))
    write = getattr(pyreadstat, f"write_{kind.removeprefix('z')}")
    said: dict[str, object] = {"compress": True} if kind == "zsav" else {}
    if kind.endswith("sav"):
        said["missing_ranges"] = {"t": [{"lo": 3, "hi": 5}]}
    if kind in ("sav", "dta"):
        said["variable_value_labels"] = {"t": {1: "low", 9: "no answer"}}
    with tempfile.NamedTemporaryFile(suffix=f".{kind}") as file:
        write(frame, file.name, **said)
        return kind, file.read()


def packed(rng: Rng) -> Made:
    """A packed file, now and then one that would not end."""
    endless = rng.random() < 0.05
    content = bytes(int(rng.integers(60, 120)) << 20) if endless else ordinary(rng)[1]
    pack = (lambda one: gzip.compress(one, 1), lambda one: bz2.compress(one, 1),
            lambda one: lzma.compress(one, preset=0))  # fmt: skip
    kind = int(rng.integers(6))
    if kind < 3:
        return ("gz", "bz2", "xz")[kind], pack[kind](content)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ["a.csv", "../b.csv"][: int(rng.integers(0, 3))]:
            archive.writestr(name, content)
    return "zip", target.getvalue()


def foreign(rng: Rng) -> Made:
    """The first bytes of a file that is no table here, and others behind them."""
    first = FIRST[int(rng.integers(len(FIRST)))]
    rest = ordinary(rng)[1] if rng.random() < 0.5 else rng.bytes(int(rng.integers(0, 3000)))
    return "foreign", first + rest


FIRST = (
    *(b"RDX3\n", b"X\n\0\0\0\3", b"%PDF-1.7", b"{\\rtf1", b"\x89HDF", b"\x93NUMPY", b"\x80\x04"),
    *(b"ARROW1", b"SQLite format 3\0", b"7z\xbc\xaf", b"\x89PNG", b"<html>", b"[{", b"<?xml"),
    *(b"<stata_dta><header>", b"s\x01\x01\x00", b"HEADER RECORD*******LIBRARY", b"$FL2", b"$FL3"),
    *(bytes.fromhex("000000000000000000000000c2ea8160b31411cfbd92080009c7318c181f1011"), b"BZh9"),
    *(b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"0" * 40 + b"ASCII SPSS PORT FILE", b"PAR1"),
)


def noise(rng: Rng) -> Made:
    """Any bytes, some behind the first bytes of a format."""
    first = rng.choice(
        [b"", b"PK\x03\x04", b"PAR1", b"$FL2", b"\x1f\x8b", b"\xff\xfe", b"\xd0\xcf"]
    )
    return "noise", bytes(first) + rng.bytes(int(rng.integers(0, 3000)))


MAKERS: tuple[Callable[[Rng], Made], ...] = (
    *(ragged, ragged, ordinary, ordinary, extreme, export, export, export),
    *(workbook, workbook, workbook, columns, columns, statistics, statistics, packed, packed),
    *(foreign, noise),
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


def make(number: int) -> Made:
    """The file of this number, and its format."""
    rng = np.random.default_rng(number)
    kind, content = MAKERS[int(rng.integers(len(MAKERS)))](rng)
    return kind, damaged(rng, content) if rng.random() < 0.6 else content


def end_of(content: bytes) -> str:
    """How it ends: a report on a study, a table, or an error with a remedy; else it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            reading = read_any(content, "hostile")
            frame = reading.frame
        except NMEError as error:
            return refused(error)
        if len(frame.columns) < 2:
            return "table"
        try:
            propose_study(frame, None, reading.roles)
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
    ends: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    slowest = (0.0, -1)
    for number in range(given.first, given.first + given.files):
        kind, content = make(number)
        start = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, LONGEST)
        try:
            ends[kind][end_of(content)] += 1
        except Exception as error:  # every other exception is what is looked for
            ends[kind]["FAILED"] += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            said = f"{type(error).__name__}: {str(error)[:120]} ({where.name})"
            print(f"{number} ({kind}): {said}", flush=True)
        signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, (time.process_time() - start, number))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    for kind, counts in sorted(ends.items()):
        print(f"{kind}: {dict(counts)}")
    total = sum(ends.values(), collections.Counter())
    print(f"{dict(total)}; slowest {slowest[0]:.1f} s (file {slowest[1]}); peak {peak:.2f} GiB")
    return int(total["FAILED"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
