"""Pinned figures: order, captions, and all of them as one zip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from dashboard.components.errors import guard
from dashboard.components.figures import FILES, choose_paper
from dashboard.components.text import plain, slug
from dashboard.services import gallery
from dashboard.services.caching import per_session
from dashboard.services.gallery import Pin
from dashboard.words.take_away import GALLERY
from nme_core.figures.drawing import Paper
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.stored import from_json
from nme_core.vocabulary.language import kept, tr

_NUMBERS = "csv"


def show_gallery(place: Path, pinned: list[Pin]) -> None:
    """Every pinned figure with its caption, then the download of all."""
    st.caption(tr(GALLERY)["kept"])
    for at, pin in enumerate(pinned):
        with st.container(border=True, key=f"pinned_{at + 1}"):
            _show_pin(place, pin, at, len(pinned))
    st.header(tr("Download all"), anchor=False)
    st.caption(f"{tr(GALLERY)['captions']} {tr(GALLERY)['zip']}")
    with st.container(width=520):
        paper = choose_paper("gallery_")
        chosen = st.pills(
            tr("Formats"), [kind for kind in FILES if kind != _NUMBERS], default=["png", "pdf"],
            selection_mode="multi", key="gallery_formats", format_func=lambda kind: FILES[kind][0],
        )  # fmt: skip
    st.download_button(
        tr("All {pinned} figures (ZIP)").format(pinned=len(pinned))
        if len(pinned) > 1
        else tr("The figure (ZIP)"),
        data=kept(lambda: zipped(gallery.pins(place), chosen, paper)),
        file_name="figures.zip",
        mime="application/zip",
        key="gallery_zip",
        type="primary",
        on_click="ignore",
    )


def figure_of(pin: Pin) -> RunFigure:
    """The figure as it was when it was pinned."""
    return RunFigure(pin.name, pin.title, pin.sentence, from_json(pin.arguments))


def zipped(pinned: Sequence[Pin], kinds: Sequence[str], paper: Paper) -> bytes:
    """Each figure in these formats, its numbers, and ``captions.txt``, in the order given."""
    buffer = io.BytesIO()
    captions = []
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, pin in enumerate(pinned, start=1):
            figure, name = figure_of(pin), f"{number:02d}-{slug(pin.title)}"
            for kind in dict.fromkeys([*kinds, _NUMBERS]):
                archive.writestr(f"{name}.{kind}", figure.file(kind, paper))
            captions.append(
                "{}\n{}. {}. {}\n".format(
                    name, tr("Figure {number}").format(number=number), pin.title, pin.caption
                )
            )
        archive.writestr("captions.txt", "\n".join(captions))
    return buffer.getvalue()


def _show_pin(place: Path, pin: Pin, at: int, n: int) -> None:
    left, right = st.columns([1, 1], gap="large")
    with left, guard():
        st.image(_thumbnail(str(place), pin.id, pin), alt=pin.caption or pin.title)
    with right:
        st.markdown(f"**{at + 1}. {plain(pin.title)}**")
        key = f"caption_{pin.id}"
        caption = st.text_area(
            tr("Caption"), pin.caption, key=key, max_chars=gallery.LONGEST_CAPTION, height=140
        )
        if caption != pin.caption:
            gallery.write_caption(place, pin.id, caption)
        with st.container(horizontal=True):
            moved = {tr("Up"): (-1, at == 0), tr("Down"): (1, at == n - 1)}
            for label, (steps, disabled) in moved.items():
                if st.button(label, key=f"{label.lower()}_{pin.id}", disabled=disabled):
                    gallery.move(place, pin.id, steps)
                    st.rerun()
            if st.button(tr("Remove"), key=f"remove_{pin.id}"):
                gallery.remove(place, pin.id)
                st.rerun()


@per_session(60)
def _thumbnail(place: str, identity: str, _pin: Pin) -> bytes:
    """The printed figure, small; a pinned figure never changes."""
    return figure_of(_pin).file("png", Paper(dpi=110))
