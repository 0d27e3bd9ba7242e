"""What simple numbers tell of a person: mean and variability; of states, shares and switching."""

from __future__ import annotations

import numpy as np
import pandas as pd

MEAN, SD, SHARE, SWITCHING = "mean", "sd", "share", "switching rate"


def person_summaries(
    y: pd.Series, groups: pd.Series, sequence_ids: pd.Series, outcome_kind: str
) -> pd.DataFrame:
    """Summaries of every person's outcome: person, summary, value, n.

    Of a number ``mean`` and ``sd`` (n - 1 in the denominator); of states ``share[<state>]`` for
    each state, and ``switching rate``, the share of the pairs of consecutive observed states of a
    sequence that differ. n is the number of observations, or of pairs, behind a value, which is
    missing where there are too few.

    Parameters
    ----------
    y, groups, sequence_ids : Series, shape (n_rows,)
        Outcome, person and sequence of each row, in order of time.
    outcome_kind : "number" or "class"
        What `y` is.
    """
    persons = pd.Index(groups.unique(), name="person")
    by_person = y.groupby(groups)
    counts = by_person.count().reindex(persons)
    if outcome_kind == "number":
        columns = {MEAN: (by_person.mean(), counts), SD: (by_person.std(), counts)}
    else:
        known = y.notna()
        columns = {
            f"{SHARE}[{label}]": ((y[known] == label).groupby(groups[known]).mean(), counts)
            for label in sorted(y[known].unique())
        }
        before = y.groupby(sequence_ids).shift()
        pairs = known & before.notna()
        switched = (y[pairs] != before[pairs]).groupby(groups[pairs])
        n_pairs = switched.size().reindex(persons, fill_value=0)
        columns[SWITCHING] = (switched.mean(), n_pairs)
    tables = [
        pd.DataFrame({"person": persons, "summary": name, "value": value.reindex(persons), "n": n})
        for name, (value, n) in columns.items()
    ]
    return pd.concat(tables, ignore_index=True)


def held_summaries(table: pd.DataFrame) -> pd.DataFrame:
    """Summaries in the form in which they are held in a test, person × number.

    The mean as it is, the logarithm of the standard deviation, log shares against the first state,
    and the log-odds of switching; half an observation is added to every count, so that none is
    infinite. These are the scales on which a linear model of persons' parameters has the best
    chance to be right: transition scores are log-odds themselves. Persons with a missing summary
    are left out.

    Parameters
    ----------
    table : DataFrame
        The table of `person_summaries`.
    """
    value = table.pivot(index="person", columns="summary", values="value")
    n = table.pivot(index="person", columns="summary", values="n")
    if MEAN in value:
        spread = value[SD].where(value[SD] > 0)
        log_sd = spread.fillna(spread.min() / 2).map(np.log)
        return pd.DataFrame({MEAN: value[MEAN], f"log {SD}": log_sd})[value[SD].notna()].dropna()
    shares = [str(name) for name in value if str(name).startswith(f"{SHARE}[")]
    logs = {name: (value[name] * n[name] + 0.5).map(np.log) for name in shares}
    held = pd.DataFrame({f"log {name}": logs[name] - logs[shares[0]] for name in shares[1:]})
    switches = value[SWITCHING] * n[SWITCHING]
    odds = (switches + 0.5) / (n[SWITCHING] - switches + 0.5)
    held[f"log-odds of {SWITCHING}"] = odds.map(np.log)
    return held.dropna()


def describe(table: pd.DataFrame) -> str:
    """What the summaries are, in words."""
    if MEAN in set(table["summary"]):
        return "mean and standard deviation of the outcome"
    return "shares of the states and rate of switching"
