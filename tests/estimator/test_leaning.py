import math

import pytest
import torch

from penchant.errors import ConfigError
from penchant.estimator.leaning import ATTITUDES, gaussian, lean
from penchant.spaces import GaussianSpace, UniformSpace

SPACE = GaussianSpace(dim=6, metric="wasserstein", sigma_min=0.05, sigma_max=0.8)


def points(n, seed):
    return SPACE.bound(torch.randn(n, 6, generator=torch.Generator().manual_seed(seed)))


@pytest.mark.parametrize("attitude", ATTITUDES)
def test_items_come_by_distance_and_deviation(attitude):
    users, items = points(3, 0), points(40, 1)
    found = lean(SPACE, users, items, 7, attitude, [torch.tensor([j, 5]) for j in range(3)])
    for j, user in enumerate(users.double()):
        each = []
        for row, item in enumerate(items.double()):
            d = math.sqrt(float((SPACE.location(user) - SPACE.location(item)).square().mean()
                                + (SPACE.scale(user) - SPACE.scale(item)).square().mean()))  # fmt: skip
            slope = (SPACE.location(user) - SPACE.location(item)) / (3 * d)
            s = float((SPACE.scale(user) * slope).square().sum().sqrt())
            if row not in (j, 5):
                each.append((d + ATTITUDES[attitude] * s, row, d, s))
        best = sorted(each)[:7]
        assert found.row[j].tolist() == [row for _, row, _, _ in best]
        for column, place in ((found.leaned, 0), (found.distance, 2), (found.deviation, 3)):
            assert column[j].tolist() == pytest.approx([one[place] for one in best])


def test_where_too_few_are_left_the_rest_is_no_item():
    items = points(3, 2)
    found = lean(SPACE, points(1, 3), items, 3, "optimistic", [torch.tensor([0, 2])])
    assert found.row[0].tolist() == [1, -1, -1]
    assert found.leaned[0, 1:].tolist() == [math.inf, math.inf]


def test_points_that_do_not_say_and_other_attitudes_are_refused():
    with pytest.raises(ConfigError, match="uncertainty: the points of this model do not say how sure"):
        gaussian(UniformSpace(), "uncertainty")
    with pytest.raises(ConfigError, match="attitude = 'hopeful': one of mean, optimistic, pessimistic expected"):
        lean(SPACE, points(1, 0), points(2, 0), 1, "hopeful")
