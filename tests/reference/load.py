"""Reads the frozen numbers: ``reference("lme4", "cbpp_laplace").fixed["period2"]``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
#: R packages with frozen numbers, each in ``PACKAGE.csv``, made by ``PACKAGE.R``; multinomial has
#: none, its likelihood is written out.
PACKAGES = ("lme4", "nlme", "ordinal", "glmmTMB", "multinomial")
PAIR = " ~ "


@cache
def _table(package: str) -> pd.DataFrame:
    path = HERE / f"{package}.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")


def versions(package: str) -> dict[str, str]:
    """Version of R and of each R package that made the numbers."""
    table = _table(package).query("model == 'versions'")
    return dict(zip(table["term"], table["value"], strict=True))


def models(package: str) -> list[str]:
    """Names of a package's models."""
    return [name for name in _table(package)["model"].unique() if name != "versions"]


@dataclass(frozen=True)
class Reference:
    """The numbers of one model. `table` has columns quantity, factor, level, term, value (text)."""

    package: str
    model: str
    table: pd.DataFrame

    def values(self, quantity: str, factor: str = "") -> pd.Series:
        """Numbers of a quantity by term, shape (n_terms,); KeyError where it has none."""
        rows = self.table.query("quantity == @quantity and factor == @factor")
        if rows.empty:
            raise KeyError(f"{self.package}/{self.model} has no {quantity!r} of {factor!r}")
        return rows.set_index("term")["value"].replace("NA", "nan").astype(float).rename(quantity)

    def number(self, quantity: str) -> float:
        """A quantity that has one number, such as ``"aic"`` or ``"phi"``."""
        (value,) = self.values(quantity)
        return float(value)

    def text(self, quantity: str) -> str:
        """A quantity as it was written, such as ``"message"``."""
        (value,) = self.table.loc[self.table["quantity"] == quantity, "value"]
        return str(value)

    @property
    def log_likelihood(self) -> float:
        """Maximum of the (restricted) log-likelihood."""
        return self.number("log_likelihood")

    @property
    def fixed(self) -> pd.Series:
        """Fixed effects; the intercept is ``"(Intercept)"``."""
        return self.values("fixed")

    @property
    def fixed_se(self) -> pd.Series:
        """Standard errors of the fixed effects."""
        return self.values("fixed_se")

    @property
    def residual_variance(self) -> float:
        """σ²."""
        return self.number("residual_variance")

    @property
    def factors(self) -> list[str]:
        """Grouping factors with random effects."""
        return list(self.table.loc[self.table["quantity"] == "variance", "factor"].unique())

    def covariance(self, factor: str) -> pd.DataFrame:
        """Σ of a factor's random effects, shape (n_effects, n_effects); 0 where they are apart."""
        variances = self.values("variance", factor)
        names = list(variances.index)
        sigma = pd.DataFrame(0.0, index=names, columns=names)
        for name in names:
            sigma.loc[name, name] = variances[name]
        pairs = self.table.query("quantity == 'covariance' and factor == @factor")
        for pair, value in zip(pairs["term"], pairs["value"].astype(float), strict=True):
            a, b = pair.split(PAIR)
            sigma.loc[a, b] = sigma.loc[b, a] = value
        return sigma

    def modes(self, factor: str) -> pd.DataFrame:
        """Conditional modes, shape (n_levels, n_effects): all levels up to 30, else 10 of them."""
        return self._by_level("mode", factor)

    def mode_sds(self, factor: str) -> pd.DataFrame:
        """Conditional standard deviations of the modes, shape (n_levels, n_effects)."""
        return self._by_level("mode_sd", factor)

    def _by_level(self, quantity: str, factor: str) -> pd.DataFrame:
        rows = self.table.query("quantity == @quantity and factor == @factor")
        if rows.empty:
            raise KeyError(f"{self.package}/{self.model} has no {quantity!r} of {factor!r}")
        wide = rows.assign(value=rows["value"].astype(float)).pivot(
            index="level", columns="term", values="value"
        )
        return wide[list(rows["term"].unique())]

    def intervals(self, kind: str = "profile", factor: str = "") -> pd.DataFrame:
        """95 % intervals, columns low and high; kind ``"profile"`` or ``"interval"`` (nlme)."""
        low, high = (self.values(f"{kind}_{end}", factor) for end in ("low", "high"))
        return pd.DataFrame({"low": low, "high": high})


def reference(package: str, model: str) -> Reference:
    """The frozen numbers of a model; KeyError with the names there are where it is unknown."""
    table = _table(package)
    rows = table[table["model"] == model].drop(columns="model").reset_index(drop=True)
    if rows.empty:
        raise KeyError(f"no {model!r} in {package}: {', '.join(models(package))}")
    return Reference(package, model, rows)
