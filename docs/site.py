"""The documents as a site: ``python -m docs.site``, which ``run.py docs`` calls.

The pages stand in the order of docs/README.md. A link that leads nowhere ends the build.
"""

from __future__ import annotations

import logging
import re
import shutil
import sys
import tempfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mkdocs.commands.build import build
from mkdocs.config import load_config
from pymdownx.slugs import slugify

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "site"
INDEX = "docs/README.md"
#: What pages are made of; they keep their places, so that links between them hold.
PATTERNS = ("*.md", "LICENSE", "docs/*.md", "docs/*.png", "docs/*.svg", "benchmarks/*.md",
            "benchmarks/*.png", "tests/reference/README.md")  # fmt: skip


def navigation() -> list[dict[str, Any]]:
    """Sections of the index with their pages."""
    found: list[dict[str, Any]] = [{"Start": "README.md"}, {"Documents": INDEX}]
    sections = re.split(r"^## ", (ROOT / INDEX).read_text(encoding="utf-8"), flags=re.MULTILINE)
    for section in sections[1:]:
        title, _, text = section.partition("\n")
        links = re.findall(r"^\| \[[^]]+\]\(([^)]+)\)", text, flags=re.MULTILINE)
        pages = [(ROOT / "docs" / link).resolve().relative_to(ROOT) for link in links]
        found.append({title: [page.as_posix() for page in pages]})
    return found


def make(site: Path = SITE) -> None:
    """Write the site; mkdocs.exceptions.Abort where a link leads nowhere."""
    with tempfile.TemporaryDirectory(prefix="nme-docs-") as folder:
        for path in (path for pattern in PATTERNS for path in ROOT.glob(pattern)):
            copy = Path(folder, "pages", path.relative_to(ROOT))
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        (file := Path(folder, "mkdocs.yml")).touch()
        config = load_config(
            str(file), strict=True, site_name="Neural Mixed Effects", site_dir=str(site),
            docs_dir=str(Path(folder, "pages")), nav=navigation(),
            theme={"name": "material", "font": False, "features": ["navigation.sections"]},
            plugins=["material/search"],
            markdown_extensions=[{"toc": {"slugify": slugify(case="lower")}}, "tables",
                                 "pymdownx.superfences", "pymdownx.highlight"],
            validation={"links": {"anchors": "warn", "unrecognized_links": "warn"},
                        "nav": {"omitted_files": "warn"}},
        )  # fmt: skip
        build(config)


def serve(port: int = 8000) -> None:
    """Show the site on 127.0.0.1 until Ctrl-C."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(SITE))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        sys.stderr.write(f"The documents are on http://127.0.0.1:{port} (Ctrl-C stops it).\n")
        server.serve_forever()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    make()
    if "--write" not in sys.argv:
        serve()
