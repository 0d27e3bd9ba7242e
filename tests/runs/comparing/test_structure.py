"""Which models are special cases of which, and what of the larger one is at the boundary."""

from dataclasses import replace

import pytest

from nme_core.runs.comparing import Structure, nesting

INTERCEPT = Structure(
    ("nme-mlp", "gaussian"), frozenset("ab"), frozenset({"intercept"}), frozenset(), False, "iid"
)
SLOPE = replace(INTERCEPT, random=frozenset({"intercept", "a"}))
FULL = replace(SLOPE, full=True)
CLINIC = replace(INTERCEPT, factors=frozenset({"clinic"}))
NOTHING = replace(INTERCEPT, random=frozenset())


@pytest.mark.parametrize(
    ("smaller", "larger", "n_variances"),
    [
        (NOTHING, INTERCEPT, 1),
        (INTERCEPT, SLOPE, 1),
        (INTERCEPT, FULL, 1),
        (SLOPE, FULL, 0),
        (replace(INTERCEPT, full=True), SLOPE, 1),  # one effect: full is diagonal
        (INTERCEPT, CLINIC, 1),
        (NOTHING, FULL, 2),
        (replace(INTERCEPT, fixed=frozenset("a")), INTERCEPT, 0),
        (INTERCEPT, replace(INTERCEPT, residual="ar1"), 1),
        (INTERCEPT, replace(SLOPE, residual="ar1"), 2),
        (replace(INTERCEPT, n_outputs=3, full=True), replace(FULL, n_outputs=3), 3),
    ],
)
def test_nested(smaller, larger, n_variances):
    found = nesting(smaller, larger)
    assert (found.smaller, found.n_variances) == (0, n_variances)
    assert nesting(larger, smaller).smaller == 1


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (
            FULL,
            replace(FULL, full=False, random=frozenset({"intercept", "a", "b"})),
            "special case",
        ),
        (INTERCEPT, replace(SLOPE, random=frozenset({"a"})), "special case"),
        (CLINIC, SLOPE, "special case"),
        (INTERCEPT, replace(INTERCEPT, kind=("nme-mlp", "poisson")), "different kinds"),
        (INTERCEPT, INTERCEPT, "same model"),
        (replace(INTERCEPT, residual="ar1"), SLOPE, "special case"),
    ],
)
def test_not_nested(one, other, reason):
    assert reason in nesting(one, other)


def test_restricted_likelihoods():
    one, other = (replace(structure, reml=True) for structure in (INTERCEPT, SLOPE))
    assert nesting(one, other).smaller == 0
    fewer = replace(one, fixed=frozenset("a"))
    assert "different fixed effects cannot be compared" in nesting(fewer, other)
    assert "One likelihood is restricted" in nesting(INTERCEPT, other)
