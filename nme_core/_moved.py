"""Import paths that scripts may still have: the same modules under their former names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_STUDY = {
    "batches": "blocks sequences scaling splits ordering memory",
    "study.clean": "remedies changes answers missing labels people words privacy personal wide",
    "study.time": "times dates gaps ties",
    "study.roles": "proposal names",
    "study.check": "checks report problems attendance circular determined factors states trends",
}
#: Old name: new name, of packages and modules within ``nme_core``; what is below them follows.
MOVED = {
    **{
        f"data.{name}": f"{home}.{name}" for home, names in _STUDY.items() for name in names.split()
    },
    "data.simulate": "simulate",
    "data": "study",
    "experiment": "runs.fit",
    "comparing": "runs.comparing",
    "prediction": "runs.prediction",
    "adaptation": "runs.adaptation",
    "stability": "runs.stability",
    "rerun": "runs.rerun",
    "tuning": "runs.tuning",
    "recorded": "runs.recorded",
    "adaptation_curve": "analysis.adaptation_curve",
    "bundle": "reports.bundle",
    "reporting.terms": "vocabulary.terms",
    "reporting": "reports",
}


def new_name(name: str) -> str | None:
    """Where a module of ``nme_core`` is now; None where its name is not an old one."""
    package, _, rest = name.partition(".")
    pieces = rest.split(".")
    for length in range(len(pieces), 0, -1):
        home = MOVED.get(".".join(pieces[:length])) if package == "nme_core" else None
        if home is not None:
            return ".".join([package, home, *pieces[length:]])
    return None


class _Finder(MetaPathFinder, Loader):
    """Gives the module of the new name where the old one is imported."""

    def __init__(self) -> None:
        self._specs: dict[str, ModuleSpec | None] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return None if new_name(name) is None else ModuleSpec(name, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(str(new_name(spec.name)))
        self._specs[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just given the module the old name's spec.
        module.__spec__ = self._specs.pop(str(module.__spec__ and module.__spec__.name))


def follow() -> None:
    """Let imports by old names work."""
    sys.meta_path.insert(0, _Finder())
