"""Numbers in APA style."""

import pytest

from nme_core.reports import apa
from nme_core.vocabulary.text import listed


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0341, "p = .034"), (0.00099, "p < .001"), (0.001, "p = .001"), (1.0, "p = 1.000"),
        (0.9996, "p = 1.000"), (0.0005, "p < .001"), (float("nan"), "p –"),
    ],
)  # fmt: skip
def test_p(p, text):
    assert apa.p_value(p) == text
    assert apa.p_cell(p) == text.removeprefix("p ").removeprefix("= ")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, ".50"), (-0.456, "−.46"), (0.999, "1.00"), (-0.001, ".00"), (10.05, "10.05")],
)
def test_what_cannot_exceed_1_has_no_zero_before_the_point(value, text):
    assert apa.bounded(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.123"), (-12.345, "−12.3"), (1234.5, "1,234"), (0.0, "0"), (9.996, "10.0"),
        (1.5e9, "1.50 × 10^9"), (2e-7, "2.00 × 10^−7"), (float("inf"), "–"),
    ],
)  # fmt: skip
def test_three_digits(value, text):
    assert apa.number(value) == text


def test_limits_have_as_many_decimals_as_each_other():
    assert apa.limits(-0.0421, 0.5) == "[−0.042, 0.500]"
    assert apa.limits(-12.0, 345.6) == "[−12, 346]"
    assert apa.limits(-0.1, 0.1, 2) == "[−0.10, 0.10]"
    assert apa.limits(float("nan"), 1.0) == "–"
    assert apa.bounded_limits(-0.5, 0.25) == "[−.50, .25]"


def test_lists():
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"]) == "a, b, and c"
