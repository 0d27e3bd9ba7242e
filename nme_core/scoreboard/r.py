"""R's mixed models, where R is installed: a table goes there, predictions come back."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from nme_core.exceptions import TrainingError
from nme_core.scoreboard.sample import Floats, Sample

_LONGEST_S = 1800
_READ = """
arguments <- commandArgs(TRUE)
data <- read.csv(arguments[1])
features <- grep("^x", names(data), value = TRUE)
groups <- grep("^g", names(data), value = TRUE)
for (name in groups) data[[name]] <- factor(data[[name]])
learned <- data[data$learned == 1, ]
held <- data[data$learned == 0, ]
fixed <- paste(c("1", features), collapse = " + ")
classes <- arguments[3] == "class"
"""
_WRITE = "\nwrite.csv(data.frame(said = as.numeric(said)), arguments[2], row.names = FALSE)\n"
#: With one group and few features each one's slope varies by person, if lme4 takes so many effects.
_LME4 = """
suppressMessages(library(lme4))
few <- length(groups) == 1 && length(features) <= 3
if (few) few <- nrow(learned) > (length(features) + 1) * length(unique(learned$g1))
own <- if (few) fixed else "1"
random <- paste(sprintf("(%s | %s)", own, groups), collapse = " + ")
form <- as.formula(paste("y ~", fixed, "+", random))
fit <- if (classes) glmer(form, learned, family = binomial) else lmer(form, learned, REML = FALSE)
said <- predict(fit, held, allow.new.levels = TRUE, type = "response")
"""
_NLME = """
suppressMessages(library(nlme))
form <- as.formula(paste("y ~", fixed))
few <- length(features) <= 3
random <- as.formula(paste("~", if (few) fixed else "1", "| g1"))
fit <- lme(form, learned, random = random, correlation = corAR1(form = ~ 1 | g1), method = "ML",
           control = lmeControl(opt = "optim", returnObject = TRUE))
said <- predict(fit, held, level = 1)
said[is.na(said)] <- predict(fit, held, level = 0)[is.na(said)]
"""
_MGCV = """
suppressMessages(library(mgcv))
smooth <- sapply(features, function(f) {
  n <- length(unique(learned[[f]]))
  if (n > 10) sprintf("s(%s)", f) else f
})
own <- sprintf('s(%s, bs = "re")', groups)
form <- as.formula(paste("y ~", paste(c(smooth, own), collapse = " + ")))
fit <- bam(form, data = learned, family = if (classes) binomial() else gaussian(), discrete = TRUE)
said <- predict(fit, held, type = "response")
"""


@cache
def missing(package: str) -> str:
    """What is not installed: R, or its package; empty where nothing is."""
    command = shutil.which("Rscript")
    if command is None:
        return "R (Rscript)"
    code = f'quit(status = !requireNamespace("{package}", quietly = TRUE))'
    found = subprocess.run([command, "-e", code], capture_output=True, check=False)
    return f"R's package {package}" if found.returncode else ""


def _player(script: str) -> Callable[[Sample, int], Floats]:
    def play(sample: Sample, seed: int) -> Floats:
        said = _ask(script, sample)
        return np.column_stack([1 - said, said]) if sample.classes else said

    return play


lme4, nlme, mgcv = _player(_LME4), _player(_NLME), _player(_MGCV)


def _ask(script: str, sample: Sample) -> Floats:
    columns = pd.DataFrame(sample.filled).add_prefix("x")
    groups = sample.groups.set_axis([f"g{k + 1}" for k in range(sample.groups.shape[1])], axis=1)
    table = pd.concat([columns, groups.reset_index(drop=True)], axis=1)
    table["y"], table["learned"] = sample.y, sample.learned.astype(int)
    with tempfile.TemporaryDirectory() as folder:
        path, code, said = (Path(folder, name) for name in ("data.csv", "fit.R", "said.csv"))
        table.to_csv(path, index=False)
        code.write_text(_READ + script + _WRITE, encoding="utf-8")
        command = ["Rscript", "--vanilla", str(code), str(path), str(said), sample.kind]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LONGEST_S, check=False
        )
        if done.returncode or not said.is_file():
            lines = [one.strip() for one in done.stderr.strip().splitlines()]
            told = [one for one in lines if one and one != "Execution halted"] or ["nothing."]
            raise TrainingError(f"R failed: {told[-1]}")
        return pd.read_csv(said)["said"].to_numpy(np.float64)
