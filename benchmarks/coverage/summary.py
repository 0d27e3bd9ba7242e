"""From results of studies to a table for the library, and one in Markdown for the docs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.coverage.cells import CHAINS, NETWORK, Cell, all_cells
from benchmarks.coverage.new_people import STEPS
from benchmarks.coverage.records import FAILED, read
from nme_core.analysis.coverage import HIGHEST, LOWEST, READOUTS

ROOT = Path(__file__).parents[2]
TABLE, DOCS = ROOT / "nme_core" / "analysis" / "coverage.csv", ROOT / "docs" / "uncertainty.md"
BEGIN, END = "<!-- coverage: begin -->", "<!-- coverage: end -->"

#: What intervals are of, by the quantities that studies record.
QUANTITIES = {
    "fixed_effects": ("fixed slope", "fixed other"),
    "random_effects": ("people",),
    "person_effects": ("people effects",),
    "population_effects": ("population effects",),
    "autocorrelation": ("autocorrelation",),
    "variances": ("variances",),
    "residual_variance": ("residual variance",),
    "scores": ("people scores",),
    "conditional": ("people conditional",),
    "expected": ("people expected",),
    "population_scores": ("population scores",),
    "population_conditional": ("population conditional",),
    "population_expected": ("population expected",),
    "curves": ("run curve",),
    "new_people": tuple(f"new {k} people" for k in STEPS),
    "new_curves": tuple(f"new {k} curve" for k in STEPS),
    "new_conditional": tuple(f"new {k} conditional" for k in STEPS),
}
#: Those of people whom a fit has not seen, and of curves, judged with them.
OF_NEW = ("curves", "new_people", "new_curves", "new_conditional")
_RESIDUALS = {
    "iid": "independent",
    "iid-times": "independent, times given",
    "ar1-times": "ρ = .5, times given",
    "ar1": "ρ = .5, times not given",
}


def write_summary(results: Path, table: Path = TABLE, docs: Path = DOCS) -> None:
    """Write the library's table, and the part between the markers of the docs.

    What was measured anew takes the place of what the table has of it; all else stays.
    """
    cells = summarise(read(results))
    if table.is_file():
        cells = _beside(cells, pd.read_csv(table))
    cells.to_csv(table, index=False, lineterminator="\n")
    text = docs.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    docs.write_text(f"{head}{BEGIN}\n\n{markdown(cells)}\n\n{END}{tail}", encoding="utf-8")


def _beside(new: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Rows of both, those of `new` where both have one, in the order of the cells."""
    names = [*Cell.__dataclass_fields__]
    if new.empty:
        return old
    both = pd.concat([new, old]).drop_duplicates([*names, "quantity"])
    order = {cell: k for k, cell in enumerate(all_cells())}
    place = [order.get(Cell(*row), len(order)) for row in both[names].itertuples(index=False)]
    quantity = both["quantity"].map({name: k for k, name in enumerate(QUANTITIES)})
    return both.iloc[np.lexsort((quantity, place))].reset_index(drop=True)


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """One row per cell and quantity, in the order of the cells."""
    known = {cell.name: cell for cell in all_cells()}
    by_cell = {str(name): group for name, group in results.groupby("cell")}
    return pd.DataFrame(
        [
            row
            for name, cell in known.items()
            if name in by_cell
            for row in _rows(cell, by_cell[name])
        ]
    )


def _rows(cell: Cell, found: pd.DataFrame) -> list[dict[str, Any]]:
    """Quantities of one cell."""
    n_failed = int((found["quantity"] == FAILED).sum())
    rows = []
    for name, parts in QUANTITIES.items():
        chosen = found[found["quantity"].isin(parts) & (found["n"] > 0)]
        if chosen.empty:
            continue
        bias = chosen[chosen["quantity"] == "fixed slope"]["error"]
        studies = chosen.groupby("study")[["n", "covered"]].sum()
        rows.append(
            {
                **asdict(cell),
                "quantity": name,
                "covered": round(studies["covered"].sum() / studies["n"].sum(), 4),
                "error": round(monte_carlo_error(studies["n"], studies["covered"]), 4),
                "width": float(f"{chosen['width'].median():.3g}"),
                "bias": round(float(bias.mean()), 3) if len(bias) else np.nan,
                "studies": len(studies),
                "failed": n_failed,
            }
        )
    return rows


def monte_carlo_error(n: pd.Series, covered: pd.Series) -> float:
    """Standard error of the share covered: intervals of one study depend on each other.

    Never below that of independent intervals (Agresti and Coull's), so that a share of 1 has one.
    """
    total, inside = float(n.sum()), float(covered.sum())
    share = (inside + 2) / (total + 4)
    least = np.sqrt(share * (1 - share) / (total + 4))
    off = covered - n * (inside / total)
    size = len(n)
    spread = np.sqrt(size / max(size - 1, 1) * float((off**2).sum())) / total
    return float(max(least, spread))


def markdown(cells: pd.DataFrame) -> str:
    """Tables of models of rows, and of chains."""
    if cells.empty:
        return "No study has been simulated yet."
    of_new, everything = cells["quantity"].isin(OF_NEW), cells
    cells = cells[~of_new]
    chains, networks = cells["family"].isin(CHAINS), cells["family"] == NETWORK
    parts = [
        _in_short(everything),
        _of_rows(cells[~chains & ~networks]),
        _of_chains(cells[chains]),
        _of_networks(cells[networks]),
        _of_new_people(everything[of_new]),
    ]
    return "\n\n".join(part for part in parts if part)


def _in_short(cells: pd.DataFrame) -> str:
    """By outcome and kind of interval: how many kinds of study are right, and the worst."""
    heads = ("outcome", "95 % intervals of", "kinds of study", "within 92–97 %", "below", "above",
             "least, and where")  # fmt: skip
    low, high = cells["covered"] + cells["error"], cells["covered"] - cells["error"]
    lines = []
    for (family, quantity), found in cells.groupby(["family", "quantity"], sort=False):
        below, above = low[found.index] < LOWEST, high[found.index] > HIGHEST
        worst = found.loc[found["covered"].idxmin()]
        where = (
            f"{worst['people']} × {worst['rows']}, {worst['effects']}, {worst['covariance']} Σ, "
            f"{_RESIDUALS[worst['residual']]}"
        )
        lines.append(
            (
                family,
                str(quantity).replace("_", " "),
                len(found),
                int((~below & ~above).sum()),
                int(below.sum()),
                int(above.sum()),
                f"{worst['covered']:.2f}: {where}",
            )
        )
    return _table(heads, lines)


def _of_rows(cells: pd.DataFrame) -> str:
    heads = (
        "outcome", "people × rows", "effects", "features", "Σ", "residuals", "estimator",
        "fixed effects", "width", "bias of slopes", "people's effects", "width", "variances", "σ²",
        "ρ", "studies",
    )  # fmt: skip
    lines = []
    for cell, found in _by_cell(cells):
        fixed, people = found["fixed_effects"], found["random_effects"]
        rest = ("variances", "residual_variance", "autocorrelation")
        lines.append(
            (
                cell.family,
                f"{cell.people} × {cell.rows}",
                cell.effects,
                cell.features,
                cell.covariance,
                _RESIDUALS[cell.residual],
                cell.estimator.upper(),
                _share(fixed),
                f"{fixed['width']:.2f}",
                f"{100 * fixed['bias']:+.0f} %",
                _share(people),
                f"{people['width']:.2f}",
                *(_share(found[name]) if name in found else "" for name in rest),
                _studies(fixed),
            )
        )
    return _table(heads, lines)


def _of_chains(cells: pd.DataFrame) -> str:
    readouts = [f"{of}{one}" for of in ("", "population_") for one in READOUTS]
    heads = ("drawn from", "people × steps", *(f"people's {one}" for one in READOUTS),
             *(f"population's {one}" for one in READOUTS), "studies")  # fmt: skip
    lines = [
        (
            "an NME-CRF" if cell.family == "crf" else "a multinomial logit",
            f"{cell.people} × {cell.rows}",
            *(_share(found[name]) if name in found else "" for name in readouts),
            _studies(next(iter(found.values()))),
        )
        for cell, found in _by_cell(cells)
    ]
    return _table(heads, lines)


def _of_networks(cells: pd.DataFrame) -> str:
    heads = ("mixture of networks, people × rows", "people's levels and slopes",
             "the population's", "studies")  # fmt: skip
    lines = [
        (
            f"{cell.people} × {cell.rows}",
            _share(found["person_effects"]),
            _share(found["population_effects"]),
            _studies(found["person_effects"]),
        )
        for cell, found in _by_cell(cells)
    ]
    return _table(heads, lines)


def _of_new_people(cells: pd.DataFrame) -> str:
    heads = ("outcome", "people × rows of the fit", "effects", "residuals", "new people's effects",
             "width", "their curves, or moves", "width", "curves of people of the fit",
             "studies")  # fmt: skip
    lines = []
    for cell, found in _by_cell(cells):
        people = found["new_people"]
        seen = found["new_conditional" if cell.family in CHAINS else "new_curves"]
        fitted = found.get("curves")
        lines.append(
            (
                cell.family,
                f"{cell.people} × {cell.rows}",
                cell.effects,
                _RESIDUALS[cell.residual],
                _share(people),
                f"{people['width']:.2f}",
                _share(seen),
                f"{seen['width']:.2f}",
                "" if fitted is None else _share(fitted),
                _studies(people),
            )
        )
    return _table(heads, lines)


def _by_cell(cells: pd.DataFrame) -> list[tuple[Cell, dict[str, dict[str, Any]]]]:
    """Rows of each cell by quantity, sorted by what the cell is."""
    names = [*Cell.__dataclass_fields__]
    return [
        (Cell(*key), {row["quantity"]: row for row in group.to_dict("records")})
        for key, group in cells.groupby(names, sort=False)
    ]


def _share(row: dict[str, Any]) -> str:
    """Covered ± its Monte-Carlo error; bold where it is outside by more than that."""
    text = f"{row['covered']:.3f} ± {row['error']:.3f}"
    low, high = row["covered"] + row["error"], row["covered"] - row["error"]
    return f"**{text}**" if low < LOWEST or high > HIGHEST else text


def _studies(row: dict[str, Any]) -> str:
    failed = f" ({row['failed']} not fitted)" if row["failed"] else ""
    return f"{row['studies']}{failed}"


def _table(heads: tuple[str, ...], lines: list[tuple[Any, ...]]) -> str:
    if not lines:
        return ""
    rows = ["| " + " | ".join(map(str, line)) + " |" for line in (heads, ["---"] * len(heads))]
    return "\n".join([*rows, *("| " + " | ".join(map(str, line)) + " |" for line in lines)])
