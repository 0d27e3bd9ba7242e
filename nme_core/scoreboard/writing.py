"""The scoreboard in words and tables: Markdown, losses first."""

from __future__ import annotations

import platform
from collections.abc import Hashable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pandas as pd

from nme_core.scoreboard.playing import Game
from nme_core.scoreboard.protocols import PROTOCOLS, Protocol
from nme_core.scoreboard.rivals import OURS, RIVALS
from nme_core.scoreboard.standing import standing
from nme_core.vocabulary.text import p_value

_MINUS = "−"
_LOSS = {"number": "squared error", "class": "log-loss", "states": "log-loss of a step"}
_SPLIT = {
    "future": "each person's last 20 % of the rows are held back",
    "random": "20 % of all rows are held back at random",
    "folds": "five folds of all rows",
}
_PACKAGES = (
    "neural-mixed-effects", "statsmodels", "gpboost", "merf", "scikit-learn", "pytorch-crf",
    "hmmlearn", "torch", "numpy",
)  # fmt: skip
#: How NME stands beside the best of the others.
AHEAD, LEVEL, BEHIND = "ahead", "level", "behind"


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """One row per protocol, where NME is behind first: the best rival, and NME beside it."""
    rows = []
    for name, own in table.dropna(subset=["loss"]).groupby("protocol", sort=False):
        others, nme = own[own["rival"] != OURS], own[own["rival"] == OURS]
        if others.empty or nme.empty:
            continue
        best = others.iloc[0]
        behind, ahead = best["ci_high"] < 0, best["ci_low"] > 0
        rows.append(
            {
                "protocol": name,
                "best_rival": best["rival"],
                "its_loss": best["loss"],
                "nme_loss": nme["loss"].iloc[0],
                "place": int((others["loss"] < nme["loss"].iloc[0]).sum()) + 1,
                "of": len(own),
                "saved": best["saved"],
                "ci_low": best["ci_low"],
                "ci_high": best["ci_high"],
                "verdict": BEHIND if behind else AHEAD if ahead else LEVEL,
            }
        )
    found = pd.DataFrame(rows)
    return found.sort_values("saved", kind="stable", ignore_index=True) if len(found) else found


def markdown(game: Game, *, seeds: int, command: str, figure: str = "") -> str:
    """The whole scoreboard as Markdown.

    Parameters
    ----------
    game : Game
        What was played.
    seeds : int
        Fits of each rival whose answer depends on the seed.
    command : str
        That repeats it.
    figure : str
        File of the figure, beside the text.
    """
    table = standing(game.scores, game.fits)
    parts = [_head(game, seeds, command), _summary(table)]
    if figure:
        parts.append(f"![What NME saves of each rival's loss]({figure})")
    order = [*verdicts(table).get("protocol", [])]
    names = sorted(table["protocol"].unique(), key=lambda n: order.index(n) if n in order else 99)
    known = {protocol.name: protocol for protocol in PROTOCOLS}
    parts += [_section(known[name], table[table["protocol"] == name]) for name in names]
    parts.append(_absences(game))
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(game: Game, seeds: int, command: str) -> str:
    minutes = game.fits["seconds"].sum() / 60
    versions = ", ".join(f"{name} {found}" for name in _PACKAGES if (found := _version(name)))
    return (
        "# Scoreboard\n\n"
        f"Written by `{command}`: {len(game.fits)} fits in {minutes:.0f} minutes of processor; "
        f"{platform.machine()}, Python {platform.python_version()}, {versions}.\n\n"
        "Everybody learns from the same rows and may choose settings by the last of them, never by "
        "the rows that are held back; nobody is tuned to a table. Of a block that is held back no "
        f"outcome is known. {_seeds(seeds)} *NME saves*: share of the rival's loss, below 0 where "
        "NME loses, with a 95 % interval by resampling people; p is of a paired test over people, "
        "corrected over the rivals of a table."
    )


def _seeds(seeds: int) -> str:
    if seeds == 1:
        return "Where an answer depends on the seed it is of one seed."
    return (
        f"Where an answer depends on the seed it is the mean of {seeds} seeds, with their standard "
        "deviation (five folds: one seed each)."
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _summary(table: pd.DataFrame) -> str:
    found = verdicts(table)
    if found.empty:
        return ""
    rows: list[tuple[str, ...]] = [
        (
            row["protocol"], row["verdict"], f"{row['place']} of {row['of']}",
            _number(row["nme_loss"]), row["best_rival"], _number(row["its_loss"]), _share(row),
        )
        for row in found.to_dict("records")
    ]  # fmt: skip
    head = ("table", "NME is", "place", "NME", "best other", "its loss", "NME saves")
    return "## NME beside the best of the others\n\n" + _grid(head, rows)


def _section(protocol: Protocol, table: pd.DataFrame) -> str:
    titles = {one.name: one.title for one in RIVALS if protocol.kind in one.kinds}
    rows: list[tuple[str, ...]] = []
    for row in table.to_dict("records"):
        name = f"**{row['rival']}**" if row["rival"] == OURS else str(row["rival"])
        if row["error"]:
            rows.append((name, titles[str(row["rival"])], f"failed: {row['error']}", "", "", ""))
            continue
        spread = "" if pd.isna(row["sd_seeds"]) else f" ± {_number(row['sd_seeds'])}"
        own = row["rival"] == OURS
        rows.append(
            (
                name, titles[str(row["rival"])], f"{_number(row['loss'])}{spread}",
                "" if own else _share(row), "" if own else p_value(row["p_adjusted"]),
                f"{row['seconds']:.1f}",
            )
        )  # fmt: skip
    head = ("rival", "what it is", _LOSS[protocol.kind], "NME saves", "p", "processor seconds")
    parts = [f"## {protocol.title}", f"`{protocol.name}`: {_SPLIT[protocol.split]}."]
    if protocol.remark:
        parts[-1] += f" {protocol.remark}"
    parts.append(_grid(head, rows))
    if protocol.published:
        told = ", ".join(f"{name} {value:g}" for name, value in protocol.published.items())
        parts.append(f"Published: {told}.")
    return "\n\n".join(parts)


def _absences(game: Game) -> str:
    lines = [f"- {name}: not installed here ({what})." for name, what in game.absent.items()]
    lines += [f"- {name}: {why}" for name, why in game.left_out.items()]
    return "## Not in these tables\n\n" + "\n".join(lines) if lines else ""


def _grid(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", _MINUS)


def _share(row: Mapping[Hashable, Any]) -> str:
    if pd.isna(row["saved"]):
        return ""
    text = f"{100 * float(row['saved']):.1f} %"
    if not pd.isna(row["ci_low"]):
        low, high = (f"{100 * float(row[end]):.1f}" for end in ("ci_low", "ci_high"))
        text += f" ({low} to {high})"
    return text.replace("-", _MINUS)
