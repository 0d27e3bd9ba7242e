"""Options in messages as they are typed in the shell."""

import pytest

from nme_core.estimators import NMEMLPClassifier, NMEMLPRegressor
from nme_core.exceptions import OptionError
from nme_core.io import ParameterNames
from nme_core.vocabulary.shell import in_shell


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ("Use hidden=(), or leave it out.", "Use --hidden none, or leave it out."),
        ("such as hidden=(32,).", "such as --hidden 32."),
        ('Use placement=["layers.0.bias"], so', "Use --placement layers.0.bias, so"),
        ('estimator="variational" or "laplace" and', "--estimator variational or laplace and"),
        ("reml=True takes", "--reml takes"),
        ("use reml=False.", "use no --reml."),
        ("quadrature=7, random_state=3", "--quadrature 7, --seed 3"),
        ('level="population" stays', 'level="population" stays'),
        ("a mean=3 stays", "a mean=3 stays"),
    ],
)
def test_options_are_typed(python, shell):
    assert in_shell(python) == shell


@pytest.mark.parametrize(
    "model",
    [
        NMEMLPRegressor((3,), reml=True),
        NMEMLPRegressor((), residual="ar1", estimator="annealed"),
        NMEMLPRegressor((3,), shrink="inputs"),
        NMEMLPRegressor((), residual="ar3"),
        NMEMLPRegressor("auto", activation="tanh"),
        NMEMLPClassifier((), placement="all", quadrature=5),
    ],
)
def test_no_refusal_speaks_python_in_the_shell(model):
    with pytest.raises(OptionError) as error:
        model.fit([[0.0], [1.0], [0.5], [2.0]], [0, 1, 1, 0], groups=["a", "a", "b", "b"])
    said = in_shell(str(error.value))
    assert "=" not in said
    assert "()" not in said


def test_thresholds_and_features_are_named():
    names = ParameterNames(("sleep", "stress"), ("outcome",))
    assert names.in_text("The variance of layers.0.weight[0,1] is 0.") == (
        "The variance of stress is 0."
    )
    assert names.words("gaps[1]") == "log distance of thresholds 2 and 3"
