"""What was found of Σ, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nme_core.training.structure_choice import PEOPLE_EACH
from nme_core.vocabulary.choices import SIGMA
from nme_core.vocabulary.text import number, p_phrase

#: Level of the verdict.
ALPHA = 0.05
#: What a structure says of people.
_MEANS = {
    "factor": "People differ in one trait that shows in all these parameters, and in each of them"
    " by itself.",
    "factor2": "People differ in two traits that show in all these parameters, and in each of them"
    " by itself.",
}
_READS = {"mse": "mean squared error", "log_loss": "log-loss"}


@dataclass(frozen=True)
class Evidence:
    """What speaks for and against a diagonal Σ.

    Attributes
    ----------
    n_people : int
        In the study.
    diagonal : bool or None
        Whether a diagonal Σ does; None where nothing could be tested.
    p : float or None
        Of the test that decided.
    decided_by : str
        ``likelihood ratio``, ``correlations``, or empty.
    likelihood_ratio, correlations, held_out, readouts : mapping or None
        Numbers of each kind of evidence.
    n_at_zero : int
        Variances that the diagonal model estimates as 0.
    chosen : str
        Structure.
    lowest : str
        Structure with the lowest AIC; empty without likelihoods.
    """

    n_people: int
    diagonal: bool | None
    p: float | None
    decided_by: str
    likelihood_ratio: Mapping[str, Any] | None
    n_at_zero: int
    correlations: Mapping[str, Any] | None
    chosen: str
    held_out: Mapping[str, Any] | None
    readouts: Mapping[str, Any] | None
    lowest: str = ""


def answer(found: Evidence) -> str:
    """The answer, and what it rests on."""
    people = f"these {found.n_people} people"
    if found.diagonal is None:
        return (
            "Nothing tells whether Σ is diagonal: this model has neither a likelihood nor people's"
            " intervals. Fit with --estimator variational or laplace."
        )
    head = (
        f"A diagonal Σ does: the rows of {people} show no correlation between people's parameters"
        if found.diagonal
        else f"Σ is not diagonal: people's parameters are correlated ({people};"
        f" a {SIGMA[found.chosen]} Σ is chosen)"
    )
    parts, meaning = [f"{head}; {_test(found)}."], _MEANS.get(found.chosen, "")
    parts += [text for text in (meaning, _pair(found), _predicts(found), _reads(found)) if text]
    return " ".join(parts)


def _test(found: Evidence) -> str:
    ratio = found.likelihood_ratio
    if found.decided_by == "likelihood ratio" and ratio is not None:
        more = "1 covariance" if ratio["df"] == 1 else f"{ratio['df']} covariances"
        return (
            f"likelihood ratio {number(ratio['statistic'], 4)} for {more}, {p_phrase(ratio['p'])}"
        )
    return f"correlations against the diagonal model, {p_phrase(found.p)} over all pairs"


def _pair(found: Evidence) -> str:
    one = found.correlations
    if one is None:
        return ""
    pairs = "1 pair" if one["n_pairs"] == 1 else f"{one['n_pairs']} pairs"
    return (
        f"Furthest of {pairs}: {one['parameter']} with {one['parameter_2']}, correlation"
        f" {one['correlation']:.2f} of people's estimates (a diagonal Σ gives"
        f" {one['simulated_low']:.2f} to {one['simulated_high']:.2f},"
        f" {p_phrase(one['p_adjusted'])} over all pairs)."
    )


def _predicts(found: Evidence) -> str:
    row = found.held_out
    if row is None:
        return ""
    metric = _READS.get(str(row["metric"]), str(row["metric"]))
    low, high = row["ci_low"], row["ci_high"]
    clear = row["p"] < ALPHA and (low > 0 or high < 0)
    better = "worse" if row["difference"] > 0 else "better"
    said = f"predicts {better} than the diagonal one" if clear else (
        "predicts as well as the diagonal one, as far as can be told"
    )  # fmt: skip
    ends = "" if low != low else f", 95 % interval {number(low)} to {number(high)}"
    gap = f"{metric} {number(row['difference'], sign=True)}"
    return (
        f"On held-back rows a {SIGMA[row['model']]} Σ {said} ({gap}, mean over {row['n_persons']}"
        f" people{ends})."
    )


def _reads(found: Evidence) -> str:
    one = found.readouts
    if one is None:
        return ""
    return (
        f"People's read-outs move by {_share(one['median'])} of half the width of their interval in"
        f" the median, by {_share(one['largest'])} at most."
    )


def _share(value: float) -> str:
    return f"{100 * value:.2g} %" if value < 1 else f"{100 * value:.0f} %"


def notes(
    found: Evidence,
    failed: Mapping[str, str],
    fitted: Sequence[str],
    without_likelihood: Sequence[str] = (),
) -> tuple[str, ...]:
    """What has to be known beside the answer.

    Parameters
    ----------
    failed : mapping of str to str
        Structures that could not be fitted, with the reason.
    fitted, without_likelihood : sequence of str
        Those that could, and of these such as have no likelihood while others have one.
    """
    ratio, told = found.likelihood_ratio, []
    if found.n_at_zero and found.decided_by == "likelihood ratio":
        told.append(
            f"{found.n_at_zero} of the variances are estimated as 0, at the edge of what they can"
            " be: their covariances are 0 with them, and p is at most this."
        )
    if ratio is not None and found.decided_by == "correlations":
        told.append(
            f"The likelihood ratio ({number(ratio['statistic'], 4)} for {ratio['df']} parameters)"
            " does not decide: a full Σ frees more than covariances, or there are fewer than"
            f" {PEOPLE_EACH} people for each."
        )
    if ratio is None and found.diagonal is not None:
        told.append("A likelihood-ratio test needs the likelihoods of both models.")
    if found.diagonal and found.lowest not in ("", "diagonal"):
        told.append(
            f"By AIC alone a {SIGMA[found.lowest]} Σ would be chosen: the test, of all covariances"
            " at once, does not exclude that there are none."
        )
    if "blocks" not in fitted and "blocks" not in failed:
        told.append(
            "Blocks (the intercept, and the slopes) are fitted for an NME-MLP without hidden layers"
            " and --shrink, with two slopes or more."
        )
    if "factor" not in fitted and "factor" not in failed:
        told.append(
            "Factors (traits that show in all parameters) are fitted for a model without hidden"
            " layers and --shrink, with four person-specific parameters or more."
        )
    told += [
        f"A {SIGMA[kind]} Σ has a weak prior here, for these rows do not tell so many numbers, and"
        " no likelihood: it is not compared by AIC."
        for kind in without_likelihood
    ]
    told += [f"Could not fit a {SIGMA[kind]} Σ: {error}" for kind, error in failed.items()]
    return tuple(told)
