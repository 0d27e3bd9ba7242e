"""Messages of the library as texts with places: what errors, warnings, notes and reports say.

``f"{n} rows have no {role} in column {name!r}."`` is ``{n} rows have no {role} in column {name}.``:
a place is called after what stands in it. Where a text depends on a condition, both are given.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

#: Calls whose texts are no messages.
_NO_MESSAGE = {
    "tr", "compile", "fullmatch", "search", "sub", "match", "findall", "split", "word_set",
    "AttributeError", "RemovedWarning", "startswith", "endswith", "query",
}  # fmt: skip
#: Calls whose texts are messages, however short.
_MESSAGE = re.compile(r"\w*(Error|Warning)|warn|tell|_wrong")
#: Constants with words that are recognised in files.
_RECOGNISED = {"_KNOWN_WORDS", "_CLOCK_WORDS", "_COUNTED"}
_MOST_TESTS = 3


class Place(str):
    """A place in a text, by its name."""


Text = tuple[str, ...]


def templates(path: Path, *, heads: bool = False) -> Iterator[str]:
    """The messages of a module; with `heads`, single words with a capital too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from _within(_Constants(tree).visit(tree), short=heads, heads=heads)


class _Constants(ast.NodeTransformer):
    """Puts texts that a module has a name for where they are named."""

    def __init__(self, tree: ast.Module) -> None:
        self.texts = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
            and _is_text(node.value)
            and any(_is_message(text, short=False) for text in _texts(node.value) or ())
        }

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        """What is quoted is no text."""
        return node if node.conversion != -1 else self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """The text, where the name is that of one."""
        return self.texts.get(node.id, node) if isinstance(node.ctx, ast.Load) else node


def _within(node: ast.AST, *, short: bool, heads: bool) -> Iterator[str]:
    """Messages of a part of a module; `short` where one word is enough, `heads` in all of it."""
    if isinstance(node, ast.Compare) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ):
        return  # a value, or a docstring
    if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in _RECOGNISED:
        return
    if isinstance(node, ast.Call):
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called in _NO_MESSAGE:
            return
        short = short or bool(_MESSAGE.fullmatch(called))
    if isinstance(node, ast.keyword):
        short = heads or node.arg in ("remedy", "message") or (short and node.arg is None)
    if isinstance(node, ast.FormattedValue | ast.Subscript):
        short = False
    texts = _texts(node) if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) else None
    for text in texts or ():
        if _is_message(text, short=short):
            yield node.value if isinstance(node, ast.Constant) else _named(text)
    inner = (
        (part.value for part in ast.walk(node) if isinstance(part, ast.FormattedValue))
        if texts
        else ast.iter_child_nodes(node)
    )
    for part in inner:
        if not texts or _texts(part) is None:
            yield from _within(part, short=short, heads=heads)


def _texts(node: ast.AST) -> list[Text] | None:
    """What an expression may be, for every outcome of its conditions; None where it is no text."""
    if not _is_text(node):
        return None
    tests = list(dict.fromkeys(_tests(node)))[:_MOST_TESTS]
    outcomes = product((0, 1), repeat=len(tests))
    return list(dict.fromkeys(_text(node, dict(zip(tests, one, strict=True))) for one in outcomes))


def _is_text(node: ast.AST) -> bool:
    if branches := _branches(node):
        return all(map(_is_text, branches))
    if isinstance(node, ast.BinOp):
        added = isinstance(node.op, ast.Add)
        return added and (_is_text(node.left) or _is_text(node.right))
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _parts(node: ast.AST) -> list[ast.AST]:
    """What a text is put together from; nothing where it is whole."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if not isinstance(node, ast.JoinedStr):
        return []
    return [
        part.value
        if isinstance(part, ast.FormattedValue) and not part.format_spec and part.conversion == -1
        else part
        for part in node.values
    ]


def _branches(node: ast.AST) -> list[ast.expr]:
    """What a condition, or `say` for one line or several, chooses from."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
        return node.args[1:]
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else []


def _test(node: ast.AST) -> str:
    return ast.dump(node.test if isinstance(node, ast.IfExp) else node.args[0])  # type: ignore[attr-defined]


def _tests(node: ast.AST) -> Iterator[str]:
    """The conditions that a text depends on."""
    if not _is_text(node):
        return
    branches = _branches(node)
    if branches:
        yield _test(node)
    for part in branches or _parts(node):
        yield from _tests(part)


def _text(node: ast.AST, outcomes: dict[str, int]) -> Text:
    """A text where its conditions have these outcomes; what else is no text is a place."""
    if branches := _branches(node):
        which = outcomes.get(_test(node)) if all(map(_is_text, branches)) else None
        return _place(node) if which is None else _text(branches[which], outcomes)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    if not _is_text(node):
        return _place(node)
    return tuple(piece for part in _parts(node) for piece in _text(part, outcomes))


def _place(node: ast.AST) -> Text:
    return (Place(_name(node).strip("_") or "value"),)


def _name(node: ast.AST) -> str:
    """What an expression is about, in a word."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        at = node.slice
        named = isinstance(at, ast.Constant) and isinstance(at.value, str)
        return str(at.value) if named and str(at.value).isidentifier() else _name(node.value)
    if isinstance(node, ast.Call):
        told = (_name(one) for one in node.args)
        return next((one for one in told if one not in ("", "map", "repr", "str")), "") or _name(
            node.func
        )
    inner = {
        ast.BinOp: ("left", "right"), ast.UnaryOp: ("operand",), ast.Starred: ("value",),
        ast.GeneratorExp: ("elt", "generators"), ast.ListComp: ("elt", "generators"),
        ast.comprehension: ("iter",), ast.IfExp: ("body",), ast.JoinedStr: ("values",),
        ast.FormattedValue: ("value",), ast.BoolOp: ("values",), ast.NamedExpr: ("target",),
    }.get(type(node), ())  # fmt: skip
    parts = (getattr(node, part) for part in inner)
    flat = (one for part in parts for one in (part if isinstance(part, list) else [part]))
    return next((name for one in flat if (name := _name(one))), "")


def _named(text: Text) -> str:
    """A text with its places in braces, no two of one name."""
    seen: dict[str, int] = {}
    pieces = []
    for piece in text:
        if isinstance(piece, Place):
            seen[piece] = seen.get(piece, 0) + 1
            pieces.append(f"{{{piece}}}" if seen[piece] == 1 else f"{{{piece}_{seen[piece]}}}")
        else:
            escaped = piece.replace("{", "{{").replace("}", "}}")
            pieces.append(re.sub(r"\{(\{[a-z_]+\})\}", r"\1", escaped))  # for `format`
    return "".join(pieces)


def _is_message(text: Text, *, short: bool) -> bool:
    literal = "".join(" " if isinstance(piece, Place) else piece for piece in text)
    words = re.findall(r"[^\W\d_]{2,}", literal)
    together = "".join(text).strip()
    if re.search(r"[\\\x00-\x1f]|<\w|\(\?", literal) or not words:
        return False
    capital = literal.strip()[0].isupper()
    placed = any(isinstance(piece, Place) for piece in text)
    return (capital and (short or placed)) or (" " in together and (placed or len(words) > 1))
