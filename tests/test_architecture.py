"""The arrows between packages, held by reading imports; and that every public name is explained.

A package that is not in the tables of docs/arrows.py fails: it has to be given its place first.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import nme_core
from docs.arrows import CORE, DASHBOARD, SHOWN
from nme_core import _moved
from nme_core.reports.references import PAPER

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

PLOTTING = {"plotly", "matplotlib", "seaborn", "altair", "kaleido", "bokeh"}
UNPICKLING = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve"}
UNPICKLING_CALLS = {"torch.load", "torch.save", "joblib.load", "joblib.dump"}

#: Import names that differ from the name of the distribution.
DISTRIBUTIONS = {"docx": "python-docx", "sklearn": "scikit-learn"}


def source_files(*folders: str) -> list[Path]:
    """Python files of these top-level folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def parse(path: Path) -> ast.Module:
    """Syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def module_of(path: Path) -> str:
    """Dotted name of a file's module; a package is named by its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.Module, module: str, *, is_package: bool = False) -> Iterator[str]:
    """Dotted names that a module imports, wherever in it: "a.b" and, of a from-import, "a.b.c"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                keep = module.split(".")
                keep = keep[: len(keep) - node.level + is_package]
                base = ".".join([*keep, *([base] if base else [])])
            for name in node.names:
                yield f"{base}.{name.name}"


@cache
def imports_of(path: Path) -> set[str]:
    """Dotted names that a file imports."""
    return set(imports(parse(path), module_of(path), is_package=path.stem == "__init__"))


def part_of(name: str, package: str, known: set[str]) -> str:
    """Part of a package that a dotted name belongs to; the package itself for its own names."""
    pieces = name.split(".")
    return pieces[1] if len(pieces) > 1 and pieces[1] in known else package


def breaches(name: str, imported: set[str], allowed: dict[str, set[str]]) -> list[str]:
    """What a module imports of its own package although it may not."""
    package = name.partition(".")[0]
    here = part_of(name, package, {*allowed})
    found = []
    for target in sorted(imported):
        if target.partition(".")[0] == package and not target.endswith(".__version__"):
            there = part_of(target, package, {*allowed})
            if there != here and there not in allowed[here]:
                found.append(f"{name} imports {target}: {here} may not import {there}")
    return found


def parts_on_disk(package: str) -> set[str]:
    """First-level modules and subpackages of a package."""
    folder = ROOT / package
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    return modules | {path.parent.name for path in folder.glob("*/__init__.py")}


# The arrows


@pytest.mark.parametrize(("package", "allowed"), [("nme_core", CORE), ("dashboard", DASHBOARD)])
def test_every_part_of_a_package_has_its_place(package: str, allowed: dict[str, set[str]]) -> None:
    assert parts_on_disk(package) <= {*allowed}


@pytest.mark.parametrize(("package", "allowed"), [("nme_core", CORE), ("dashboard", DASHBOARD)])
def test_imports_go_one_way(package: str, allowed: dict[str, set[str]]) -> None:
    files = source_files(package)
    assert files
    found = [
        line for path in files for line in breaches(module_of(path), imports_of(path), allowed)
    ]
    assert not found, "\n".join(found)


def test_the_core_knows_no_screen() -> None:
    for path in source_files("nme_core"):
        tops = {name.partition(".")[0] for name in imports_of(path)}
        assert not tops & {"streamlit", "dashboard"}, path
        if part_of(module_of(path), "nme_core", {*CORE}) not in {"figures", "reports"}:
            assert not tops & PLOTTING, path


def test_only_services_import_what_computes() -> None:
    shown = tuple(f"nme_core.{name}" for name in SHOWN)
    for path in source_files("dashboard"):
        if part_of(module_of(path), "dashboard", {*DASHBOARD}) != "services":
            found = {name for name in imports_of(path) if name.partition(".")[0] == "nme_core"}
            assert all(name.startswith(shown) for name in found), path


def test_only_one_command_reaches_the_dashboard_by_its_name() -> None:
    found = set()
    for path in source_files("nme_core"):
        for node in ast.walk(parse(path)):
            name = node.value if isinstance(node, ast.Constant) else None
            if isinstance(name, str) and re.match(r"dashboard([./]\w|$)", name):
                found.add(module_of(path))
    assert found == {"nme_core.cli.dashboard"}


@pytest.mark.parametrize("old", [*_moved.MOVED])
def test_former_import_paths_give_the_same_modules(old: str) -> None:
    assert import_module(f"nme_core.{old}") is import_module(f"nme_core.{_moved.MOVED[old]}")


def test_services_show_nothing_and_use_streamlit_for_caching_only() -> None:
    for path in source_files("dashboard/services"):
        used = {
            node.attr
            for node in ast.walk(parse(path))
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in {"st", "streamlit"}
        }
        used |= {name.split(".")[1] for name in imports_of(path) if name.startswith("streamlit.")}
        assert used <= {"cache_data", "cache_resource", "runtime"}, path


def test_only_state_knows_the_session() -> None:
    for path in source_files("dashboard"):
        if module_of(path) != "dashboard.state":
            names = {getattr(node, "attr", None) for node in ast.walk(parse(path))}
            imported = {name.rpartition(".")[2] for name in imports_of(path)}
            assert "session_state" not in names | imported, path


def test_pages_are_thin() -> None:
    for path in source_files("dashboard/pages"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 120, path


# Sizes


def classes(*folders: str) -> list[ast.ClassDef]:
    """Classes of these folders, those inside of others too."""
    nodes = (node for path in source_files(*folders) for node in ast.walk(parse(path)))
    return [node for node in nodes if isinstance(node, ast.ClassDef)]


def storeys(known: dict[str, set[str]], name: str) -> int:
    """Classes on the longest way from one of ours up to one without parents among ours."""
    return 1 + max((storeys(known, above) for above in known[name] if above in known), default=0)


def test_no_class_has_more_than_250_lines() -> None:
    lines = {
        one.name: (one.end_lineno or 0) - one.lineno + 1 for one in classes("nme_core", "dashboard")
    }
    assert not {name for name, n in lines.items() if n > 250}


def test_no_file_has_more_than_400_lines() -> None:
    files = source_files("nme_core", "dashboard")
    long = {module_of(one) for one in files if len(one.read_text("utf-8").splitlines()) > 400}
    assert not long


def test_no_class_has_more_than_three_above_it() -> None:
    known: dict[str, set[str]] = {}
    for one in classes("nme_core"):
        known.setdefault(one.name, set()).update(ast.unparse(base) for base in one.bases)
    for name, bases in known.items():
        bases.discard(name)  # of two of the same name
    high = {name: storeys(known, name) for name in known}
    assert high["NMEMLPRegressor"] > 2, "bases are not seen"
    assert max(high.values()) <= 4, {name for name, n in high.items() if n > 4}


# Habits that a reader relies on

Explained = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public_names(tree: ast.Module) -> Iterator[tuple[str, Explained]]:
    """Public functions, classes and their public methods, with what they are."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name.startswith("_"):
                continue
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                        yield f"{node.name}.{method.name}", method


def is_explained(node: Explained) -> bool:
    """Whether a module, class or function has a docstring, be it one that is put together."""
    statements = [item for item in getattr(node, "body", []) if isinstance(item, ast.Assign)]
    targets = {ast.unparse(target) for item in statements for target in item.targets}
    return bool(ast.get_docstring(node)) or "__doc__" in targets


def repeats_another(node: Explained) -> bool:
    """Whether a function is an overload or a property's setter, explained at its first."""
    decorators = {ast.unparse(item) for item in getattr(node, "decorator_list", [])}
    return any(re.search(r"(^|\.)overload$|\.(setter|deleter)$", item) for item in decorators)


def test_every_public_name_is_explained() -> None:
    bare = []
    for path in [*source_files("nme_core", "dashboard"), ROOT / "run.py"]:
        tree = parse(path)
        if not is_explained(tree):
            bare.append(module_of(path))
        for name, node in public_names(tree):
            if not repeats_another(node) and not is_explained(node):
                bare.append(f"{module_of(path)}.{name}")
    assert not bare, "no docstring: " + ", ".join(bare)


def test_nothing_in_the_core_prints_but_the_command_line() -> None:
    for path in source_files("nme_core"):
        if not module_of(path).startswith(("nme_core.cli", "nme_core.__main__")):
            calls = [node.func for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
            assert "print" not in {getattr(call, "id", None) for call in calls}, path


def unpickles(tree: ast.Module, imported: set[str]) -> bool:
    """Whether a module imports or calls something that can unpickle a file."""

    def can(node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute):
            is_pandas = node.attr in {"read_pickle", "to_pickle"}
            return is_pandas or ast.unparse(node) in UNPICKLING_CALLS
        if isinstance(node, ast.keyword):
            return node.arg == "allow_pickle" and ast.unparse(node.value) != "False"
        return False

    modules = {name.partition(".")[0] for name in imported}
    return bool(modules & UNPICKLING or imported & UNPICKLING_CALLS) or any(
        can(node) for node in ast.walk(tree)
    )


def test_nothing_unpickles() -> None:
    for path in [*source_files("nme_core", "dashboard", "benchmarks"), ROOT / "run.py"]:
        assert not unpickles(parse(path), imports_of(path)), path


def test_what_is_called_slow_is_there() -> None:
    for name in (ROOT / "tests" / "slow.txt").read_text(encoding="utf-8").split():
        path, _, test = name.partition("::")
        assert (ROOT / path).exists(), name
        assert not test or f"\ndef {test}(" in (ROOT / path).read_text(encoding="utf-8"), name


# What is installed


def requirement_names(lines: list[str]) -> set[str]:
    """Distributions that requirement lines name."""
    found = (re.match(r"[A-Za-z0-9][A-Za-z0-9_.-]*", line) for line in lines)
    return {match.group().lower() for match in found if match}


def test_what_is_imported_is_required_and_nothing_else() -> None:
    files = source_files("nme_core", "dashboard")
    tops = {name.partition(".")[0] for path in files for name in imports_of(path)}
    outside = tops - {*sys.stdlib_module_names} - {"nme_core", "dashboard"}
    needed = {DISTRIBUTIONS.get(name, name) for name in outside} - optional_names()
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert needed == requirement_names(lines)


def optional_names() -> set[str]:
    """Distributions of the extras, which the tests or the benchmarks install as well."""
    extras = PROJECT["optional-dependencies"].values()
    names = requirement_names([line for extra in extras for line in extra])
    files = [ROOT / "requirements-dev.txt", ROOT / "requirements-bench.txt"]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert names <= requirement_names(lines)
    return names


def test_a_missing_package_of_an_extra_is_named_with_its_extra() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in source_files("nme_core"))
    named = set(re.findall(r"pip install 'neural-mixed-effects\[(\w+)\]'", text))
    assert named == {*PROJECT["optional-dependencies"]}


def test_the_citation_is_of_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {nme_core.__version__}\n" in text
    assert str(dict(PAPER.fields)["title"]) in text
    assert PAPER.text.rpartition(" ")[2] in text


def test_requirements_are_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            assert re.fullmatch(r"#.*|-e \.|-r requirements\.txt|[\w.-]+==[\w.]+", line), line


def test_the_package_requires_what_the_pinned_file_names() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert requirement_names(PROJECT["dependencies"]) == requirement_names(lines)


# The readers above see what they should


@pytest.mark.parametrize(
    ("code", "module", "found"),
    [
        ("import nme_core.estimators.nme_mlp", "nme_core.nn.mlp", True),
        ("def f():\n    from nme_core.estimators import NMECRF", "nme_core.nn.mlp", True),
        ("from ..training import loop", "nme_core.nn.mlp", True),
        ("from nme_core import Study", "nme_core.metrics.regression", True),
        ("from nme_core import training", "nme_core.study.study", True),
        ("from . import crf", "nme_core.nn.mlp", False),
        ("from nme_core.exceptions import NMEError", "nme_core.nn.mlp", False),
        ("import numpy", "nme_core.nn.mlp", False),
    ],
)
def test_a_breach_is_seen(code: str, module: str, found: bool) -> None:
    imported = set(imports(ast.parse(code), module))
    assert bool(breaches(module, imported, CORE)) is found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import pickle", True),
        ("import torch\ntorch.load('x')", True),
        ("from torch import load", True),
        ("import pandas as pd\npd.read_pickle('x')", True),
        ("import numpy as np\nnp.load('x', allow_pickle=True)", True),
        ("import numpy as np\nnp.load('x', allow_pickle=False)", False),
        ("f(allow_pickle=False)\nf(allow_pickle=True)", True),
        ("from safetensors.torch import load_file", False),
    ],
)
def test_unpickling_is_seen(code: str, found: bool) -> None:
    tree = ast.parse(code)
    assert unpickles(tree, set(imports(tree, "nme_core.io.x"))) is found
