import numpy as np
import pandas as pd
import pytest

from nme_core import independence
from nme_core.independence.report import WIDTH


@pytest.fixture
def tests():
    rng = np.random.default_rng(0)
    persons = [f"{number:03d}" for number in range(60)]
    long = "transitions[Aggressive towards the mother,Dysphoric and withdrawn]"
    x = pd.DataFrame(rng.normal(size=(60, 14)), index=persons).rename(columns=str)
    x = x.rename(columns={"0": long})
    covariates = pd.DataFrame(
        {
            "depression": 3 * x[long] + 0.1 * rng.normal(size=60),
            "months since the first contact with the clinic": np.tile([0.0, 1.0], 30),
        },
        index=persons,
    )
    return independence.test_covariates(
        x, covariates, parameters="transition scores (double-centred)", strata="none"
    )


def test_hsic_is_one_line_per_covariate(tests):
    lines = independence.hsic_lines(tests.hsic)
    header = lines[0].split("  ")
    assert [name.strip() for name in header if name.strip()] == [
        *("covariate", "taken as", "of", "people", "strength", "95 % interval"),
        *("p", "corrected p", "strata"),
    ]
    assert len(lines) == 4
    assert lines[3] == "Tests corrected together: 2. Permutations: 2000."
    assert lines[1].startswith("depression  ")
    assert lines[1].count("< .001") == 2
    assert lines[1].endswith("  none")
    p = tests.hsic["p"].iloc[1]
    assert f" {p:.3f}".replace(" 0.", " .") in lines[2]


def test_effects_are_the_strongest_first(tests):
    lines = independence.effects_lines(tests.effects, n=4)
    assert len(lines) == 5
    assert "95 % interval" in lines[0]
    strongest = tests.effects.sort_values("p").iloc[0]
    assert lines[1].startswith("depression")
    assert f"{strongest['effect']:.3f}" in lines[1]
    assert f"{strongest['ci_low']:.3f} to {strongest['ci_high']:.3f}" in lines[1]
    assert "< .001" in lines[1]
    groups = tests.effects[tests.effects["group"] != ""].assign(covariate="relapse")
    assert "mean diff. 1 - 0" in independence.effects_lines(groups)[1]


def test_long_names_are_shortened_to_the_width(tests):
    wide = tests.hsic.assign(
        strata="number of beeps", strength_low=-0.5, strength_high=-0.25, p=0.0, n_persons=123_456
    )
    for table in (tests.hsic, wide):
        lines = independence.hsic_lines(table)
        assert max(map(len, lines)) <= WIDTH
        assert all(name in lines[0] for name in ("covariate", "  of  ", "corrected p"))
    for lines in (independence.hsic_lines(tests.hsic), independence.effects_lines(tests.effects)):
        assert max(map(len, lines)) <= WIDTH
    assert "…" in lines[1]


def test_what_is_not_defined_is_empty(tests):
    row = tests.effects.head(1).assign(ci_low=np.nan, ci_high=np.nan, p=np.nan, p_adjusted=np.nan)
    line = independence.effects_lines(row)[1]
    assert "nan" not in line
    assert line.split()[-1] == "60"
