import pytest

from nme_core.vocabulary import text
from nme_core.vocabulary.language import speaking
from nme_core.vocabulary.numbers import alike, estimate, fixed, interval, number, p_phrase, p_value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.43561, "0.436"),
        (-2, "−2.00"),
        (12345.6, "12,346"),
        (-12345.6, "−12,346"),
        (9_999_999.4, "9,999,999"),
        (2.2e203, "2.2 × 10²⁰³"),
        (-2.2e203, "−2.2 × 10²⁰³"),
        (0.999999, "1.00"),
        (99.96, "100"),
        (1000.4, "1,000"),
        (0.00012345, "0.000123"),
        (1.2e-9, "1.2 × 10⁻⁹"),
        (-1.2e-9, "−1.2 × 10⁻⁹"),
        (0, "0"),
        (2.2e-20, "0"),
        (-2.2e-20, "0"),
        (9.996, "10.0"),
        (float("inf"), "–"),
        (float("nan"), "–"),
        (None, "–"),
    ],
)
def test_number(value: float | None, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0009, "p < .001"),
        (0.001, "p = .001"),
        (0.0496, "p = .050"),
        (1.0, "p = 1.000"),
        (0.9996, "p = 1.000"),
        (float("nan"), "p –"),
    ],
)
def test_p(p: float, shown: str) -> None:
    assert p_phrase(p) == text.p_phrase(p) == shown
    assert p_value(p) == text.p_value(p) == shown.removeprefix("p ").removeprefix("= ")


def test_german_marks() -> None:
    with speaking("de"):
        assert p_phrase(0.0341) == "p = 0,034"
        assert number(1234.5) == "1.234"
        assert text.number(1234.5) == "1,234"


def test_a_sign_is_asked_for() -> None:
    assert [number(one, sign=True) for one in (1.5, -1.5, 0)] == ["+1.50", "−1.50", "0"]


def test_interval() -> None:
    assert interval(-0.1234, 0.5) == "[−0.12, 0.50]"
    assert interval(None, 0.5) == "–"


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.04, 0.16, "[0.040, 0.160]"),
        (0.5, 1.14, "[0.50, 1.14]"),
        (0.003, 0.95, "[0.003, 0.950]"),
        (0.00003, 0.95, "[0.00, 0.95]"),
        (-0.00003, 0.95, "[0.00, 0.95]"),
        (-12.3, 0.4, "[−12.3, 0.4]"),
        (-12.3, 2.5, "[−12.3, 2.5]"),
        (-1234.5, 20.2, "[−1,234, 20]"),
        (0.0, 0.0, "[0, 0]"),
    ],
)
def test_both_ends_of_an_interval_have_the_same_decimals(
    low: float, high: float, shown: str
) -> None:
    assert interval(low, high) == shown


def test_fixed_decimals() -> None:
    assert fixed(3.0e-5, 2) == "0.00"
    assert fixed(-0.0001, 3) == "0.000"
    assert fixed(-1234.567, 1) == "−1,234.6"
    assert fixed(float("nan"), 2) == "–"


def test_numbers_side_by_side_have_the_same_decimals() -> None:
    assert alike([0.788, 1.4912]) == ["0.79", "1.49"]
    assert alike([0.0, 0.05]) == ["0.0000", "0.0500"]
    assert alike([float("nan"), 1234.5]) == ["–", "1,234"]
    assert alike([2e8, 1.0]) == ["2.0 × 10⁸", "1.00"]


def test_an_estimate_has_the_decimals_of_its_interval() -> None:
    assert estimate(28.83, 25.94, 31.72) == ("28.8", "[25.9, 31.7]")
    assert estimate(53.3, -91.2, 197.1) == ("53", "[−91, 197]")
    assert estimate(0.0415, float("nan"), None) == ("0.0415", "–")
