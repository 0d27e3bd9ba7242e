"""The scoreboard: our models beside what others offer, on public tables, by fixed protocols.

``protocols`` says which table is split how, ``sample`` reads and splits it, the modules of
``rivals`` hold one small function per rival, ``playing`` lets them play, ``standing`` and
``writing`` make a table of it.
"""

from nme_core.scoreboard.playing import Game, absent, play_all
from nme_core.scoreboard.protocols import PROTOCOLS, Protocol
from nme_core.scoreboard.rivals import RIVALS, Rival
from nme_core.scoreboard.standing import standing
from nme_core.scoreboard.writing import markdown

__all__ = [
    "PROTOCOLS",
    "RIVALS",
    "Game",
    "Protocol",
    "Rival",
    "absent",
    "markdown",
    "play_all",
    "standing",
]
