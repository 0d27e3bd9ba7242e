import pytest

from dashboard.components.text import duration, durations, plain, sentences, slug


def test_durations_are_rough() -> None:
    assert duration(3) == "a few seconds"
    assert duration(42) == "about 40 seconds"
    assert duration(240) == "about 4 minutes"
    assert duration(3 * 3600) == "about 3.0 hours"
    assert durations(41, 42) == "about 40 seconds" != durations(42, 240)
    assert durations(3, 240) == "a few seconds to 4 minutes"


def test_markup_is_escaped() -> None:
    assert plain("**b** <i> $x$ [a](b) :red[c]\n# d") == (
        r"\*\*b\*\* \<i\> \$x\$ \[a\]\(b\) \:red\[c\] \# d"
    )
    assert "www\u2060" in plain("www.example.org")


def test_slug_is_a_safe_file_name() -> None:
    assert slug("../Person <7>") == "person-7"
    assert slug("///") == "figure"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("8 of 12 lie outside. One in twenty would by chance.", 2),
        ("The mean is 0.5 (95 % interval 0.1 to 0.9). “a → b” is a score.", 2),
        ("p < .001 for person P. in the vs. group, e.g. here.", 1),
        ("Rows: [0.1, 0.2]. None is missing. See Fit.", 3),
        ("", 1),
    ],
)
def test_sentences_are_parted_and_nothing_is_lost(text: str, parts: int) -> None:
    found = sentences(text)
    assert len(found) == parts
    assert " ".join(found) == text


def test_a_number_and_what_it_is_of_stay_on_one_line() -> None:
    assert plain("p = .03 and 5 %") == "p\xa0\\=\xa0\\.03 and 5\xa0%"
    assert plain("95-%-Intervall") == "95\u2011%\u2011Intervall"
