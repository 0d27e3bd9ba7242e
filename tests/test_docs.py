"""What the pages of docs/ show works as it stands there, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"
WITH_CODE = ("readouts.md",)


@pytest.mark.parametrize("name", WITH_CODE)
def test_python_code_runs(name):
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / name).read_text("utf-8"), flags=re.DOTALL)
    assert blocks
    exec("\n".join(blocks), {})


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_files_that_are_named_exist(page):
    text = page.read_text("utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert all((page.parent / link).exists() for link in links)
    named = re.findall(r"`((?:tests|benchmarks|nme_core)/[\w/]+\.py)`", text)
    assert all((DOCS.parent / name).is_file() for name in named)
