"""Numbers in APA style."""

import pytest

from nme_core.reports import apa
from nme_core.vocabulary.text import listed


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, ".50"), (-0.456, "−.46"), (0.999, "1.00"), (-0.001, ".00"), (10.05, "10.05")],
)
def test_what_cannot_exceed_1_has_no_zero_before_the_point(value, text):
    assert apa.bounded(value) == text


def test_limits_have_as_many_decimals_as_each_other():
    assert apa.limits(-0.0421, 0.5) == "[−0.042, 0.500]"
    assert apa.limits(-12.0, 345.6) == "[−12, 346]"
    assert apa.limits(-0.1, 0.1, 2) == "[−0.10, 0.10]"
    assert apa.limits(float("nan"), 1.0) == "–"
    assert apa.bounded_limits(-0.5, 0.25) == "[−.50, .25]"


def test_a_number_has_the_decimals_of_its_interval():
    assert apa.estimate(-0.000663, -0.0102, 0.0084) == ("−0.0007", "[−0.0102, 0.0084]")
    assert apa.estimate(1234.5, float("nan"), 1.0) == ("1,234", "–")


def test_lists():
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"]) == "a, b, and c"
