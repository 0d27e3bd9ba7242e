"""What each folder may import: tests/test_architecture.py holds it, docs/arrows.svg draws it."""

from __future__ import annotations

from collections.abc import Mapping

#: What each part of nme_core may import of nme_core. "nme_core" is the public surface itself.
CORE: dict[str, set[str]] = {
    "exceptions": set(),
    "_moved": set(),
    "vocabulary": {"exceptions"},
    "batches": {"exceptions"},
    "simulate": {"exceptions"},
    "study": {"exceptions", "batches", "vocabulary"},
    "nn": {"exceptions", "batches"},
    "training": {"exceptions", "batches", "nn"},
    "estimators": {"exceptions", "batches", "study", "nn", "training"},
    "independence": {"exceptions", "vocabulary"},
    "metrics": {"exceptions", "independence"},
    "io": {"exceptions", "vocabulary"},
}
CORE["analysis"] = {*CORE} - {"_moved", "simulate"}
CORE["parallel"] = {"exceptions", "io"}
CORE["scoreboard"] = {*CORE["io"], "io", "batches", "estimators", "metrics", "parallel"}
CORE["runs"] = {*CORE["analysis"], "analysis", "parallel"}
CORE["figures"] = {"exceptions", "vocabulary", "io", "study", "analysis"}
CORE["reports"] = {*CORE["runs"], "runs", "figures"}
CORE["cli"] = {*CORE, "nme_core"}
CORE["nme_core"] = {*CORE} - {"cli", "runs", "figures", "reports", "scoreboard"}
CORE["__main__"] = {"cli"}

#: What each part of dashboard may import of dashboard.
DASHBOARD: dict[str, set[str]] = {
    "words": set(),
    "services": set(),
    "state": set(),
    "server": {"services"},
    "components": {"services", "state", "words"},
    "pages": {"components", "services", "state", "words"},
    "app": {"pages", "components", "server", "services", "state", "words"},
    "__main__": {"server", "services"},
    "dashboard": set(),
}
#: What the parts of dashboard that show may import of nme_core; its services may import all.
SHOWN = {"figures", "vocabulary"}

#: Not drawn: what only passes on, and what everything may import.
_LEFT_OUT = {"_moved", "__main__", "nme_core", "dashboard", "exceptions"}
_BOX, _GAP, _ROW = (104, 28), 18, 62
_STYLE = (
    "text{font:13px system-ui,sans-serif;text-anchor:middle;fill:#1a1a1a}"
    "rect{fill:#eef3f8;stroke:#4c6a88}.dashboard rect{fill:#f8f1e6;stroke:#8a6a3c}"
    "path{fill:none;stroke:#8b97a3}marker path{fill:#8b97a3;stroke:none}"
)
_HEAD = (
    '<defs><marker id="head" viewBox="0 0 6 6" refX="1" refY="3" markerWidth="6" markerHeight="6" '
    'orient="auto"><path d="M0 0L6 3L0 6z"/></marker></defs>'
)


def drawing() -> str:
    """The tables as SVG: who imports stands above; ways that other arrows make are left out."""
    below = _direct({**_core(), **_dashboard()})
    rows = _rows(below)
    width = max(map(len, rows)) * (_BOX[0] + _GAP)
    places = {
        name: (width * (i + 0.5) / len(row), 16 + _ROW * y)
        for y, row in enumerate(rows)
        for i, name in enumerate(row)
    }
    lines = [
        _line(places[one], places[other], head=other in _named())
        for one in below
        for other in sorted(below[one])
    ]
    passed = [_line(places[name], places[name]) for name in below if name not in _named()]
    boxes = [_box(name, *places[name]) for name in below if name in _named()]
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" '
            f'viewBox="0 0 {width} {_ROW * len(rows)}" role="img">',
            f"<title>Who imports what</title><style>{_STYLE}</style>{_HEAD}",
            *lines, *passed, *boxes, "</svg>\n",
        ]
    )  # fmt: skip


def _named() -> set[str]:
    return {*CORE, *DASHBOARD} - _LEFT_OUT


def _core() -> dict[str, set[str]]:
    return {name: own - _LEFT_OUT for name, own in CORE.items() if name in _named()}


def _dashboard() -> dict[str, set[str]]:
    """Parts of the dashboard, below which nme_core stands."""
    core = {"services": {*_core()} - {"cli"}, "components": SHOWN, "pages": SHOWN}
    return {
        name: own - _LEFT_OUT | core.get(name, set())
        for name, own in DASHBOARD.items()
        if name in _named()
    }


def _direct(table: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The arrows without those that go the way of others."""

    def reached(name: str) -> set[str]:
        return table[name].union(*map(reached, table[name]))

    return {name: own - set().union(*map(reached, own)) for name, own in sorted(table.items())}


def _rows(below: dict[str, set[str]]) -> list[list[str]]:
    """Names from the top row down; an arrow that passes rows gets a place in each of them."""

    def depth(name: str) -> int:
        return 1 + max((depth(one) for one in below if name in below[one]), default=-1)

    depths = {name: depth(name) for name in below}
    for name in below:  # who is imported by nobody stands just above what it imports
        if depths[name] == 0 and below[name]:
            depths[name] = min(depths[one] for one in below[name]) - 1
    for name in [*below]:
        for other in sorted(below[name]):
            upper = name
            for level in range(depths[name] + 1, depths[other]):
                passing = f"{name} to {other}, {level}"
                depths[passing], below[passing] = level, {other}
                below[upper] = below[upper] - {other} | {passing}
                upper = passing
    levels = range(min(depths.values()), max(depths.values()) + 1)
    rows = [[name for name in depths if depths[name] == level] for level in levels]
    for _ in range(12):
        for one, beside in [
            *zip(rows[1:], rows, strict=False),
            *zip(rows[-2::-1], rows[::-1], strict=False),
        ]:
            _near(one, beside, below)
    return rows


def _near(row: list[str], beside: list[str], below: Mapping[str, set[str]]) -> None:
    """Put the names of a row near those that they are joined to in the row beside it."""
    at = {name: (i + 0.5) / len(beside) for i, name in enumerate(beside)}

    def middle(name: str) -> float:
        joined = [at[one] for one in beside if one in below[name] or name in below[one]]
        return sum(joined) / len(joined) if joined else 0.5

    row.sort(key=middle)


def _line(start: tuple[float, float], end: tuple[float, float], *, head: bool = False) -> str:
    """From under a name to another one; of a place that is passed, through it."""
    (x, top), (to, bottom) = start, end
    marker = ' marker-end="url(#head)"' if head else ""
    if start == end:
        return f'<path d="M{x:.0f} {top}v{_BOX[1]}"/>'
    top, bottom = top + _BOX[1], bottom - (5 if head else 0)
    bend = (bottom - top) / 2
    curve = f"M{x:.0f} {top}C{x:.0f} {top + bend:g} {to:.0f} {bottom - bend:g} {to:.0f} {bottom}"
    return f'<path d="{curve}"{marker}/>'


def _box(name: str, x: float, y: float) -> str:
    kind = ' class="dashboard"' if name in DASHBOARD else ""
    left = x - _BOX[0] / 2
    return (
        f'<g{kind}><rect x="{left:.0f}" y="{y}" width="{_BOX[0]}" height="{_BOX[1]}" rx="5"/>'
        f'<text x="{x:.0f}" y="{y + 19}">{name}</text></g>'
    )
