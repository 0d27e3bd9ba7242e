"""Columns that may tell who a person is, by what they are called and by what they hold.

Names are compared as one word without accents and capitals, so that every spelling is the same:
``name_last``, ``RecipientLastName`` and ``lname``. English, German, French, Dutch and Spanish.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.study.columns import is_number
from nme_core.study.roles.names import joined, word_set, words_of
from nme_core.study.roles.role_names import is_calendar_word
from nme_core.study.time.times import UndecidedDatesError, times_of

#: Distinct cells of a column that are looked at.
_LOOKED_AT = 2000
#: Letters of a cell that are looked at.
_LETTERS = 1000

#: A text column whose values repeat so often, and are so few, holds classes however long they are.
CLASS_REPEATS, MOST_CLASSES = 2, 20

#: Words that say whose or which one it is, before or behind what it is.
_WHOSE = (
    "first last given family full middle maiden preferred legal sur nick fore my your user the of "
    "de del della du des der van recipient sender owner account contact kontakt contacto emergency "
    "notfall person persona personal personne participante?n? teilnehmer(in)? deelnemer proband "
    "patiente?n? paciente respondent subject client child kind enfant kind hijo mother mutter mere "
    "moeder madre father vater pere vader padre parent eltern partner spouse caregiver carer "
    "doctor physician gp hausarzt huisarts arzt arts medecin medico therapist interviewer rater "
    "staff teacher student pupil employee home private privat work business main primary "
    "secondary alternative vor nach "
    r"ruf familien famille geburts primer segundo completo complet complete vp pp redcap q?\d "
    "survey whatis please enter ihre? dein votre vos su uw wieist quelestvotre cualessu watisuw"
).replace(" ", "|")

_NUMBER = r"(number|numbers|nummern?|numero|no|nr|num|id|code)?"
_NAMED = {
    "names": (
        r"names?|surname|[flm]name|initials?|initialen|initiales|iniciales|signatures?|unterschrift"
        r"|handtekening|firma|noms?|prenoms?|nombres?|apellidos?|naam|namen|achternaam|voornaam"
        r"|nextofkin|(emergency|notfall)(contact|kontakt)(person)?|[ck]onta[ck]tpersoo?n|employer"
        r"|arbeitgeber|employeur|empleador|werkgever|first|last|given|family|maiden|familienaam"
        r"|roepnaam|tussenvoegsel|voorletters|vorname|nachname|zuname|login|nickname|spitzname|bijnaam"
        r"|surnom|apodo|mote|hausarzt|hausarztin|huisarts|medecintraitant"
    ),
    "e-mail addresses": (
        r"e?mails?(address(es)?|addr|adress?e?n?)?|correo(electronico)?|courriel"
        r"|adressemail|direcciondecorreo"
    ),
    "phone numbers": (
        r"((tele|cell|mobile)?phones?|tel|mobile?|handy|fax|telefon|telephone|portable|gsm|movil"
        r"|celular|cell|telefono|telefoon|whatsapp|ruf|numerodetelephone|numerodetelefono)"
        + _NUMBER
    ),
    "birth dates": (
        r"dob|bday|birth(day|date|dt)?|(date|day)ofbirth|birthdate|datebirth|geb(urts)?(datum|dat|tag)?"
        r"|born(on|date)?|(date(de)?)?naissance|ddn|fecha(de)?nac(imiento)?|nacimiento|fnac|geboorte(datum|dag)"
    ),
    "addresses": (
        r"(post|postal|street|mailing)?(address|addr|adresse?|adres|anschrift)|street|strasse|straat"
        r"|rue|calle|direccion|zip|(zip|post(al)?)code|postal|plz|postleitzahl|codepostal|cp"
        r"|codigopostal|(house|haus|huis)(number|nummer|nr)|city|town|hometown|residence|wohnort"
        r"|woonplaats|ville|ciudad|domicile|domicilio|placeofbirth|birthplace|geburtsort"
    ),
    "IP addresses": r"ip(v[46])?((address|addr|adresse|adres)(v[46])?)?|(adresse|direccion)ip",
    "places on the map": (
        r"(location|gps|geo)?(latitude|longitude|latitud|longitud|laengengrad|langengrad"
        r"|breitengrad|breedtegraad|lengtegraad|coordinates?|coords?|koordinaten|coordonnees"
        r"|coordenadas|coordinaten)|gps|(gps|geo|location)(lat|lon|lng|long|location|point|position)"
    ),
    "details of a device": (
        r"device(id(entifier)?|name|model|token|type|serial|os|info)?|(phone|handset)model|imei"
        r"|imsi|udid|idfa|gaid|mac(address|adresse)|serial(number|no|nr)?|seriennummer|serienummer"
        r"|numerodeserie|gerate?(id|nummer|name|e|etyp)?|gerat|appareil|dispositivo|apparaat|toestel"
        r"|(android|advertising|push|fcm)(id|token)|useragent|browser(version|info)?"
        r"|(meta)?operatingsystem|os(version)?"
    ),
    "insurance or identity numbers": (
        r"(((health)?insurance|policy|member|socialsecurity|social|security|nhs|national|passport"
        r"|taxpayer|tax|driverslicen[cs]e)(number|no|nr|id))|healthinsurance|insurance(policy)?number"
        r"|(kranken|sozial|renten)?versicher(ten|ungs)(nummer|nr)|kvnr|svnr|svnummer|ahv(nummer|nr)?"
        r"|ssn|nino|nir|insee|nss|bsn|dni|nie|nif|burgerservicenummer|rijksregisternummer"
        r"|(numero(de)?)?secu(rite)?(sociale)?|num(ero)?secu|numerodelaseguridadsocial"
        r"|seguridadsocial|tarjetasanitaria|(personal)?ausweis(nummer|nr)?|passnummer|pasaporte"
        r"|paspoort(nummer)?|passeport|passport|steuer(id|nummer)|licen[cs]eplate|kennzeichen"
        r"|zorgverzekering(snummer)?|polisnummer|krankenkassen?(nummer|nr)|mutuelle(numero|no|nr)"
    ),
    "medical record numbers": (
        r"mrn|(medical|health|hospital)?(record|chart)(number|no|nr)|medicalrecord(id)?"
        r"|hospital(number|no|nr|id)|(kranken)?akten(nummer|zeichen|nr)|fall(nummer|nr)|ipp"
        r"|numero(de)?dossier|dossiernummer|nhc|(numerode)?historiaclinica"
    ),
    "bank accounts": (
        r"iban|bic|swift|(bank)?account(number|no|nr)|bankaccount|konto(nummer|nr)|bankverbindung"
        r"|rekening(nummer)?|(numero(de)?)?compte(bancaire)?|cuentabancaria|numerodecuenta"
        r"|creditcard(number)?|kreditkarte(nnummer)?"
    ),
    "accounts elsewhere": (
        r"(twitter|insta(gram)?|facebook|tiktok|snapchat|linkedin|skype|discord|telegram|reddit)"
        r"(handle|name|user|account|id|profile)?|(prolific|mturk)(pid|id|worker|workerid|code)?"
        r"|workerid|external(data)?reference|sonaid"
    ),
}
_BY_NAME = {
    kind: re.compile(rf"(?:{_WHOSE})*(?:{core})(?:{_WHOSE}|{core})*")
    for kind, core in _NAMED.items()
}
#: Names of columns that hold names only where their cells begin with capitals.
_VAGUE = ("first", "last", "given", "family")
_NOTES = re.compile(
    r".*(notes?|comments?|kommentar[e]?|remarks?|bemerkung(en)?|notizen?|tagebuch|commentaires?"
    r"|remarques?|opmerking(en)?|notities?|comentarios?|observaciones|freetext|freitext)"
)
#: Kinds that a column of numbers may hold, with the lowest number that is one.
_OF_NUMBERS = {
    "phone numbers": 100_000, "birth dates": 1000, "addresses": 1000, "places on the map": -180,
    "details of a device": 100_000, "insurance or identity numbers": 100_000,
    "medical record numbers": 1000, "bank accounts": 100_000, "accounts elsewhere": 100_000,
}  # fmt: skip

#: The commonest first names of five languages: they tell names from other words in capitals.
_FIRST_NAMES = word_set(
    "aaron adam ahmed alejandro alex alexander alexandra alice ali amelie amy an ana anders "
    "andrea andreas andrew angela anja anke ann anna anne anneke annie antoine antonio arthur "
    "barbara bart bas ben benjamin bernd bert birgit bram brian bruno camille carla carlos "
    "carmen carol caroline cem charles charlotte chloe chris christian christina christine "
    "claire clara claudia daan daniel daniela david deborah diana diego dirk eduardo elena "
    "elisabeth elizabeth ella elke els emily emma eric erik ernst eva fatima felix fernando "
    "finn florian francisco francois frank franz fritz gabriel george gerd greta guillaume "
    "hanna hannah hans heike heinz helen henk henri henry hugo ines ingrid isabel isabelle "
    "jack jacques james jan jana jane javier jean jeanne jennifer jens jessica joan johan "
    "johannes john jonas jorge jose joseph joris juan judith jules julia julie julien jurgen "
    "karin karl kate katharina katja kees kevin klaus koen lara lars laura lea lena leon "
    "leonie lieke linda lisa lotte louis louise luca lucas lucia lucie luis luisa lukas "
    "maarten manuel marco margaret maria marie marijke mark markus marta martin martina mary "
    "matthias max maximilian mehmet mia michael michel michelle miguel mohamed monika nadine "
    "nancy natalie nicolas nicole nina noah nora olivia oscar pablo pascal patricia patrick "
    "paul paula pedro peter petra philipp pierre pieter rachel rafael ralf raul rebecca "
    "richard robert roberto ruben ruth ryan sabine sandra sander sanne sara sarah sebastian "
    "sergio silke simon sofia sophia sophie stefan stefanie stephanie steven susan susanne "
    "sven tanja teresa theo thijs thomas tim tom ulrike ursula uwe victor victoria wilhelm "
    "willem william wolfgang yasmin yusuf yves zoe"
)

_HOUSE = r"\d{1,4} ?[a-z]?"
_STREETS = (
    rf"[^\d,]*(straße|strasse|str\.|weg|platz|allee|gasse|straat|laan|plein|gracht) {_HOUSE}\b.*"
    rf"|{_HOUSE},? [^\d,]*\b(street|st|road|rd|avenue|ave|lane|ln|drive|dr|close|court|way)\b.*"
    rf"|({_HOUSE},? (bis )?)?(rue|avenue|boulevard|bd|place|chemin|impasse|calle|c/|avda|avenida"
    rf"|plaza|paseo)\b.*"
)


def _iban(text: str) -> bool:
    flat = text.replace(" ", "").upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", flat):
        return False
    return int("".join(str(int(letter, 36)) for letter in flat[4:] + flat[:4])) % 97 == 1


def _like(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda text: bool(compiled.fullmatch(text))


#: Kind, test of one cell, and the share of different cells that has to pass.
_BY_CONTENT: tuple[tuple[str, Callable[[str], bool], float], ...] = (
    ("e-mail addresses", _like(r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}"), 0.0),
    ("bank accounts", _iban, 0.0),
    ("details of a device", _like(r"([0-9a-f]{2}[:-]){5}[0-9a-f]{2}|Mozilla/.*"), 0.5),
    ("IP addresses", _like(r"(\d{1,3}\.){3}\d{1,3}|([0-9a-f]{0,4}:){5,7}[0-9a-f]{0,4}"), 0.5),
    (
        "insurance or identity numbers",
        _like(
            r"\d{3}-\d{2}-\d{4}|756\.\d{4}\.\d{4}\.\d{2}|[A-CEGHJ-PR-TW-Z]{2}( ?\d{2}){3} ?[A-D]"
        ),
        0.5,
    ),
    (
        "places on the map",
        _like(r"\(?-?\d{1,2}\.\d{3,}\s*[,; ]\s*-?\d{1,3}\.\d{3,}\)?|POINT ?\(.*\)"),
        0.5,
    ),
    ("phone numbers", _like(r"\+\d{7,}|(\+\d|0)\d*[\s/().-][\d\s/().-]{4,}"), 0.5),
    (
        "addresses",
        _like(rf"{_STREETS}|\d{{4}} ?[A-Z]{{2}}|[A-Z]{{1,2}}\d[A-Z\d]? \d[A-Z]{{2}}"),
        0.5,
    ),
    (
        "names",
        _like(
            r"(dr|prof|mrs?|ms|herr|frau|mme|mlle|sra?|dhr|mevr)\b\.? ?((dr|med)\. ?)*"
            r"[^\W\d_][\w'’-]+( [^\W\d_][\w'’-]+)?"
        ),
        0.5,
    ),
    ("links or files", _like(r"https?://.*|.*\.(jpe?g|png|heic|mp[34]|m4a|wav|mov|pdf)"), 0.5),
)
_NAME = re.compile(r"[^\W\d_][\w'’-]+(,? +[^\W\d_][\w.'’-]*){1,3}")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Personal:
    """A column that may tell who a person is.

    Attributes
    ----------
    column : str
        Its name.
    kind : str
        What it holds, in the plural: ``"names"``, ``"e-mail addresses"``, ``"phone numbers"``,
        ``"birth dates"``, ``"addresses"``, ``"IP addresses"``, ``"places on the map"``,
        ``"details of a device"``, ``"insurance or identity numbers"``, ``"medical record
        numbers"``, ``"bank accounts"``, ``"accounts elsewhere"``, ``"links or files"`` or
        ``"free text"``.
    n_cells : int
        Cells that are not empty.
    """

    column: str
    kind: str
    n_cells: int


def find_personal(table: pd.DataFrame) -> tuple[Personal, ...]:
    """Find the columns that may tell who a person is, by their names and by what they hold."""
    found = []
    names = {joined(str(name)) for name in table.columns}
    on_map = "lat" in names and bool(names & {"lon", "lng", "long"})
    for name, column in table.items():
        kind = _kind(str(name), column)
        if on_map and kind is None and joined(str(name)) in ("lat", "lon", "lng", "long"):
            kind = "places on the map"
        if kind is not None:
            found.append(Personal(str(name), kind, int(column.notna().sum())))
    return tuple(found)


def is_free_text(column: pd.Series) -> bool:
    """Whether a text column holds sentences rather than classes: few values repeat in it."""
    present = column.dropna()
    if present.empty or is_number(column):
        return False
    values = present.unique().tolist()
    return not _are_classes(len(values), len(present)) and _are_sentences(values)


def _are_classes(n_values: int, n_cells: int) -> bool:
    return n_values <= min(MOST_CLASSES, n_cells / CLASS_REPEATS)


def _are_sentences(values: Sequence[object]) -> bool:
    texts = list(map(str, values[:_LOOKED_AT]))
    return sum(len(text.split()) >= 4 for text in texts) > 0.2 * len(texts)


def _kind(name: str, column: pd.Series) -> str | None:
    every = column.unique()  # not dropna and drop_duplicates: tables have thousands of columns
    every = every[pd.notna(every)]
    if len(every) == 0:
        return None
    values = every[:_LOOKED_AT]
    flat = joined(name)
    named = next((kind for kind, pattern in _BY_NAME.items() if pattern.fullmatch(flat)), None)
    if is_number(column):
        return named if _may_be(named, pd.Series(values)) else None
    if is_datetime64_any_dtype(column.dtype) or holds_dates(pd.Series(values)):
        return named if named == "birth dates" else None
    cells = [str(value).strip()[:_LETTERS] for value in values.tolist()]
    for kind, test, share in _BY_CONTENT:
        if sum(map(test, cells)) > share * len(cells):
            return kind
    if named is not None and _may_hold(named, flat, pd.Series(cells, dtype="str")):
        return named
    if _holds_names(cells, column):
        return "names"
    if _are_classes(len(every), column.count()):
        return None
    return "free text" if _are_sentences(cells) or _NOTES.fullmatch(flat) else None


def _may_hold(kind: str, name: str, texts: pd.Series) -> bool:
    """Whether text fits what its column is called: phone numbers have digits, names capitals."""
    if kind == "phone numbers":
        return bool(texts.str.contains(r"\d{3}").any())
    return name not in _VAGUE or bool((texts.str.title() == texts).mean() > 0.5)


def _may_be(kind: str | None, values: pd.Series) -> bool:
    """Whether numbers are large enough for what their column is called."""
    return kind in _OF_NUMBERS and bool(
        (values.astype("float64") >= _OF_NUMBERS[kind]).mean() > 0.5
    )


def _holds_names(cells: list[str], column: pd.Series) -> bool:
    """Whether most cells are names: known first names, or several words in capitals.

    States in capitals ("Calm Positive") repeat in any order; names stand in blocks of rows. Jan is
    a name, "Jan 01" is a day.
    """
    cells = [cell for cell in cells if not (_DIGIT.search(cell) and is_calendar_word(cell))]
    if len(cells) < 3:
        return False
    texts, present = pd.Series(cells, dtype="str"), column.dropna()
    words = texts.str.split(r"[\s,-]+", regex=True)
    capitals = texts.str.title() == texts
    known = words.map(lambda parts: any(part.lower() in _FIRST_NAMES for part in parts))
    short = words.map(len) <= 4
    if (known & capitals & short).mean() > 0.5:
        return True
    full = texts.map(lambda text: bool(_NAME.fullmatch(text))) & capitals
    if full.mean() <= 0.6:
        return False
    in_blocks = int((present != present.shift()).sum()) == len(texts)
    return bool(known.any()) or (in_blocks and len(texts) > 3) or len(texts) > MOST_CLASSES


def holds_a_name(text: str) -> bool:
    """Whether one of the commonest first names is a word of a text, such as the name of a file."""
    return any(word in _FIRST_NAMES and len(word) > 2 for word in words_of(text))


def holds_dates(column: pd.Series) -> bool:
    """Whether a column holds dates, be it that day and month cannot be told apart."""
    try:
        return dates_of(column, strict=True) is not None
    except UndecidedDatesError:
        return True


def dates_of(column: pd.Series, *, strict: bool = False) -> pd.Series | None:
    """A column as date-times where it holds dates (empty cells stay empty); None otherwise.

    With `strict`, UndecidedDatesError where day and month cannot be told apart.
    """
    if is_number(column) or not _has_digits(column):
        return None
    try:
        times = times_of(column)
    except UndecidedDatesError:
        if strict:
            raise
        return None
    dates = times is not None and is_datetime64_any_dtype(times.dtype)
    return times.reindex(column.index) if times is not None and dates else None


def _has_digits(column: pd.Series) -> bool:
    """Whether a cell has a digit, as every date has."""
    return any(map(_DIGIT.search, map(str, column.unique().tolist())))
