"""The evidence lower bound and what moves with it, in float64."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from nme_core.batches import sequences as sequences_module
from nme_core.batches.sequences import Batch, pad_units, steps
from nme_core.nn import MLP, CRFNetwork, Family, Gaussian, LinearChain, MixedEffects
from nme_core.training import RandomEffectsCovariance, Variational, variational
from nme_core.training import spread as spreads
from nme_core.training.centring import centre
from nme_core.training.variational import SMOOTHING

SIZES = [40, 3, 17, 1, 90, 25]


def number_study() -> tuple[MixedEffects, Family, list[Batch]]:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(len(SIZES)), SIZES))
    x, y = rng.normal(size=(len(groups), 2)), rng.normal(size=len(groups))
    mixed = MixedEffects(MLP(2, (3,), 1), ["layers.0.bias", "layers.1.weight"], len(SIZES))
    return mixed.double(), Gaussian(), pad_units(x, y, groups)


def state_study() -> tuple[MixedEffects, Family, list[Batch]]:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    sequences = np.repeat(np.arange(len(SIZES)), SIZES)
    x, y = rng.normal(size=(len(sequences), 2)), rng.integers(-1, 3, len(sequences))
    mixed = MixedEffects(CRFNetwork(2, (), 3), ["transitions"], 3).double()
    return mixed, LinearChain(), pad_units(x, y, sequences // 2, sequences=sequences)


STUDIES = {"numbers": number_study, "states": state_study}


def make_problem(study: str, kind: str) -> tuple[Variational, list[Batch]]:
    """A problem in the middle of nowhere: nothing is at its start."""
    mixed, family, batches = STUDIES[study]()
    covariance = RandomEffectsCovariance(mixed.n_random, kind, start=1.0)
    root = torch.randn(mixed.n_random, mixed.n_random).double()
    covariance.update(root @ root.T + torch.eye(mixed.n_random))
    first = "layers.0.weight" if study == "numbers" else "emission.layers.0.weight"
    problem = Variational(
        mixed,
        family,
        [covariance],
        n_rows=sum(batch.n_rows for batch in batches),
        seed=0,
        by_input=(first,),
    )
    if study == "numbers":
        problem.residual_variance = 0.6
    with torch.no_grad():
        for parameter in problem.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        problem.log_expansion.zero_()
        for name, prior in problem.prior.variance.items():
            problem.prior.variance[name] = prior * (0.5 + torch.rand_like(prior))
    return problem, batches


def fix_noise(problem: Variational, scale: float) -> None:
    """The same draw in every call (0: none), by the shape of what is drawn."""

    def noise(like: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(like.numel())
        return scale * torch.randn(like.shape, generator=generator, dtype=like.dtype)

    problem._noise = noise


def by_definition(problem: Variational, batches: list[Batch], scale: float) -> float:
    """−2·ELBO/N with torch's own distributions, person by person."""
    fix_noise(problem, scale)
    mixed = problem.mixed
    lower = problem.spread.lower
    if not lower.numel():
        lower = torch.diag_embed(problem.spread.log_diagonal.exp())
    total = 0.0
    fixed = {}
    for name, mean in mixed.fixed().items():
        std = problem.shared_log_std[name].exp()
        prior = Normal(0.0, problem.prior.variance[name].sqrt().expand_as(mean))
        total += 2 * float(kl_divergence(Normal(mean, std), prior).sum().detach())
        fixed[name] = mean + std * problem._noise(mean)
    zero = torch.zeros(mixed.n_random).double()
    prior = MultivariateNormal(zero, problem.covariances[0].matrix)
    noise = problem._noise(mixed.deviations)
    for person in range(mixed.n_groups):
        own = MultivariateNormal(mixed.deviations[person], scale_tril=lower[person])
        total += 2 * float(kl_divergence(own, prior).detach())
        drawn = mixed.deviations[person] + lower[person] @ noise[person]
        for batch in batches:
            mine = torch.nonzero(batch.groups[:, 0] == person)[:, 0]
            if len(mine):
                part = batch.take(mine)
                output = mixed(part.x, fixed=fixed, deviations=drawn.expand(len(mine), -1))
                deviance = float(problem.family.deviance(output, part).sum().detach())
                total += deviance / problem.residual_variance
                if problem.family.has_residual_variance:
                    total += part.n_rows * math.log(problem.residual_variance)
    return total / problem.n_rows


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("kind", ["diagonal", "full"])
@pytest.mark.parametrize("scale", [0.0, 1.0])
@pytest.mark.parametrize("full_up_to", [64, 0])
def test_one_epoch_of_mini_batches_adds_up_to_the_bound(
    study, kind, scale, full_up_to, monkeypatch
):
    monkeypatch.setattr(spreads, "FULL_UP_TO", full_up_to)
    problem, batches = make_problem(study, kind)
    expected = by_definition(problem, batches, scale)
    fix_noise(problem, scale)
    whole = float(problem.loss(batches).detach())
    assert whole == pytest.approx(expected, rel=1e-12)
    monkeypatch.setattr(sequences_module, "ROWS_PER_STEP", 50)
    parts = list(steps(batches, torch.Generator().manual_seed(1)))
    assert len(parts) > 1
    total = sum(float(problem.loss(part).detach()) for part in parts)
    assert total == pytest.approx(whole, rel=1e-13)


@pytest.mark.parametrize("full_up_to", [64, 0])
def test_the_mean_over_draws_is_the_expected_deviance(full_up_to, monkeypatch):
    """For a linear network E_q D = (y − xᵀ(μ + m))² + xᵀ(V + S)x is known."""
    monkeypatch.setattr(spreads, "FULL_UP_TO", full_up_to)
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(3), [6, 2, 9])
    x, y = rng.normal(size=(len(groups), 2)), rng.normal(size=len(groups))
    mixed = MixedEffects(MLP(2, (), 1), ["layers.0.weight", "layers.0.bias"], 3).double()
    covariance = RandomEffectsCovariance(3, "full", start=0.5)
    problem = Variational(mixed, Gaussian(), [covariance], n_rows=len(x), seed=4)
    with torch.no_grad():
        for parameter in problem.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        problem.log_expansion.zero_()
        for parameter in (problem.spread.log_diagonal, *problem.shared_log_std.values()):
            parameter.add_(2.0)
    batches = pad_units(x, y, groups)
    with torch.no_grad():
        draws = torch.stack([problem.loss(batches) for _ in range(1500)])
        fix_noise(problem, 0.0)
        at_mean = problem.loss(batches)
    design = torch.from_numpy(np.column_stack([x, np.ones(len(x))]))
    spread = torch.cat([problem.shared_log_std[n].detach().exp().flatten() for n in mixed.fixed()])
    own = problem.posterior_covariance()[torch.from_numpy(groups)]
    own = own if own.dim() == 3 else torch.diag_embed(own)
    extra = (design**2 @ spread**2 + torch.einsum("nk,nkl,nl->n", design, own, design)).mean()
    error = float(draws.std()) / math.sqrt(len(draws))
    assert error < 0.05 * float(extra), "the test tells nothing"
    assert float(draws.mean() - at_mean) == pytest.approx(float(extra), abs=4 * error)


def test_variances_move_to_their_closed_form(monkeypatch):
    monkeypatch.setattr(variational, "SMOOTHING", 1.0)
    problem, batches = make_problem("numbers", "full")
    fix_noise(problem, 0.0)
    problem.loss(batches)
    problem.after_step()
    mean, own = problem.mixed.deviations.detach(), problem.posterior_covariance()
    second = torch.einsum("pr,ps->prs", mean, mean) + own
    torch.testing.assert_close(problem.covariances[0].matrix, second.mean(0))
    deviance = sum(
        float(problem.family.deviance(problem.mixed(b.x, groups=b.groups), b).sum().detach())
        for b in batches
    )
    assert problem.residual_variance == pytest.approx(deviance / sum(SIZES), rel=1e-12)
    for name, value in problem.mixed.fixed().items():
        moment = value.detach() ** 2 + (2 * problem.shared_log_std[name].detach()).exp()
        if name == "layers.0.weight":
            expected = moment.mean(0, keepdim=True)  # one for each input
        elif name == "layers.1.weight":
            expected = moment.mean().reshape(1)
        else:
            continue
        torch.testing.assert_close(problem.prior.variance[name], expected)


@pytest.mark.parametrize("full_up_to", [64, 0])
@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_second_moment_is_the_mean_over_persons(kind, full_up_to, monkeypatch):
    monkeypatch.setattr(spreads, "FULL_UP_TO", full_up_to)
    monkeypatch.setattr(variational, "SMOOTHING", 1.0)
    problem, batches = make_problem("states", kind)
    problem.loss(batches)
    problem.after_step()
    mean, own = problem.mixed.deviations.detach(), problem.posterior_covariance()
    own = own if own.dim() == 3 else torch.diag_embed(own)
    expected = (torch.einsum("pr,ps->prs", mean, mean) + own).mean(0)
    if kind == "diagonal":
        expected = expected.diagonal().diag()
    torch.testing.assert_close(problem.covariances[0].matrix, expected)
    assert problem.residual_variance == 1.0, "sequences have no residual variance"


def test_biases_and_weak_parameters_keep_their_prior():
    mixed, family, batches = number_study()
    covariance = RandomEffectsCovariance(mixed.n_random, "diagonal", start=0.1)
    problem = Variational(
        mixed, family, [covariance], n_rows=sum(SIZES), seed=0, weak=("layers.0.weight",)
    )
    problem.loss(batches)
    problem.after_step()
    assert problem.prior.variance["layers.0.bias"].tolist() == [1.0]
    assert problem.prior.variance["layers.0.weight"].tolist() == [100.0]
    assert problem.prior.variance["layers.1.weight"].tolist() != [1.0]


def test_posterior_covariance_is_full_up_to_a_limit(monkeypatch):
    problem, _ = make_problem("numbers", "diagonal")
    own = problem.posterior_covariance()
    lower = problem.spread.lower.detach().double()
    torch.testing.assert_close(own, lower @ lower.transpose(1, 2))
    assert (torch.linalg.eigvalsh(own) > 0).all()
    assert (own[:, 0, 1] != 0).all()
    monkeypatch.setattr(spreads, "FULL_UP_TO", 5)
    assert problem.mixed.n_random == 6
    problem, _ = make_problem("numbers", "diagonal")
    own = problem.posterior_covariance()
    torch.testing.assert_close(own, (2 * problem.spread.log_diagonal.detach()).exp())


def test_seed_decides_the_draws():
    def losses(seed: int) -> list[float]:
        mixed, family, batches = number_study()
        covariance = RandomEffectsCovariance(mixed.n_random, "diagonal", start=0.1)
        problem = Variational(mixed, family, [covariance], n_rows=sum(SIZES), seed=seed)
        return [float(problem.loss(batches).detach()) for _ in range(2)]

    first = losses(1)
    assert first == losses(1)
    assert first[0] != first[1]
    assert first != losses(2)


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("kind", ["diagonal", "full"])
@pytest.mark.parametrize("full_up_to", [64, 0])
def test_expansion_changes_what_is_stored_and_nothing_else(study, kind, full_up_to, monkeypatch):
    monkeypatch.setattr(spreads, "FULL_UP_TO", full_up_to)
    problem, batches = make_problem(study, kind)
    fix_noise(problem, 1.0)
    with torch.no_grad():
        problem.log_expansion.add_(0.4 * torch.randn_like(problem.log_expansion))
        factor = problem.log_expansion[0].exp()
        expected, variances = (
            problem.loss(batches).clone(),
            problem.covariances[0].variances.clone(),
        )
        problem._expand()
    assert problem.loss(batches).detach() == pytest.approx(float(expected), rel=1e-10)
    torch.testing.assert_close(problem.covariances[0].variances, variances * factor**2)
    assert not problem.log_expansion.any()


@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_centring_leaves_persons_where_they_are_and_raises_the_bound(kind):
    problem, batches = make_problem("numbers", kind)
    fix_noise(problem, 0.0)
    mixed = problem.mixed
    with torch.no_grad():
        mixed.deviations.add_(1.0)
        before = float(problem.loss(batches))
        persons = mixed.fixed_vector() + mixed.deviations
        for _ in range(300):
            centre(mixed, problem.covariances, problem.prior.expanded(mixed.fixed()), SMOOTHING)
        torch.testing.assert_close(mixed.fixed_vector() + mixed.deviations, persons)
        best = float(problem.loss(batches))
        assert best < before
        for direction in torch.eye(mixed.n_random).double():
            for side in (-1e-3, 1e-3):
                mixed.shift_fixed(side * direction)
                assert float(problem.loss(batches)) > best
                mixed.shift_fixed(-side * direction)


def test_a_prior_starts_where_the_weights_are():
    mixed, family, _ = number_study()
    covariance = RandomEffectsCovariance(mixed.n_random, "diagonal", start=0.1)
    first, last = "layers.0.weight", "layers.1.weight"
    problem = Variational(
        mixed, family, [covariance], n_rows=sum(SIZES), seed=0, by_input=(first,)
    )  # fmt: skip
    weights = mixed.fixed()
    torch.testing.assert_close(
        problem.prior.variance[first], weights[first].detach().square().mean(0, keepdim=True)
    )
    torch.testing.assert_close(
        problem.prior.variance[last], weights[last].detach().square().mean().reshape(1)
    )


def test_deviations_of_a_pool_keep_one_variance_and_one_scale():
    mixed, family, batches = number_study()
    pools = torch.arange(mixed.n_random) % 2
    covariance = RandomEffectsCovariance(mixed.n_random, "diagonal", start=0.1, pools=pools)
    problem = Variational(mixed, family, [covariance], n_rows=sum(SIZES), seed=0)
    assert problem.log_expansion.shape == (1, 2)
    with torch.no_grad():
        mixed.deviations.normal_()
        problem.log_expansion.copy_(torch.tensor([[0.3, -0.2]]))
    problem.loss(batches)
    problem.after_step()
    assert len(covariance.variances.unique()) == 2
