"""The commands that repeat what was done with a run."""

from __future__ import annotations

import shlex

from nme_core.analysis.covariate_tests import CovariateOptions
from nme_core.io import RunFolder


def hsic_command(folder: RunFolder, run: str = "RUN") -> str:
    """The `nme hsic` call that repeats the tests in a run folder, which has the table."""
    table = folder.table("hsic")
    options = CovariateOptions.of_table(table)
    words = ["nme", "hsic", run]
    for name in table["covariate"]:
        words += ["--covariate", str(name)]
    if options.of is not None:
        words += ["--of", options.of]
    words += ["--reps", str(options.reps), "--guard", options.guard]
    words += ["--strata", options.used_strata, "--adjust", options.adjust]
    if options.blocks is not None:
        words += ["--blocks", options.blocks, "--permute", options.permute]
    for name in options.confounders:
        words += ["--confounder", name]
    if options.incremental:
        words.append("--incremental")
    return shlex.join([*words, "--seed", str(options.seed)])
