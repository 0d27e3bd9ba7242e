import numpy as np
import pytest

from nme_core.figures import labels


def test_text_from_data_is_no_markup_for_plotly():
    assert labels.for_screen("<b>A</b> & $x$") == "&lt;b&gt;A&lt;/b&gt; &amp; &#36;x&#36;"


def test_entity_in_data_stays_as_typed():
    assert labels.for_screen("&lt;") == "&amp;lt;"


def test_cutting_does_not_cut_through_an_escape():
    assert labels.for_screen("<" * 40, 10).count("&lt;") == 9
    assert labels.for_screen("<" * 40, 10).replace("&lt;", "") == "\u2026"


def test_text_from_data_is_no_mathematics_for_matplotlib():
    assert labels.for_print("$x^2$") == r"\$x^2\$"


def test_print_label_with_underscore_is_not_hidden_from_a_legend():
    assert not labels.for_print("_state").startswith("_")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [(" a\n\tb ", "a b"), ("a\x00b", "ab"), ("\u202eevil", "evil"), ("  ", "(blank)"), (7, "7")],
)
def test_clean(raw, shown):
    assert labels.clean(raw) == shown


def test_long_text_keeps_beginning_and_end():
    short = labels.clean("participant-2024-centre-9-0017", 14)
    assert len(short) <= 14
    assert short.startswith("particip")
    assert short.endswith("0017")


def test_cut_labels_stay_different():
    names = [f"a very long state name, variant {i} of the same kind" for i in range(8)]
    short = labels.distinct(names, 14)
    assert len(set(short)) == 8
    assert max(map(len, short)) <= 14


def test_cut_labels_stay_different_even_from_a_label_that_looks_cut():
    names = [
        "a very long one of ten",
        "a very long two of ten",
        "a ve\u2026 2",
        "a very long six of ten",
    ]
    assert len(set(labels.distinct(names, 8))) == 4


@pytest.mark.parametrize(
    ("value", "options", "shown"),
    [
        (0.423, {}, "0.42"), (-0.001, {"sign": True}, "0.00"), (0.126, {"sign": True}, "+0.13"),
        (-1.234, {}, "\u22121.23"), (12.34, {}, "12.3"), (0.423, {"compact": True}, ".42"),
        (-1.234, {"compact": True}, "\u22121.2"), (0.999, {"compact": True}, "1.0"),
        (np.nan, {}, "\u2013"), (-0.004, {"compact": True}, ".00"),
    ],
)  # fmt: skip
def test_cell(value, options, shown):
    assert labels.cell(value, **options) == shown


def test_tally_of_expected_counts_keeps_a_decimal():
    assert labels.tally(1204) == "1,204"
    assert labels.tally(0.53) == "0.5"
