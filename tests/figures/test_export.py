import io
import re
import xml.etree.ElementTree as ET

import pytest
from PIL import Image

from nme_core.figures import export, printed


@pytest.fixture
def figure(person, population):
    return printed.transition_comparison(
        person, population, person_label="007", readout="observed", columns=1
    )


@pytest.mark.parametrize(("dpi", "enlarged"), [(300, 1), (600, 1), (300, 2)])
def test_png_has_the_pixels_of_its_size(figure, dpi, enlarged):
    content = export.to_png(figure, dpi=dpi, enlarged=enlarged)
    image = Image.open(io.BytesIO(content))
    assert image.format == "PNG"
    assert image.width == pytest.approx(enlarged * 85 / 25.4 * dpi, abs=1)
    assert image.info["dpi"][0] == pytest.approx(dpi, abs=0.1)


@pytest.mark.parametrize("enlarged", [1, 2])
def test_svg_is_well_formed_and_its_text_is_text(figure, enlarged):
    svg = ET.fromstring(export.to_svg(figure, enlarged=enlarged))
    words = {one.text for one in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Dysphoric", "0.30"} <= words
    width, _, _ = svg.get("width").partition("pt")
    assert float(width) == pytest.approx(enlarged * 85 / 25.4 * 72, abs=0.1)
    assert float(svg.get("viewBox").split()[2]) == pytest.approx(85 / 25.4 * 72, abs=0.1)


@pytest.mark.parametrize("enlarged", [1, 2])
def test_pdf_has_its_size_embedded_fonts_and_text_as_text(figure, enlarged, poppler, tmp_path):
    file = tmp_path / "figure.pdf"
    file.write_bytes(export.to_pdf(figure, enlarged=enlarged))
    (width,) = re.findall(r"Page size: +([\d.]+) x", poppler("pdfinfo", file))
    assert float(width) == pytest.approx(enlarged * 85 / 25.4 * 72, abs=0.1)
    fonts = poppler("pdffonts", file).splitlines()[2:]
    assert fonts
    for font in fonts:
        assert re.search(r" (CID )?TrueType .* yes (yes|no) +yes ", font), font
    words = poppler("pdftotext", file, "-").split()
    assert {"Dysphoric", "0.30", "Population"} <= set(words)
    drawn = poppler("pdftotext", "-bbox", file, "-")
    (at,) = {float(x) for x in re.findall(r'xMin="([\d.]+)" [^>]+>Population<', drawn)}
    assert 0 < at < float(width)
    sizes = [float(low) - float(high) for high, low in
             re.findall(r'yMin="([\d.]+)" [^>]+ yMax="([\d.]+)">0.30<', drawn)]  # fmt: skip
    assert min(sizes) > 6 * enlarged


def test_same_figure_same_bytes(figure, person, population):
    again = printed.transition_comparison(
        person, population, person_label="007", readout="observed", columns=1
    )
    assert export.to_svg(figure) == export.to_svg(again)
    assert export.to_pdf(figure) == export.to_pdf(again)
