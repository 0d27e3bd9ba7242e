"""README texts of the simulated studies."""

from __future__ import annotations

from typing import Any

_DYADS = """\
# Sample study `dyads` (simulated)

**No person stands behind these data.** They were drawn by `nme_core.study.simulate_dyads` with
seed {seed}: {n_persons} mother–adolescent pairs move through four affective states (Other,
Aggressive, Dysphoric, Positive), {shortest} to {longest} steps each, {n_rows} rows in all.

## Files and columns

| file | column | role | unit |
|---|---|---|---|
| `long.csv` | `dyad` | person (the pair) | id |
| | `step` | time | step of 10 seconds, from 0 |
| | `state` | outcome (a state sequence) | one of four states |
| | `mother_smile`, `mother_frown` | features | intensity, about 0 to 1 |
| | `adolescent_gaze` | feature | share of the step, about 0 to 1 |
| | `voice_pitch` | feature | Hz |
| | `voice_loudness` | feature | dB |
| | `speech_rate` | feature | syllables per second |
| | `turn_length` | feature | seconds |
| | `overlap` | feature | share of the step |
| | `distance` | feature | cm |
| | `head_tilt` | feature | degrees |
| `covariates.csv` | `dyad` | person (the pair) | id |
| | `depression` | covariate | points, 0 to 63 like a BDI-II |
| | `age` | covariate | years |

## How they were made

Labels come from a linear-chain CRF, p(y | x) ∝ exp(Σ_t s_t[y_t] + Σ_t A_i[y_{{t-1}}, y_t]).
Emission scores s_t are linear in the features; `truth.json` has their weights per unit of the
feature, and their intercepts. Transition scores are A_i[from, to] = population + random
(normal, standard deviation {random_sd:g}) + planted effect of depression. Features are
autoregressive and do not depend on the states before them. {missing:.0%} of the feature cells
are missing, completely at random; the labels were drawn from the complete features.

## What is planted

{effects}
- The other 14 transition scores vary between pairs, but not with depression.
- `turn_length`, `overlap`, `distance` and `head_tilt` have no effect on the states.

## What is not

- `age` has no effect on anything.
- {compliance}

`truth.json` holds the population's transition scores and every pair's (rows: from, columns: to,
in the order of `states`). Scores are unique only up to constants of rows and columns: compare
them double-centred.

## Try it

    nme fit long.csv --covariates covariates.csv --person dyad --time step --outcome state \\
        --model nme-crf --placement transitions --out run
    nme hsic run --covariate depression --covariate age
"""

_NULL = """\
# Sample study `null` (simulated)

**No person stands behind these data.** They were drawn by `nme_core.study.simulate_null` with
seed {seed}: {n_persons} people name their state (Other, Aggressive, Dysphoric, Positive) when
prompted in daily life, {shortest} to {longest} times each, {n_rows} rows in all.

## Files and columns

| file | column | role | unit |
|---|---|---|---|
| `long.csv` | `person` | person | id |
| | `prompt` | time | number of the prompt, from 0 |
| | `state` | outcome (a state sequence) | one of four states |
| | `hassles` | feature | rating, about 0 to 7 |
| | `company` | feature | share of the time with others |
| | `fatigue` | feature | rating, about 0 to 8 |
| | `noise` | feature | dB |
| `covariates.csv` | `person` | person | id |
| | `depression` | covariate | points, 0 to 63 like a BDI-II |
| | `age` | covariate | years |

## How they were made

As `dyads`: labels come from a linear-chain CRF whose transition scores are population + random
(normal, standard deviation {random_sd:g}). `truth.json` has every person's scores (rows: from,
columns: to, in the order of `states`), and the emission weights per unit of each feature.

## What is planted

- {compliance}
- `hassles` and `company` act on the states; `fatigue` and `noise` do not.

## What is not

{effects}
- `age` has no effect on anything.

This is the compliance trap: estimates of people with few observations are shrunken more, so
their spread depends on the number of observations, and through it on depression. A test that
does not know this finds a dependence that is not there more often than it should. Dividing every
person's deviation by the square root of its reliability, as `nme hsic` does by default, guards
against it; so does permuting within strata of the number of observations (`--strata n_obs`).

Even so, one study in twenty without any effect gives p < .05 by chance. Of the first ten seeds
this one has the true scores that go least with depression (HSIC of the truth: p = .99), so that
what is found here comes from the estimates, not from the draw.

## Try it

    nme fit long.csv --covariates covariates.csv --person person --time prompt --outcome state \\
        --model nme-crf --placement transitions --out run
    nme hsic run --covariate depression --covariate age
    nme hsic run --covariate depression --covariate age --strata none
"""

_MOOD = """\
# Sample study `mood` (simulated)

**No person stands behind these data.** They were drawn by `nme_core.study.simulate_mood` with
seed {seed}: {n_persons} people rate their mood once a day in a diary of four to eight weeks,
with gaps ({gaps:.0%} of the days), {shortest} to {longest} entries each, {n_rows} rows in all.

## Files and columns

| file | column | role | unit |
|---|---|---|---|
| `long.csv` | `person` | person | id |
| | `day` | time | day of the diary, from 1; days without an entry are absent |
| | `mood` | outcome (a number) | rating, about 1 (bad) to 9 (good), not rounded |
| | `sleep` | feature | hours in the night before |
| | `stress` | feature | rating, about 0 to 10 |
| | `steps` | feature | thousand steps |
| | `weekend` | feature | 1 on Saturday and Sunday, else 0 |
| `covariates.csv` | `person` | person | id |
| | `depression` | covariate | points, 0 to 63 like a BDI-II |
| | `age` | covariate | years |

## How they were made

    mood = level + height · exp(−(sleep − optimum)² / (2 width²)) + linear effects + noise

an inverted U over hours of sleep. level, height and optimum are each person's own (`truth.json`
has all of them); the width is {width:g} hours for everybody. The noise is normal with standard
deviation {sigma:g}.

## What is planted

{effects}
- Linear effects, the same for everybody: {linear} per unit.

## What is not

- `level` does not depend on depression; `steps` has no effect; `age` has no effect on anything.
- {compliance}

## Try it

    nme fit long.csv --covariates covariates.csv --person person --time day --outcome mood \\
        --model nme-mlp --placement last --hidden 32 --out run
    nme hsic run --covariate depression --covariate age
"""

_TEMPLATES = {"dyads": _DYADS, "mood": _MOOD, "null": _NULL}


def readme(truth: dict[str, Any], *, n_rows: int) -> str:
    """README of a simulated study, written from its truth."""
    lengths = [person["n_steps"] for person in truth["persons"].values()]
    population = truth["population"]
    words = {
        **truth,
        "n_rows": n_rows,
        "shortest": min(lengths),
        "longest": max(lengths),
        "effects": _effects(truth["effects"]),
        "compliance": _compliance(truth["compliance_effect"]),
        "missing": truth.get("missing_features"),
        "width": population.get("response", {}).get("width"),
        "linear": ", ".join(
            f"`{name}` {slope:+g}" for name, slope in population.get("linear", {}).items()
        ),
    }
    return _TEMPLATES[truth["study"]].format(**words)


def _effects(effects: list[dict[str, Any]]) -> str:
    if not effects:
        return "- `depression` has no effect on any parameter."
    return "\n".join(
        f"- `{effect['parameter']}` changes by {effect['slope']:+g} per point of `depression` "
        f"(0 at {effect['center']:.2f} points, the mean)."
        for effect in effects
    )


def _compliance(falls: bool) -> str:
    if falls:
        return "The number of observations falls with `depression`."
    return "The number of observations has nothing to do with `depression`."
