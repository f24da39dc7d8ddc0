"""The laws of a neck, for every entry of `penchant.losses.KINDS` and `penchant.losses.RANKING`."""

from functools import partial

import pytest
import torch

from penchant.losses import KINDS, RANKING, softmax
from penchant.testing.losses import check_neck, check_ranking_neck

OPTIONS = {
    "hinge": [{"threshold": 0.5, "margin": 0.1}, {"threshold": torch.tensor(0.3), "margin": 0.0}],
    "logistic": [
        {"threshold": 0.5, "scale": 10.0},
        {"threshold": torch.tensor(0.3), "scale": torch.tensor(50.0)},
    ],
    "capped": [{"cap": 0.6}, {"cap": torch.tensor(0.6)}],
    "literal": [{"margin": 0.1}, {"margin": 0.6}],
}


@pytest.mark.parametrize(("name", "options"), [(name, o) for name in KINDS for o in OPTIONS[name]])
def test_laws(name, options):
    check_neck(partial(KINDS[name], **options))


RANKING_OPTIONS = {
    "softmax": [{"scale": 3.0}, {"scale": torch.tensor(40.0)}],
    "bpr": [{"scale": 3.0}, {"scale": torch.tensor(40.0)}],
    "warp": [{"margin": 0.1}, {"margin": 0.0}],
}


@pytest.mark.parametrize(("name", "options"), [(name, o) for name in RANKING for o in RANKING_OPTIONS[name]])
def test_ranking_laws(name, options):
    check_ranking_neck(partial(RANKING[name], **options))


def test_a_neck_that_breaks_a_law_is_told_which():
    def backwards(liked, others, *, masked=None, weight=None):
        return softmax(-liked, -others, scale=3.0, masked=masked, weight=weight)

    with pytest.raises(AssertionError, match="drawn nearer"):
        check_ranking_neck(backwards)
