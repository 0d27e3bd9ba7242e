"""How regularly persons answered: against what was planned, against covariates, and in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype
from scipy.special import chdtrc, stdtr

from nme_core.study.check.report import Compliance, Finding
from nme_core.study.study import Study
from nme_core.study.time.occasions import DAYS_OF
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.text import count, percent

#: A step is usual where at least this share of the steps are as long.
_ALIKE = 0.05
#: A covariate with words has groups where these are at most so many, each with so many persons.
MOST_GROUPS, LEAST_PERSONS = 8, 3

#: Share of the planned occasions below which a person counts as having answered seldom.
SELDOM = 0.5

#: A step is a gap where it is longer than the usual one by this factor.
GAP = 1.5

#: Dates outside of these years are slips, or stand for "unknown".
YEARS = (1950, 2100)


def compliance(n_obs: pd.Series, covariates: pd.DataFrame) -> Iterable[Compliance]:
    """How the number of observations goes with every covariate, over persons."""
    for name in covariates.columns:
        column = covariates[name]
        both = pd.concat([n_obs, column], axis=1, ignore_index=True).dropna()
        if len(both) < 5 or (both.nunique() < 2).any():
            continue
        if pd.api.types.is_numeric_dtype(column.dtype):
            yield Compliance(str(name), *_spearman(both), len(both))
            continue
        sizes = both[1].value_counts()
        if len(sizes) <= MOST_GROUPS and sizes.min() >= LEAST_PERSONS:
            medians = tuple(
                (str(group), float(median)) for group, median in both.groupby(1)[0].median().items()
            )
            yield Compliance(str(name), None, _kruskal(both), len(both), medians)


def _spearman(pairs: pd.DataFrame) -> tuple[float, float]:
    """Rank correlation and its two-sided p (t distribution); scipy.stats is slow to import."""
    rho = float(np.corrcoef(pairs.rank().to_numpy(), rowvar=False)[0, 1])
    freedom = len(pairs) - 2
    t = rho * np.sqrt(freedom / max((1 - rho) * (1 + rho), np.finfo(float).tiny))
    return rho, float(2 * stdtr(freedom, -abs(t)))


def _kruskal(pairs: pd.DataFrame) -> float:
    """p of the Kruskal-Wallis test of column 0 over the groups of column 1, corrected for ties."""
    ranks, n = pairs[0].rank(), len(pairs)
    by_group = ranks.groupby(pairs[1])
    h = 12 / (n * (n + 1)) * float((by_group.sum() ** 2 / by_group.size()).sum()) - 3 * (n + 1)
    ties = pairs[0].value_counts().to_numpy(dtype=float)
    h /= 1 - float((ties**3 - ties).sum()) / (n**3 - n)
    return float(chdtrc(by_group.ngroups - 1, h))


#: What a test may find where people with more of a covariate answered more or less often.
TRAP = "{who}: a test of person parameters can find a dependence that is not there."


def find_compliance(entries: Sequence[Compliance]) -> Iterable[Finding]:
    """Warn of the trap: covariates that go with how often persons answered."""
    for entry in entries:
        if entry.p >= 0.05:
            continue
        if entry.spearman is None:
            who = tr("The groups of {covariate!r} differ in their number of observations").format(
                covariate=entry.covariate
            )
        else:
            verb = tr("fewer") if entry.spearman < 0 else tr("more")
            who = tr("People with a higher {covariate!r} have {verb} observations").format(
                covariate=entry.covariate, verb=verb
            )
        yield Finding(
            "look",
            tr(TRAP).format(who=who),
            entry.covariate,
            tr("Tests against covariates guard against it by default; leave that guard on."),
            kind="compliance",
        )


def find_planned(n_obs: pd.Series, planned: int | None) -> Iterable[Finding]:
    """Compare the number of observations with what was planned for each person."""
    if planned is None:
        return
    share = n_obs / planned
    seldom, above = int((share < SELDOM).sum()), int((share > 1).sum())
    yield Finding(
        "look" if seldom else "info",
        tr(
            "Of {planned} planned occasions, {median} were answered in the median ({min} to "
            "{max}); {seldom} of {share} people answered less than {seldom_2}."
        ).format(
            planned=planned,
            median=percent(share.median()),
            min=percent(share.min()),
            max=percent(share.max()),
            seldom=seldom,
            share=len(share),
            seldom_2=percent(SELDOM),
        ),
        remedy=tr(
            "Few observations make a person's own parameters uncertain; they stay "
            "near the population."
        )
        if seldom
        else None,
    )
    if above:
        verb = tr("person has") if above == 1 else tr("people have")
        yield Finding(
            "look",
            tr("{above} {verb} more observations than the {planned} that were planned.").format(
                above=above, verb=verb, planned=planned
            ),
            remedy=tr("Are there rows that stand twice, or was more planned?"),
        )


def describe_spacing(study: Study) -> tuple[str | None, int | None]:
    """How the rows of a sequence lie in time, in words, and the number of gaps."""
    if study.time is None:
        return None, None
    follows = study.sequence_blocks.steps()
    if not len(follows):
        return tr("one row per sequence"), 0
    steps = study.time.diff().iloc[follows]
    steps = steps[~study.tied[follows]]  # rows at one time are no step apart
    if not len(steps):
        return tr("one time per sequence"), 0
    usual = steps.median()
    gaps = int((steps > GAP * usual).sum())
    even = float((steps == usual).mean())
    return (
        tr("usual step {usual}, longest {step_words}, {gaps}").format(
            usual=_usual(step_words(usual, study.time_unit), even),
            step_words=step_words(steps.max(), study.time_unit),
            gaps=count(gaps, "gap"),
        ),
        gaps,
    )


def _usual(step: str, share: float) -> str:
    """The usual step with its share; where hardly two steps are alike, about how long it is."""
    return (
        tr("about {step}").format(step=step)
        if share < _ALIKE
        else tr("{step} ({share} of the steps)").format(step=step, share=percent(share))
    )


def step_words(step: float | pd.Timedelta, unit: str | None = None) -> str:
    """A distance in time in days, hours, minutes or seconds; a plain number where none is known."""
    if not isinstance(step, pd.Timedelta):
        if unit is None:
            return f"{step:g}"
        step = pd.Timedelta(days=step * DAYS_OF[unit])
    for name, seconds in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count = f"{step.total_seconds() / seconds:.3g}"
        if float(count) >= 2 or count == "1" or seconds == 1:
            return f"{count} {tr(name if count == '1' else f'{name}s')}"
    raise AssertionError


def find_gaps(study: Study, n_gaps: int | None) -> Iterable[Finding]:
    """Say how many steps are longer than usual, and which longest gap would break them."""
    if not n_gaps or study.time is None:
        return
    follows = study.sequence_blocks.steps()
    steps = study.time.diff().iloc[follows][~study.tied[follows]]
    verb = tr("step is") if n_gaps == 1 else tr("steps are")
    yield Finding(
        "info",
        tr("{n_gaps} {verb} more than {gap:g} times as long as the usual step in time.").format(
            n_gaps=n_gaps, verb=verb, gap=GAP
        ),
        study.roles.time,
        tr(
            "A longest gap (--max-gap {limit}) or a column that names the sequences breaks "
            "them there."
        ).format(limit=_limit(GAP * steps.median(), study.time_unit)),
    )


def find_far_times(study: Study) -> Iterable[Finding]:
    """Name dates that nobody lived to see, such as in 1900 or 2999."""
    if study.time is None or not is_datetime64_any_dtype(study.time.dtype):
        return
    far = ~study.time.dt.year.between(*YEARS)
    if far.any():
        count = (
            tr("1 row is") if far.sum() == 1 else tr("{sum} rows are").format(sum=int(far.sum()))
        )
        yield Finding(
            "look",
            tr(
                "{count} dated before {first} or after {years}; the first is person "
                "{first_2!r} on {first_3:%Y-%m-%d}."
            ).format(
                count=count,
                first=YEARS[0],
                years=YEARS[1],
                first_2=study.groups[far].iloc[0],
                first_3=study.time[far].iloc[0],
            ),
            study.roles.time,
            tr("Correct the file: such a date often stands for an unknown one."),
        )


def _limit(gap: float | pd.Timedelta, unit: str | None) -> str:
    """A longest gap as --max-gap takes it for such times."""
    if not isinstance(gap, pd.Timedelta):
        if unit is None:
            return f"{gap:g}"
        gap = pd.Timedelta(days=gap * DAYS_OF[unit])
    for name in ("d", "h", "min", "s"):
        number = gap / pd.Timedelta(days=DAYS_OF[name])
        if number >= 1 and number == round(number, 6) and round(number, 6) % 0.5 == 0:
            return f"{number:g}{name}"
    return f"{gap.total_seconds():g}s"
