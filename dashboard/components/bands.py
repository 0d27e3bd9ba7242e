"""Groups of persons by a score: presets of questionnaires that can be changed."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from pandas.api.types import is_numeric_dtype

from dashboard.components.errors import guard
from dashboard.components.text import plain
from dashboard.services import bands, results
from dashboard.words.covariates import BANDS
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.messages import said

_THIRDS, _OWN = "thirds", "own"


def choose_bands(run: str, covariate: str) -> None:
    """Preset and editor of a covariate's bands, under one fold; nothing for categories."""
    folder = results.run_folder(run)
    values = results.covariates(run)[covariate]
    if not is_numeric_dtype(values) or values.nunique() <= bands.MOST_BANDS:
        return
    now = bands.kept(folder, values)
    with st.expander(tr(BANDS)["title"]):
        known = bands.recognised(values)
        usual = {} if known is None else {known.name: known.bands}
        presets = {name: usual.get(name, one.bands) for name, one in bands.PRESETS.items()}
        names = [_THIRDS, *(name for name, own in presets.items() if own), _OWN]
        begin = next((name for name, own in presets.items() if own == now), _OWN)
        if known is not None:
            st.caption(plain(tr(BANDS)["recognised"].format(known=said(str(known)))))
        of_preset = tr("bands of the {name}")
        chosen = st.selectbox(
            tr("Groups"), names, names.index(begin if now else _THIRDS),
            format_func=lambda name: tr(BANDS).get(name) or of_preset.format(name=name),
            key=f"bands_{run}_{covariate}", help=tr(BANDS)["help"],
        )  # fmt: skip
        edited: list[tuple[float, str]] = []
        if chosen != _THIRDS:
            if chosen in presets:
                st.caption(tr(BANDS)["source"].format(source=bands.PRESETS[chosen].source))
            shown = pd.DataFrame(presets.get(chosen, now), columns=["from", "name"])
            shown["name"] = list(map(tr, shown["name"]))
            table = st.data_editor(
                shown.astype({"from": "float64", "name": "str"}), num_rows="dynamic",
                hide_index=True, key=f"band_rows_{run}_{covariate}_{chosen}", width=420,
                column_config={"from": tr("from"), "name": tr("name")},
            )  # fmt: skip
            edited = list(table.dropna(how="all").itertuples(index=False, name=None))
        if st.button(tr("Use these groups"), key=f"keep_bands_{run}_{covariate}"):
            with guard():
                bands.keep(folder, covariate, edited)
                st.rerun()
