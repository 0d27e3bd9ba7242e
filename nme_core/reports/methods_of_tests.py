"""The methods paragraph on tests of covariates."""

from __future__ import annotations

import pandas as pd

from nme_core.analysis.covariate_tests import CovariateOptions
from nme_core.analysis.kept_tests import other_tests
from nme_core.analysis.reliability import LEAST, SPLIT_HALF
from nme_core.io import RunFolder
from nme_core.reports.apa import bounded
from nme_core.vocabulary.terms import CORRECTIONS, EFFECTS, arrangement, strata_name
from nme_core.vocabulary.text import count, listed


def tests(folder: RunFolder) -> str:
    """The paragraph on a run's tests of covariates."""
    hsic, other = folder.table("hsic"), other_tests(folder)
    effects = folder.table("effects") if folder.has_table("effects") else None
    row, options = hsic.iloc[0], CovariateOptions.of_table(hsic)
    adjust = options.adjust
    correction = CORRECTIONS.get(adjust, adjust)
    tested = [str(name) for name in hsic["covariate"]]
    said = [
        f"People's {row['parameters']} were tested, all together, against "
        f"{count(len(tested), 'covariate')} ({listed(tested)}) with the Hilbert–Schmidt "
        "independence criterion (HSIC; Gretton et al., 2007), with Gaussian kernels whose "
        "bandwidth is the median distance between people (groups: a kernel of equality); the "
        f"person was the unit of analysis. p values come from {int(row['reps']):,} permutations "
        f"{strata_name(str(row['strata']))}"
        + (
            ", and were not corrected: there was one test."
            if len(tested) == 1
            else f", with {correction} correction over {count(len(tested), 'test')}."
        )
    ]
    said += arrangement(row)
    if options.guard == "strata" and options.used_strata == "none":
        said.append(
            "Nothing was done about covariates related to the number of observations per person."
        )
    if effects is not None and len(effects):
        kinds = set(effects["kind"])
        measures = [text for kind, text in EFFECTS.items() if kind in kinds]
        if "partial spearman" in kinds:
            measures.append("partial Spearman correlations given what was controlled for")
        if "adjusted mean difference" in kinds:
            measures.append(
                "group differences adjusted for what was controlled for (HC3 standard errors)"
            )
        said.append(
            f"Direction and size of single parameters are given as {listed(measures)}"
            + (
                f", with {correction} correction over all {n_tests:,} of these tests."
                if (n_tests := int(effects["p"].notna().sum())) > 1
                else "."
            )
        )
    said += _reliability(row)
    said += ["The tests show association between people and no cause.", *([other] if other else [])]
    return " ".join(said)


def _reliability(row: pd.Series) -> list[str]:
    """How reliable what was tested is, with a caution where most of it is noise."""
    known = row.reindex(["reliability", "reliability_kind", "n_unreliable"])
    if pd.isna(known["reliability"]):
        return []
    halves = known["reliability_kind"] == SPLIT_HALF
    how = "split-half, over halves of each person's observations" if halves else "by the model"
    said = [
        f"The reliability of people's parameters together was {bounded(known['reliability'])} "
        f"({how}), below {bounded(LEAST, 1)} for {int(known['n_unreliable'])} of them."
    ]
    if not halves:
        said.append("It was not taken from halves of the data.")
    if known["reliability"] < LEAST:
        said.append(
            "At such a reliability most of how people differ is noise: neither an effect nor its "
            "absence should be read off these tests."
        )
    return said
