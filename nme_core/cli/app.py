"""The command as a whole: its name, its exit codes, what it says of errors and warnings."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import warnings
from typing import Any, NoReturn

import typer

from nme_core.exceptions import NMEError
from nme_core.io import ParameterNames
from nme_core.vocabulary.shell import in_shell

app = typer.Typer(
    help="Personalised models of repeated measurements. Research use, not diagnosis.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

#: New objects after which Python looks for garbage: what is imported makes many, and none of it is.
GARBAGE = 10_000


def main() -> NoReturn:
    """Run the command; exit code 0 done, 2 bad input or usage, 130 on Ctrl-C."""
    gc.set_threshold(GARBAGE)
    warnings.showwarning = _show_warning
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)  # ended from outside: as with Ctrl-C
    try:
        code = app(sys.argv[1:] or ["--help"], prog_name="nme", standalone_mode=False)
    except NMEError as error:
        _stop(in_shell(f"{error}{_in_json(error)}"))
    except (typer.Abort, KeyboardInterrupt):
        code = 130
    except typer.TyperException as error:
        _stop(error.format_message())
    except OSError as error:
        _stop(f"{error.strerror}: {error.filename}" if error.filename else str(error))
    except Exception as error:
        if os.environ.get("NME_DEBUG"):
            raise
        _stop(f"internal error: {error!r} (NME_DEBUG=1 shows where). Please report it.", code=1)
    if code == 130:  # typer turns Ctrl-C into this
        _stop("stopped; what was finished is kept.", code=130)
    sys.exit(code if isinstance(code, int) else 0)


def _in_json(error: NMEError) -> str:
    """The remedies that an error carries, as they stand in the file of --remedy."""
    fixes = getattr(error, "fixes", ())
    if not fixes:
        return ""
    from nme_core.study.clean.remedy_files import as_json

    return f" For --remedy FILE.json: {' or '.join(f'[{as_json(fix)}]' for fix in fixes)}"


def _stop(message: str, code: int = 2) -> NoReturn:
    typer.echo(f"nme: {' '.join(message.split())}", err=True)
    sys.exit(code)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    text = in_shell(ParameterNames().in_text(" ".join(str(message).split())))
    typer.echo(f"nme: warning: {text}", err=True)
