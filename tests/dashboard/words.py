"""A language of brackets, in which a text that no translation reaches stands bare."""

import re

#: Where something is filled into a text.
PLACE = re.compile(r"(?<![%{])\{[^{}]*\}(?!\})")


def bracketed(text: str) -> str:
    """A text in brackets, but for what is filled in, which has to bring its own."""
    return PLACE.sub(r"⟧\g<0>⟦", f"⟦{text}⟧") if text else ""


def outside(text: str) -> str:
    """What of a text, or of a sentence of it, stands outside of the brackets."""
    depth, kept = 0, []
    begun_before = re.match(r"[^⟦]*⟧", text)
    for letter in text[begun_before.end() if begun_before else 0 :]:
        depth = max(depth + (letter == "⟦") - (letter == "⟧"), 0)  # a name may have been cut
        kept.append(letter if depth == 0 and letter != "⟧" else " ")
    return "".join(kept)
