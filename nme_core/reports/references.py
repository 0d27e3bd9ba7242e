"""What a text about a run has to cite, as text in APA style and as BibTeX."""

from __future__ import annotations

from dataclasses import dataclass

from nme_core.io import RunFolder
from nme_core.vocabulary.terms import in_steps


@dataclass(frozen=True)
class Reference:
    """One entry of a list of references.

    Attributes
    ----------
    key : str
        BibTeX key.
    text : str
        The entry in APA style.
    kind : str
        BibTeX type.
    fields : tuple of (name, value)
        BibTeX fields, LaTeX where it matters.
    """

    key: str
    text: str
    kind: str
    fields: tuple[tuple[str, str], ...]

    @property
    def bibtex(self) -> str:
        """The entry for a .bib file."""
        lines = [f"  {name} = {{{value}}}," for name, value in self.fields]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


PAPER = Reference(
    "woertwein2023neural",
    "Wörtwein, T., Allen, N. B., Sheeber, L. B., Auerbach, R. P., Cohn, J. F., & Morency, L.-P. "
    "(2023). Neural mixed effects for nonlinear personalized predictions. In Proceedings of the "
    "25th International Conference on Multimodal Interaction (ICMI '23). "
    "https://arxiv.org/abs/2306.08149",
    "inproceedings",
    (
        (
            "author",
            'W{\\"o}rtwein, Torsten and Allen, Nicholas B. and Sheeber, Lisa B. and '
            "Auerbach, Randy P. and Cohn, Jeffrey F. and Morency, Louis-Philippe",
        ),
        ("title", "Neural Mixed Effects for Nonlinear Personalized Predictions"),
        (
            "booktitle",
            "Proceedings of the 25th International Conference on Multimodal Interaction",
        ),
        ("year", "2023"),
        ("eprint", "2306.08149"),
        ("archiveprefix", "arXiv"),
        ("url", "https://arxiv.org/abs/2306.08149"),
    ),
)

_HSIC = Reference(
    "gretton2007kernel",
    "Gretton, A., Fukumizu, K., Teo, C. H., Song, L., Schölkopf, B., & Smola, A. J. (2007). A "
    "kernel statistical test of independence. Advances in Neural Information Processing Systems, "
    "20.",
    "inproceedings",
    (
        (
            "author",
            "Gretton, Arthur and Fukumizu, Kenji and Teo, Choon Hui and Song, Le and "
            'Sch{\\"o}lkopf, Bernhard and Smola, Alexander J.',
        ),
        ("title", "A Kernel Statistical Test of Independence"),
        ("booktitle", "Advances in Neural Information Processing Systems"),
        ("volume", "20"),
        ("year", "2007"),
    ),
)

_BH = Reference(
    "benjamini1995controlling",
    "Benjamini, Y., & Hochberg, Y. (1995). Controlling the false discovery rate: A practical and "
    "powerful approach to multiple testing. Journal of the Royal Statistical Society: Series B, "
    "57(1), 289–300.",
    "article",
    (
        ("author", "Benjamini, Yoav and Hochberg, Yosef"),
        (
            "title",
            "Controlling the False Discovery Rate: A Practical and Powerful Approach to Multiple "
            "Testing",
        ),
        ("journal", "Journal of the Royal Statistical Society: Series B"),
        ("volume", "57"),
        ("number", "1"),
        ("pages", "289--300"),
        ("year", "1995"),
    ),
)

_HOLM = Reference(
    "holm1979simple",
    "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian "
    "Journal of Statistics, 6(2), 65–70.",
    "article",
    (
        ("author", "Holm, Sture"),
        ("title", "A Simple Sequentially Rejective Multiple Test Procedure"),
        ("journal", "Scandinavian Journal of Statistics"),
        ("volume", "6"),
        ("number", "2"),
        ("pages", "65--70"),
        ("year", "1979"),
    ),
)

_BOOTSTRAP = Reference(
    "efron1993introduction",
    "Efron, B., & Tibshirani, R. J. (1993). An introduction to the bootstrap. Chapman & Hall.",
    "book",
    (
        ("author", "Efron, Bradley and Tibshirani, Robert J."),
        ("title", "An Introduction to the Bootstrap"),
        ("publisher", "Chapman \\& Hall"),
        ("year", "1993"),
    ),
)


_CHECKS = Reference(
    "gelman1996posterior",
    "Gelman, A., Meng, X.-L., & Stern, H. (1996). Posterior predictive assessment of model fitness "
    "via realized discrepancies. Statistica Sinica, 6(4), 733–760.",
    "article",
    (
        ("author", "Gelman, Andrew and Meng, Xiao-Li and Stern, Hal"),
        (
            "title",
            "Posterior Predictive Assessment of Model Fitness via Realized Discrepancies",
        ),
        ("journal", "Statistica Sinica"),
        ("volume", "6"),
        ("number", "4"),
        ("pages", "733--760"),
        ("year", "1996"),
    ),
)


_WESTFALL_YOUNG = Reference(
    "westfall1993resampling",
    "Westfall, P. H., & Young, S. S. (1993). Resampling-based multiple testing: Examples and "
    "methods for p-value adjustment. Wiley.",
    "book",
    (
        ("author", "Westfall, Peter H. and Young, S. Stanley"),
        (
            "title",
            "Resampling-Based Multiple Testing: Examples and Methods for p-Value Adjustment",
        ),
        ("publisher", "Wiley"),
        ("year", "1993"),
    ),
)


_ADAM = Reference(
    "kingma2015adam",
    "Kingma, D. P., & Ba, J. (2015). Adam: A method for stochastic optimization. International "
    "Conference on Learning Representations. https://arxiv.org/abs/1412.6980",
    "inproceedings",
    (
        ("author", "Kingma, Diederik P. and Ba, Jimmy"),
        ("title", "Adam: A Method for Stochastic Optimization"),
        ("booktitle", "International Conference on Learning Representations"),
        ("year", "2015"),
        ("url", "https://arxiv.org/abs/1412.6980"),
    ),
)


def references(folder: RunFolder) -> list[Reference]:
    """The paper, this software and torch in the versions of the run, and the tests that were made.

    Sorted by their text, as a list of references is.
    """
    versions = folder.config["versions"]
    found = [PAPER, _software(versions["neural-mixed-effects"]), _torch(versions["torch"])]
    found += [_ADAM] if in_steps(folder.config) else []
    if folder.has_table("comparison") and len(folder.table("comparison")):
        found += [_BOOTSTRAP, _HOLM]
    if folder.has_table("checks"):
        found.append(_CHECKS)
    if folder.has_table("correlations") and len(folder.table("correlations")):
        found.append(_WESTFALL_YOUNG)
    if folder.has_table("hsic"):
        methods = folder.table("hsic")["method"]
        found.append(_HSIC)
        found += [_BH] if methods.str.endswith(", bh").any() else []
        found += [_HOLM] if methods.str.endswith(", holm").any() else []
    return sorted(dict.fromkeys(found), key=lambda one: one.text)


def bibtex(folder: RunFolder) -> str:
    """All references of a run as a .bib file."""
    return "\n\n".join(one.bibtex for one in references(folder)) + "\n"


def _software(version: str) -> Reference:
    return Reference(
        "neuralmixedeffects",
        f"Neural Mixed Effects contributors. (n.d.). Neural Mixed Effects (Version {version}) "
        "[Computer software].",
        "software",
        (
            ("author", "{Neural Mixed Effects contributors}"),
            ("title", "Neural Mixed Effects"),
            ("version", version),
        ),
    )


def _torch(version: str) -> Reference:
    return Reference(
        "paszke2019pytorch",
        "Paszke, A., Gross, S., Massa, F., Lerer, A., Bradbury, J., Chanan, G., Killeen, T., Lin, "
        "Z., Gimelshein, N., Antiga, L., Desmaison, A., Köpf, A., Yang, E., DeVito, Z., Raison, "
        "M., Tejani, A., Chilamkurthy, S., Steiner, B., Fang, L., … Chintala, S. (2019). PyTorch: "
        "An imperative style, high-performance deep learning library. Advances in Neural "
        f"Information Processing Systems, 32. (Version {version} was used.)",
        "inproceedings",
        (
            ("author", "Paszke, Adam and Gross, Sam and Massa, Francisco and others"),
            ("title", "{PyTorch}: An Imperative Style, High-Performance Deep Learning Library"),
            ("booktitle", "Advances in Neural Information Processing Systems"),
            ("volume", "32"),
            ("year", "2019"),
            ("note", f"Version {version} was used"),
        ),
    )
