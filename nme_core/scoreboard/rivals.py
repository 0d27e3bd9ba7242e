"""Who plays: one function per rival, from a sample and a seed to what it says of held-back rows.

Of numbers that is the expectation, (m,); of classes the probabilities, (m, K); of states each row's
share in −log p of its segment given the label before it, (m,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from nme_core.scoreboard import chains, mixed, ours, r, rules, trees
from nme_core.scoreboard.protocols import Kind, Protocol
from nme_core.scoreboard.sample import Floats, Sample

#: Our model, which the others are compared with.
OURS = "nme"
_NUMBER: tuple[Kind, ...] = ("number",)
_ROWS: tuple[Kind, ...] = ("number", "class")
_CLASS: tuple[Kind, ...] = ("class",)
_STATES: tuple[Kind, ...] = ("states",)
_ALL: tuple[Kind, ...] = ("number", "class", "states")
_CHAINS: tuple[Kind, ...] = ("class", "states")


@dataclass(frozen=True)
class Rival:
    """One who plays.

    Attributes
    ----------
    name, title : str
        Its name, and what it is.
    play : callable
        See above.
    kinds : tuple of str
        Outcomes that it can predict.
    needs : str
        Package of Python that has to be there; ``Rscript`` and a package for R's.
    random : bool
        Whether its answer depends on the seed.
    crossed : bool
        Whether it takes several grouping factors.
    ordered : bool
        Whether it needs rows in order of time.
    two_only : bool
        Whether it takes two classes at most.
    """

    name: str
    title: str
    play: Callable[[Sample, int], Floats]
    kinds: tuple[Kind, ...]
    needs: str = ""
    random: bool = False
    crossed: bool = True
    ordered: bool = False
    two_only: bool = False

    def declines(self, protocol: Protocol) -> str:
        """Why it does not play by this protocol; empty where it does."""
        if protocol.kind not in self.kinds:
            return "another kind of outcome"
        if len(protocol.groups) > 1 and not self.crossed:
            return "takes one grouping factor"
        if protocol.time is None and self.ordered:
            return "needs rows in order of time"
        if protocol.n_classes > 2 and self.two_only:
            return "takes two classes at most"
        return ""

    @property
    def missing(self) -> str:
        """What is not installed; empty where nothing is."""
        if self.needs.startswith("Rscript"):
            return r.missing(self.needs.partition(" ")[2])
        return self.needs if self.needs and find_spec(self.needs) is None else ""


RIVALS = (
    Rival(OURS, "NME with our defaults", ours.nme, _ALL, random=True),
    Rival("lme (exact)", "our exact (generalised) linear mixed model", ours.linear, _ROWS),
    Rival("annealed", "NME with the paper's estimator, 32 units", ours.annealed, _ALL, random=True),
    Rival("unregularised", "the same without a prior on deviations (λ = 0)", ours.unregularised,
          _ALL, random=True),
    Rival("generic", "the same model as NME for everybody alike", ours.generic, _ALL, random=True),
    *(
        Rival(name, f"simple rule: {name}", rules.number(name), _NUMBER, ordered=name != "mean",
              crossed=name == "mean")
        for name in ("mean", "last", "ewma", "ar1")
    ),
    *(
        Rival(name, f"simple rule: {name}", rules.classes(name), _CHAINS,
              ordered=name != "frequent", crossed=name == "frequent")
        for name in ("frequent", "last", "markov")
    ),
    Rival("statsmodels", "statsmodels MixedLM", mixed.statsmodels, _NUMBER, "statsmodels",
          crossed=False),
    Rival("gpboost", "GPBoost: boosted trees with random effects", mixed.gpboost, _ROWS, "gpboost",
          two_only=True),
    Rival("merf", "MERF: mixed effects random forest", mixed.merf, _NUMBER, "merf", random=True,
          crossed=False),
    Rival("hgb one-hot", "scikit-learn's boosted trees, ids one-hot", trees.one_hot, _ROWS,
          "sklearn", random=True),
    Rival("hgb target", "scikit-learn's boosted trees, ids by their target's mean", trees.target,
          _ROWS, "sklearn", random=True),
    Rival("crf generic", "pytorch-crf, one chain for everybody", chains.crf_generic, _STATES,
          "torchcrf", random=True),
    Rival("crf person bias", "pytorch-crf with emissions of people's own", chains.crf_bias, _STATES,
          "torchcrf", random=True),
    Rival("hmm", "hidden Markov model of hmmlearn, without features", chains.hmm, _STATES,
          "hmmlearn", random=True),
    Rival("lme4", "R's lme4", r.lme4, _ROWS, "Rscript lme4", two_only=True),
    Rival("nlme", "R's nlme with AR(1) residuals", r.nlme, _NUMBER, "Rscript nlme", crossed=False),
    Rival("mgcv", "R's mgcv: smooth terms and random intercepts", r.mgcv, _ROWS, "Rscript mgcv",
          two_only=True),
)  # fmt: skip


def rival(name: str, protocol: Protocol) -> Rival:
    """The rival of this name that plays by the protocol."""
    return next(one for one in RIVALS if one.name == name and protocol.kind in one.kinds)
