"""Figures are pinned on a page, stand in the gallery with their captions, and leave as one zip."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard.components.gallery import zipped
from dashboard.services import gallery, library
from nme_core.exceptions import DataError
from nme_core.figures.drawing import Paper
from nme_core.figures.stored import as_json
from nme_core.io import RunFolder

OpenPage = Callable[..., AppTest]


HISTORY = pd.DataFrame(
    {"model": "nme", "epoch": [1, 2, 3], "train_loss": [3.0, 2, 1], "validation_loss": [3.0, 2, 2]}
)
GROUPS = pd.DataFrame({"group": "low", "n_persons": 4, "x": [1.0, 2.0], "value": [0.5, 0.25]})


@pytest.fixture
def pinned(state_study: str) -> Path:
    """A gallery with two figures."""
    where = gallery.place(state_study, None)
    assert where is not None
    curves = {"curves": GROUPS, "feature": "sleep", "outcome": "mood", "covariate_name": "score"}
    assert gallery.add(where, "group_curves", "Response", "It rises.", as_json(curves))
    assert gallery.add(where, "loss_curves", "Training", "It falls.", as_json({"history": HISTORY}))
    return where


def test_a_figure_is_pinned_on_its_page_and_is_there_after_a_refresh(
    open_page: OpenPage, crf_run: str, state_study: str, home: Path
) -> None:
    app = open_page("fit", run=crf_run)
    app.segmented_control(key="fit_section").set_value("training").run()
    app.button(key="pin_training").click().run()
    assert [one.value for one in app.toast] == ["Pinned. It stands on the page Gallery."]
    app.button(key="pin_training").click().run()
    assert [one.value for one in app.toast] == ["This figure is in the gallery already."]
    (pin,) = gallery.pins(home / "studies" / state_study / "gallery")
    app = open_page("gallery", run=crf_run)
    assert not app.error
    assert app.text_area(key=f"caption_{pin.id}").value == pin.sentence
    drawn = zipped([pin], [], Paper())
    with zipfile.ZipFile(io.BytesIO(drawn)) as archive:
        numbers = pd.read_csv(archive.open("01-training.csv"))
    history = RunFolder(home / "runs" / crf_run).table("history")
    assert numbers.query("part == 'train'")["loss"].tolist() == history["train_loss"].tolist()


def test_captions_order_and_removal_are_kept(
    open_page: OpenPage, state_study: str, pinned: Path
) -> None:
    first, second = (pin.id for pin in gallery.pins(pinned))
    app = open_page("gallery", study=state_study)
    app.text_area(key=f"caption_{second}").set_value("All models settled.").run()
    app.button(key=f"up_{second}").click().run()
    assert not app.error
    again = open_page("gallery", study=state_study)
    assert [one.value for one in again.text_area] == ["All models settled.", "It rises."]
    again.button(key=f"remove_{first}").click().run()
    assert [pin.id for pin in gallery.pins(pinned)] == [second]
    assert not (pinned / f"{first}.json").exists()
    again.button(key=f"remove_{second}").click().run()
    assert "Press **Pin** under a figure" in again.info[0].value


def test_the_zip_holds_figures_numbers_and_captions_in_order(pinned: Path) -> None:
    second = gallery.pins(pinned)[1]
    gallery.write_caption(pinned, second.id, "My\ncaption  here")
    gallery.move(pinned, second.id, -1)
    content = zipped(gallery.pins(pinned), ["png", "svg"], Paper("slide", dpi=100))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [
            "01-training.png", "01-training.svg", "01-training.csv",
            "02-response.png", "02-response.svg", "02-response.csv", "captions.txt",
        ]  # fmt: skip
        captions = archive.read("captions.txt").decode()
        image = Image.open(io.BytesIO(archive.read("01-training.png")))
        table = pd.read_csv(archive.open("02-response.csv"))
    assert image.width == pytest.approx(1000, abs=1)
    assert "01-training\nFigure 1. Training. My caption here\n" in captions
    assert "02-response\nFigure 2. Response. It rises.\n" in captions
    assert table["value"].tolist() == [0.5, 0.25]


def test_pins_go_with_the_study_and_stay_without_the_run(
    crf_run: str, state_study: str, pinned: Path
) -> None:
    library.delete_run(crf_run)
    assert gallery.place(state_study, crf_run) == pinned
    assert len(gallery.pins(pinned)) == 2
    library.delete_study(state_study)
    assert not pinned.exists()
    assert gallery.place(state_study, crf_run) is None


def test_a_run_without_its_study_keeps_its_own(crf_run: str, home: Path) -> None:
    assert gallery.place("20990101-000000-00000000", crf_run) == home / "runs" / crf_run / "gallery"


def test_what_cannot_be_kept_or_read_is_said(pinned: Path, monkeypatch) -> None:
    monkeypatch.setattr(gallery, "LARGEST", 10)
    with pytest.raises(DataError, match="too many numbers"):
        gallery.add(pinned, "loss_curves", "t", "s", {"mapping": []})
    (pinned / "index.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        gallery.pins(pinned)


def test_without_a_study_it_says_what_to_do(open_page: OpenPage) -> None:
    app = open_page("gallery")
    assert "No study yet" in app.markdown[-1].value
