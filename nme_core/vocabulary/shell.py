"""Options in messages as the shell writes them.

A message of a model names an option as Python does, ``hidden=()``; who runs ``nme`` types it as
``--hidden none``.
"""

from __future__ import annotations

import re

#: Options of models whose name in the shell is another one.
_NAMES = {"random_state": "seed"}
#: Options that the shell has as flags.
_FLAGS = ("reml",)
_VALUE = r"\"[^\"]*\"|'[^']*'|\[[^\]]*\]|\([^()]*\)|True|False|None|-?\d+(?:\.\d+)?"
_OPTIONS = (
    "activation", "covariance", "device", "epochs", "estimator", "family", "hidden", "placement",
    "guard", "permute", "quadrature", "random_state", "refit", "reml", "residual", "shrink",
)  # fmt: skip
_GIVEN = re.compile(rf"\b({'|'.join(_OPTIONS)})=({_VALUE})((?: or (?:\"[^\"]*\"))*)")


def in_shell(text: str) -> str:
    """A message with the options that it names as they are typed.

    >>> in_shell('Use hidden=() with estimator="laplace" or "variational", or reml=False.')
    'Use --hidden none with --estimator laplace or variational, or no --reml.'
    >>> in_shell('Use placement=["layers.0.bias"], hidden=(32, 16) or random_state=3.')
    'Use --placement layers.0.bias, --hidden 32,16 or --seed 3.'
    """
    return _GIVEN.sub(_typed, text)


def _typed(found: re.Match[str]) -> str:
    name, value, others = found.groups()
    option = f"--{_NAMES.get(name, name).replace('_', '-')}"
    if name in _FLAGS:
        return option if value == "True" else f"no {option}"
    if value == "None":
        return f"no {option}"
    inner = re.findall(r"[\w.+-]+", value)
    return f"{option} {','.join(inner) or 'none'}{others.replace(chr(34), '')}"
