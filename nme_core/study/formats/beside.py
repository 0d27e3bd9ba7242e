"""Two tables beside each other in one file, with an empty column between them.

id,day,mood,,id,age
P01,1,4,,P01,33
P01,2,5,,P02,41
P02,1,3,,,
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby


def own_columns(
    names: Sequence[str], rows: Sequence[Sequence[object]], *, header: bool = True
) -> tuple[slice, tuple[str, ...]]:
    """The columns of the table with most rows, and what stands beside it, in words.

    Columns behind an empty one are another table where they end sooner, without a gap, or where
    one has a name of the main table. All others belong to one table, as all do without a header.
    """
    if not header:
        return slice(0, len(names)), ()
    empty = [
        not name.strip() and all(_cell(row, place) == "" for row in rows)
        for place, name in enumerate(names)
    ]
    places = (
        list(block) for gap, block in groupby(range(len(names)), empty.__getitem__) if not gap
    )
    blocks = [slice(block[0], block[-1] + 1) for block in places]
    if len(blocks) < 2:
        return slice(0, len(names)), ()
    filled = [[any(_cell(row, at) for at in _range(block)) for row in rows] for block in blocks]
    main = max(range(len(blocks)), key=lambda k: (sum(filled[k]), -k))
    theirs = {name for name in names[blocks[main]] if name}
    apart = [
        block
        for k, block in enumerate(blocks)
        if k != main
        and (
            theirs & set(names[block])
            or (1 < sum(filled[k]) < sum(filled[main]) and all(filled[k][: sum(filled[k])]))
        )
    ]
    if not apart:
        return slice(0, len(names)), ()
    before = max((block.stop for block in apart if block.stop <= blocks[main].start), default=-1)
    behind = min((b.start for b in apart if b.start >= blocks[main].stop), default=len(names) + 1)
    mine = [block for block in blocks if before < block.start and block.stop < behind]
    own = slice(mine[0].start, mine[-1].stop)
    shown = ", ".join(repr(names[block.start]) for block in apart)
    note = (
        f"Another table stands beside this one, behind an empty column (it begins with {shown}); "
        "it was not read. Put it into a file or on a sheet of its own."
    )
    return own, (note,)


def _range(block: slice) -> range:
    return range(block.start, block.stop)


def _cell(row: Sequence[object], place: int) -> str:
    return "" if place >= len(row) or row[place] is None else str(row[place]).strip()
