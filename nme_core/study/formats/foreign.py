"""What a file is by its first bytes; and for files that are not read, how to export the table."""

from __future__ import annotations

import re

from nme_core.exceptions import DataError
from nme_core.study.formats.source import Source

_SAS = bytes.fromhex("000000000000000000000000c2ea8160b31411cfbd92080009c7318c181f1011")
#: First bytes of Stata's files before version 13: their version, byte order, a 1, a 0.
_STATA = re.compile(rb"[\x69-\x73][\x01\x02]\x01\x00", re.DOTALL)

_AS_TABLE = "Open it and save the table as .xlsx or as CSV UTF-8."
_SPREADSHEET = "Open it in Excel or LibreOffice and save it as .xlsx or as CSV UTF-8."
_R_EXPORT = 'write.csv(d, "d.csv", row.names = FALSE, fileEncoding = "UTF-8")'
_R_DATA = f'In R: load("{{name}}"); ls(); then, with d the data frame: {_R_EXPORT}'
_R_OBJECT = f'In R: d <- readRDS("{{name}}"); {_R_EXPORT}'
_PYTHON = "In Python, with d the data frame: d.to_csv('d.csv', index=False)"

#: First bytes, what that is, and the way out.
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (rb"RD[AX]\d\n", "an R data file", _R_DATA),
    (rb"(X|A|B)\n(\0\0\0[\x02\x03]|[23]\n)", "an R object (.rds)", _R_OBJECT),
    (rb"%PDF", "a PDF file", "Ask for the table itself, as .xlsx or CSV."),
    (rb"\{\\rtf", "a formatted text document", _AS_TABLE),
    (
        rb"\x89HDF|MATLAB 5",
        "a MATLAB or HDF file",
        "In MATLAB, with t the table: writetable(t, 'd.csv')",
    ),
    (rb"\x93NUMPY|\x80[\x02-\x05]", "a NumPy or pickle file", _PYTHON),
    (rb"ARROW1|FEA1", "an Arrow or Feather file", _PYTHON + ", or d.to_parquet('d.parquet')"),
    (
        rb"SQLite|\0\x01\0\0Standard (Jet|ACE)",
        "a database",
        "Export the table from it as CSV UTF-8.",
    ),
    (rb"\xff\xff\0\0\x07\0\0\0", "a JMP file", "In JMP: File > Export > Text (.csv)."),
    (rb"7z\xbc\xaf|Rar!|\(\xb5/\xfd", "a packed file", "Unpack it and give the table."),
    (rb"\x89PNG|GIF8|\xff\xd8\xff", "a picture", "Give the table itself, as .xlsx or CSV."),
    (rb"\x09[\x00\x02\x04\x08][\x04-\x10]\0", "a very old Excel file", _SPREADSHEET),
    (
        rb"\s*(<\?xml[^>]*>\s*)?(<\?mso[^>]*>\s*)?<(ss:)?Workbook\b",
        "a workbook as XML (.xml of Excel 2003)",
        _SPREADSHEET,
    ),
    (rb"(?i)\s*(<!doctype html|<html|<table|<head)", "a web page, whatever its name", _SPREADSHEET),
    (
        rb"\s*(\[\s*\{|\{\s*\"|\[\s*\[)",
        "JSON",
        'In R: d <- jsonlite::fromJSON("{name}", flatten = TRUE); ' + _R_EXPORT,
    ),
)

#: What lies in old documents of Microsoft, by the name of a stream in them.
_OLE = (
    ("EncryptedPackage", "an Excel file with a password", "Save it without a password, as .xlsx."),
    ("WordDocument", "an old Word document", _AS_TABLE),
    ("Workbook", "an old Excel file (.xls)", _SPREADSHEET),
    ("Book", "an old Excel file (.xls)", _SPREADSHEET),
)
_ANY_OLE = ("an old Excel file (.xls) or one with a password", _SPREADSHEET)

#: What packed documents are, by a member of theirs.
_PACKED = (
    (b"xl/workbook.bin", "a binary Excel file (.xlsb)", _SPREADSHEET),
    (b"word/document.xml", "a Word document", _AS_TABLE),
    (b"ppt/presentation.xml", "a presentation", _AS_TABLE),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet (.ods)", _SPREADSHEET),
    (b"opendocument.", "an OpenDocument document", _AS_TABLE),
    (b"Index/Document.iwa", "a Numbers file", "In Numbers: File > Export To > Excel or CSV."),
    (b"Index.zip", "a Numbers file", "In Numbers: File > Export To > Excel or CSV."),
    (b"data.bin", "a jamovi or JASP file", "In jamovi or JASP: Export, and choose CSV."),
    (b"internal.sqlite", "a JASP file", "In JASP: Export Data, and choose CSV."),
)


def is_workbook(content: bytes) -> bool:
    """Whether these are the bytes of an Excel workbook."""
    if not (content.startswith(b"PK") and b"[Content_Types].xml" in content):
        return False
    foreign = any(member in content for member, *_ in _PACKED[:3])
    return b"xl/workbook.xml" in content or not foreign


def statistics_kind(content: bytes) -> str | None:
    """The ending of a file of SPSS, Stata or SAS; None where these bytes are something else."""
    if content.startswith((b"$FL2", b"$FL3")):
        return "sav"
    if content.startswith(b"<stata_dta") or _STATA.match(content):
        return "dta"
    if content.startswith(_SAS):
        return "sas7bdat"
    if content.startswith(b"HEADER RECORD*******LIB"):
        return "xpt"
    return "por" if b"SPSSPORT" in re.sub(rb"[\r\n]", b"", content[:600]) else None


def refuse_foreign(file: Source) -> None:
    """Raise DataError for files that are no table here, with what they are and the way out."""
    content = file.content
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        found = ((what, out) for name, what, out in _OLE if name.encode("utf-16-le") in content)
        raise _foreign(file, *next(found, _ANY_OLE))
    if content.startswith(b"PK"):
        found = ((what, out) for member, what, out in _PACKED if member in content)
        raise _foreign(file, *next(found, ("a packed document, not a table", _AS_TABLE)))
    if content[257:262] == b"ustar":
        raise _foreign(file, "an archive", "Unpack it and give the table.")
    for start, what, out in _FOREIGN:
        if re.match(start, content[:2000]):
            raise _foreign(file, what, out)


def _foreign(file: Source, what: str, out: str) -> DataError:
    return DataError(
        f"{file.name} is {what}, which is not read.", remedy=out.replace("{name}", file.name)
    )
