"""The chain against enumeration of every path, autograd and pytorch-crf."""

import math
from itertools import product

import pytest
import torch
import torchcrf
from torch import Tensor

from nme_core.batches.sequences import Batch
from nme_core.nn import CRFNetwork, LinearChain, crf_kernel
from nme_core.nn.crf import (
    forward_backward,
    forward_backward_torch,
    log_partition,
    path_score,
    viterbi,
    viterbi_torch,
    with_initial,
)

STATES = 3
LENGTHS = (4, 1, 6, 2, 5)


def naive_score(emissions: Tensor, transitions: Tensor, path: tuple[int, ...]) -> float:
    """Score of one path of one sequence, term by term."""
    score = 0.0
    for t, state in enumerate(path):
        score += float(emissions[t, state])
        if t > 0:
            score += float(transitions[path[t - 1], state])
    return score


def all_paths(emissions: Tensor, transitions: Tensor, length: int) -> dict[tuple[int, ...], float]:
    """Every path of `length` steps with its score."""
    return {
        path: naive_score(emissions, transitions, path)
        for path in product(range(emissions.shape[1]), repeat=length)
    }


def log_sum(scores: list[float]) -> float:
    top = max(scores)
    return top + math.log(sum(math.exp(score - top) for score in scores))


@pytest.fixture
def chains() -> tuple[Tensor, Tensor, Tensor]:
    """Sequences of several lengths, each with its own asymmetric transitions, noise as padding."""
    generator = torch.Generator().manual_seed(3)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    emissions = 2 * draw(len(LENGTHS), max(LENGTHS), STATES)
    transitions = 1.5 * draw(len(LENGTHS), STATES, STATES)
    return emissions, transitions, torch.tensor(LENGTHS)


def make_batch(y: Tensor, lengths: Tensor, initial: Tensor | None = None) -> Batch:
    n, longest = y.shape
    mask = torch.arange(longest) < lengths.unsqueeze(1)
    return Batch(
        x=torch.zeros(n, longest, 1),
        y=torch.where(mask, y, -1),
        mask=mask,
        groups=torch.arange(n),
        initial=torch.full((n,), -1) if initial is None else initial,
        share=torch.ones(n),
        rows=torch.where(mask, torch.arange(n * longest).view(n, longest), -1),
    )


def random_labels(seed: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(STATES, (len(LENGTHS), max(LENGTHS)), generator=generator)


# Compiled for the CPU, and step by step for any device.
both_recursions = pytest.mark.parametrize("recursion", [forward_backward, forward_backward_torch])


@both_recursions
def test_partition_function_sums_over_every_path(chains, recursion):
    emissions, transitions, lengths = chains
    result = recursion(emissions, transitions, lengths).log_partition
    torch.testing.assert_close(log_partition(emissions, transitions, lengths), result)
    for s, length in enumerate(LENGTHS):
        paths = all_paths(emissions[s], transitions[s], length)
        assert float(result[s]) == pytest.approx(log_sum(list(paths.values())), abs=1e-12)


@both_recursions
def test_marginals_are_the_shares_of_the_paths(chains, recursion):
    emissions, transitions, lengths = chains
    result = recursion(emissions, transitions, lengths)
    for s, length in enumerate(LENGTHS):
        paths = all_paths(emissions[s], transitions[s], length)
        log_z = log_sum(list(paths.values()))
        unary, pairwise = torch.zeros_like(emissions[s]), torch.zeros_like(transitions[s])
        for path, score in paths.items():
            p = math.exp(score - log_z)
            for t, state in enumerate(path):
                unary[t, state] += p
                if t > 0:
                    pairwise[path[t - 1], state] += p
        torch.testing.assert_close(result.unary[s], unary, atol=1e-12, rtol=0)
        torch.testing.assert_close(result.pairwise[s], pairwise, atol=1e-12, rtol=0)


@both_recursions
def test_forbidden_states_have_no_probability(chains, recursion):
    emissions, transitions, lengths = chains
    emissions = emissions.clone()
    emissions[:, 0, 1] = emissions[2, 3, :2] = -torch.inf
    result = recursion(emissions, transitions, lengths)
    for s, length in enumerate(LENGTHS):
        paths = all_paths(emissions[s], transitions[s], length)
        assert float(result.log_partition[s]) == pytest.approx(log_sum(list(paths.values())))
    assert (result.unary[:, 0, 1] == 0).all()
    assert result.unary[2, 3].tolist() == pytest.approx([0, 0, 1])


@both_recursions
def test_pairwise_marginals_add_up_to_the_steps(chains, recursion):
    emissions, transitions, lengths = chains
    result = recursion(emissions, transitions, lengths)
    torch.testing.assert_close(result.pairwise.sum((1, 2)), (lengths - 1).double())
    torch.testing.assert_close(result.unary.sum((1, 2)), lengths.double())


@pytest.mark.parametrize("search", [viterbi, viterbi_torch])
def test_viterbi_finds_the_best_of_every_path(chains, search):
    emissions, transitions, lengths = chains
    found = search(emissions, transitions, lengths)
    for s, length in enumerate(LENGTHS):
        paths = all_paths(emissions[s], transitions[s], length)
        best = max(paths, key=lambda path: paths[path])
        assert tuple(found[s, :length].tolist()) == best
        assert (found[s, length:] == -1).all()


def test_transitions_are_from_to():
    """With 0 → 1 → 2 → 0 rewarded and the way back punished, the best path goes round forwards."""
    forwards = torch.full((3, 3), -5.0)
    forwards[0, 1] = forwards[1, 2] = forwards[2, 0] = 5.0
    emissions = torch.zeros(1, 6, 3)
    emissions[0, 0, 0] = 1.0
    path = viterbi(emissions, forwards.unsqueeze(0), torch.tensor([6]))
    assert path.tolist() == [[0, 1, 2, 0, 1, 2]]
    expected = forward_backward(emissions, forwards.unsqueeze(0), torch.tensor([6])).pairwise[0]
    assert expected[0, 1] > 1.5 > 0.01 > expected[1, 0]


def test_path_score_is_the_naive_score(chains):
    emissions, transitions, lengths = chains
    y = random_labels()
    batch = make_batch(y, lengths)
    result = path_score(emissions, transitions, batch.y, batch.mask)
    for s, length in enumerate(LENGTHS):
        path = tuple(y[s, :length].tolist())
        assert float(result[s]) == pytest.approx(
            naive_score(emissions[s], transitions[s], path), abs=1e-12
        )


def test_deviance_is_minus_two_log_share_of_the_labelled_path(chains):
    emissions, transitions, lengths = chains
    y = random_labels()
    deviance = LinearChain().deviance((emissions, transitions), make_batch(y, lengths))
    for s, length in enumerate(LENGTHS):
        paths = all_paths(emissions[s], transitions[s], length)
        own = paths[tuple(y[s, :length].tolist())]
        assert float(deviance[s]) == pytest.approx(
            2 * (log_sum(list(paths.values())) - own), abs=1e-11
        )


def test_missing_labels_are_summed_out(chains):
    emissions, transitions, lengths = chains
    y = random_labels()
    y[0, 1:3] = -1  # within
    y[1, 0] = -1  # the only one
    y[2, 0] = y[2, 5] = -1  # at both ends
    deviance = LinearChain().deviance((emissions, transitions), make_batch(y, lengths))
    for s, length in enumerate(LENGTHS):
        paths = all_paths(emissions[s], transitions[s], length)
        labels = y[s, :length].tolist()
        fitting = [
            score
            for path, score in paths.items()
            if all(label in (-1, state) for label, state in zip(labels, path, strict=True))
        ]
        expected = 2 * (log_sum(list(paths.values())) - log_sum(fitting))
        assert float(deviance[s]) == pytest.approx(expected, abs=1e-11)
    assert float(deviance[1]) == pytest.approx(0.0, abs=1e-12)


def test_state_before_the_first_step_adds_its_row(chains):
    emissions, transitions, lengths = chains
    y = random_labels()
    initial = torch.tensor([2, 0, -1, 1, -1])
    deviance = LinearChain().deviance((emissions, transitions), make_batch(y, lengths, initial))
    started = with_initial(emissions, transitions, initial)
    best = viterbi(started, transitions, lengths)
    for s, length in enumerate(LENGTHS):
        before = int(initial[s])
        if before < 0:
            paths = all_paths(emissions[s], transitions[s], length)
        else:
            longer = torch.cat([torch.zeros(1, STATES), emissions[s]])
            paths = {
                path[1:]: score
                for path, score in all_paths(longer, transitions[s], length + 1).items()
                if path[0] == before
            }
        own = paths[tuple(y[s, :length].tolist())]
        assert float(deviance[s]) == pytest.approx(
            2 * (log_sum(list(paths.values())) - own), abs=1e-11
        )
        assert tuple(best[s, :length].tolist()) == max(paths, key=lambda path: paths[path])


def naive_deviance(emissions: Tensor, transitions: Tensor, batch: Batch) -> Tensor:
    """−2 log p by the plain forward recursion, which autograd can follow."""

    def forward(scores: Tensor, matrix: Tensor) -> Tensor:
        alpha = scores[0]
        for t in range(1, len(scores)):
            alpha = torch.logsumexp(alpha.unsqueeze(1) + matrix, dim=0) + scores[t]
        return torch.logsumexp(alpha, dim=0)

    parts = []
    for s, length in enumerate(batch.lengths.tolist()):
        scores, matrix = emissions[s, :length], transitions[s]
        if batch.initial[s] >= 0:
            scores = torch.cat([scores[:1] + matrix[batch.initial[s]], scores[1:]])
        labels = batch.y[s, :length].unsqueeze(1)
        excluded = (labels >= 0) & (labels != torch.arange(STATES))
        clamped = scores.masked_fill(excluded, -1e6)
        parts.append(2 * (forward(scores, matrix) - forward(clamped, matrix)))
    return torch.stack(parts)


@pytest.mark.parametrize("missing", [False, True])
def test_gradient_is_that_of_autograd(chains, missing):
    emissions, transitions, lengths = chains
    y = random_labels()
    if missing:
        y[0, 1] = y[2, 0] = y[2, 5] = -1
    batch = make_batch(y, lengths, torch.tensor([2, 0, -1, 1, -1]))
    weight = torch.tensor([1.0, -2.0, 0.5, 3.0, 1.0], dtype=torch.float64)
    gradients = []
    for deviance in (lambda e, a, b: LinearChain().deviance((e, a), b), naive_deviance):
        e = emissions.clone().requires_grad_()
        a = transitions.clone().requires_grad_()
        (weight * deviance(e, a, batch)).sum().backward()
        gradients.append((e.grad, a.grad))
    torch.testing.assert_close(gradients[0][0], gradients[1][0], atol=1e-10, rtol=0)
    torch.testing.assert_close(gradients[0][1], gradients[1][1], atol=1e-10, rtol=0)


def test_gradient_agrees_with_finite_differences(chains):
    emissions, transitions, lengths = chains
    assert torch.autograd.gradcheck(
        lambda e, a: log_partition(e, a, lengths),
        (emissions.clone().requires_grad_(), transitions.clone().requires_grad_()),
    )


def test_second_derivative_is_refused(chains):
    emissions, transitions, lengths = chains
    transitions = transitions.clone().requires_grad_()
    square = log_partition(emissions, transitions, lengths).square().sum()
    (first,) = torch.autograd.grad(square, transitions, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_padding_changes_nothing(chains):
    emissions, transitions, lengths = chains
    y = random_labels()
    together = LinearChain().deviance((emissions, transitions), make_batch(y, lengths))
    marginals = forward_backward(emissions, transitions, lengths)
    paths = viterbi(emissions, transitions, lengths)
    for s, length in enumerate(LENGTHS):
        alone = emissions[s : s + 1, :length], transitions[s : s + 1]
        n_steps = lengths[s : s + 1]
        batch = make_batch(y[s : s + 1, :length], n_steps)
        torch.testing.assert_close(LinearChain().deviance(alone, batch)[0], together[s])
        single = forward_backward(*alone, n_steps)
        torch.testing.assert_close(single.unary[0], marginals.unary[s, :length])
        torch.testing.assert_close(single.pairwise[0], marginals.pairwise[s])
        assert (marginals.unary[s, length:] == 0).all()
        assert viterbi(*alone, n_steps)[0].tolist() == paths[s, :length].tolist()


def test_renaming_the_states_renames_the_results(chains):
    emissions, transitions, lengths = chains
    order = torch.tensor([2, 0, 1])
    before = forward_backward(emissions, transitions, lengths)
    renamed = emissions[:, :, order], transitions[:, order][:, :, order]
    after = forward_backward(*renamed, lengths)
    torch.testing.assert_close(after.log_partition, before.log_partition)
    torch.testing.assert_close(after.unary, before.unary[:, :, order])
    torch.testing.assert_close(after.pairwise, before.pairwise[:, order][:, :, order])
    paths, again = viterbi(emissions, transitions, lengths), viterbi(*renamed, lengths)
    mask = paths >= 0
    assert (order[again[mask]] == paths[mask]).all()


@both_recursions
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_long_sequences_do_not_underflow(scale, recursion):
    generator = torch.Generator().manual_seed(0)
    emissions = scale * torch.randn(2, 1500, 4, generator=generator)
    transitions = scale * torch.randn(2, 4, 4, generator=generator)
    lengths = torch.tensor([1500, 617])
    result = recursion(emissions, transitions, lengths)
    for s, length in enumerate(lengths.tolist()):
        alpha = emissions[s, 0].double()
        for t in range(1, length):
            step = alpha.unsqueeze(1) + transitions[s].double()
            alpha = torch.logsumexp(step, dim=0) + emissions[s, t].double()
        expected = torch.logsumexp(alpha, dim=0)
        torch.testing.assert_close(result.log_partition[s], expected, rtol=1e-12, atol=0)
        torch.testing.assert_close(
            result.unary[s, :length].sum(1), torch.ones(length, dtype=torch.float64)
        )


@pytest.mark.parametrize("spread", [2000.0, 1e5])
def test_scores_that_lie_far_apart_have_marginals_too(chains, spread):
    """So far apart that exp() of their difference is 0: the best path then has all."""
    emissions, transitions, lengths = chains
    result = forward_backward(spread * emissions, spread * transitions, lengths)
    for s, length in enumerate(LENGTHS):
        paths = all_paths(spread * emissions[s], spread * transitions[s], length)
        assert float(result.log_partition[s]) == pytest.approx(log_sum(list(paths.values())))
    best = viterbi(emissions, transitions, lengths)
    mask = best >= 0
    expected = torch.nn.functional.one_hot(best.clamp_min(0), STATES).double()
    torch.testing.assert_close(result.unary[mask], expected[mask])
    torch.testing.assert_close(result.pairwise.sum((1, 2)), (lengths - 1).double())


def test_the_number_of_threads_changes_nothing(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    emissions = torch.randn(7, 30, 3, generator=generator, dtype=torch.float64)
    transitions = torch.randn(7, 3, 3, generator=generator, dtype=torch.float64)
    lengths = torch.tensor([30, 1, 17, 30, 2, 9, 30])
    alone = forward_backward(emissions, transitions, lengths)
    path = viterbi(emissions, transitions, lengths)
    monkeypatch.setattr(crf_kernel, "_WORTH_A_THREAD", 10)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    shared = forward_backward(emissions, transitions, lengths)
    assert all(torch.equal(a, b) for a, b in zip(alone, shared, strict=True))
    assert torch.equal(viterbi(emissions, transitions, lengths), path)


def test_constant_in_the_transitions_cancels(chains):
    emissions, transitions, lengths = chains
    batch = make_batch(random_labels(), lengths)
    moved = LinearChain().deviance((emissions, transitions + 7.5), batch)
    torch.testing.assert_close(moved, LinearChain().deviance((emissions, transitions), batch))


def test_pytorch_crf_agrees_for_shared_transitions(chains):
    emissions, transitions, lengths = chains
    shared = transitions[0].expand(len(LENGTHS), -1, -1)
    y = random_labels()
    batch = make_batch(y, lengths)
    peer = torchcrf.CRF(STATES, batch_first=True).double()
    with torch.no_grad():
        peer.transitions.copy_(transitions[0])
        peer.start_transitions.zero_()
        peer.end_transitions.zero_()
        likelihood = peer(emissions, y, mask=batch.mask, reduction="none")
    torch.testing.assert_close(LinearChain().deviance((emissions, shared), batch), -2 * likelihood)
    paths = viterbi(emissions, shared, lengths)
    ours = [path[:length] for path, length in zip(paths.tolist(), LENGTHS, strict=True)]
    assert ours == peer.decode(emissions, mask=batch.mask)


def test_network_gives_emissions_of_each_step_and_one_matrix():
    network = CRFNetwork(n_features=2, hidden=(5,), n_states=4)
    emissions, transitions = network(torch.randn(7, 2))
    assert emissions.shape == (7, 4)
    assert transitions is network.transitions
    assert transitions.shape == (4, 4)
