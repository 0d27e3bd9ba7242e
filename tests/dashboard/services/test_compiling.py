import atexit
import subprocess
import sys
from importlib import import_module

import pytest

from dashboard.services import compiling


@pytest.mark.filterwarnings("ignore::nme_core.exceptions.NMEWarning")
def test_every_kernel_is_compiled_and_then_nothing_is_left_to_start(monkeypatch) -> None:
    compiling.compile_kernels()
    for name in compiling.KERNELS:
        module = f"nme_core.{name}"
        functions = vars(import_module(module)).values()
        public = [f for f in functions if hasattr(f, "signatures") and f.__module__ == module]
        assert any(f.signatures for f in public), name
        assert compiling._is_kept(name), name
    monkeypatch.setattr(subprocess, "Popen", None)  # would fail
    compiling.compile_ahead()


def test_what_is_not_kept_is_compiled_by_a_process_of_its_own(monkeypatch) -> None:
    started, ended = [], []

    class Work:
        def __init__(self, command, **options) -> None:
            started.append(command)

        def wait(self) -> None:
            """Ends at once."""

        def terminate(self) -> None:
            """Not called here."""

    monkeypatch.setattr(compiling, "_is_kept", lambda name: "third" not in name)
    monkeypatch.setattr(subprocess, "Popen", Work)
    monkeypatch.setattr(atexit, "register", ended.append)
    compiling.compile_ahead()
    assert started == [[sys.executable, "-m", "dashboard.services.compiling"]]
    assert [one.__name__ for one in ended] == ["terminate"]  # with the server
