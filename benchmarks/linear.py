"""The exact linear mixed model against statsmodels MixedLM and gpboost."""

from __future__ import annotations

import warnings
from importlib.util import find_spec

import numpy as np
import pandas as pd
import statsmodels.api as sm

from benchmarks.table import Row, seconds
from nme_core.estimators import NMEMLPRegressor


def run(*, small: bool = False) -> list[Row]:
    """Measure."""
    n_persons, n_rows = (60, 15) if small else (1000, 50)
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(n_persons), n_rows)
    own = rng.multivariate_normal([0, 0], [[1.0, 0.2], [0.2, 0.5]], n_persons)
    x = rng.normal(size=len(person))
    y = 2 + own[person, 0] + (1 + own[person, 1]) * x + rng.normal(size=len(person))
    X, design = pd.DataFrame({"x": x}), np.column_stack([np.ones(len(x)), x])
    found: dict[str, float] = {}

    def ours() -> None:
        model = NMEMLPRegressor((), placement="all", covariance="full", estimator="laplace")
        found["ours"] = model.fit(X, y, groups=person).log_likelihood_

    def mixed_lm() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = sm.MixedLM(y, design, groups=person, exog_re=design).fit(reml=False)
        found["MixedLM"] = fit.llf

    def gpboost() -> None:
        import gpboost as gpb

        model = gpb.GPModel(
            group_data=person,
            group_rand_coef_data=x,
            ind_effect_group_rand_coef=[1],
            likelihood="gaussian",
        )
        model.fit(y=y, X=design)
        found["gpboost"] = -model.get_current_neg_log_likelihood()

    runs = [ours, mixed_lm] + ([gpboost] if find_spec("gpboost") else [])
    taken = seconds(*runs, repeats=2 if small else 3)
    apart = abs(found["ours"] - found["MixedLM"])
    where = f"linear mixed model, {n_persons} × {n_rows} rows, intercept and slope"
    rows = [
        Row.ratio(
            f"{where} ÷ MixedLM", taken[0] / taken[1], 0.2, f"log-likelihoods {apart:.1e} apart"
        )
    ]
    if len(taken) > 2:
        remark = "gpboost's effects are uncorrelated, ours are not"
        rows.append(Row.ratio(f"{where} ÷ gpboost", taken[0] / taken[2], None, remark))
    return rows
