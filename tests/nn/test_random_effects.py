"""MixedEffects against a loop over persons, each with a module of its own."""

import copy

import pytest
import torch
from torch import nn

from nme_core.exceptions import OptionError
from nme_core.nn import MLP, CRFNetwork, MixedEffects

N_GROUPS = 4


class Echo(nn.Module):
    """A recurrence and a convolution over time with parameters of odd shapes."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(2, 3, kernel_size=3, padding=1)
        self.memory = nn.Parameter(torch.randn(3, 3) / 3)
        self.gain = nn.Parameter(torch.tensor(0.7))
        self.norm = nn.LayerNorm(3)
        self.register_buffer("offset", torch.tensor([0.1, -0.2, 0.3]))

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Map x, shape (T, 2), to states, shape (T, 3), and the last state."""
        drive = self.norm(self.convolution(x.T).T) + self.offset
        state, states = torch.zeros(3, dtype=x.dtype), []
        for t in range(len(x)):
            state = torch.tanh(self.gain * drive[t] + state @ self.memory)
            states.append(state)
        return {"states": torch.stack(states), "last": state}


def persons_module(mixed: MixedEffects, person: int) -> nn.Module:
    """A copy of the module whose parameters are those of one person, θ̄ + η_i."""
    own = copy.deepcopy(mixed.module)
    position = 0
    with torch.no_grad():
        for name in mixed.random:
            parameter = own.get_parameter(name)
            part = mixed.deviations[person, position : position + parameter.numel()]
            parameter += part.view_as(parameter)
            position += parameter.numel()
    assert position == mixed.n_random
    return own


def make_mixed(module: nn.Module, random: list[str]) -> MixedEffects:
    torch.manual_seed(1)
    mixed = MixedEffects(module, random, N_GROUPS).double()
    with torch.no_grad():
        mixed.deviations.normal_()
    return mixed


@pytest.mark.parametrize(
    ("module", "random", "features"),
    [
        (MLP(2, (5,), 3), ["layers.1.weight", "layers.1.bias"], 2),
        (MLP(2, (5,), 3), ["layers.0.weight", "layers.1.bias"], 2),
        (MLP(2, (5, 4), 1), [f"layers.{k}.{p}" for k in range(3) for p in ("bias", "weight")], 2),
        (MLP(2, (), 1), [], 2),
        (CRFNetwork(2, (4,), 3), ["transitions", "emission.layers.1.bias"], 2),
        (Echo(), ["memory", "gain", "convolution.weight", "norm.bias"], 2),
        (Echo(), ["convolution.bias"], 2),
        (nn.Sequential(nn.Linear(2, 4), nn.GELU(), nn.Linear(4, 2)), ["2.weight"], 2),
    ],
)
def test_stack_equals_a_loop_over_persons(module, random, features):
    mixed = make_mixed(module, random)
    groups = torch.tensor([2, 0, 3, 2, 1])  # not sorted, one person twice
    x = torch.randn(len(groups), 6, features, dtype=torch.float64)
    stacked = mixed(x, groups=groups)
    for unit, person in enumerate(groups.tolist()):
        alone = persons_module(mixed, person)(x[unit])
        mine = torch.utils._pytree.tree_map(lambda tensor, unit=unit: tensor[unit], stacked)
        torch.testing.assert_close(mine, alone)


def test_gradients_equal_those_of_a_loop_over_persons():
    mixed = make_mixed(Echo(), ["memory", "gain", "convolution.weight"])
    groups = torch.tensor([2, 0, 2])
    x = torch.randn(3, 5, 2, dtype=torch.float64)
    mixed(x, groups=groups)["states"].square().sum().backward()
    shared = {name: torch.zeros_like(p) for name, p in mixed.module.named_parameters()}
    own = torch.zeros_like(mixed.deviations)
    for unit, person in enumerate(groups.tolist()):
        alone = persons_module(mixed, person)
        alone.zero_grad()
        alone(x[unit])["states"].square().sum().backward()
        for name, parameter in alone.named_parameters():
            shared[name] += parameter.grad
        own[person] += torch.cat([alone.get_parameter(n).grad.flatten() for n in mixed.random])
    for name, parameter in mixed.module.named_parameters():
        torch.testing.assert_close(parameter.grad, shared[name])
    torch.testing.assert_close(mixed.deviations.grad, own)
    assert (own[1] == 0).all()
    assert (own[3] == 0).all()


def test_without_groups_it_is_the_population():
    mixed = make_mixed(MLP(2, (5,), 1), ["layers.1.weight"])
    x = torch.randn(3, 6, 2, dtype=torch.float64)
    torch.testing.assert_close(mixed(x), mixed.module(x))


def test_values_can_be_given_instead_of_its_own():
    mixed = make_mixed(MLP(2, (5,), 1), ["layers.1.weight", "layers.1.bias"])
    x = torch.randn(2, 6, 2, dtype=torch.float64)
    other = make_mixed(MLP(2, (5,), 1), ["layers.1.weight", "layers.1.bias"])
    with torch.no_grad():
        other.deviations.mul_(-3.0)
        for parameter in other.module.parameters():
            parameter.add_(0.5)
    groups = torch.tensor([1, 3])
    given = mixed(x, fixed=other.fixed(), deviations=other.deviations[groups])
    torch.testing.assert_close(given, other(x, groups=groups))
    assert not torch.allclose(given, mixed(x, groups=groups))


def test_columns_follow_the_order_of_the_indices():
    mixed = make_mixed(MLP(2, (), 3), ["layers.0.weight", "layers.0.bias"])
    assert mixed.parameter_indices() == [
        *(("layers.0.weight", (o, k)) for o in range(3) for k in range(2)),
        *(("layers.0.bias", (o,)) for o in range(3)),
    ]
    parameters = mixed.fixed()
    by_index = [parameters[name][index] for name, index in mixed.parameter_indices()]
    torch.testing.assert_close(mixed.fixed_vector(), torch.stack(by_index))


def test_shifting_the_mean_into_the_fixed_part_leaves_every_person_alone():
    mixed = make_mixed(CRFNetwork(2, (4,), 3), ["transitions", "emission.layers.1.weight"])
    x, groups = torch.randn(4, 6, 2, dtype=torch.float64), torch.arange(4)
    before = mixed(x, groups=groups)
    mean = mixed.deviations.detach().mean(0)
    fixed = mixed.fixed_vector().detach().clone()
    mixed.shift_fixed(mean)
    torch.testing.assert_close(mixed(x, groups=groups), before)
    torch.testing.assert_close(mixed.fixed_vector(), fixed + mean)
    torch.testing.assert_close(mixed.deviations.mean(0), torch.zeros_like(mean))


def test_deviations_start_at_zero_and_have_the_modules_type():
    mixed = MixedEffects(MLP(2, (), 1).double(), ["layers.0.bias"], 3)
    assert mixed.deviations.shape == (3, 1)
    assert mixed.deviations.dtype == torch.float64
    assert (mixed.deviations == 0).all()
    assert (mixed.n_groups, mixed.n_random) == (3, 1)


def test_a_name_given_twice_counts_once():
    assert MixedEffects(MLP(2, (), 1), ["layers.0.bias"] * 2, 3).n_random == 1


def test_unknown_parameter_is_named_with_those_that_exist():
    with pytest.raises(OptionError, match=r"'layers\.9\.bias'.*layers\.0\.weight, layers\.0\.bias"):
        MixedEffects(MLP(2, (), 1), ["layers.0.bias", "layers.9.bias"], 3)


def test_modules_with_dropout_can_be_trained():
    mixed = MixedEffects(nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5)), ["0.weight"], 4)
    x, groups = torch.ones(4, 50, 2), torch.arange(4)
    dropped = mixed(x, groups=groups) == 0
    assert 0.3 < float(dropped.double().mean()) < 0.7
    assert not torch.equal(dropped[0], dropped[1])
    mixed.eval()
    assert not (mixed(x, groups=groups) == 0).any()
