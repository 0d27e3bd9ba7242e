"""What the README and docs/ show works as it stands there, and their links lead somewhere."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command

from docs import generate
from docs.arrows import CORE, DASHBOARD
from nme_core.cli import app

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)


def with_code(language: str) -> list[Path]:
    return [page for page in [ROOT / "README.md", *PAGES] if blocks(page, language)]


def test_pages_that_show_code_are_known():
    names = {page.name for page in with_code("python")}
    assert names >= {"README.md", "readouts.md", "tutorial-researcher.md", "mathematics.md"}
    assert {page.name for page in with_code("sh")} >= {"README.md", "tutorial-researcher.md"}


# tests/test_readme.py executes the README's own code and looks at what comes out.
@pytest.mark.parametrize(
    "page",
    [page for page in with_code("python") if page.parent == DOCS],
    ids=lambda page: page.name,
)
def test_python_code_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec("\n".join(blocks(page, "python")), {})


def commands(page: Path) -> list[list[str]]:
    lines = "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def shorten(folder: Path) -> None:
    """Leave the first rows of the first persons of a sample: what is shown is tried, not fitted."""
    long = pd.read_csv(folder / "long.csv")
    person = long.columns[0]
    few = long[long[person].isin(long[person].unique()[:8])].groupby(person).head(16)
    few.to_csv(folder / "long.csv", index=False)


@pytest.mark.filterwarnings("ignore:.*")  # the data are cut short, and the commands say so
@pytest.mark.parametrize("page", with_code("sh"), ids=lambda page: page.name)
def test_commands_run_as_they_stand(page, nme, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for program, *words in commands(page):
        assert program == "nme"
        few = ["--epochs", "3", "--quiet"] if words[0] == "fit" else []
        said = nme(*words, *few)
        assert said.code == 0, (words, said)
        if words[0] == "sample":
            shorten(Path(words[words.index("--out") + 1]))


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_commands_within_a_line_exist(page):
    """Options of `nme fit … --reml` are the command's; `--reml` alone is some command's."""
    options = {name: set(_options(command)) for name, command in get_command(app).commands.items()}
    some = set().union(*options.values())
    for code in re.findall(r"`([^`\n]+)`", page.read_text("utf-8")):
        words = code.split()
        if words[0] == "nme" and len(words) > 2 and words[1].isidentifier():
            assert {word for word in words if word.startswith("--")} <= options[words[1]], code
        elif words[0].startswith("--") and len(words) < 3:
            assert words[0] in some | {"--write", "--quick"}, code


def _options(command):
    return [name for parameter in command.params for name in parameter.opts]


@pytest.mark.parametrize("name", generate.MADE)
def test_what_is_generated_is_current(name):
    made = generate.MADE[name]()
    assert (DOCS / name).read_text("utf-8") == made, "run: python -m docs.generate"


def test_the_drawing_of_the_arrows_has_every_part_and_a_line_to_what_it_imports():
    drawn = (DOCS / "arrows.svg").read_text("utf-8")
    parts = {*re.findall(r"<text[^>]*>(\w+)</text>", drawn)}
    hidden = {"_moved", "__main__", "nme_core", "dashboard", "exceptions"}
    assert parts == {*CORE, *DASHBOARD} - hidden
    assert drawn.count("marker-end") >= len(parts) - 1
    assert "](docs/arrows.svg)" in (ROOT / "ARCHITECTURE.md").read_text("utf-8")


def test_the_site_is_built_and_its_search_finds_names(tmp_path):
    pytest.importorskip("material", reason="mkdocs-material is not installed")
    from docs import site

    site.make(tmp_path)
    assert (tmp_path / "docs" / "tutorial-clinician" / "index.html").is_file()
    assert (tmp_path / "docs" / "arrows.svg").is_file()
    found = (tmp_path / "search" / "search_index.json").read_text("utf-8")
    assert "split_within_person" in found


def test_every_page_is_in_the_index():
    index = (DOCS / "README.md").read_text("utf-8")
    assert all(f"]({page.name})" in index for page in PAGES if page.name != "README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page):
    text = page.read_text("utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert all((page.parent / link).exists() for link in links)
    named = re.findall(r"`((?:tests|benchmarks|nme_core)/[\w/]+\.py)`", text)
    assert all((DOCS.parent / name).is_file() for name in named)
