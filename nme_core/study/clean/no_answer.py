"""Words that mean "no answer", in the languages that questionnaires are usually in."""

from __future__ import annotations

import re
import unicodedata

_WORDS = (
    # English
    "no (answer|response|reply|data|info(rmation)?)|not (answered|applicable|asked|available|stated"
    "|known|reported)|(no |non)response|(does|do) not apply|refus(ed|al)( to answer)?|declined"
    "|(do(es)?n.?t|do(es)? not|didn.?t) know|dk|n a|unknown|missing( value)?|skipped"
    "|prefers? not to (say|answer)|(choose|rather) not to (say|answer)",
    # German
    "keine? (angaben?|antwort)|k a|ohne angabe|weiss (es )?nicht|nicht (anwendbar|beantwortet"
    "|erhoben|bekannt|gefragt)|(antwort )?verweigert|verweigerung|unbekannt|fehlend(er wert)?"
    "|fehlt|entfallt",
    # French
    "(sans|pas de|aucune|non) reponse|ne sai[st] pas|nsp|refus(e)?( de repondre)?"
    "|(non|pas) (applicable|concerne)|sans objet|inconnue?|non renseigne|(donnee )?manquante?",
    # Spanish and Portuguese
    "(no|nao) (contest[ao]|sabe|responde|aplica(ble)?|aplicavel|se aplica|consta)|ns ?nc|n ?s ?n ?r"
    "|sin (respuesta|datos?)|sem resposta|prefiero no (decir|responder)|desconocid[oa]"
    "|(se )?(rehusa|niega|recusa)( .*)?",
    # Italian
    "(nessuna|non) rispo(sta|nde)|non (so|sa)|non applicabile|rifiut[ao]( .*)?|sconosciuto"
    "|mancante",
    # Dutch
    "geen antwoord|weet (ik )?niet|weigert|geweigerd|niet van toepassing|nvt|onbekend"
    "|wil niet zeggen|ontbreekt",
    # Polish, Swedish, Danish, Norwegian
    "nie wiem|brak (odpowiedzi|danych)|odmowa( .*)?|nie dotyczy|vet (ej|inte)|inget svar|ej svar"
    "|ved ikke|vet ikke|intet svar|ikke svar|ubesvart|ikke relevant",
)
_NO_ANSWER = re.compile("|".join(f"(?:{words})" for words in _WORDS))


def means_no_answer(words: str) -> bool:
    """Whether a label says that there is no answer, whatever its capitals, accents and points.

    >>> means_no_answer("k. A."), means_no_answer("Refused to answer"), means_no_answer("never")
    (True, True, False)
    """
    plain = unicodedata.normalize("NFKD", words.casefold())
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark))
    parts = re.split(r"[/,;:()\[\]–—-]+", re.sub(r"['’´`]", "'", plain))
    parts = [" ".join(re.sub(r"[.?!]", " ", part).split()) for part in parts]
    whole = " ".join(" ".join(parts).split())
    return any(_NO_ANSWER.fullmatch(part) for part in [whole, *parts] if part)
