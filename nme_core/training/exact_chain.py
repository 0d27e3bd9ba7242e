"""The CRF with linear emissions by the maximum of its Laplace-approximated likelihood."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.exceptions import ConvergenceWarning, IdentificationWarning, TrainingError
from nme_core.nn import CRFNetwork, LinearChain, MixedEffects, contrasts
from nme_core.training.chain_data import ChainData
from nme_core.training.chain_fit import WEAK, fit_chain
from nme_core.training.chain_modes import NEVER_SPREAD, Near
from nme_core.training.covariance import FACTOR, RandomEffectsCovariance
from nme_core.training.covariance_coordinates import Coordinates, FactorCoordinates
from nme_core.training.likelihood import EXACT, LAPLACE, Likelihood, n_observed
from nme_core.training.link import Link, link_of
from nme_core.training.progress import Progress, SearchSteps, Training
from nme_core.training.weak_prior import LEFT_OUT, explained_inputs

_LAYER = "emission.layers.0"


class NoMovesError(ValueError):
    """No sequence has two labelled steps in a row: nothing is known of moves."""


def is_linear_chain(mixed: MixedEffects) -> bool:
    """Whether a network is a CRF with linear emissions, for one grouping factor."""
    network = mixed.module
    return (
        isinstance(network, CRFNetwork)
        and len(network.emission.layers) == 1
        and len(mixed.sizes) == 1
    )


def chain_places(mixed: MixedEffects) -> dict[str, Tensor]:
    """Places in ψ (see `ChainData`) of the numbers of each parameter, flattened."""
    n_outputs, n_inputs = mixed.fixed()[f"{_LAYER}.weight"].shape
    n_moves = mixed.fixed()["transitions"].numel()
    layer = torch.arange(n_outputs * (n_inputs + 1)).view(n_outputs, n_inputs + 1)
    return {
        "transitions": layer.numel() + torch.arange(n_moves),
        f"{_LAYER}.weight": layer[:, :-1].reshape(-1),
        f"{_LAYER}.bias": layer[:, -1],
    }


def chain_theta(mixed: MixedEffects) -> Tensor:
    """Shared parameters of a network as θ, (R,), float64."""
    by_name, fixed = chain_places(mixed), mixed.fixed()
    values = torch.cat([value.detach().reshape(-1) for value in fixed.values()])
    theta = torch.empty(len(values), dtype=torch.float64)
    theta[torch.cat([by_name[name] for name in fixed])] = values.double().cpu()
    return theta


def chain_data(
    mixed: MixedEffects, batches: Sequence[Batch], n_people: int | None = None
) -> ChainData:
    """Rows of the people of a network, or of so many, for the kernels."""
    by_name = chain_places(mixed)
    none = torch.zeros(0, dtype=torch.int64)
    places = torch.cat([none, *(by_name[name] for name in mixed.random)])
    n_states = len(mixed.fixed()["transitions"])
    return ChainData.of(batches, n_people or mixed.n_groups, contrasts(n_states), places)


class ExactChain:
    """The CRF with linear emissions: log p is concave in all its parameters.

    Offers what `Problem` offers once it is trained; `solve` takes the place of the loop.

    Parameters
    ----------
    mixed : MixedEffects
        Such a network, with one grouping factor; filled in place.
    covariances : sequence of RandomEffectsCovariance
        Σ, one; filled in place.

    Attributes
    ----------
    fit : ChainFit
        After `solve`.
    collinear : dict of int to tuple of int
        Inputs that are left out, being constant or combinations of these others.
    separated : dict of int to int
        Inputs that tell a state apart without error, and the state: so do those.
    never : list of tuple of int
        Moves from one state to another that nobody makes: so do these.
    unstarted : int, optional
        A state that no sequence starts in, or that all do: its own score and those of the moves
        into it have it too.
    """

    dependence = None
    residual_variance = 1.0

    def __init__(self, mixed: MixedEffects, covariances: Sequence[RandomEffectsCovariance]) -> None:
        self.mixed, self.family, self.covariances = mixed, LinearChain(), list(covariances)
        self.collinear: dict[int, tuple[int, ...]] = {}
        self.separated: dict[int, int] = {}
        self.never: list[tuple[int, int]] = []
        self.unstarted: int | None = None
        self._near: Near | None = None
        by_name = chain_places(mixed)
        self._order = torch.cat([by_name[name] for name in mixed.fixed()])

    def begin(self, sigma: Tensor) -> None:
        """Begin at what the network holds, and at this Σ, (q, q) or the variances (q,)."""
        eta = self.mixed.deviations.detach().double().cpu().clone()
        self._near = Near(chain_theta(self.mixed), eta, sigma.double().cpu())

    def solve(
        self, batches: Sequence[Batch], report: Callable[[Progress], None] | None
    ) -> Training:
        """Fit.

        Raises
        ------
        NoMovesError
            If there is not a single move between labels.
        TrainingError
            If there are too few of them.

        Warns
        -----
        ConvergenceWarning
        """
        batches = [batch.to(torch.device("cpu")) for batch in batches]
        steps, n_rows = SearchSteps(report, 0.03), sum(batch.n_rows for batch in batches)
        covariance = self.covariances[0]

        def follow(log_likelihood: float) -> None:
            variances = covariance.variances
            between = float(variances.mean()) if len(variances) else 0.0
            steps.add(-2 * log_likelihood / n_rows, 1.0, between)

        data = chain_data(self.mixed, batches)
        if not bool(data.counts().any()):
            raise NoMovesError
        try:
            self.fit = fit_chain(data, covariance, self._ridge(data), follow, self._near)
        except (ArithmeticError, torch.linalg.LinAlgError) as error:  # type: ignore[attr-defined]
            raise TrainingError(
                "The search for the maximum of the likelihood ran out of bounds: too few labelled"
                " steps follow one another to tell moves from states.",
                remedy="Label more steps, merge rare states, or fit a model of classes (nme-mlp).",
            ) from error
        self._leave_out(data)
        self._name_separated(data)
        self._fill()
        if self.fit.weak:
            _warn_of_weak(stacklevel=2)
        if not self.fit.converged:
            warnings.warn(
                "The search for the maximum of the likelihood did not converge: a further step"
                f" promises {self.fit.promised:.2g} of the log-likelihood. Take fewer"
                " person-specific parameters, or a diagonal covariance.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return steps.ended(converged=self.fit.converged)

    def _ridge(self, data: ChainData) -> Tensor:
        """Precisions of the priors of what the rows leave open from the start, (R,)."""
        n_outputs, n_inputs = data.basis.shape[1], data.chains.x.shape[1]
        self.collinear = explained_inputs(data.gram())
        layer = torch.zeros(n_outputs, n_inputs + 1, dtype=torch.float64)
        layer[:, [*self.collinear]] = LEFT_OUT
        counts = data.counts()
        # What a missing label may have been is not known: then the search itself has to find out.
        unseen = (counts == 0) if not data.missing else torch.zeros_like(counts, dtype=torch.bool)
        self.never = [(int(j), int(k)) for j, k in unseen.nonzero()]
        return torch.cat([layer.reshape(-1), unseen.double().reshape(-1) * NEVER_SPREAD**-2])

    def _leave_out(self, data: ChainData) -> None:
        """Find the weights, and the variances of a diagonal Σ, of inputs that are left out."""
        weights, covariance = self.fit.ridge == LEFT_OUT, self.covariances[0]
        self._n_left_out, self._pools = int(weights.sum()), covariance.pools
        if covariance.kind == "diagonal" and self._n_left_out and len(data.places):
            nobody = covariance.by_pool(weights[data.places].double()) == 1
            self._n_left_out += int(nobody.sum())
            number = torch.where(nobody, -1, (~nobody).cumsum(0) - 1)
            self._pools = number[covariance.pools]

    def _name_separated(self, data: ChainData) -> None:
        """Find out what got a prior on the way."""
        n_outputs, n_states = data.basis.shape[1], data.n_states
        layer = self.fit.ridge[: data.n_emission].view(n_outputs, -1)[0] > 0
        weights = self.fit.theta[: data.n_emission].view(n_outputs, -1)
        for column in layer.nonzero()[:, 0].tolist():
            if column not in self.collinear:
                scores = torch.from_numpy(data.basis) @ weights[:, column]
                self.separated[column] = int(scores.abs().argmax())
        moves = self.fit.ridge[data.n_emission :].view(n_states, n_states) > 0
        if not data.missing:
            # a state's own score and the moves into it are told apart by first steps alone
            self.unstarted = self.separated.pop(data.chains.x.shape[1], None)
            moves = moves & (data.counts() == 0)
        self.never = [(int(j), int(k)) for j, k in moves.nonzero()]

    @torch.no_grad()
    def _fill(self) -> None:
        self.mixed.cpu().double()
        self.mixed.deviations.copy_(self.fit.eta)
        for name, part in self.mixed.by_name(self.fit.theta[self._order]).items():
            self.mixed.fixed()[name].copy_(part)

    # What `Problem` offers after training.

    def likelihood(self, batches: Sequence[Batch]) -> Likelihood | None:
        """The log-likelihood of the labels given the features, by Laplace's approximation.

        None where Σ has a prior: it is not the highest then.
        """
        if self.fit.weak:
            return None
        method = LAPLACE if self.mixed.n_random else EXACT
        n = self.fit.n_parameters - self._n_left_out
        return Likelihood(self.fit.log_likelihood, n, n_observed(batches), method)

    def shared_covariance(self) -> Tensor:
        """Covariance of the network's parameters, in its order; shape (R, R).

        Directions that change no probability are known: the parameters lie where they are 0.
        """
        return self.fit.shared_covariance[self._order][:, self._order]

    def shared_spread(self) -> dict[str, Tensor]:
        """None of each alone: see `link`."""
        return {}

    def link(self) -> Link | None:
        """A root of V given Σ, (R, n), and dη̂_i/dθ, (P, q, R); in the network's order."""
        closed, response = self.fit.closed, -self.fit.coupling[:, :, self._order]
        inside = torch.linalg.inv(closed.T @ self.fit.curvature @ closed)
        return link_of((inside + inside.T) / 2, response, directions=closed[self._order])

    def shared_precision(self) -> dict[str, Tensor]:
        """Precisions of the weak priors, by name; nothing where there are none."""
        ridge = self.fit.ridge[self._order]
        return self.mixed.by_name(ridge) if bool(ridge.any()) else {}

    def coordinates(self) -> Coordinates | FactorCoordinates | None:
        """Of Σ, over which people's effects are integrated; None: it is not known how."""
        covariance, scale = self.covariances[0], self.fit.scale
        if scale is not None:
            one = covariance.kind == FACTOR and covariance.n_pools == len(scale)
            return FactorCoordinates(scale.numpy()) if one else None
        full = covariance.kind == "full"
        known = not full and self._near is not None  # of a simulated study: quick
        return Coordinates(self._pools.numpy(), full, known)

    def posterior_covariance(self) -> Tensor:
        """C_i of every person, shape (P, q, q)."""
        return self.fit.conditional


def _warn_of_weak(*, stacklevel: int = 1) -> None:
    """Say that Σ has a prior.

    Warns
    -----
    IdentificationWarning
    """
    warnings.warn(
        "These sequences do not tell how much people differ: no maximum of the likelihood was found"
        " in the variances between people. Their standard deviations have a weak prior, half-normal"
        f" with scale {WEAK**-0.5:g}, and there is no likelihood to compare models by."
        " Label more steps of each person, or give people fewer parameters of their own (placement"
        " transitions).",
        IdentificationWarning,
        stacklevel=stacklevel + 1,
    )


def warn_of_start(state: str, *, stacklevel: int = 1) -> None:
    """Name a state whose score and moves only the first steps could tell apart.

    Warns
    -----
    IdentificationWarning
    """
    warnings.warn(
        f"First steps do not tell how much of {state!r} is the state's own score and how much lies"
        f" in the moves into it: a weak prior, N(0, {NEVER_SPREAD:g}²), decides. Read the"
        " transitions as 'scores' or 'conditional', which this does not touch, not the parameters.",
        IdentificationWarning,
        stacklevel=stacklevel + 1,
    )


def warn_of_never(moves: Sequence[tuple[str, str]], *, stacklevel: int = 1) -> None:
    """Name moves between states, (from, to), that nobody makes.

    Warns
    -----
    IdentificationWarning
    """
    if not moves:
        return
    listed = ", ".join(f"{start!r} → {end!r}" for start, end in moves[:6])
    more = f" and {len(moves) - 6} more" if len(moves) > 6 else ""
    warnings.warn(
        f"Nobody moves {listed}{more}: how rare that is has no bound that these rows could tell."
        f" These transition scores have the weak prior N(0, {NEVER_SPREAD:g}²). Read their"
        " intervals, not their values.",
        IdentificationWarning,
        stacklevel=stacklevel + 1,
    )
