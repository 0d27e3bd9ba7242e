"""How a file is read, where that can be set."""

from __future__ import annotations

READING = {
    "lead": "What is left open is recognised from the file; above the roles stands what was found.",
    "sheet": "Sheet",
    "people_sheet": "Sheet with one row per person",
    "no_sheet": "None",
    "all_sheets": "All with the same columns",
    "instrument": "Which instrument's rows are the occasions?",
    "instrument_help": "An export of REDCap holds the rows of several instruments. One of them has "
    "a row per person and occasion, such as a diary.",
    "no_instrument": "Rows of no repeating instrument (events)",
    "encoding": "Choose another where letters such as ä or é look wrong.",
    "header": "Line with the names of the columns",
    "header_help": "A number, or none where no line names them.",
    "metadata": "Optional: what explains the columns (_metadata.json of openESM, _meta.csv of "
    "m-Path)",
}

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Western European (Windows-1252)",
    "iso8859-15": "Western European (ISO 8859-15)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "mac-roman": "Western European (old Macintosh)",
    "shift_jis": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
}

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}

DECIMALS = {".": "point", ",": "comma"}

#: What comes first where a table cannot be used as it stands.
FIRST = {
    "wide": "Each row of this table is one person. Tick “Make the table long” above, so that each "
    "row becomes one occasion.",
    "events": "Events alone hold nothing to predict from. Tick “Make steps of one length of the "
    "events” above; single events are then counted in each step. Or choose a feature.",
}

STEPS = {
    "lead": "Each row of the file is an event with a start and an end. Steps of one length count "
    "how long a state lasts; single events count only the changes.",
    "length": "Length of a step",
    "make": "Make steps of one length of the events",
}

WIDE = "Make the table long: one row per person and occasion"
