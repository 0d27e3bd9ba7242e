"""Charts of skill: what a model saves of another's loss, by horizon and by table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nme_core.figures import theme
from nme_core.figures.charts import Chart, Layer, Panel
from nme_core.figures.labels import MINUS
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import number

#: Skill below this is cut off: a rival that is more than twice as good.
LOWEST = -1.0
_ASIDE = 0.5


def skill_by_horizon(rows: pd.DataFrame, *, names: Mapping[str, str]) -> Chart:
    """Skill against every rival by rows ahead, with 95 % intervals and the line of no skill.

    ``rows`` has the columns of ``skill.csv``, all of one scope; ``names`` those of models.
    """
    horizons = sorted(rows["horizon"].dropna().unique())
    places = {**{int(steps): k for k, steps in enumerate(horizons)}, None: len(horizons)}
    references = list(dict.fromkeys(rows["reference"]))
    colours = theme.model_colours(references)
    zero = Layer("line", np.array([-0.5, len(horizons) + 0.5]), np.zeros(2), colour=theme.INK,
                 width=1.2, dash="dash", legend=False)  # fmt: skip
    layers = [zero]
    for k, reference in enumerate(references):
        own = rows[(rows["reference"] == reference) & rows["skill"].notna()]
        at = [places[None if pd.isna(steps) else int(steps)] for steps in own["horizon"]]
        beside = _ASIDE * ((k + 0.5) / len(references) - 0.5)
        order = np.argsort(at)
        known = own["ci_low"].notna().any()  # a few people have no interval
        layers.append(
            Layer(
                "points", np.array(at, float)[order] + beside, own["skill"].to_numpy(float)[order],
                name=names.get(reference, reference), colour=colours[reference],
                hollow=reference in theme.HOLLOW,
                low=own["ci_low"].to_numpy(float)[order] if known else None,
                high=own["ci_high"].to_numpy(float)[order] if known else None,
                hover=[_told(row, names) for row in own.iloc[order].to_dict("records")],
            )
        )  # fmt: skip
    ticks = [(float(at), _horizon(steps)) for steps, at in places.items()]
    panel = Panel(
        "", tr("rows ahead"), tr("skill (share of the loss saved)"), layers,
        x_range=(-0.5, len(horizons) + 0.5), y_range=(_lowest(rows), 1.05), x_ticks=ticks,
    )  # fmt: skip
    return Chart(tr("Skill by horizon"), [panel], rows, height=420)


def scoreboard_skill(rows: pd.DataFrame, *, names: Mapping[str, str]) -> Chart:
    """What NME saves of each rival's loss, paired over people, one panel per table.

    ``rows`` has the columns of ``scoreboard.csv``; ``names`` those of tables.
    """
    rows = rows[rows["saved"].notna() & (rows["rival"] != "nme")]
    tables = list(dict.fromkeys(rows["protocol"]))
    panels = []
    for table in tables:
        own = rows[rows["protocol"] == table]
        at = np.arange(len(own))[::-1].astype(float)
        saved, low, high = (
            own[name].to_numpy(float).clip(LOWEST) for name in ("saved", "ci_low", "ci_high")
        )
        points = Layer(
            "points", saved, at, low=low, high=high, across="x",
            colours=[theme.PALETTE[1] if value < 0 else theme.PALETTE[0] for value in saved],
        )  # fmt: skip
        zero = Layer("line", np.zeros(2), np.array([-0.5, len(own) - 0.5]), colour=theme.INK,
                     width=1.2, dash="dash")  # fmt: skip
        ticks = [(float(y), str(name)) for y, name in zip(at, own["rival"], strict=True)]
        panels.append(
            Panel(
                names.get(table, table), tr("share of the rival's loss that NME saves"), "",
                [zero, points], x_range=(min(_lowest(own), -0.1), 1.05),
                y_range=(-0.5, len(own) - 0.5), y_ticks=ticks,
            )
        )  # fmt: skip
    longest = max((panel.y_range[1] for panel in panels if panel.y_range), default=1.0)
    down = -(-len(panels) // 2)
    height = int(90 + down * (110 + 22 * longest))
    return Chart(
        tr("What NME saves of each rival's loss"), panels, rows, n_columns=2, height=height
    )


def _lowest(rows: pd.DataFrame) -> float:
    name = "skill" if "skill" in rows else "saved"
    ends = rows[[name, "ci_low"]].to_numpy(float)
    low = float(np.nanmin(ends)) if np.isfinite(ends).any() else 0.0
    return max(LOWEST, min(low, 0.0)) - 0.05


def _horizon(steps: int | None) -> str:
    return tr("all that was held back") if steps is None else str(steps)


def _told(row: Mapping[str, object], names: Mapping[str, str]) -> str:
    text = f"{names.get(str(row['reference']), row['reference'])}: {number(row['skill'], 2)}"
    if not pd.isna(row["ci_low"]):
        text += f" ({number(row['ci_low'], 2)} to {number(row['ci_high'], 2)})"
    return text.replace("-", MINUS)
