"""Packed files: gzip, bzip2, xz, and zip of one file, unpacked to a bounded size."""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from nme_core.exceptions import DataError
from nme_core.study.formats.source import LARGEST, Source, too_large

_GZIP = b"\x1f\x8b"
#: Other formats of one packed file: first bytes, its name, ending, what unpacks it.
_STREAMS = (
    (b"BZh", "bzip2", ".bz2", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\0", "xz", ".xz", lzma.LZMADecompressor),
)
_PART = 1 << 20
#: Members by which a zip file is a document of a program.
_DOCUMENTS = frozenset(("[Content_Types].xml", "mimetype", "manifest.json", "Index.zip", "meta"))
#: What Python raises on archives that are not whole.
ZIP_DAMAGE = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(ValueError, NotImplementedError, RuntimeError, struct.error, MemoryError),
)

#: Unpacked bytes per packed byte above which a file is refused: no table packs so well.
MOST_RATIO = 250
#: Bytes that any file may unpack to, whatever its ratio.
_HARMLESS = 50 * 1024**2


def unpack(file: Source) -> Source:
    """The file itself, or the one file within it.

    Raises
    ------
    DataError
        The file is damaged, holds several files, none, an encrypted one, or more than can be
        read.
    """
    if file.content.startswith(_GZIP):
        name = file.name[:-3] if file.name.lower().endswith(".gz") else file.name
        return Source(name, _gunzip(file), "gzip")
    for start, kind, ending, unpacker in _STREAMS:
        if file.content.startswith(start):
            content = _unpack_stream(file, unpacker)
            return Source(file.name.removesuffix(ending), content, kind)
    if file.content.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(file.content)):
        with _opened(file) as archive:
            if not _DOCUMENTS & set(archive.namelist()):
                return _only_member(file, archive)
    return file


def read_member(file: Source, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Unpack one file of an archive, up to the limits.

    Raises
    ------
    DataError
        It is damaged, encrypted or too large.
    """
    limit = limit_of(member.compress_size)
    if member.flag_bits & 1:
        raise DataError(
            f"{file.name} is protected by a password.", remedy="Give it without a password."
        )
    if member.file_size > limit:
        raise _bomb(file, member.file_size)
    parts, size = [], 0
    try:
        with archive.open(member) as stream:
            while part := stream.read(_PART):
                size += len(part)
                if size > limit:
                    raise _bomb(file, size)
                parts.append(part)
    except ZIP_DAMAGE as error:
        if isinstance(error, DataError):
            raise
        raise _damaged(file) from error
    return b"".join(parts)


def _only_member(file: Source, archive: zipfile.ZipFile) -> Source:
    members = [
        entry
        for entry in archive.infolist()
        if not entry.is_dir() and not _is_hidden(entry.filename)
    ]
    if len(members) != 1:
        listed = ", ".join(repr(entry.filename) for entry in members[:5])
        more = " …" if len(members) > 5 else ""
        found = f"{len(members)} files ({listed}{more})" if members else "no file"
        raise DataError(
            f"{file.name} holds {found}; one can be read.", remedy="Unpack it and give the table."
        )
    name = PurePosixPath(members[0].filename.replace("\\", "/")).name
    return Source(name, read_member(file, archive, members[0]), "zip", name)


def _is_hidden(name: str) -> bool:
    """Whether an operating system put the file there by itself."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name in (".DS_Store", "Thumbs.db")


def _opened(file: Source) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(file.content))
    except ZIP_DAMAGE as error:
        raise _damaged(file) from error


def _gunzip(file: Source) -> bytes:
    limit = limit_of(len(file.content))
    rest, parts, size = file.content, [], 0
    try:
        while rest:
            stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
            while not stream.eof:
                part = stream.decompress(rest, _PART)
                rest = stream.unconsumed_tail
                size += len(part)
                if size > limit:
                    raise _bomb(file, size)
                parts.append(part)
                if not part and not rest and not stream.eof:
                    raise _damaged(file)
            rest = stream.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise _damaged(file) from error
    return b"".join(parts)


def _unpack_stream(file: Source, unpacker: Callable[[], Any]) -> bytes:
    limit, rest, parts, size = limit_of(len(file.content)), file.content, [], 0
    try:
        while rest:
            stream = unpacker()
            while not stream.eof:
                part = stream.decompress(rest, _PART)
                rest, size = b"", size + len(part)
                if size > limit:
                    raise _bomb(file, size)
                if stream.needs_input and not stream.eof:
                    raise _damaged(file)
                parts.append(part)
            rest = stream.unused_data.lstrip(b"\0")
    except ZIP_DAMAGE as error:
        if isinstance(error, DataError):
            raise
        raise _damaged(file) from error
    return b"".join(parts)


def limit_of(packed: int) -> int:
    """Bytes that so many packed ones may unpack to."""
    return min(LARGEST, max(_HARMLESS, packed * MOST_RATIO))


def _bomb(file: Source, size: int) -> DataError:
    if size > LARGEST:
        return too_large(file.name, LARGEST)
    return DataError(
        f"{file.name} unpacks to more than {MOST_RATIO} times its size, as no table does.",
        remedy="Unpack it yourself and give the table.",
    )


def _damaged(file: Source) -> DataError:
    return DataError(
        f"{file.name} is damaged: it cannot be unpacked.",
        remedy="Export or copy the file again.",
    )
