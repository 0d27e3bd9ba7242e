"""People and their ids: one written in several ways, several under one id, and nobody at all."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from nme_core.study.check.report import Finding
from nme_core.study.clean.labels import abbreviations, alike, core, cores, difference
from nme_core.study.clean.remedies import Remedy
from nme_core.study.columns import as_ids, as_labels, is_number, respelled
from nme_core.study.roles.role_names import is_steady

#: Ids that name nobody, by their `core`.
_NOBODY = re.compile(
    r"(test|demo|dummy|pilot|probe)(person|user|subject|proband|id)?[-\d]*|total|sum|summe|gesamt|"
    r"totaal|somme|suma|mean|mittelwert|average|durchschnitt|moyenne|promedio|gemiddelde|unknown|"
    r"unbekannt|inconnue?|desconocid[oa]|onbekend|missing|fehlend|none|null|na|ka\.?|anonymous|"
    r"anonyme?|anonimo|error|fehler|deleted|[-?*#x.]+"
)
#: What stands beside a mean below a table; alone it may be somebody's initials.
_BESIDE = re.compile(r"sd|std(ev)?|stdabw|se|sem|min(imum)?|max(imum)?|median|n|count|var(ianz)?")
#: Share of the ids below which they may name nobody, and that have to lie in several places to be
#: doubted.
_FEW, _MOST_SHARED = 0.5, 0.5
#: So few names may be parts in an observation.
_MOST_PARTS = 4
#: A choice among so many rows can be offered.
_MOST_KEPT = 6
#: Different values of a column that may tell people apart.
_MOST_PLACES = 200


def apart(remedies: Iterable[Remedy]) -> set[str]:
    """Columns in which what looks alike was said to be different."""
    return {name for one in remedies if one.kind == "keep_apart" for name in one.columns}


def find_people(
    long: pd.DataFrame,
    person: str,
    *,
    ids: pd.Series | None = None,
    groups: Sequence[str] = (),
    sequence: str | None = None,
    but: Collection[str] = (),
    covariates: pd.DataFrame | None = None,
    remedies: Iterable[Remedy] = (),
) -> Iterator[Finding]:
    """Look for ids of one person in two forms, of two people in one, and of nobody.

    Parameters
    ----------
    long : DataFrame
        The long table, as remedies have left it.
    person : str
        Its person column.
    ids : Series, optional
        What `as_ids` makes of it, where that is known.
    groups : sequence of str
        Its columns of further grouping factors.
    sequence : str, optional
        Its sequence column.
    but : collection of str
        Its outcome and features, which are no places.
    covariates : DataFrame, optional
        The table with one row per person.
    remedies : iterable of Remedy
        What was done: what they say is different is not doubted.
    """
    if person not in long or long[person].isna().all():
        return
    ids = as_ids(long[person].dropna(), role="person id") if ids is None else ids
    counts = ids.value_counts(sort=False)
    others: list[str] = []
    if covariates is not None and person in covariates:
        others = list(as_ids(covariates[person].dropna(), role="person id").unique())
    said = apart(remedies)
    if person not in said:
        yield from _find_alike_ids(person, counts, others)
        yield from find_parts(long, person, sequence)
    for name in groups:
        if name in long and name not in said:
            yield from find_alike_labels("group", name, long[name])
    yield from find_nobody(person, counts.index)
    yield from find_shared(long, person, ids, groups=groups, but=but)


def respelling_notes(column: pd.Series, *, table: str = "", names: bool = True) -> list[str]:
    """Say which ids were written in one form; those that became one first.

    Without `names`, only how many they are.
    """
    changed = respelled(column)
    if not changed:
        return []
    raw = column.dropna().astype("str").unique()
    forms = pd.Series({text: changed.get(text, text) for text in raw}, dtype="str")
    several = set(forms[forms.duplicated(keep=False)])
    merged = [f"{old!r} is {new!r}" for old, new in changed.items() if new in several]
    where = f"in {column.name!r}{table}"
    if not names:
        one = f" {len(merged)} of them only looked different from another." if merged else ""
        return [
            f"Spaces, unseen characters and decimals of ids {where} were left out, in "
            f"{len(changed)} of {len(raw)} ids.{one}"
        ]
    if not merged:
        example = next(iter(changed.items()))
        count = "1 id" if len(changed) == 1 else f"{len(changed)} ids"
        return [
            f"Spaces, unseen characters and decimals of {count} {where} were left out, such as "
            f"{example[0]!r}: {example[1]!r}."
        ]
    return [f"Ids {where} that only look different are one person: {_listed(merged)}."]


def _find_alike_ids(person: str, counts: pd.Series, others: Sequence[str]) -> Iterator[Finding]:
    """Ids with the same core, in the long table and between it and the covariate table."""
    groups = alike([*counts.index, *others])
    if not groups:
        return
    rows = counts.to_dict()
    targets = tuple(max(group, key=lambda text: rows.get(text, 0)) for group in groups)
    fixes = (Remedy("write_alike", (person,), targets), Remedy("keep_apart", (person,)))
    known = set(others)
    within = [inside for group in groups if len(inside := [t for t in group if t in rows]) > 1]
    if within:
        n_ids = sum(map(len, within))
        yield Finding(
            "look",
            f"Ids in {person!r} differ only in {_differences(within)}: "
            f"{_listed([_pair(group) for group in within])}. They count as {n_ids} people, not "
            f"{len(within)}.",
            person,
            "Join them if they are the same people; keep them apart if they are not.",
            fixes,
        )
    between = [
        group
        for group in groups
        if group not in within
        and any(text in rows and text not in known for text in group)
        and any(text not in rows for text in group)
    ]
    if between:
        yield Finding(
            "look",
            f"Ids of the two tables differ only in {_differences(between)}: "
            f"{_listed([_pair(group) for group in between])}. They count as different people, so "
            f"that {len(between)} of the study have no covariates.",
            person,
            "Join them if they are the same people; keep them apart if they are not.",
            fixes,
        )


def find_parts(long: pd.DataFrame, person: str, sequence: str | None) -> Iterator[Finding]:
    """A few words as ids, such as mother and child, that may be other people in each sequence."""
    if sequence is None or sequence not in long or is_steady(sequence):
        return  # `find_shared` looks at places and units
    names = as_labels(long[person])
    spread = as_labels(long[sequence]).groupby(names, sort=False).nunique()
    words = not any(re.search(r"\d", str(name)) for name in spread.index)
    if not 2 <= len(spread) <= _MOST_PARTS or not words or (spread < 2).any():
        return
    yield Finding(
        "look",
        f"{_listed(list(map(repr, spread.index)))} in {person!r} stand in several {sequence!r} "
        "each. Are they the same people in all of them?",
        person,
        f"If each {sequence!r} has people of its own, tell them apart by {sequence!r} and "
        f"{person!r} together: {int(spread.sum())} people.",
        (Remedy("join_columns", (person, sequence)), Remedy("keep_apart", (person,))),
    )


def find_alike_labels(kind: str, name: str, values: pd.Series) -> Iterator[Finding]:
    """Labels of a column that differ only in how they are written; nothing where it has numbers."""
    if is_number(values):
        return
    counts = as_labels(values).value_counts(sort=False)
    short = abbreviations(map(str, counts.index))
    if short:
        pairs = [f"{one!r} of {word!r}" for one, word in short.items()]
        yield Finding(
            "look",
            f"Labels of the {kind} {name!r} seem to be short forms of others: {_listed(pairs)}.",
            name,
            "Join them if they mean the same.",
            (
                *(Remedy("merge_states", (name,), (one,), word) for one, word in short.items()),
                Remedy("keep_apart", (name,)),
            ),
        )
    groups = alike(map(str, counts.index))
    if not groups:
        return
    targets = tuple(max(group, key=lambda text: counts[text]) for group in groups)
    n_joined = len(counts) - sum(map(len, groups)) + len(groups)
    yield Finding(
        "look",
        f"Labels of the {kind} {name!r} differ only in {_differences(groups)}: "
        f"{_listed([_pair(group) for group in groups])}. There are {len(counts)} of them, and "
        f"{n_joined} if these are the same.",
        name,
        "Join them if they mean the same.",
        (Remedy("write_alike", (name,), targets), Remedy("keep_apart", (name,))),
    )


def find_nobody(person: str, ids: Iterable[str]) -> Iterator[Finding]:
    """Look for ids that name nobody: TEST, unknown, a mean below the table."""
    given = list(ids)
    nobody = tuple(text for text in given if _NOBODY.fullmatch(core(text)))
    if not nobody or len(given) < 3:
        return
    nobody = tuple(text for text in given if text in nobody or _BESIDE.fullmatch(core(text)))
    if len(nobody) >= _FEW * len(given):
        return
    verb = "seems" if len(nobody) == 1 else "seem"
    yield Finding(
        "look",
        f"{_listed([repr(text) for text in nobody])} in {person!r} {verb} to be no person.",
        person,
        "Leave such rows out, unless that is somebody's id.",
        (Remedy("exclude_persons", (person,), nobody),),
    )


def find_shared(
    long: pd.DataFrame,
    person: str,
    ids: pd.Series | None = None,
    *,
    groups: Sequence[str] = (),
    but: Collection[str] = (),
) -> Iterator[Finding]:
    """Look for ids that stand in several clinics, as where people are numbered anew in each."""
    ids = as_labels(long[person]) if ids is None else ids
    for name in [*groups, *(str(c) for c in long.columns if c not in groups)]:
        if name == person or name in but or not is_steady(name):
            continue
        if long[name].nunique() > _MOST_PLACES:
            continue
        places = as_labels(long[name]).groupby(ids, sort=False).nunique()
        n_shared = int((places > 1).sum())
        if n_shared >= 2 and n_shared >= _MOST_SHARED * len(places):
            n_people = int(places.sum())
            yield Finding(
                "look",
                f"{n_shared} of {len(places)} ids in {person!r} stand in several {name!r}: people "
                f"seem to be numbered anew in each, so that several count as one.",
                name,
                f"If so, tell them apart by {name!r} and {person!r} together: {n_people} people.",
                (Remedy("join_columns", (person, name)),),
            )
            return


def tells_apart(
    table: pd.DataFrame, keys: Sequence[str], others: Collection[str], first: Sequence[str] = ()
) -> list[str]:
    """Columns in which all rows that are alike in `keys` differ; `others` are not looked at.

    Those in `first` come first, then columns by the names of places, such as a clinic.
    """
    rows = table[table[list(keys)].notna().all(axis=1)]
    rows = rows[rows.duplicated(list(keys), keep=False)]
    found = []
    for name in table.columns:
        column = rows[name]
        if name in keys or name in others or column.isna().any():
            continue
        whole = not is_number(column) or bool(np.all(column % 1 == 0))
        if whole and column.nunique() <= _MOST_PLACES and not rows.duplicated([*keys, name]).any():
            found.append(str(name))
    return sorted(found, key=lambda name: (name not in first, not is_steady(name)))


def keep_one_of(table: pd.DataFrame, keys: Sequence[str], name: str) -> tuple[Remedy, ...]:
    """Remedies that keep one of the rows alike in `keys`, by what stands in the column `name`."""
    values = as_labels(table[name]).dropna().unique()
    few = values if len(values) <= _MOST_KEPT else ()
    return tuple(Remedy("keep_one", (*keys, name), to=str(value)) for value in few)


def known_otherwise(new: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Ids that are not known, but for how they are written: the known one of each."""
    given, others = dict.fromkeys(known), dict.fromkeys(new)
    found = cores([*given, *others])
    by_core = {found[text]: text for text in given}
    return {
        text: by_core[found[text]]
        for text in others
        if text not in given and found[text] in by_core
    }


def _pair(group: Sequence[str]) -> str:
    return " and ".join(map(repr, group))


def _differences(groups: Sequence[Sequence[str]]) -> str:
    found = dict.fromkeys(name for group in groups for name in difference(group).split(" and "))
    return " and ".join(found)


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - 5} more" if len(texts) > 5 else ""
    return ", ".join(texts[:5]) + more
