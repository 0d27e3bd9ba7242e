import pytest
import torch
from torch.distributions import Categorical as CategoricalDistribution
from torch.distributions import Normal
from torch.distributions import Poisson as PoissonDistribution

from nme_core.batches.sequences import Batch
from nme_core.nn import Categorical, Gaussian, Ordinal, OrdinalMLP, Poisson, contrasts


def make_batch(y: torch.Tensor, lengths: list[int]) -> Batch:
    mask = torch.arange(y.shape[1]) < torch.tensor(lengths).unsqueeze(1)
    n = len(y)
    return Batch(
        x=torch.zeros(*y.shape, 1),
        y=y,
        mask=mask,
        groups=torch.arange(n),
        initial=torch.full((n,), -1),
        share=torch.ones(n),
        rows=torch.zeros_like(y, dtype=torch.long),
    )


def test_gaussian_deviance_is_minus_twice_the_log_density_at_unit_variance():
    y, output = torch.randn(3, 5).double(), torch.randn(3, 5, 1).double()
    lengths = [5, 2, 1]
    deviance = Gaussian().deviance(output, make_batch(y, lengths))
    for unit, length in enumerate(lengths):
        normal = Normal(output[unit, :length, 0], 1.0)
        constant = Normal(0.0, 1.0).log_prob(torch.zeros(length)).double()
        expected = -2 * (normal.log_prob(y[unit, :length]) - constant).sum()
        torch.testing.assert_close(deviance[unit], expected, atol=1e-6, rtol=0)


def test_categorical_deviance_is_minus_twice_the_log_likelihood():
    output = torch.randn(3, 5, 3).double()
    y = torch.randint(4, (3, 5))
    lengths = [5, 2, 1]
    padded = make_batch(
        torch.where(torch.arange(5) < torch.tensor(lengths)[:, None], y, -1), lengths
    )
    deviance = Categorical(4).deviance(output, padded)
    scores = output @ contrasts(4).T
    for unit, length in enumerate(lengths):
        distribution = CategoricalDistribution(logits=scores[unit, :length])
        expected = -2 * distribution.log_prob(y[unit, :length]).sum()
        torch.testing.assert_close(deviance[unit], expected)


def test_padding_has_no_gradient():
    output = torch.randn(2, 4, 1, requires_grad=True)
    batch = make_batch(torch.randn(2, 4), [4, 1])
    Gaussian().deviance(output, batch).sum().backward()
    assert (output.grad[1, 1:] == 0).all()
    assert (output.grad[0] != 0).all()
    logits = torch.randn(2, 4, 2, requires_grad=True)
    batch = make_batch(torch.tensor([[0, 1, 2, 0], [1, -1, -1, -1]]), [4, 1])
    Categorical(3).deviance(logits, batch).sum().backward()
    assert (logits.grad[1, 1:] == 0).all()
    assert (logits.grad[1, 0] != 0).any()


def test_poisson_deviance_is_that_to_the_saturated_model():
    y, output = torch.poisson(torch.full((3, 5), 2.0)).double(), torch.randn(3, 5, 1).double()
    deviance = Poisson(offset=0.7).deviance(output, make_batch(y, [5, 2, 1]))
    for unit, length in enumerate([5, 2, 1]):
        counts = y[unit, :length]
        fitted = PoissonDistribution((output[unit, :length, 0] + 0.7).exp()).log_prob(counts)
        saturated = PoissonDistribution(counts.clamp_min(1e-300)).log_prob(counts)
        torch.testing.assert_close(deviance[unit], 2 * (saturated - fitted).sum())


def cumulative(*shape: int) -> torch.Tensor:
    return torch.sort(2 * torch.randn(*shape).double(), dim=-1).values


def test_ordinal_probabilities_are_differences_of_cumulative_ones():
    output = cumulative(3, 5, 4)
    below = torch.cat([torch.zeros(3, 5, 1), torch.sigmoid(output), torch.ones(3, 5, 1)], dim=-1)
    p = Ordinal().mean(output)
    torch.testing.assert_close(p, below.diff(dim=-1))
    y = torch.randint(5, (3, 5))
    expected = -2 * p.gather(2, y.unsqueeze(2)).log().sum((1, 2))
    torch.testing.assert_close(Ordinal().deviance(output, make_batch(y, [5, 5, 5])), expected)


def test_ordinal_probabilities_keep_their_digits_in_the_tails():
    output = torch.tensor([[40.0, 41.0, 42.0]]).double()
    p = Ordinal().mean(output)[0]
    assert p[1:].tolist() == pytest.approx([2.6855e-18, 9.8795e-19, 5.7495e-19], rel=1e-4, abs=0)


def test_two_ordered_classes_are_logistic_regression():
    network = OrdinalMLP(2, (), 2)
    x = torch.randn(7, 2)
    score = network.layers[0](x)
    torch.testing.assert_close(Ordinal().mean(network(x))[:, 1:], torch.sigmoid(score))


FAMILIES = {
    "gaussian": (Gaussian(), lambda: torch.randn(1, 1, 1).double()),
    "poisson": (Poisson(0.4), lambda: torch.randn(1, 1, 1).double()),
    "two classes": (Categorical(2), lambda: torch.randn(1, 1, 1).double()),
    "categorical": (Categorical(4), lambda: torch.randn(1, 1, 3).double()),
    "ordinal": (Ordinal(), lambda: torch.tensor([[[-1.0, 0.2, 1.5]]]).double()),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_information_is_the_expected_curvature_of_half_the_deviance(name):
    """At one output, averaged over outcomes that are drawn from it: also tests the draws."""
    torch.manual_seed(0)
    family, draw = FAMILIES[name]
    output = draw()[:, :1].expand(-1, 20_000, -1).clone().requires_grad_()
    generator = torch.Generator().manual_seed(1)
    y = family.sample(output.detach(), 1.0, generator)
    batch = make_batch(y, [20_000])
    half = family.deviance(output, batch).sum() / 2
    (score,) = torch.autograd.grad(half, output)
    # the expected outer product of the score is the information, too
    found = score[0].T @ score[0] / 20_000
    torch.testing.assert_close(
        found, family.information(output.detach())[0, 0], rtol=0.1, atol=0.02
    )


def test_draws_have_the_expected_mean():
    generator = torch.Generator().manual_seed(0)
    output = torch.tensor([0.3]).double().expand(1, 50_000, 1)
    assert float(Gaussian().sample(output, 4.0, generator).std()) == pytest.approx(2, rel=0.02)
    poisson = Poisson(0.5)
    expected = float(poisson.mean(output)[0, 0])
    assert float(poisson.sample(output, 1.0, generator).mean()) == pytest.approx(expected, rel=0.02)
    logits = cumulative(1, 1, 3).expand(1, 50_000, 3)
    shares = torch.bincount(Ordinal().sample(logits, 1.0, generator).flatten()) / 50_000
    torch.testing.assert_close(shares.double(), Ordinal().mean(logits)[0, 0], atol=0.01, rtol=0)


def test_score_and_curvature_are_the_derivatives_of_the_log_density():
    for name, (family, draw) in FAMILIES.items():
        if name == "gaussian":
            continue
        output = draw().expand(1, 40, -1).clone()
        y = family.sample(output, 1.0, torch.Generator().manual_seed(1))[0]
        for row, outcome in zip(output[0], y, strict=True):

            def log_density(at, outcome=outcome, family=family):
                return family.log_density(at, outcome)

            slope = torch.autograd.functional.jacobian(log_density, row)
            bend = torch.autograd.functional.hessian(log_density, row)
            torch.testing.assert_close(family.score(row, outcome), slope)
            torch.testing.assert_close(family.curvature(row, outcome), -bend)


def test_log_density_has_all_its_constants():
    """Probabilities of all counts, and of all classes, add up to one."""
    counts = torch.arange(200).double()
    output = torch.full((200, 1), 0.3).double()
    assert float(Poisson(0.5).log_density(output, counts).exp().sum()) == pytest.approx(1)
    for family, n_outputs in ((Categorical(2), 1), (Categorical(4), 3), (Ordinal(), 3)):
        at = cumulative(1, n_outputs).expand(n_outputs + 1, -1)
        p = family.log_density(at, torch.arange(n_outputs + 1)).exp()
        torch.testing.assert_close(p, family.mean(at)[0])
