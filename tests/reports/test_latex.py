"""Tables compiled by LaTeX, where there is one, and read back from the PDF."""

import shutil
import subprocess

import pandas as pd
import pytest

from nme_core.io import RunFolder
from nme_core.reports import ResultTable, result_tables, to_latex

NASTY = ResultTable(
    "odd_names",
    "50 % of <b> & \\LaTeX",
    pd.DataFrame(
        {"Who_1": ["[a]$b#", "*x<y>&{z}~^"], "95% CI": ["[−1.5, 2.0]", "[.01, .20]"],
         "ρ, κ, Σ, η": ["–", "< .001"]}
    ),
    "Done “here” × there…",
)  # fmt: skip


def test_tables_compile_and_their_text_is_read_back(fit_tiny, poppler, tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("no LaTeX is installed (looked for pdflatex)")
    folder = RunFolder(fit_tiny("nme-crf"))
    parts = [to_latex(table) + "\\clearpage\n" for table in [NASTY, *result_tables(folder)]]
    head = "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs}\n"
    document = f"{head}\\begin{{document}}\n{''.join(parts)}\\end{{document}}\n"
    (tmp_path / "tables.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    text = poppler("pdftotext", "-layout", tmp_path / "tables.pdf", "-")
    for shown in ("[a]$b#", "*x<y>&{z}", "[−1.5, 2.0]", "What became of the observations"):
        assert shown in text
    assert text.count("Table ") >= len(parts)
