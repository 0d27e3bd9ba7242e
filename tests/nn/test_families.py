import torch
from torch.distributions import Categorical as CategoricalDistribution
from torch.distributions import Normal

from nme_core.data.sequences import Batch
from nme_core.nn import Categorical, Gaussian


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
    output = torch.randn(3, 5, 4).double()
    y = torch.randint(4, (3, 5))
    lengths = [5, 2, 1]
    padded = make_batch(
        torch.where(torch.arange(5) < torch.tensor(lengths)[:, None], y, -1), lengths
    )
    deviance = Categorical().deviance(output, padded)
    for unit, length in enumerate(lengths):
        distribution = CategoricalDistribution(logits=output[unit, :length])
        expected = -2 * distribution.log_prob(y[unit, :length]).sum()
        torch.testing.assert_close(deviance[unit], expected)


def test_padding_has_no_gradient():
    output = torch.randn(2, 4, 1, requires_grad=True)
    batch = make_batch(torch.randn(2, 4), [4, 1])
    Gaussian().deviance(output, batch).sum().backward()
    assert (output.grad[1, 1:] == 0).all()
    assert (output.grad[0] != 0).all()
    logits = torch.randn(2, 4, 3, requires_grad=True)
    batch = make_batch(torch.tensor([[0, 1, 2, 0], [1, -1, -1, -1]]), [4, 1])
    Categorical().deviance(logits, batch).sum().backward()
    assert (logits.grad[1, 1:] == 0).all()
    assert (logits.grad[1, 0] != 0).any()
