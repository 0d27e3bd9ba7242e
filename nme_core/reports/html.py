"""A report as one HTML file: no script, nothing fetched, readable by a screen reader."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nme_core.figures.run_figure import RunFigure
from nme_core.reports import ResultTable
from nme_core.reports import to_html as table_html
from nme_core.reports.blocks import Report
from nme_core.vocabulary.language import language, tr


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nme_core.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["table"] = _table
    environment.filters["picture"] = _picture
    environment.filters["kind"] = lambda block: type(block).__name__
    return environment


def to_html(report: Report) -> str:
    """The report as HTML; figures are SVG inside the file."""
    return (
        _environment()
        .get_template("report.html.j2")
        .render(report=report, language=language(), contents=tr("Contents"))
    )


def _table(table: ResultTable) -> Markup:
    """The table's HTML, which `to_html` of nme_core has escaped already."""
    return Markup(table_html(table))


def _picture(figure: RunFigure) -> str:
    return f"data:image/svg+xml;base64,{b64encode(figure.file('svg')).decode()}"
