"""What the table ``skill`` amounts to, in sentences that name the best of all rivals."""

from __future__ import annotations

import math

import pandas as pd

from nme_core.metrics.simple_rules import CLASS_RULES, NUMBER_RULES
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import number
from nme_core.vocabulary.terms import MODELS, model_name
from nme_core.vocabulary.text import listed, percent

_RULES = {*NUMBER_RULES, *CLASS_RULES}
#: What it means where a simpler model predicts as well.
_AS_WELL = {
    "generic": "One model for everybody does as well on held-back rows: these do not show that"
    " parameters of people's own help to predict",
    "linear": "Straight lines do as well on held-back rows: these do not show that the network's"
    " bends help to predict",
}
#: From so many times on, what is higher is given as times.
_MANY = 10
_ERROR = {"mse": "squared error", "log_loss": "log-loss"}


def skill_sentences(skill: pd.DataFrame) -> list[str]:
    """Sentences about a run's model, the most important first; none where nothing was held back.

    Parameters
    ----------
    skill : DataFrame
        The table ``skill`` of a run folder.
    """
    block = skill[skill["horizon"].isna() & (skill["scope"] == "pooled")]
    if block.empty:
        return []
    found = [_beside_rules(block[block["reference"].isin(_RULES)])]
    found += _better_models(block[~block["reference"].isin(_RULES)])
    found += _one_ahead(skill[(skill["horizon"] == 1) & (skill["scope"] == "pooled")])
    found += _when(skill[skill["horizon"].isna() & (skill["reference"] == "mean")])
    return [sentence for sentence in found if sentence]


def simple_is_as_good(skill: pd.DataFrame) -> bool:
    """Whether some simple rule predicts the held-back rows as well as the model, or better."""
    rows = skill[skill["horizon"].isna() & (skill["scope"] == "pooled")]
    rows = rows[rows["reference"].isin(_RULES)]
    return bool(len(rows)) and not _best(rows)["ci_low"] > 0


def plain_verdict(skill: pd.DataFrame) -> str:
    """The model beside the best simple rule, without terms; empty where nothing was kept back."""
    block = skill[skill["horizon"].isna() & (skill["scope"] == "pooled")]
    rows = block[block["reference"].isin(_RULES)]
    if rows.empty:
        return ""
    if (block[block["reference"] == "linear"]["ci_high"] < 0).any():
        return tr(
            "Over all people straight lines predict better than the model: read this with care."
        )
    row = _best(rows)
    rule = tr(MODELS[str(row["reference"])].text)
    if row["ci_low"] > 0:
        saved, low, high = (percent(row[name]) for name in ("skill", "ci_low", "ci_high"))
        return tr(
            "Over all people the model predicts {skill} better (95 % interval {low} to {high}) "
            "than the best simple rule, {rule}."
        ).format(skill=saved, low=low.removesuffix(" %"), high=high, rule=rule)
    how = tr("better than") if row["ci_high"] < 0 else tr("as well as")
    return tr(
        "Over all people a simple rule, {rule}, predicts {how} the model: read this with care."
    ).format(rule=rule, how=how)


def _best(rows: pd.DataFrame) -> pd.Series:
    """The rival with the smallest loss: the model's skill against it is the lowest."""
    return rows.iloc[int(rows["skill"].fillna(-1e300).to_numpy().argmin())]


def _beside_rules(rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    row = _best(rows)
    rule, saved = tr(MODELS[str(row["reference"])].text), _saved(row)
    if row["ci_low"] > 0:
        return tr(
            "The model predicts held-back rows better than the best simple rule, {rule}: {saved}."
        ).format(rule=rule, saved=saved)
    if row["ci_high"] < 0:
        return tr(
            "A simple rule predicts held-back rows better than the model: {rule}; {saved}."
        ).format(rule=rule, saved=saved)
    return tr("A simple rule does as well as the model on held-back rows: {rule}; {saved}.").format(
        rule=rule, saved=saved
    )


def _better_models(rows: pd.DataFrame) -> list[str]:
    better = rows[rows["ci_high"] < 0]
    if better.empty:
        level = rows[rows["reference"].isin(list(_AS_WELL)) & ~(rows["ci_low"] > 0)]
        words = tr(_AS_WELL)
        return [f"{words[row['reference']]}; {_saved(row)}." for _, row in level.iterrows()]
    names = listed([model_name(name) for name in better["reference"]])
    one, many = tr(("Better than the model predicts: {names}.",
                    "Better than the model predict: {names}."))  # fmt: skip
    return [(one if len(better) == 1 else many).format(names=names)]


def _one_ahead(rows: pd.DataFrame) -> list[str]:
    rows = rows[rows["reference"].isin(_RULES)]
    if rows.empty or not _best(rows)["ci_high"] < 0:
        return []
    row = _best(rows)
    rule = tr(MODELS[str(row["reference"])].text)
    return [
        tr("One row ahead a simple rule predicts better than the model: {rule}; {saved}.").format(
            rule=rule, saved=_saved(row)
        )
    ]


def _when(rows: pd.DataFrame) -> list[str]:
    """Whether the model knows more of a person than the person's own mean."""
    within = rows[rows["scope"] == "within"]
    if within.empty or within.iloc[0]["ci_low"] > 0 or pd.isna(within.iloc[0]["ci_low"]):
        return []
    return [
        tr(
            "The model does not tell a person's better from worse occasions: within people "
            "it predicts no better than each person's mean; {saved}. It may still tell "
            "people apart."
        ).format(saved=_saved(within.iloc[0]))
    ]


def _saved(row: pd.Series) -> str:
    """By how much the model's loss is lower or higher than the rival's, with its interval."""
    return tr("the model's {error} is {change}").format(
        error=tr(_ERROR)[str(row["metric"])],
        change=change_words(row["skill"], row["ci_low"], row["ci_high"]),
    )


def change_words(skill: float, low: float, high: float) -> str:
    """How a loss is changed by a share of itself that is saved, with the interval of the share.

    ``12 % lower (95 % interval: 2 to 18 % lower)``, ``303 times as high``.
    """
    value, words = _size(skill)
    change = words.format(value=value)
    if math.isnan(low):
        return change
    (near, some), (far, last) = (_size(end) for end in _ends(low, high))
    first = near.removesuffix(" %") if some == last or near == "0 %" else some.format(value=near)
    return tr("{change} (95 % interval: {low} to {high})").format(
        change=change, low=first, high=last.format(value=far)
    )


def _ends(low: float, high: float) -> list[float]:
    """Ends of an interval from the lower loss on, or, where both are on one side, from 0 on."""
    ends = [round(high, 2), round(low, 2)]
    return sorted(ends, key=abs) if ends[0] * ends[1] >= 0 else ends


def _size(skill: float) -> tuple[str, str]:
    """How much lower a loss is, or higher where nothing is saved, and the words for it."""
    skill = round(skill, 2)
    if 1 - skill >= _MANY:
        return number(1 - skill, 2), tr("{value} times as high")
    return percent(abs(skill)), tr("{value} lower") if skill >= 0 else tr("{value} higher")
