import pytest
import torch

from nme_core.training import RandomEffectsCovariance
from nme_core.training.covariance import SMALLEST

TARGET = torch.tensor([[2.0, 0.6, 0.1], [0.6, 1.0, -0.3], [0.1, -0.3, 0.5]]).double()


def test_starts_as_a_multiple_of_the_identity():
    covariance = RandomEffectsCovariance(3, "full", start=0.1)
    torch.testing.assert_close(covariance.matrix, 0.1 * torch.eye(3).double())


def test_takes_the_target_as_it_is():
    full, diagonal = (RandomEffectsCovariance(3, k, start=1.0) for k in ("full", "diagonal"))
    full.update(TARGET)
    diagonal.update(TARGET)
    torch.testing.assert_close(full.matrix, TARGET)
    torch.testing.assert_close(diagonal.matrix, TARGET.diagonal().diag())
    diagonal.update(torch.tensor([3.0, 2.0, 1.0]))
    assert diagonal.variances.tolist() == [3.0, 2.0, 1.0]


def test_moves_part_of_the_way():
    covariance = RandomEffectsCovariance(3, "full", start=1.0)
    covariance.update(TARGET, rate=0.25)
    torch.testing.assert_close(covariance.matrix, 0.75 * torch.eye(3).double() + 0.25 * TARGET)


@pytest.mark.parametrize("kind", ["full", "diagonal"])
def test_whitening_and_determinant_are_those_of_the_matrix(kind):
    covariance = RandomEffectsCovariance(3, kind, start=1.0)
    covariance.update(TARGET)
    values = torch.randn(6, 3).double()
    expected = ((values @ torch.linalg.inv(covariance.matrix)) * values).sum(1)
    torch.testing.assert_close(covariance.whiten(values).square().sum(1), expected)
    torch.testing.assert_close(covariance.penalty(values), expected)
    torch.testing.assert_close(covariance.log_determinant, torch.logdet(covariance.matrix))
    assert covariance.penalty(values.float()).dtype == torch.float32


def test_diagonal_variances_have_a_floor_of_their_own():
    covariance = RandomEffectsCovariance(3, "diagonal", start=1.0)
    covariance.update(torch.tensor([0.0, 0.4, 2.0]), floor=0.5)
    torch.testing.assert_close(covariance.variances, torch.tensor([0.5, 0.5, 2.0]).double())


def test_full_matrix_is_lifted_until_it_is_positive_definite():
    covariance = RandomEffectsCovariance(2, "full", start=1.0)
    covariance.update(torch.tensor([[1.0, 1.0], [1.0, 1.0]]), floor=0.1)
    torch.testing.assert_close(covariance.matrix, torch.tensor([[1.1, 1.0], [1.0, 1.1]]).double())
    covariance.update(torch.zeros(2, 2))
    assert float(covariance.variances.min()) == pytest.approx(SMALLEST)


def test_no_random_effects_have_no_penalty():
    covariance = RandomEffectsCovariance(0, "full", start=1.0)
    covariance.update(torch.zeros(0, 0))
    assert covariance.penalty(torch.zeros(4, 0)).tolist() == [0.0] * 4
    assert float(covariance.log_determinant) == 0.0


def test_random_effects_of_one_pool_share_a_variance():
    pools = torch.tensor([0, 1, 0, 1, 2])
    covariance = RandomEffectsCovariance(5, "diagonal", start=0.1, pools=pools)
    covariance.update(torch.tensor([1.0, 2.0, 3.0, 6.0, 5.0]))
    assert covariance.variances.tolist() == [2.0, 4.0, 2.0, 4.0, 5.0]
    assert covariance.n_pools == 3
    values = torch.arange(10.0).view(2, 5)
    assert covariance.by_pool(values).tolist() == [[1.0, 2.0, 4.0], [6.0, 7.0, 9.0]]
    # the variance of a pool is where the likelihood of deviations is highest
    deviations = torch.randn(40, 5, generator=torch.Generator().manual_seed(0)).double()
    covariance.update(deviations.square().mean(0))
    likelihood = torch.distributions.Normal(0, covariance.variances.sqrt()).log_prob(deviations)
    for factor in (0.98, 1.02):
        other = torch.where(pools == 1, factor, 1.0) * covariance.variances
        worse = torch.distributions.Normal(0, other.sqrt()).log_prob(deviations)
        assert float(worse.sum()) < float(likelihood.sum())


def test_without_pools_each_random_effect_has_its_own_variance():
    covariance = RandomEffectsCovariance(3, "diagonal", start=1.0)
    assert covariance.n_pools == 3
    assert covariance.by_pool(TARGET).equal(TARGET)


@pytest.mark.parametrize(("kind", "pools"), [("full", [0, 0, 1]), ("diagonal", [0, 1])])
def test_pools_that_cannot_be(kind, pools):
    with pytest.raises(ValueError, match="pools takes a diagonal"):
        RandomEffectsCovariance(3, kind, start=1.0, pools=torch.tensor(pools))
