"""The server of the app: who it answers, who it refuses, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from benchmarks.browser import free_port, wait_until_healthy
from dashboard import server

ROOT = Path(__file__).resolve().parents[2]
SOCKET = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
}  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, subprocess.Popen]]:
    """``nme dashboard``, started in another folder: its port and process."""
    folder = tmp_path_factory.mktemp("elsewhere")
    port = free_port()
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "nme_core", "dashboard", "--port", str(port)],
            cwd=folder, stdout=file, stderr=file,
            env={**os.environ, "NME_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
    yield port, process
    process.kill()
    process.wait()


def answer(port: int, path: str = "/", **headers: str) -> tuple[int, dict[str, str]]:
    """Status and headers of what the server says."""
    asked = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=asked)
    try:
        with urllib.request.urlopen(request, timeout=20) as said:
            return said.status, dict(said.headers)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers)


def socket_answer(port: int, host: str, origin: str) -> str:
    """First line of what it says to somebody who would open the socket of the app."""
    headers = {"Host": host, "Origin": origin, **SOCKET}
    lines = [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join(["GET /_stcore/stream HTTP/1.1", *lines, "", ""]).encode())
        return connection.makefile().readline()


def test_own_pages_are_shown_and_no_other_site_may_frame_them(running):
    port, _ = running
    for name in ("127.0.0.1", "localhost"):
        status, headers = answer(port, Host=f"{name}:{port}", Origin=f"http://{name}:{port}")
        assert status == 200
        assert headers["content-security-policy"] == "frame-ancestors 'self'"


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/_stcore/host-config", "/media/x"])
def test_a_foreign_host_is_refused(running, path):
    port, _ = running
    assert answer(port, path, Host=f"other.example:{port}")[0] == 403
    assert answer(port, path, Host="127.0.0.1.other.example")[0] == 403
    assert answer(port, path, Host="[")[0] == 403


def test_other_sites_may_ask_for_nothing(running):
    port, _ = running
    assert answer(port, Origin="http://other.example")[0] == 403
    assert answer(port, Origin=f"http://127.0.0.1:{port + 1}")[0] == 403
    assert answer(port, Origin="null")[0] == 403


def test_other_sites_may_not_open_the_socket(running):
    port, _ = running
    own = f"127.0.0.1:{port}"
    assert " 101 " in socket_answer(port, own, f"http://{own}")
    assert " 403 " in socket_answer(port, own, "http://other.example")
    assert " 403 " in socket_answer(port, "other.example", "http://other.example")


@pytest.mark.skipif(os.name == "nt", reason="signals are sent the POSIX way here")
def test_the_server_is_the_command_and_ends_with_it(running):
    port, process = running
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 130
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_another_address_is_refused_with_the_reason(nme, monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    said = nme("dashboard")
    assert said.code == 2
    assert "has no sign-in" in said.err


def test_streamlit_started_by_itself_shows_why_it_shows_nothing(home, monkeypatch):
    app = Path(server.__file__).parent / "app.py"
    monkeypatch.setattr(server.st, "context", SimpleNamespace(headers={"Host": "10.0.0.7:8501"}))
    shown = AppTest.from_file(app, default_timeout=30).run()
    assert "The dashboard has no sign" in shown.error[0].value
    assert not shown.title
    monkeypatch.setattr(server, "_serving", True)
    assert AppTest.from_file(app, default_timeout=30).run().title


def test_every_setting_is_one_that_streamlit_knows():
    assert set(server.SETTINGS) <= set(config.get_config_options())
