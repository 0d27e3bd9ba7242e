"""The wheel: all of it, and its commands in an environment of their own, from another folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.browser import free_port, wait_until_healthy

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("nme_core", "dashboard")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: what a build leaves behind stays there."""
    source = tmp_path_factory.mktemp("source")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    build = ["wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", source / "made"]
    subprocess.run([sys.executable, "-m", "pip", *build, source], check=True)
    (made,) = (source / "made").glob("*.whl")
    return made


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[str]]:
    """The command ``nme`` of an environment that has the wheel; its packages are those of here."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=os.name != "nt", with_pip=False)
    paths = {"base": str(folder), "platbase": str(folder)}
    scripts = Path(sysconfig.get_path("scripts", "venv", paths))
    site = Path(sysconfig.get_path("purelib", "venv", paths))
    # A line of a .pth is a path and no site: this project's own editable install stays out.
    (site / "here.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    python = scripts / Path(sys.executable).name
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--ignore-installed", wheel], check=True)
    return lambda *words: [str(word) for word in (scripts / "nme", *words)]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another folder, with a home of its own."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def environment(elsewhere: Path) -> dict[str, str]:
    """Nothing leads back to this folder."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**kept, "NME_HOME": str(elsewhere / "home")}


def test_the_wheel_has_every_file(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    here = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    assert packed == here


def test_its_commands_go_from_a_study_to_a_report(
    command: Callable[..., list[str]], elsewhere: Path, environment: dict[str, str]
) -> None:
    roles = "--person person --time day --outcome mood --features sleep,stress --baselines none"
    for line in (
        "sample mood --out mood",
        f"fit mood/long.csv {roles} --model nme-mlp --hidden none --out run --quiet",
        "figure run caterpillar --out caterpillar.png",
        "report run --out report.html",
        "report run --out report.pdf",
    ):
        subprocess.run(command(*line.split()), cwd=elsewhere, env=environment, check=True)
    assert (elsewhere / "caterpillar.png").read_bytes().startswith(b"\x89PNG")
    assert b"<html" in (elsewhere / "report.html").read_bytes()
    assert (elsewhere / "report.pdf").read_bytes().startswith(b"%PDF-")


def test_its_dashboard_opens_and_refuses_a_foreign_host(
    command: Callable[..., list[str]], elsewhere: Path, environment: dict[str, str]
) -> None:
    port, log = free_port(), elsewhere / "log"
    address = f"http://127.0.0.1:{port}"
    with (
        log.open("wb") as file,
        subprocess.Popen(
            command("dashboard", "--port", port),
            cwd=elsewhere, env=environment, stdout=file, stderr=file,
        ) as process,
    ):  # fmt: skip
        try:
            wait_until_healthy(address, process, log)
            foreign = urllib.request.Request(address, headers={"Host": "other.example"})
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(foreign)
        finally:
            process.terminate()
