"""The laws of a negative sampler, for every entry of `penchant.training.KINDS`."""

import pytest
import torch

from penchant.testing.negatives import check_negatives
from penchant.training import KINDS, Drawn
from penchant.training.negatives import UniformNegatives


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("n", "power"), [(5, 0.75), (1, 0.0), (100, 1.0)])
def test_laws(name, n, power):
    check_negatives(KINDS[name], n=n, power=power)


class Forgetful(UniformNegatives):
    """Says that all it drew was certain."""

    def draw(self, items, pairs):
        rows, log_q = super().draw(items, pairs)
        return Drawn(rows, torch.zeros_like(log_q))


class Unruly(UniformNegatives):
    """Draws from a stream of its own."""

    own = torch.Generator().manual_seed(0)

    def draw(self, items, pairs):
        rows = torch.randperm(len(self.counts), generator=self.own)[: self.n].sort().values
        return Drawn(rows, torch.full((len(rows),), self.n / len(self.counts)).log())


@pytest.mark.parametrize(("kind", "law"), [(Forgetful, "counts once on average"), (Unruly, "same seed")])
def test_a_sampler_that_breaks_a_law_is_told_which(kind, law):
    with pytest.raises(AssertionError, match=law):
        check_negatives(kind)
