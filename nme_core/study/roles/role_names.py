"""What columns of each role are called, in English, German, French, Dutch and Spanish."""

from __future__ import annotations

from nme_core.study.roles.names import joined, word_set, words_of

_ID = word_set(
    "id ids ident identifier identifiant identificador kennung nr no num number nummer numero "
    "index code key label name study studien etude estudio studie research anon anonymous "
    "hash external unique"
)
_PERSON = word_set(
    "person persona personne persoon people participant participants participante "
    "participantid subject subjects subj subjid usubjid subjectid patient patients patientid "
    "paciente patientin proband probandin probanden respondent user userid pid ppid puid vpn "
    "vp vpnr vpid ppn pp ppnr versuchsperson testperson teilnehmer teilnehmerin teilnehmende "
    "deltager deltaker deltagare partecipante participante katilimci hasta denek uczestnik "
    "sujet sujeto deelnemer client klient cliente pupil student schuler eleve alumno leerling "
    "child kind enfant nino member animal infant mouse rat athlete employee worker recordid "
    "record connectionid studyid case caseid pseudonym probandennummer proefpersoon"
)
#: Alone these say that something is told apart, but not what.
_VAGUE = word_set(
    "code alias key kennung identifier identifiant identificador nr nummer numero number "
    "observation token serial"
)
_UNIT = word_set(
    "dyad dyads dyade dyadid couple coupleid couples paar pair pairs pareja koppel stel "
    "family familie famille familia household haushalt foyer gezin hogar team triad"
)
_PLACE = word_set(
    "clinic klinik clinique clinica kliniek site center centre zentrum centro centrum ward "
    "station class classroom klasse classe clase klas school schule ecole escuela hospital "
    "krankenhaus hopital ziekenhuis cohort kohorte country land pays pais region therapist "
    "therapeut therapeute terapeuta litter cage lab university cluster"
)
#: Like a place, what a person does not change.
_STEADY = word_set("study studie city stadt praxis standort sex gender geschlecht")
#: Conditions of a study: other people are in each, or the same people one after the other.
_ARM = word_set(
    "arm arms condition kondition bedingung conditie condicion treatment behandlung traitement "
    "tratamiento group gruppe groupe grupo groep intervention"
)
_TIME = word_set(
    "time date datetime timestamp day days step beep occasion week weeks month wave age t "
    "timepoint tp assessment measurement visit trial epoch counter round phase hour minute "
    "year clock uhr sent scheduled start started begin recorded created stamp tag datum zeit "
    "zeitpunkt zeitstempel messung uhrzeit woche monat welle messzeitpunkt mzp alter stunde jour "
    "date heure temps semaine mois vague horodatage horodateur moment dia fecha hora tiempo semana "
    "mes ola momento marca dag tijd tijdstip maand meting golf datumtijd tidspunkt dato tid "
    "ora giorno tarih saat gun czas dzien"
)
#: Beside these, a time is a measure and not when a row was taken.
_MEASURED = word_set(
    "reaction response sleep screen bed wake wakeup duration dauer spent use usage onset "
    "latency birth geburt naissance geboorte nacimiento rt online total free schlaf sommeil "
    "slaap sueno bedtime"
)
_END = word_set("stop end ende fin einde start begin index")
_OF_END = word_set("time s ms sec msec seconds hh mm ss image frame")
_SEQUENCE = word_set(
    "sequence session segment visit interaction seq episode sitzung sequenz begegnung "
    "gesprach treffen seance sesion sessie bout conversation meeting block run game night "
    "nacht nuit noche date day dag jour dia tag datum fecha bloc bloque wave waves welle wellen"
)
#: These make a sequence only where rows of one time have to be told apart.
_WEAK_SEQUENCE = word_set(
    "date day dag jour dia tag datum fecha block bloc bloque night nacht nuit noche run wave waves "
    "welle wellen"
)
_SPLIT = frozenset(("part", "split", "fold", "set", "partition"))

_OUTCOME = tuple(
    word_set(words)
    for words in (
        "outcome target label state states y zustand etat estado toestand response criterion "
        "behavior behaviour verhalten comportement comportamiento gedrag zielvariable",
        "mood stimmung umore ruhhali ruh nastroj humeur animo stemming affect affekt affective "
        "humor humor gemutslage befinden "
        "score total summe scorespre class status bdi bdi2 phq phq9 phq8 madrs hamd hads cesd "
        "gad gad7 panas qids ids stai pss who5 vas nrs",
        "aff pa na depression depressed depressive anxiety anxious angst angoisse ansiedad stress "
        "estres stressed sad sadness traurig triste happy happiness glucklich heureux feliz "
        "wellbeing swls pain schmerz schmerzen douleur dolor pijn craving fatigue mudigkeit anger "
        "valence arousal valenz distress severity symptom symptoms quality qualitat qualite "
        "calidad kwaliteit satisfaction zufriedenheit worry rumination positive negative rating "
        "efficiency effizienz sleepquality schlafqualitat schlaf sommeil slaap intensity level "
        "panas urge energy energie vigilance performance reaction",
    )
)
#: What repeats in a table and is no person, whatever its values are.
_NO_PERSON = word_set(
    "weekday wochentag weekdag dow dayofweek diasemana sex gender geschlecht sexe sexo "
    "geslacht condition kondition arm treatment behandlung traitement tratamiento group "
    "gruppe groupe grupo groep role rolle rating grade place location ort lieu lugar plaats "
    "context activity activities aktivitat item question stimulus device event events type "
    "kind typ smiley emoji note season instrument questionnaire form version medication "
    "weather education"
)
_CELLS = word_set(
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs "
    "fri sat sun montag dienstag mittwoch donnerstag freitag samstag sonntag sonnabend mo di "
    "mi do fr sa so lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer jeu ven "
    "sam dim maandag dinsdag woensdag donderdag vrijdag zaterdag zondag lunes martes "
    "miercoles jueves viernes sabado domingo january february march april may june july "
    "august september october november december jan feb apr jun jul aug sep sept oct nov dec "
    "januar februar marz mai juni juli oktober dezember janvier fevrier mars avril juin "
    "juillet aout septembre octobre novembre decembre januari februari maart mei augustus "
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre "
    "female male f m w d x diverse femme homme weiblich mannlich vrouw man woman mujer hombre "
    "frau mann yes no ja nein oui non nee si true false wahr falsch vrai faux morning noon "
    "afternoon evening night morgen mittag nachmittag abend nacht spring summer autumn fall "
    "winter am pm weekend weekdays"
)


#: Score of a name that is surely that of an id of persons.
SURE = 5


def person_score(name: str) -> int:
    """How much a name is that of an id of persons: 5 surely, 3 a unit of them, 2 vague, 0 not."""
    words = [word for word in words_of(name) if not word.isdigit()]
    known = set(words)
    if joined(name) in _PERSON:
        return 5
    if not known or known & _NO_PERSON:
        return 0
    if known <= _PERSON | _ID and known & (_PERSON | {"id", "ids"}):
        return 5
    if known <= _UNIT | _ID and known & _UNIT:
        return 3
    return 2 if known <= _VAGUE | {"id"} else 0


def is_id(name: str) -> bool:
    """Whether a name says that its column holds ids, of whatever."""
    words = words_of(name)
    return person_score(name) >= 3 or "id" in words or joined(name).endswith(("uuid", "guid"))


def is_no_person(name: str) -> bool:
    """Whether a name is that of something that repeats and is no person."""
    known = set(words_of(name))
    return bool(known & (_NO_PERSON | _TIME | _SEQUENCE | _PLACE) or outcome_tier(name) is not None)


def is_unit(name: str) -> bool:
    """Whether a name is that of a unit of a few people, such as a couple."""
    return bool(set(words_of(name)) & _UNIT)


def is_place(name: str) -> bool:
    """Whether a name is that of a group of many people, such as a clinic."""
    return bool(set(words_of(name)) & _PLACE)


def is_steady(name: str) -> bool:
    """Whether a name is that of what a person does not change, and of nothing else: clinic_id."""
    known = {word for word in words_of(name) if not word.isdigit()}
    steady = _PLACE | _UNIT | _STEADY
    return bool(known & steady) and known <= steady | _ID


def is_arm(name: str) -> bool:
    """Whether a name is that of a condition of the study, and of nothing else: group_id."""
    known = {word for word in words_of(name) if not word.isdigit()}
    return bool(known & _ARM) and known <= _ARM | _ID


def is_time(name: str) -> bool:
    """Whether a name is that of when a row was taken."""
    known = set(words_of(name))
    return bool(known & _TIME) and not known & _MEASURED


def is_end(name: str) -> bool:
    """Whether a name says when an event ends, or at which frame of a film: Stop (s), End Time."""
    known = set(words_of(name))
    return bool(known & _END) and known <= _END | _OF_END


def is_age(name: str) -> bool:
    """Whether a name is that of an age."""
    return bool(set(words_of(name)) & {"age", "alter", "edad", "leeftijd"})


def is_sequence(name: str, *, weakly: bool = False) -> bool:
    """Whether a name is that of a session; `weakly` also of a day or a block."""
    return bool(set(words_of(name)) & (_SEQUENCE if weakly else _SEQUENCE - _WEAK_SEQUENCE))


def is_split(name: str) -> bool:
    """Whether a name is that of a part of the data."""
    return joined(name) in _SPLIT


def outcome_tier(name: str) -> int | None:
    """How soon a name is taken for an outcome: 0 first; None: it is no outcome's name."""
    flat, words = joined(name), words_of(name)
    for tier, vocabulary in enumerate(_OUTCOME):
        if flat in vocabulary:
            return tier
    for tier, vocabulary in enumerate(_OUTCOME):
        if any(word in vocabulary for word in words):
            return tier + len(_OUTCOME)
    return None


def is_calendar_word(cell: str) -> bool:
    """Whether a cell is a weekday, a month, a sex, a part of the day, or yes or no."""
    parts = words_of(cell)
    words = [word for word in parts if not word.isdigit()]
    fewest = 1 if len(words) == len(parts) else 3  # F01 is a code, March 2024 is not
    return bool(words) and all(word in _CELLS and len(word) >= fewest for word in words)
