#!/usr/bin/env python3
"""Starts Neural Mixed Effects from a plain Python: nothing has to be installed by hand.

    python run.py [--port 8501] [--no-browser]    the dashboard, in the browser
    python run.py test [pytest arguments]          the whole test suite; --quick: its fast lane
    python run.py lowest [pytest arguments]        the fast lane with the lowest versions allowed
    python run.py lint                             style and types
    python run.py docs [--write]                   the documents as a site; --write: in site/ only
    python run.py bench [theme ...]                speed and memory against peers
    python run.py screenshots [page ...]           pictures of the pages, in screenshots/
    python run.py nme ...                          the command nme, with its exit code

The first start makes the virtual environment .venv beside this file and installs the pinned
requirements into it; later starts install only what changed.
"""

import argparse
import hashlib
import http.client
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Sequence
from pathlib import Path

if sys.version_info < (3, 11):
    sys.exit(
        "Neural Mixed Effects needs Python 3.11 or newer; this is Python "
        f"{sys.version_info[0]}.{sys.version_info[1]} ({sys.executable}).\n"
        "Install a newer one from https://www.python.org/downloads/ (or your system's packages) "
        "and start run.py with it, for example: python3.12 run.py"
    )

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
RECORD = VENV / "run-py.json"
LOWEST = ROOT / ".venv-lowest"
#: A process more than there are cores: that of the browser mostly waits.
AT_ONCE = str(min((os.cpu_count() or 1) + 1, 8))
SPREAD = ("-n", AT_ONCE, "--dist", "loadfile", "--no-loadscope-reorder")
HOST = "127.0.0.1"


class UserError(Exception):
    """Something the user has to mend; the text says what and how."""


def say(text: str) -> None:
    """Tell the user; on stderr, so that the output of a command stays its own."""
    print(text, file=sys.stderr, flush=True)


# The environment


def python_version() -> str:
    """Version of .venv's Python, for example ``3.11``; empty where it cannot be used."""
    code = (
        "import pip, sys; assert sys.version_info >= (3, 11); print('%d.%d' % sys.version_info[:2])"
    )
    try:
        answer = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def fingerprint(requirements: str, version: str) -> str:
    """Changes with anything that an installation of this requirements file depends on."""
    digest = hashlib.sha256(f"{version}\n".encode())
    for name in dict.fromkeys(["pyproject.toml", "requirements.txt", requirements]):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def read_record() -> dict[str, str]:
    """What is installed in .venv; empty where nothing is known, or an installation broke off."""
    try:
        record = json.loads(RECORD.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def write_record(record: dict[str, str]) -> None:
    """Note what is installed in .venv."""
    RECORD.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def make_environment() -> None:
    """Make .venv from scratch."""
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        raise UserError(
            f"This Python ({sys.executable}) cannot make virtual environments.\n"
            "On Debian or Ubuntu: sudo apt install python3-venv. Then run the same command again."
        )
    if VENV.is_symlink():
        raise UserError(
            "The environment .venv is a link to one of elsewhere, which is left alone.\n"
            "Remove the link (rm .venv), then run the same command again."
        )
    if VENV.exists():
        say("The environment .venv is unfinished, broken or from elsewhere: making it anew.")
        shutil.rmtree(VENV)
    VENV.mkdir()
    write_record({})
    # A .venv must not be built on itself, nor on somebody else's environment.
    base = getattr(sys, "_base_executable", sys.executable)
    made = subprocess.run([base, "-m", "venv", VENV], capture_output=True, text=True)
    if made.returncode != 0:
        raise UserError(f"The environment {VENV} could not be made:\n{made.stdout}{made.stderr}")


def install(requirements: str) -> None:
    """Bring .venv to what the requirements file asks for; does nothing where it is so already."""
    version = python_version()
    record = read_record()
    # What pip was stopped in the middle of, or what was moved here, is not mended but made anew;
    # a sound environment that somebody made by hand is taken as it is.
    sound = version and (record.get("folder") == str(ROOT) or not RECORD.exists())
    if sound and record.get(requirements) == fingerprint(requirements, version):
        return
    started = time.monotonic()
    say(f"Installing what {requirements} names into .venv.")
    if not sound:
        say("This is done once and takes a few minutes; later starts take seconds.")
        make_environment()
        version = python_version()
    write_record({})  # until pip has finished, a later start must not trust what lies there
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "-r", requirements]
    if call(pip, to_stderr=True) != 0:
        raise UserError(
            "The installation did not finish; pip's message stands above. Check the network and "
            "the free disk space (5 GB), then run the same command again."
        )
    installed = {requirements, "requirements.txt"}
    write_record(
        {"folder": str(ROOT), **{name: fingerprint(name, version) for name in sorted(installed)}}
    )
    say(f"Ready after {time.monotonic() - started:.0f} s.")


# Processes


def finish(process: subprocess.Popen[bytes], patience: float) -> int:
    """Wait for a process; its exit code as a shell gives it. Where this wait is broken off, the
    process gets some seconds to end by itself (a terminal's Ctrl-C reaches it too)."""
    try:
        code = process.wait()
    except BaseException:
        for wait, push in ((patience, process.terminate), (5, process.kill), (None, process.kill)):
            try:
                process.wait(wait)
                break
            except subprocess.TimeoutExpired:
                push()
        raise
    return code if code >= 0 else 128 - code


def call(command: Sequence[object], *, to_stderr: bool = False) -> int:
    """Run a command in the project's folder; its exit code."""
    output = sys.stderr if to_stderr else None
    return finish(
        subprocess.Popen([str(part) for part in command], cwd=ROOT, stdout=output), patience=2
    )


def become(command: Sequence[str | Path]) -> int:
    """Run a command in place of this one, so that signals and the exit code are its own."""
    if os.name != "nt":
        os.execv(command[0], [str(part) for part in command])
    process = subprocess.Popen(command)
    while True:  # Ctrl-C reaches the command too; how long it then needs is its own affair
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


# The dashboard


def check_port(port: int) -> None:
    """Raise UserError where another program listens on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name != "nt":  # there it would allow what is to be found out
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UserError(
                f"Port {port} cannot be used ({error.strerror}). If the dashboard is running "
                f"already, open http://{HOST}:{port}; otherwise choose another port, for example: "
                f"python run.py --port {port + 1}"
            ) from error


def answers(port: int) -> bool:
    """Whether the server on the port is ready."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def open_browser(url: str) -> None:
    """Open the user's browser, unless there is only a terminal to show it in."""
    screen = os.name == "nt" or sys.platform == "darwin"
    if screen or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")):
        webbrowser.open(url)


def dashboard(port: int, *, browser: bool) -> int:
    """Run the dashboard until Ctrl-C."""
    check_port(port)
    install("requirements.txt")
    url = f"http://{HOST}:{port}"
    say(f"Starting the dashboard on {url} ...")
    server = subprocess.Popen([PYTHON, "-m", "dashboard", str(port)], cwd=ROOT)

    def announce() -> None:
        while server.poll() is None and not answers(port):
            time.sleep(0.2)
        if server.poll() is None:
            say(f"The dashboard is running: {url} (Ctrl-C stops it).")
            if browser:
                open_browser(url)

    threading.Thread(target=announce, daemon=True).start()
    return finish(server, patience=0.5)


# The commands


def test(arguments: list[str]) -> int:
    """Run the test suite, on every core."""
    install("requirements-dev.txt")
    return call([PYTHON, "-m", "pytest", *SPREAD, *arguments])


def lowest(arguments: list[str]) -> int:
    """Run the fast lane in .venv-lowest, with the lowest versions that pyproject.toml allows."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.replace(">=", "==") for line in project["dependencies"]]
    pins += [line for line in lines if not line.startswith(("#", "-r"))]
    python = LOWEST / PYTHON.relative_to(VENV)
    say(f"Installing the lowest versions into {LOWEST.name}.")
    code = call([getattr(sys, "_base_executable", sys.executable), "-m", "venv", LOWEST])
    code = code or call([python, "-m", "pip", "install", "--quiet", *pins])
    # Warnings of old versions about older ones are theirs.
    return code or call([python, "-m", "pytest", "--quick", "-W", "ignore", *SPREAD, *arguments])


def lint() -> int:
    """Check style and types; 0 where all is well."""
    install("requirements-dev.txt")
    checks = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"])
    return max([call([PYTHON, "-m", *check]) for check in checks])


def docs(arguments: list[str]) -> int:
    """Make the documents' site, and show it."""
    install("requirements-dev.txt")
    return call([PYTHON, "-m", "docs.site", *arguments])


def bench(themes: list[str]) -> int:
    """Measure, and write benchmarks/RESULTS.md."""
    install("requirements-bench.txt")
    return call([PYTHON, "-m", "benchmarks", *themes])


def screenshots(arguments: list[str]) -> int:
    """Make pictures of the pages."""
    install("requirements-dev.txt")
    return call([PYTHON, "-m", "benchmarks.screenshots", *arguments])


def port_number(text: str) -> int:
    """Read a port."""
    port = int(text)
    if not 1 <= port <= 65535:
        raise ValueError(text)
    return port


def main(arguments: list[str]) -> int:
    """Do what the command line says; the exit code."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command == "nme":
        install("requirements.txt")
        return become([PYTHON, "-m", "nme_core", *rest])
    if command == "test":
        return test(rest)
    if command == "lowest":
        return lowest(rest)
    if command == "lint" and not rest:
        return lint()
    if command == "docs":
        return docs(rest)
    if command == "bench":
        return bench(rest)
    if command == "screenshots":
        return screenshots(rest)
    parser = argparse.ArgumentParser(
        prog="run.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=port_number, default=8501, help="default: 8501")
    parser.add_argument("--no-browser", action="store_true", help="only start the server")
    options = parser.parse_args(arguments)
    return dashboard(options.port, browser=not options.no_browser)


def terminated(signum: int, frame: object) -> None:
    """Leave in good order when the system asks for it."""
    raise SystemExit(128 + signum)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminated)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("\nStopped.")
        sys.exit(130)
    except UserError as error:
        say(f"\n{error}")
        sys.exit(1)
    except OSError as error:
        say(f"\nThis did not work: {error}")
        sys.exit(1)
