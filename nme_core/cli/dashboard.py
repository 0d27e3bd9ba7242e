"""``nme dashboard``: the app, in the browser."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

from nme_core.exceptions import OptionError
from nme_core.io.home import home


def dashboard(port: Annotated[int, typer.Option(min=1, max=65535)] = 8501) -> None:
    """Start the dashboard on http://127.0.0.1:PORT, for this computer alone."""
    if find_spec("dashboard") is None:
        raise OptionError("The dashboard is not installed.", remedy="Install the whole project.")
    home()
    typer.echo(f"The dashboard is on http://127.0.0.1:{port} (Ctrl-C stops it).")
    import_module("dashboard.server").serve(port)
