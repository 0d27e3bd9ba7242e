"""Models that the estimators fit as R does: which rows, which columns, and which frozen numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from nme_core.estimators import NMEMLPClassifier, NMEMLPRegressor
from nme_core.nn import COUNTS
from tests.reference.load import Reference, models, reference
from tests.reference.studies import study

CHILDREN = ("age", "age2", "urban", "livch1", "livch2", "livch3")
ILL = ("treatment", "month", "age", "male", "centre2", "baseline")
SEIZURES = ("treatment", "base", "age", "period")
TICKS = ("year96", "year97", "cHEIGHT")
ANGER = ("anger", "male", "scold", "shout", "self")
ARTHRITIS = ("treatment", "baseline", "time")


@dataclass(frozen=True)
class Certificate:
    """One model with a random intercept for each factor.

    Attributes
    ----------
    package, model : str
        Where its frozen numbers are.
    data, outcome : str
        Study and column.
    factors, features : tuple of str
        Columns.
    family : {"gaussian", "binary", "poisson", "negative_binomial", "ordinal"}
        Of the outcome.
    time : str, optional
        Column of times, where residuals are autocorrelated.
    reml : bool
        Whether by restricted likelihood.
    points : int
        Points of adaptive quadrature; 1: Laplace's approximation.
    """

    package: str
    model: str
    data: str
    outcome: str
    factors: tuple[str, ...]
    features: tuple[str, ...]
    family: str
    time: str | None = None
    reml: bool = False
    points: int = 1

    @property
    def reference(self) -> Reference:
        """R's numbers."""
        return reference(self.package, self.model)

    @cache  # noqa: B019 (there are as many as stand below)
    def fit(self) -> NMEMLPRegressor | NMEMLPClassifier:
        """Fit the rows that R fitted, once."""
        rows = study(self.data)
        X, y = rows[list(self.features)].astype(float), rows[self.outcome]
        groups = rows[list(self.factors)].astype(str)
        groups = groups[self.factors[0]] if len(self.factors) == 1 else groups
        options = {"hidden": (), "placement": ["layers.0.bias"], "quadrature": self.points}
        if self.family == "gaussian":
            model = NMEMLPRegressor(reml=self.reml, **options)
            if self.time is not None:
                return model.fit(X, y.astype(float), groups=groups, times=rows[self.time])
            return model.fit(X, y.astype(float), groups=groups)
        if self.family in COUNTS:
            return NMEMLPRegressor(family=self.family, **options).fit(X, y, groups=groups)
        if self.family == "ordinal":
            return NMEMLPClassifier(family="ordinal", **options).fit(X, y, groups=groups)
        return NMEMLPClassifier(**options).fit(X, y.astype(str), groups=groups)

    def compare(self) -> pd.DataFrame:
        """Columns ``ours`` and ``reference`` by quantity: log-likelihood, effects, errors, SDs."""
        model, r = self.fit(), self.reference
        fixed, errors = r.values("fixed"), r.values("fixed_se")
        rows = {"log-likelihood": (model.log_likelihood_, r.log_likelihood)}
        labels = {name: f"layers.0.weight[0,{k}]" for k, name in enumerate(self.features)}
        if self.family != "ordinal":
            labels["(Intercept)"] = "layers.0.bias[0]"
        for name, label in labels.items():
            rows[f"effect {name}"] = (model.fixed_effects_[label], fixed[name])
            rows[f"se {name}"] = (model.fixed_effects_se_[label], errors[name])
        for factor in self.factors:
            name = factor if len(self.factors) > 1 else None
            sd = float(model.covariance_of(name).loc["layers.0.bias[0]", "layers.0.bias[0]"])
            rows[f"sd of {factor}"] = (np.sqrt(sd), r.values("sd", factor).iloc[0])
        if self.family == "gaussian":
            residual = r.number("residual_variance")
            rows["residual variance"] = (model.residual_variance_, residual)
        if self.family == "negative_binomial":
            rows["size"] = (model.dispersion_.size, r.number("size"))
        if self.time is not None:
            rows["autocorrelation"] = (model.residual_autocorrelation_, r.number("phi"))
        return pd.DataFrame(rows, index=["ours", "reference"]).T


@dataclass(frozen=True)
class Unordered:
    """Classes without an order, with a random intercept of each log-odds; as `Certificate`.

    R has no package for them here: the likelihood is written out in multinomial.R.
    """

    model: str
    package: str = "multinomial"

    @property
    def reference(self) -> Reference:
        """R's numbers."""
        return reference(self.package, self.model)

    @cache  # noqa: B019
    def fit(self) -> NMEMLPClassifier:
        """Fit the rows that R fitted, once."""
        rows = study(self.model.split("_")[0])
        outcome, *features = rows.columns.drop("id")
        covariance = "full" if "full" in self.model else "diagonal"
        model = NMEMLPClassifier((), placement=["layers.0.bias"], covariance=covariance)
        return model.fit(rows[features], rows[outcome].astype(str), groups=rows["id"])

    def compare(self) -> pd.DataFrame:
        """Columns ``ours`` and ``reference`` by quantity, as those of a `Certificate`."""
        model, r = self.fit(), self.reference
        n_features = len(model.feature_names_in_)
        places = ("bias[{}]", *(f"weight[{{}},{j}]" for j in range(n_features)))
        rows = {"log-likelihood": (model.log_likelihood_, r.log_likelihood)}
        labels = [f"layers.0.{place.format(k)}" for k in range(2) for place in places]
        for label, name in zip(labels, r.fixed.index, strict=True):
            rows[f"effect {name}"] = (model.fixed_effects_[label], r.fixed[name])
            rows[f"se {name}"] = (model.fixed_effects_se_[label], r.fixed_se[name])
        sds = np.sqrt(np.diag(model.random_effects_cov_))
        for k, (ours, theirs) in enumerate(zip(sds, r.values("sd", "id"), strict=True)):
            rows[f"sd {k}"] = (ours, theirs)
        return pd.DataFrame(rows, index=["ours", "reference"]).T


def _one(package: str, model: str, data: str, outcome: str, factor: str, *rest: object):
    features, family, *more = rest
    return Certificate(package, model, data, outcome, (factor,), features, family, *more)


#: One grouping factor, no autocorrelation.
INTERCEPTS = [
    _one("lme4", "cbpp_laplace", "cbpp", "incidence", "herd",
         ("period2", "period3", "period4"), "binary"),
    _one("glmmTMB", "cbpp_laplace", "cbpp", "incidence", "herd",
         ("period2", "period3", "period4"), "binary"),
    _one("lme4", "contraception_laplace", "contraception", "use", "district", CHILDREN, "binary"),
    _one("glmmTMB", "contraception_laplace", "contraception", "use", "district", CHILDREN,
         "binary"),
    _one("lme4", "respiratory_laplace", "respiratory", "good", "subject", ILL, "binary"),
    _one("lme4", "epilepsy_laplace", "epilepsy", "seizures", "subject", SEIZURES, "poisson"),
    _one("glmmTMB", "epilepsy_laplace", "epilepsy", "seizures", "subject", SEIZURES, "poisson"),
    _one("lme4", "grouseticks_brood_laplace", "grouseticks", "TICKS", "BROOD", TICKS, "poisson"),
    _one("ordinal", "wine_laplace", "wine", "rating", "judge", ("warm", "contact"), "ordinal"),
    _one("ordinal", "arthritis_laplace", "arthritis", "y", "id", ARTHRITIS, "ordinal"),
]  # fmt: skip
#: Counts that vary more than Poisson's.
DISPERSED = [
    _one("glmmTMB", "epilepsy_nbinom2", "epilepsy", "seizures", "subject", SEIZURES,
         "negative_binomial"),
    _one("glmmTMB", "grouseticks_brood_nbinom2", "grouseticks", "TICKS", "BROOD", TICKS,
         "negative_binomial"),
]  # fmt: skip
#: One grouping factor, by adaptive quadrature.
QUADRATURE = [
    replace(one, model=one.model.replace("laplace", f"agq{points}"), points=points)
    for one, points in zip(INTERCEPTS, (25, 0, 25, 0, 25, 25, 0, 25, 9, 9), strict=True)
    if points
]
#: Several factors, crossed or nested.
SEVERAL = [
    Certificate("glmmTMB", "verbagg_laplace", "verbagg", "r2", ("id", "item"), ANGER, "binary"),
    Certificate("glmmTMB", "grouseticks_full_laplace", "grouseticks", "TICKS",
                ("BROOD", "INDEX", "LOCATION"), TICKS, "poisson"),
]  # fmt: skip
#: Residuals that remember, from times.
AUTOCORRELATED = [
    Certificate("nlme", "ovary_car1_ml", "ovary", "follicles", ("Mare",), ("sin", "cos"),
                "gaussian", "Time"),
    Certificate("nlme", "diary_car1_ml", "diary", "y", ("person",), ("x",), "gaussian", "time"),
    Certificate("nlme", "diary_car1_reml", "diary", "y", ("person",), ("x",), "gaussian", "time",
                True),
]  # fmt: skip
#: Classes without an order.
UNORDERED = [Unordered(model) for model in models("multinomial")]
#: All that R's packages can fit.
ALL = [*INTERCEPTS, *DISPERSED, *QUADRATURE, *SEVERAL, *AUTOCORRELATED]
