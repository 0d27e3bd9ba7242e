"""How shared parameters and people's effects vary together, given the data.

    θ ~ N(θ̂, V),    η_i | θ ~ N(η̂_i + J_i (θ − θ̂), C_i),    J_i = dη̂_i/dθ

Features that say nearly the same have effects that are known only together: drawn each alone they
would spread the outcome by any factor.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nme_core.training.covariance import square_roots

#: Numbers in J up to which it is kept: of more people how uncertain θ is hardly counts beside C_i.
LARGEST = 2**25

#: A root of V, shape (p, n), and J, shape (P, R, p), float32.
Link = tuple[Tensor, Tensor]


def link_of(shared: Tensor, response: Tensor, directions: Tensor | None = None) -> Link | None:
    """The link of V, shape (n, n), and J, shape (P, R, p).

    V is the covariance of θ, or in these `directions`, shape (p, n), where not all are free. None
    of too many people, and of a V that is no covariance: the search did not end at a maximum, which
    is warned of.
    """
    if response.numel() > LARGEST:
        return None
    try:
        root = square_roots(shared.double().unsqueeze(0))[0].double()
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
        return None
    if directions is not None:
        root = directions @ root
    # in one layout, so that a model read from a file rounds alike
    return root.contiguous(), response.float().contiguous()
