"""run.py: what it installs and when, what it passes on, and how it ends. Nothing is fetched."""

import importlib.util
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

RUN = Path(__file__).resolve().parents[1] / "run.py"

posix = pytest.mark.skipif(os.name == "nt", reason="signals are sent the POSIX way here")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with run.py, requirements that need no network, and a space in its path."""
    folder = tmp_path / "my project"
    folder.mkdir()
    shutil.copy(RUN, folder / "run.py")
    for name in ("pyproject.toml", "requirements.txt", "requirements-dev.txt"):
        (folder / name).write_text(f"# {name}\n", encoding="utf-8")
    return folder


@pytest.fixture
def run(project: Path) -> ModuleType:
    """The module run.py of the project folder."""
    spec = importlib.util.spec_from_file_location("run_under_test", project / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def calls(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that run.py would have started; making an environment and pip are played."""
    made: list[list[str]] = []

    def call(command: list[object], *, to_stderr: bool = False) -> int:
        made.append([str(part) for part in command])
        return 0

    def make(command: list[object], **_: object) -> subprocess.CompletedProcess[str]:
        made.append([str(part) for part in command])
        run.PYTHON.parent.mkdir()
        run.PYTHON.touch()
        return subprocess.CompletedProcess(made[-1], 0, "", "")

    monkeypatch.setattr(run, "call", call)
    monkeypatch.setattr(run.subprocess, "run", make)
    monkeypatch.setattr(run, "python_version", lambda: "3.11" if run.PYTHON.exists() else "")
    return made


def modules(calls: list[list[str]]) -> list[str]:
    """Which modules were started, in order."""
    return [command[command.index("-m") + 1] for command in calls]


def ready_environment(run: ModuleType, package: str, code: str) -> None:
    """A real .venv, noted as complete, in which one package runs this code."""
    venv.create(run.VENV, symlinks=os.name != "nt", with_pip=False)
    answer = subprocess.run(
        [run.PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    site = Path(answer.stdout.strip())
    for name, text in ((package, code), ("pip", "")):
        (site / name).mkdir()
        (site / name / "__init__.py").touch()
        (site / name / "__main__.py").write_text(text, encoding="utf-8")
    version = run.python_version()
    names = ("requirements.txt", "requirements-dev.txt")
    prints = {name: run.fingerprint(name, version) for name in names}
    run.write_record({"folder": str(run.ROOT), **prints})


def start(project: Path, *arguments: str, **options: object) -> subprocess.Popen[str]:
    """Start run.py of the project folder, from elsewhere."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.Popen(
        [sys.executable, str(project / "run.py"), *arguments], cwd=project.parent,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **{"env": kept, **options},
    )  # fmt: skip


# What is installed, and when


def test_first_start_makes_the_environment_and_installs_the_pinned_files(
    run: ModuleType, calls: list[list[str]]
) -> None:
    run.install("requirements.txt")
    assert modules(calls) == ["venv", "pip"]
    assert calls[1][-2:] == ["-r", "requirements.txt"]


def test_second_start_installs_nothing(run: ModuleType, calls: list[list[str]]) -> None:
    run.install("requirements.txt")
    calls.clear()
    run.install("requirements.txt")
    assert calls == []


def test_the_tests_need_more_than_the_dashboard_but_not_the_other_way_round(
    run: ModuleType, calls: list[list[str]]
) -> None:
    run.install("requirements.txt")
    calls.clear()
    run.install("requirements-dev.txt")
    assert [command[-1] for command in calls] == ["requirements-dev.txt"]
    calls.clear()
    run.install("requirements.txt")
    run.install("requirements-dev.txt")
    assert calls == []


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml"])
def test_a_changed_file_is_installed_into_the_same_environment(
    run: ModuleType, calls: list[list[str]], name: str
) -> None:
    run.install("requirements.txt")
    calls.clear()
    (run.ROOT / name).write_text("# changed\n", encoding="utf-8")
    run.install("requirements.txt")
    assert modules(calls) == ["pip"]


def test_another_python_in_the_environment_is_noticed(
    run: ModuleType, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run.install("requirements.txt")
    calls.clear()
    monkeypatch.setattr(run, "python_version", lambda: "3.12")
    run.install("requirements.txt")
    assert modules(calls) == ["pip"]


def test_a_broken_environment_is_made_anew(run: ModuleType, calls: list[list[str]]) -> None:
    run.install("requirements.txt")
    calls.clear()
    run.PYTHON.unlink()
    leftover = run.VENV / "leftover"
    leftover.touch()
    run.install("requirements.txt")
    assert modules(calls) == ["venv", "pip"]
    assert not leftover.exists()


def test_a_moved_project_gets_a_new_environment(run: ModuleType, calls: list[list[str]]) -> None:
    run.install("requirements.txt")
    calls.clear()
    run.write_record({**run.read_record(), "folder": "/somewhere/else"})
    run.install("requirements.txt")
    assert modules(calls) == ["venv", "pip"]


def test_an_installation_that_broke_off_is_started_anew(
    run: ModuleType, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    played = run.call

    def interrupted(command: list[object], *, to_stderr: bool = False) -> int:
        if "pip" in command:
            raise KeyboardInterrupt
        return played(command, to_stderr=to_stderr)

    monkeypatch.setattr(run, "call", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.install("requirements.txt")
    monkeypatch.setattr(run, "call", played)
    calls.clear()
    run.install("requirements.txt")
    assert modules(calls) == ["venv", "pip"]


@posix
def test_ctrl_c_while_the_environment_is_made(project: Path) -> None:
    process = start(project, "nme", start_new_session=True)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Installing")
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert said.endswith("Stopped.\n")


def test_a_failed_installation_is_said_and_not_taken_for_done(
    run: ModuleType, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    played = run.call
    monkeypatch.setattr(run, "call", lambda command, **_: played(command) or "pip" in command)
    with pytest.raises(run.UserError, match="did not finish"):
        run.install("requirements.txt")
    assert run.read_record() == {}


def test_a_sound_environment_made_by_hand_is_kept(run: ModuleType, calls: list[list[str]]) -> None:
    run.PYTHON.parent.mkdir(parents=True)
    run.PYTHON.touch()
    run.install("requirements.txt")
    assert modules(calls) == ["pip"]


def test_without_ensurepip_the_remedy_is_named(
    run: ModuleType, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ensurepip" else real(name)
    )
    with pytest.raises(run.UserError, match="apt install python3-venv"):
        run.install("requirements.txt")
    assert calls == []


def test_an_old_python_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer; this is Python 3\.9"):
        runpy.run_path(str(RUN))


def test_the_file_parses_on_an_old_python() -> None:
    import ast

    ast.parse(RUN.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_for_real_twice(project: Path) -> None:
    """With a real venv and a real pip; the requirements files are empty."""
    (project / "empty").mkdir()
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PYTHONPATH": str(project / "empty")}
    first = start(project, "nme", env=environment)
    _, said = first.communicate(timeout=120)
    assert "Installing what requirements.txt names" in said
    assert "Ready after" in said
    assert "No module named nme_core" in said
    assert first.returncode == 1
    second = start(project, "nme", env=environment)
    _, said = second.communicate(timeout=60)
    assert "Installing" not in said


# What is passed on


def test_nme_gets_its_arguments_and_gives_its_exit_code(run: ModuleType, project: Path) -> None:
    code = "import os, sys; print(sys.argv[1:], os.getcwd()); sys.exit(2)"
    ready_environment(run, "nme_core", code)
    process = start(project, "nme", "check", "my data.csv", "--person", "id")
    out, said = process.communicate(timeout=60)
    assert out.strip() == f"['check', 'my data.csv', '--person', 'id'] {project.parent.resolve()}"
    assert process.returncode == 2
    assert said == ""


def test_test_gives_pytest_its_arguments_and_its_exit_code(run: ModuleType, project: Path) -> None:
    ready_environment(run, "pytest", "import sys; print(sys.argv[1:]); sys.exit(5)")
    process = start(project, "test", "-k", "crf or hsic")
    out, _ = process.communicate(timeout=60)
    assert out.strip().endswith("'-k', 'crf or hsic']")
    assert process.returncode == 5


def test_lint_runs_every_check_and_fails_with_any(
    run: ModuleType, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    played = run.call
    monkeypatch.setattr(run, "call", lambda command, **_: played(command) or "format" in command)
    assert run.main(["lint"]) == 1
    assert modules(calls) == ["venv", "pip", "ruff", "ruff", "mypy"]


def test_lowest_installs_the_lowest_versions_and_runs_the_fast_lane(
    run: ModuleType, project: Path, calls: list[list[str]]
) -> None:
    (project / "pyproject.toml").write_text('[project]\ndependencies = ["numpy>=2.0", "b>=1"]')
    (project / "requirements-dev.txt").write_text("# tests\n-r requirements.txt\npytest==9.2.0\n")
    assert run.main(["lowest", "-x"]) == 0
    assert modules(calls) == ["venv", "pip", "pytest"]
    assert calls[1][-3:] == ["numpy==2.0", "b==1", "pytest==9.2.0"]
    assert "--quick" in calls[2]
    assert calls[2][-1] == "-x"


@posix
def test_ctrl_c_leaves_nme_to_end_as_it_wants(run: ModuleType, project: Path) -> None:
    code = (
        "import sys, time\n"
        "try:\n    print('working', flush=True); time.sleep(60)\n"
        "except KeyboardInterrupt:\n    time.sleep(0.5); print('saved'); sys.exit(130)\n"
    )
    ready_environment(run, "nme_core", code)
    process = start(project, "nme", "fit", start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    os.killpg(process.pid, signal.SIGINT)
    out, said = process.communicate(timeout=30)
    assert (process.returncode, out, said) == (130, "saved\n", "")


# The dashboard

SERVER = """
import sys, http.server
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/_stcore/health" else 404)
        self.end_headers()
    def log_message(self, *_): pass
port = int(sys.argv[1])
try:
    http.server.HTTPServer(("127.0.0.1", port), Health).serve_forever()
except KeyboardInterrupt:
    pass
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_running(process: subprocess.Popen[str]) -> str:
    """What run.py said until the dashboard answered."""
    assert process.stderr is not None
    said = ""
    while "is running" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    return said


@posix
@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_the_dashboard_runs_until_it_is_told_to_stop(
    run: ModuleType, project: Path, sent: signal.Signals, code: int
) -> None:
    ready_environment(run, "dashboard", SERVER)
    port = free_port()
    process = start(project, "--no-browser", "--port", str(port))
    said = wait_until_running(process)
    assert f"http://127.0.0.1:{port}" in said
    process.send_signal(sent)
    _, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in said
    assert not run.answers(port)


@posix
def test_the_browser_opens_once_the_server_answers(run: ModuleType, project: Path) -> None:
    ready_environment(run, "dashboard", SERVER)
    opened = project / "opened"
    browser = project / "browser.sh"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{opened}"\n', encoding="utf-8")
    browser.chmod(0o755)
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "BROWSER": f"'{browser}' %s"}
    process = start(project, "--port", str(port), env=environment)
    wait_until_running(process)
    deadline = time.monotonic() + 60
    while not opened.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert opened.read_text(encoding="utf-8").strip() == f"http://127.0.0.1:{port}"


def test_a_terminal_browser_is_not_opened(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(run.webbrowser, "open", opened.append)
    monkeypatch.setattr(run.sys, "platform", "linux")
    monkeypatch.setattr(run.os, "name", "posix")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    run.open_browser("http://127.0.0.1:1")
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    run.open_browser("http://127.0.0.1:1")
    assert opened == ["http://127.0.0.1:1"]


@contextmanager
def listener() -> Iterator[int]:
    """Another program that listens on a port; the port."""
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_port_in_use_is_said_before_anything_is_installed(project: Path) -> None:
    with listener() as port:
        process = start(project, "--port", str(port))
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"Port {port} cannot be used" in said
    assert f"--port {port + 1}" in said
    assert "Traceback" not in said
    assert not (project / ".venv").exists()


@pytest.mark.parametrize("arguments", [["--port", "0"], ["--port", "many"], ["tset"]])
def test_a_wrong_command_line_is_explained(
    run: ModuleType, calls: list[list[str]], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run.main(arguments)
    assert stopped.value.code == 2
    assert calls == []
