"""Linear-chain conditional random field with a transition matrix per sequence.

    score(y) = Σ_t s_t[y_t] + Σ_t A[y_{t−1}, y_t],        p(y | x) = exp(score(y)) / Z

s_t are the emission scores, A the transition scores, ``transitions[from, to]``. All functions take
a stack of sequences, each with its own A, padded at the end to the longest. The recursions run in
float64 and are scaled at every step (Rabiner 1989), so that long sequences do not underflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from nme_core.batches.sequences import Batch
from nme_core.nn.contrasts import contrasts
from nme_core.nn.mlp import MLP


class Marginals(NamedTuple):
    """Result of `forward_backward`; S sequences of at most T steps, K states."""

    log_partition: Tensor  # (S,)
    unary: Tensor  # (S, T, K): p(y_t = k); zero on padding
    pairwise: Tensor  # (S, K, K): Σ_t p(y_{t−1} = from, y_t = to)


class CRFNetwork(nn.Module):
    """Emission scores from an MLP, and one matrix of transition scores.

    The MLP gives K − 1 numbers h, the scores are B h, which sum to zero over the states (see
    `contrasts`): a constant added to all of them would change nothing.

    Parameters
    ----------
    n_features, n_states : int
        Number of inputs F and of states K.
    hidden : sequence of int
        Hidden layers of the emission network.
    activation : {"relu", "tanh"}
        What stands between them.
    """

    def __init__(
        self, n_features: int, hidden: Sequence[int], n_states: int, activation: str = "relu"
    ) -> None:
        super().__init__()
        self.emission = MLP(n_features, hidden, n_states - 1, activation)
        self.transitions = nn.Parameter(torch.zeros(n_states, n_states))
        basis = contrasts(n_states)  # in float64, that a network in float64 has it so
        self.contrasts: Tensor
        self.register_buffer("contrasts", basis, persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x, shape (T, F), to emission (T, K) and transition scores (K, K)."""
        outputs = self.emission(x)
        return outputs @ self.contrasts.T.to(outputs.dtype), self.transitions


class LinearChain:
    """A sequence of states: D = −2 log p of all the labels of a sequence together.

    Steps whose label is missing (−1) are summed out. The state before the first step, where it is
    known (``batch.initial`` ≥ 0), enters through its row of the transition scores.
    """

    has_residual_variance: ClassVar[bool] = False

    def deviance(self, output: tuple[Tensor, Tensor], batch: Batch) -> Tensor:
        """−2 log p of each sequence's labels, given the state before it; shape (n_units,)."""
        transitions = output[1].double()
        emissions = with_initial(output[0].double(), transitions, batch.initial)
        if not bool((batch.mask & (batch.y < 0)).any()):
            whole: Tensor = _PathDeviance.apply(  # type: ignore[no-untyped-call]
                emissions, transitions, batch.y, batch.mask, batch.lengths
            )
            return whole
        clamped = _clamped(emissions, batch.y)
        log_z = log_partition(emissions, transitions, batch.lengths)
        return 2 * (log_z - log_partition(clamped, transitions, batch.lengths))

    def information(
        self, output: tuple[Tensor, Tensor], slopes: tuple[Tensor, Tensor], batch: Batch
    ) -> Tensor:
        """½ ∂²D/∂η² of each unit, but for the scores' own second derivatives; (n_units, R, R).

        Where labels are missing, what they would say is taken off (Louis 1982).

        Parameters
        ----------
        output : tuple of Tensor
            Emission scores (n_units, n_steps, K) and transition scores (n_units, K, K).
        slopes : tuple of Tensor
            Their derivatives by R parameters, (n_units, n_steps, K, R) and (n_units, K, K, R).
        """
        transitions = output[1].double()
        emissions = with_initial(output[0].double(), transitions, batch.initial)
        emitted, moved = with_initial(slopes[0], slopes[1], batch.initial), slopes[1]
        chain = (transitions, batch.lengths, emitted, moved)
        information = score_covariance(emissions, *chain)
        open_ = (batch.mask & (batch.y < 0)).any(1)
        if bool(open_.any()):
            clamped = _clamped(emissions, batch.y)[open_]
            information[open_] -= score_covariance(clamped, *(part[open_] for part in chain))
        return information


def _clamped(emissions: Tensor, y: Tensor) -> Tensor:
    """Emission scores in which every state but the label's is forbidden, where there is one."""
    states = torch.arange(emissions.shape[2], device=emissions.device)
    excluded = (y.unsqueeze(2) >= 0) & (y.unsqueeze(2) != states)
    return emissions.masked_fill(excluded, -torch.inf)


def with_initial(emissions: Tensor, transitions: Tensor, initial: Tensor) -> Tensor:
    """Add A[state before, ·] to the first step where that state is known (``initial`` ≥ 0).

    Shapes: emissions (S, T, K, ...), transitions (S, K, K, ...), initial (S,); the scores, or
    their derivatives.
    """
    rows = transitions[torch.arange(len(initial), device=initial.device), initial.clamp_min(0)]
    known = (initial >= 0).view(-1, *(1 for _ in rows.shape[1:]))
    first = emissions[:, 0] + torch.where(known, rows, 0.0)
    return torch.cat([first.unsqueeze(1), emissions[:, 1:]], dim=1)


def path_score(emissions: Tensor, transitions: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    """Score of one path per sequence; y and mask have shape (S, T), the result (S,)."""
    y = y.clamp_min(0)
    emitted = emissions.gather(2, y.unsqueeze(2)).squeeze(2)  # (S, T)
    n_states = transitions.shape[-1]
    moves = y[:, :-1] * n_states + y[:, 1:]  # (S, T-1)
    moved = transitions.flatten(1).gather(1, moves)
    return torch.where(mask, emitted, 0.0).sum(1) + torch.where(mask[:, 1:], moved, 0.0).sum(1)


@torch.no_grad()
def forward_backward(emissions: Tensor, transitions: Tensor, lengths: Tensor) -> Marginals:
    """Log partition function, state probabilities and expected transitions of each sequence.

    Parameters
    ----------
    emissions : Tensor, shape (S, T, K)
        Emission scores; −inf forbids a state at a step.
    transitions : Tensor, shape (S, K, K)
        Transition scores [from, to].
    lengths : Tensor of int, shape (S,)
        Steps of each sequence, at least 1.

    Notes
    -----
    On the CPU by a compiled kernel, elsewhere by torch. Where scores lie so far apart (over 700)
    that the scaled recursion has no number for them, a slower one in logarithms takes over.
    """
    emissions, transitions = emissions.double(), transitions.double()
    if emissions.device.type == "cpu":
        from nme_core.nn import crf_kernel

        parts = crf_kernel.forward_backward(*_arrays(emissions, transitions, lengths))
        result = Marginals(*(torch.from_numpy(part) for part in parts))
    else:
        result = forward_backward_torch(emissions, transitions, lengths)
    lost = (~torch.isfinite(result.log_partition)).nonzero()[:, 0]
    for s in lost.tolist():
        log_z, unary, pairwise = _in_logarithms(emissions[s, : int(lengths[s])], transitions[s])
        result.log_partition[s] = log_z
        result.unary[s, : len(unary)] = unary
        result.pairwise[s] = pairwise
    return result


def _arrays(*tensors: Tensor) -> list[np.ndarray[Any, Any]]:
    return [np.ascontiguousarray(tensor.numpy()) for tensor in tensors]


def _in_logarithms(emissions: Tensor, transitions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`forward_backward` of one sequence without padding, (T, K), whatever its scores."""
    n_steps = len(emissions)
    alpha, beta = emissions.clone(), torch.zeros_like(emissions)
    for t in range(1, n_steps):
        alpha[t] += torch.logsumexp(alpha[t - 1].unsqueeze(1) + transitions, dim=0)
    for t in range(n_steps - 1, 0, -1):
        beta[t - 1] = torch.logsumexp(transitions + emissions[t] + beta[t], dim=1)
    log_z = torch.logsumexp(alpha[-1], dim=0)
    if not torch.isfinite(log_z):  # every path is forbidden
        return log_z, torch.full_like(alpha, torch.nan), torch.full_like(transitions, torch.nan)
    moves = alpha[:-1].unsqueeze(2) + transitions + (emissions + beta)[1:].unsqueeze(1) - log_z
    return log_z, torch.exp(alpha + beta - log_z), moves.exp().sum(0)


@torch.no_grad()
def forward_backward_torch(emissions: Tensor, transitions: Tensor, lengths: Tensor) -> Marginals:
    """Compute `forward_backward` on any device, all sequences at once, step by step."""
    n_sequences, n_steps, _ = emissions.shape
    emissions, transitions = emissions.double(), transitions.double()
    steps = torch.arange(n_steps, device=emissions.device)
    real = (steps.unsqueeze(1) < lengths).unsqueeze(2)  # (T, S, 1)

    offset = emissions.amax(2, keepdim=True)  # (S, T, 1)
    e = torch.exp(emissions - offset).transpose(0, 1).contiguous()  # (T, S, K)
    top = transitions.amax((1, 2), keepdim=True)  # (S, 1, 1)
    a = torch.exp(transitions - top)  # (S, from, to)

    alpha, scale = torch.empty_like(e), e.new_ones(n_steps, n_sequences, 1)
    scale[0] = e[0].sum(1, keepdim=True)
    alpha[0] = e[0] / scale[0]
    for t in range(1, n_steps):
        step = torch.bmm(alpha[t - 1].unsqueeze(1), a).squeeze(1) * e[t]
        total = torch.where(real[t], step.sum(1, keepdim=True), 1.0)
        scale[t] = total
        alpha[t] = torch.where(real[t], step / total, alpha[t - 1])

    # message[t] = e_t β_t / scale_t, so that β_{t−1} = A message[t]
    beta, message = torch.ones_like(e), torch.zeros_like(e)
    for t in range(n_steps - 1, 0, -1):
        message[t] = torch.where(real[t], e[t] * beta[t] / scale[t], 0.0)
        backward = torch.bmm(a, message[t].unsqueeze(2)).squeeze(2)
        beta[t - 1] = torch.where(real[t], backward, 1.0)

    log_z = scale.log().sum((0, 2)) + torch.where(real, offset.transpose(0, 1), 0.0).sum((0, 2))
    log_z = log_z + top.flatten() * (lengths - 1)
    unary = torch.where(real, alpha * beta, 0.0).transpose(0, 1)
    pairwise = a * torch.einsum("tsf,tsg->sfg", alpha[:-1], message[1:])
    return Marginals(log_z, unary, pairwise)


class _LogPartition(torch.autograd.Function):
    """Log Z whose gradient is the marginals: ∂ log Z/∂s_t = unary, ∂ log Z/∂A = pairwise.

    Has no second derivative: asking for one is an error.
    """

    @staticmethod
    def forward(ctx: Any, emissions: Tensor, transitions: Tensor, lengths: Tensor) -> Tensor:
        result = forward_backward(emissions, transitions, lengths)
        ctx.save_for_backward(result.unary, result.pairwise)
        return result.log_partition

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        unary, pairwise = ctx.saved_tensors
        weight = gradients[0].view(-1, 1, 1)
        return weight * unary, weight * pairwise, None


class _PathDeviance(torch.autograd.Function):
    """−2 log p of one path of each sequence, and its gradient at once.

    ∂/∂s_t = 2 (unary − 1 at y_t), ∂/∂A = 2 (pairwise − number of moves in y). Has no second
    derivative: asking for one is an error.
    """

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, y: Tensor, mask: Tensor, lengths: Tensor
    ) -> Tensor:
        result = forward_backward(emissions, transitions, lengths)
        score = path_score(emissions, transitions, y, mask)
        path, taken = y.clamp_min(0), -mask.double()
        moves = path[:, :-1] * transitions.shape[-1] + path[:, 1:]
        result.unary.scatter_add_(2, path.unsqueeze(2), taken.unsqueeze(2))
        result.pairwise.flatten(1).scatter_add_(1, moves, taken[:, 1:])
        ctx.save_for_backward(result.unary, result.pairwise)
        return 2 * (result.log_partition - score)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        unary, pairwise = ctx.saved_tensors
        weight = 2 * gradients[0].view(-1, 1, 1)
        return weight * unary, weight * pairwise, None, None, None


def log_partition(emissions: Tensor, transitions: Tensor, lengths: Tensor) -> Tensor:
    """Log Z of each sequence, differentiable; shapes as in `forward_backward`."""
    result: Tensor = _LogPartition.apply(emissions, transitions, lengths)  # type: ignore[no-untyped-call]
    return result


@torch.no_grad()
def score_covariance(
    emissions: Tensor, transitions: Tensor, lengths: Tensor, emitted: Tensor, moved: Tensor
) -> Tensor:
    """Covariance over all paths, y ~ p(y | x), of the derivative of their scores.

    By log Z's second derivative it is what the labels say of parameters that the scores are linear
    in, and their expected information otherwise.

    Parameters
    ----------
    emissions, transitions, lengths
        As in `forward_backward`.
    emitted : Tensor, shape (S, T, K, R)
        Derivatives of the emission scores by R parameters; finite on padding.
    moved : Tensor, shape (S, K, K, R)
        Derivatives of the transition scores.

    Returns
    -------
    Tensor, shape (S, R, R), in the precision of the derivatives.

    Notes
    -----
    A path is a Markov chain, and its score's derivative a sum along it, of g_t(y_t), `emitted`, and
    h(y_{t−1}, y_t), `moved`. With w_t(k) what is expected of the sum from g_t on, given y_t = k,
    and v_t(j) of what follows it, the expectation changes with each step by h(j, k) + w_t(k) −
    v_{t−1}(j). These changes are uncorrelated, and their covariances add up.
    """
    emissions, transitions = emissions.double(), transitions.double()
    n_sequences, n_steps, n_states, n_effects = emitted.shape
    real = (torch.arange(n_steps, device=emissions.device) < lengths.unsqueeze(1))[:, :, None, None]
    emitted = torch.where(real, emitted, 0.0)

    moves = emissions.new_zeros(n_sequences, n_steps, n_states, n_states)  # p(y_t | y_{t−1})
    beta = torch.zeros_like(emissions[:, 0])
    for t in range(n_steps - 1, 0, -1):
        logits = transitions + (emissions[:, t] + beta).unsqueeze(1)
        total = torch.logsumexp(logits, dim=2, keepdim=True)
        moves[:, t] = torch.where(real[:, t], (logits - total).exp(), 0.0)
        beta = torch.where(real[:, t], total, 0.0).squeeze(2)
    unary = forward_backward(emissions, transitions, lengths).unary

    pairwise = (unary[:, :-1].unsqueeze(3) * moves[:, 1:]).to(emitted.dtype)
    unary, moves = unary.to(emitted.dtype), moves.to(emitted.dtype)
    v = torch.einsum("stjk,sjkr->stjr", moves[:, 1:], moved)  # (S, T − 1, K, R)
    w = emitted.clone()
    for t in range(n_steps - 1, 0, -1):
        v[:, t - 1] += moves[:, t] @ w[:, t]
        w[:, t - 1] += v[:, t - 1]
    mean = unary.unsqueeze(2) @ w  # taken off both, that no digits are lost
    w, v = (w - mean).flatten(1, 2), (v - mean[:, 1:]).flatten(1, 2)
    before = (unary[:, :-1].unsqueeze(3) * real[:, 1:]).flatten(1, 2)
    result = w.transpose(1, 2) @ (unary.flatten(1).unsqueeze(2) * w)
    result -= v.transpose(1, 2) @ (before * v)
    w = w.view(n_sequences, n_steps, n_states, n_effects)[:, 1:]
    beside = torch.einsum("stjk,stkr->sjkr", pairwise, w)
    beside = beside + pairwise.sum(1).unsqueeze(3) * moved / 2
    cross = moved.flatten(1, 2).transpose(1, 2) @ beside.flatten(1, 2)
    return result + cross + cross.transpose(1, 2)


@torch.no_grad()
def viterbi(emissions: Tensor, transitions: Tensor, lengths: Tensor) -> Tensor:
    """Most probable path of each sequence; shape (S, T), −1 on padding."""
    if emissions.device.type == "cpu":
        from nme_core.nn import crf_kernel

        parts = _arrays(emissions.double(), transitions.double(), lengths)
        return torch.from_numpy(crf_kernel.viterbi(*parts))
    return viterbi_torch(emissions, transitions, lengths)


@torch.no_grad()
def viterbi_torch(emissions: Tensor, transitions: Tensor, lengths: Tensor) -> Tensor:
    """Compute `viterbi` on any device, all sequences at once, step by step."""
    n_sequences, n_steps, _ = emissions.shape
    emissions, transitions = emissions.double(), transitions.double()
    best = emissions[:, 0]  # (S, K): score of the best path that ends in each state
    origin = torch.zeros(n_steps, *best.shape, dtype=torch.long, device=emissions.device)
    for t in range(1, n_steps):
        top, origin[t] = (best.unsqueeze(2) + transitions).max(1)
        best = torch.where((t < lengths).unsqueeze(1), top + emissions[:, t], best)
    state = best.argmax(1)  # (S,)
    path = torch.full((n_sequences, n_steps), -1, dtype=torch.long, device=emissions.device)
    for t in range(n_steps - 1, -1, -1):
        inside = t < lengths
        path[:, t] = torch.where(inside, state, -1)
        before = origin[t].gather(1, state.unsqueeze(1)).squeeze(1)
        state = torch.where(inside & (t > 0), before, state)
    return path


@torch.no_grad()
def sample_paths(
    emissions: Tensor, transitions: Tensor, lengths: Tensor, generator: torch.Generator
) -> Tensor:
    """Draw one path of every sequence exactly, p(y) ∝ exp(Σ_t s_t[y_t] + Σ_t A[y_{t−1}, y_t]).

    Parameters as in `forward_backward`, with a source of randomness on the CPU.

    Returns
    -------
    Tensor of int, shape (S, T), −1 on padding.
    """
    from nme_core.nn import crf_kernel

    uniforms = torch.rand(emissions.shape[:2], generator=generator, dtype=torch.float64)
    parts = (emissions.double().cpu(), transitions.double().cpu(), lengths.cpu(), uniforms)
    return torch.from_numpy(crf_kernel.sample(*_arrays(*parts)))
