"""The laws of a space, for every entry of `penchant.spaces.KINDS`."""

import math

import pytest

from penchant.spaces import KINDS
from penchant.testing.spaces import check_space

OPTIONS = {
    "uniform": [{"norm": r} for r in (1, 1.5, 2, 3, 4, 6, 8, 20, math.inf)],
    "gaussian": [
        *({"metric": metric} for metric in ("sup", "wasserstein", "fisher_rao", "hellinger")),
        *({"metric": metric, "sigma_min": 0.2, "sigma_max": 0.7} for metric in ("sup", "fisher_rao", "kl")),
    ],
}
COORDINATES = {"uniform": 1, "gaussian": 2}  # on an axis


@pytest.mark.parametrize("box", ["tanh", "sigmoid"])
@pytest.mark.parametrize("dim", [1, 2, 5, 32])
@pytest.mark.parametrize(("name", "options"), [(name, o) for name in KINDS for o in OPTIONS[name]])
def test_laws(name, options, dim, box):
    check_space(KINDS[name](dim=dim * COORDINATES[name], box=box, **options))
