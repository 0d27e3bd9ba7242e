"""Encodings of text files: UTF-8, UTF-16 and Windows-1252 are told apart, all become UTF-8."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from nme_core.exceptions import DataError, OptionError
from nme_core.study.formats.source import Source

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD = 4096
_SEEN = re.compile(rb"\S")
_PART = 1 << 24

#: Bytes that no text holds: all control characters but tab, line ends, form feed and the
#: end-of-file mark of old systems.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f]")


def to_utf8(file: Source, encoding: str | None = None) -> tuple[bytes, str]:
    """The file's text as UTF-8 without a byte-order mark, and the encoding that it had.

    Parameters
    ----------
    file : Source
        The file.
    encoding : str, optional
        Its encoding; default: its byte-order mark says it, else UTF-16 where every second byte is
        zero, else UTF-8 where it is valid, else Windows-1252.

    Raises
    ------
    DataError
        The bytes are no text, or not in the encoding that was given.
    OptionError
        There is no such encoding.
    """
    content = file.content
    given = encoding is not None
    name = _lookup(encoding) if encoding is not None else _recognise(content)
    if name == "utf-8-sig":
        content, name = content.removeprefix(codecs.BOM_UTF8), "utf-8"
    if name == "utf-8" and not _is_utf8(content):
        if given:
            raise _not_in(file, "utf-8")
        name = "cp1252"
    if name != "utf-8":
        content = _transcode(file, content, name).removeprefix(codecs.BOM_UTF8)
    if b"\0" in content or _CONTROL.search(content, 0, _HEAD):
        raise DataError(
            f"{file.name} is not a text file.",
            remedy="Give a table as .csv, .tsv, .txt, .xlsx, .sav or .parquet.",
        )
    if not _SEEN.search(content):
        raise DataError(f"{file.name} is empty.", remedy="The first line has to name the columns.")
    return content, name


def _recognise(content: bytes) -> str:
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    head = content[:_HEAD]
    if (len(head) >= 4 and len(head) % 2 == 0) or len(content) > _HEAD:
        even, odd = head[0::2], head[1::2]
        if odd.count(0) > 0.4 * len(odd) and not even.count(0):
            return "utf-16-le"
        if even.count(0) > 0.4 * len(even) and not odd.count(0):
            return "utf-16-be"
    return "utf-8"


def _parts(content: bytes) -> Iterator[bytes]:
    return (content[start : start + _PART] for start in range(0, len(content), _PART))


def _is_utf8(content: bytes) -> bool:
    if content.isascii():
        return True
    try:
        for _ in codecs.iterdecode(_parts(content), "utf-8"):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _transcode(file: Source, content: bytes, name: str) -> bytes:
    try:
        return b"".join(part.encode() for part in codecs.iterdecode(_parts(content), name))
    except UnicodeError as error:
        raise _not_in(file, name) from error


def _not_in(file: Source, name: str) -> DataError:
    known = name in ("cp1252", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
    return DataError(
        f"{file.name} is not a text file in {name.upper()}."
        if known
        else f"{file.name} is not in the encoding {name!r}.",
        remedy='Save it as "CSV UTF-8" (in Excel: Save as, CSV UTF-8).',
    )


def _lookup(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except (LookupError, UnicodeError, ValueError, TypeError):
        raise OptionError(
            f"No encoding is called {encoding!r}.", remedy="Write for example utf-8 or cp1252."
        ) from None
    return name
