"""What can be chosen is what the estimators know."""

from nme_core.estimators import NMEMLPClassifier, NMEMLPRegressor
from nme_core.vocabulary.choices import FAMILIES, FAMILIES_OF


def test_families_are_those_of_the_estimators() -> None:
    assert FAMILIES_OF["number"] == tuple(NMEMLPRegressor.families)
    assert FAMILIES_OF["class"] == tuple(NMEMLPClassifier.families)
    assert [*FAMILIES] == [*FAMILIES_OF["number"], *FAMILIES_OF["class"]]
