import io
import re

import pytest
from PIL import Image

from dashboard.plots import export, printed


@pytest.fixture
def figure(person, population):
    return printed.transition_comparison(
        person, population, person_label="007", readout="observed", columns=1
    )


@pytest.mark.parametrize("dpi", [300, 600])
def test_png_has_the_pixels_of_its_size(figure, dpi):
    content = export.to_png(figure, dpi=dpi)
    image = Image.open(io.BytesIO(content))
    assert image.format == "PNG"
    assert image.width == pytest.approx(85 / 25.4 * dpi, abs=1)
    assert image.info["dpi"][0] == pytest.approx(dpi, abs=0.1)


def test_svg_text_is_text(figure):
    svg = export.to_svg(figure).decode()
    assert svg.startswith("<?xml")
    assert ">Dysphoric<" in svg
    assert ">0.30<" in svg


def test_pdf_embeds_truetype_fonts(figure):
    pdf = export.to_pdf(figure)
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert re.search(rb"/Subtype\s*/(TrueType|Type0|CIDFontType2)", pdf)


def test_same_figure_same_bytes(figure, person, population):
    again = printed.transition_comparison(
        person, population, person_label="007", readout="observed", columns=1
    )
    assert export.to_svg(figure) == export.to_svg(again)
    assert export.to_pdf(figure) == export.to_pdf(again)
