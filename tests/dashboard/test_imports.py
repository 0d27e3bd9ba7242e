"""What opening the app imports: nothing that takes seconds."""

import subprocess
import sys
from pathlib import Path

import dashboard

FOLDER = Path(dashboard.__file__).parent
#: Runs in a process of its own and is imported by no page.
APART = {"dashboard.services.newcomer"}


def test_no_part_of_the_screen_imports_torch() -> None:
    modules = {
        f"dashboard.{part}.{path.stem}"
        for part in ("components", "plots", "services")
        for path in (FOLDER / part).glob("*.py")
        if path.stem != "__init__"
    }
    assert modules >= {"dashboard.components.figures", *APART}
    script = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    assert 'torch' not in sys.modules, name\n"
    )
    command = [sys.executable, "-c", script, *sorted(modules - APART)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
