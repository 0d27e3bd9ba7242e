import numpy as np
import pandas as pd

from dashboard.components.findings import effects_view, finding, plain_size, verdict_of
from nme_core.independence import CovariateTests


def effects(**changes: object) -> pd.DataFrame:
    row = {
        "covariate": "bdi",
        "parameter": "transitions[a,b]",
        "effect": -0.4,
        "ci_low": -0.6,
        "ci_high": -0.2,
        "p": 0.001,
        "p_adjusted": 0.004,
        "kind": "spearman",
        "group": "",
        "n_persons": 40,
        "reliability": 0.5,
    }
    other = row | {"parameter": "transitions[b,a]", "effect": 0.1, "p": 0.3, "p_adjusted": 0.4}
    return pd.DataFrame([other, row | changes])


def test_the_clearest_is_named_with_its_direction() -> None:
    sentence = finding(effects(), "bdi")
    assert "1 of 2 comparisons" in sentence
    assert "a → b is lower in people with more bdi" in sentence
    assert "−0.40, 95 % interval [−0.60, −0.20]" in sentence


def test_groups_are_named() -> None:
    sentence = finding(effects(kind="mean difference", group="b - a", effect=0.4), "clinic")
    assert "is higher (mean difference, clinic: b minus a, 0.400, 95 %" in sentence
    shown = effects_view(effects(kind="mean difference", group="1 - 0", covariate="drug"))
    assert shown["kind"].iloc[0] == "mean difference, drug: 1 minus 0"


def test_nothing_found_is_no_proof() -> None:
    assert "not proof of no association" in finding(effects(p_adjusted=0.06), "bdi")


def of_size(strength: float, p: float) -> CovariateTests:
    row = {"covariate": "bdi", "strength": strength, "p_adjusted": p}
    return CovariateTests(pd.DataFrame([row]), effects(), {})


def test_a_size_has_a_word_and_its_number() -> None:
    for value, word in ((0.3, "strong"), (0.1, "moderate"), (0.02, "weak"), (0.004, "very weak")):
        said = plain_size(of_size(value, 0.01), "bdi")
        assert f"The link is {word}: its strength is" in said
    assert "cannot be said" in plain_size(of_size(np.nan, 0.01), "bdi")


def test_a_size_has_the_verdict_of_the_test() -> None:
    said = plain_size(of_size(0.3, 0.06), "bdi")
    assert "The strength that is seen, 0.30" in said
    assert "lies within what chance gives" in said
    assert verdict_of(of_size(0.3, 0.06), "bdi", unsure=False) == "within"
    assert verdict_of(of_size(0.3, 0.01), "bdi", unsure=True) == "unsure"


def test_table_starts_with_the_smallest_p() -> None:
    shown = effects_view(effects())
    assert list(shown["parameter"]) == ["a → b", "b → a"]
    assert list(shown["corrected p"]) == [".004", ".400"]
