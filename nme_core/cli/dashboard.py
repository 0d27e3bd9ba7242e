"""``nme dashboard``: the app, in the browser."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from nme_core.exceptions import OptionError
from nme_core.io.home import home


def dashboard(port: Annotated[int, typer.Option(min=1, max=65535)] = 8501) -> None:
    """Start the dashboard on http://127.0.0.1:PORT."""
    package = find_spec("dashboard")
    if package is None or package.origin is None:
        raise OptionError("The dashboard is not installed.", remedy="Install the whole project.")
    home()
    root = Path(package.origin).parent.parent
    typer.echo(f"The dashboard is on http://127.0.0.1:{port} (Ctrl-C stops it).")
    settings = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "browser.gatherUsageStats": "false",
    }
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py"]
    command += [f"--{name}={value}" for name, value in settings.items()]
    raise typer.Exit(subprocess.run(command, cwd=root).returncode)
