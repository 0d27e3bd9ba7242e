"""Names of months, weekdays and units of time: English, German, French, Spanish and Dutch; months
also in Danish, Norwegian, Swedish, Italian, Portuguese, Polish and Turkish.
"""

from __future__ import annotations

import unicodedata

from nme_core.study.roles.names import LETTERS

_MONTHS = (
    "jan januar january janner janv janvier ene enero januari gennaio gen "
    "janeiro ocak stycznia styczen",
    "feb februar february feber fevr fev fevrier febrero februari febbraio "
    "fevereiro subat lutego luty",
    "mar mrz marz maerz march mars marzo mrt maart marts marco mart marca marzec",
    "apr april avr avril abr abril aprile nisan kwietnia kwiecien",
    "may mai mayo mei maj maio maggio mag mayis maja",
    "jun juni june juin junio junho giugno giu haziran czerwca czerwiec",
    "jul juli july juil juillet julio julho luglio lug temmuz lipca lipiec",
    "aug august aout ago agosto augustus augusti agustos sierpnia sierpien",
    "sep sept september septembre septiembre setembro settembre set eylul wrzesnia wrzesien",
    "oct okt october oktober octobre octubre outubro out ottobre ott ekim pazdziernika pazdziernik",
    "nov november novembre noviembre novembro kasim listopada listopad",
    "dec dez december dezember decembre dic diciembre dezembro dicembre aralik grudnia grudzien",
)
#: Number of each month by its plain name.
MONTHS = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}

_WEEKDAYS = (
    "mon monday,tue tues tuesday,wed wednesday,thu thur thurs thursday,fri friday,sat saturday,"
    "sun sunday",
    "mo montag,di dienstag,mi mittwoch,do donnerstag,fr freitag,sa samstag sonnabend,so sonntag",
    "lun lu lundi,mar ma mardi,mer me mercredi,jeu je jeudi,ven ve vendredi,sam sa samedi,"
    "dim di dimanche",
    "lun lu lunes,mar ma martes,mie mi miercoles,jue ju jueves,vie vi viernes,sab sa sabado,"
    "dom do domingo",
    "ma maandag,di dinsdag,wo woensdag,do donderdag,vr vrijdag,za zaterdag,zo zondag",
)
#: Number of each weekday (Monday is 0) by its plain name, one dictionary per language.
WEEKDAYS = tuple(
    {name: number for number, names in enumerate(language.split(",")) for name in names.split()}
    for language in _WEEKDAYS
)

#: Unit of each word that names one.
UNIT_WORDS = {
    name: unit
    for unit, names in {
        "s": "second seconds sec secs sekunde sekunden seconde secondes segundo segundos",
        "min": "minute minutes min mins minuten minuto minutos minuut",
        "h": "hour hours hr hrs std stunde stunden heure heures hora horas uur uren",
        "d": "day days tag tage jour jours dia dias dag dagen",
        "w": "week weeks wk wks wo woche wochen semaine semaines semana semanas weken",
        "mo": "month months monat monate mois mes meses maand maanden",
        "y": "year years jahr jahre annee annees ano anos jaar jaren",
    }.items()
    for name in names.split()
}

#: Letters of a text up to which it may be a name: accents without end take time without end.
_LONGEST = 200


def plain(text: str) -> str:
    """Text in small letters without accents: ``"März"`` → marz; one that is no name as it is."""
    if len(text) > _LONGEST:
        return text
    flat = unicodedata.normalize("NFKD", text.translate(LETTERS).casefold())
    return "".join(letter for letter in flat if not unicodedata.combining(letter))


def weekday_numbers(words: set[str]) -> dict[str, int] | None:
    """Number of each weekday among plain words, Monday 0; None where no language has them all.

    Two letters mean different days in different languages: where the words fit several that differ,
    there is none.
    """
    fitting = [table for table in WEEKDAYS if words and words <= table.keys()]
    found = [{word: table[word] for word in words} for table in fitting]
    return found[0] if found and all(one == found[0] for one in found) else None


def is_weekday(word: str) -> bool:
    """Whether a plain word is a weekday in some language."""
    return any(word in table for table in WEEKDAYS)
