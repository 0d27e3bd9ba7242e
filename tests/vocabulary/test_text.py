"""Words put together."""

from __future__ import annotations

import pytest

from nme_core.vocabulary.text import count


@pytest.mark.parametrize(
    ("n", "noun", "words"),
    [
        (1, "person", "1 person"), (1200, "person", "1,200 people"), (0, "person", "0 people"),
        (11, "other person", "11 other people"), (3, "row", "3 rows"),
    ],
)  # fmt: skip
def test_counts_of_people_and_things(n, noun, words):
    assert count(n, noun) == words
