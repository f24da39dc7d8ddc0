"""The laws of a neck, for every entry of `penchant.losses.KINDS`."""

from functools import partial

import pytest
import torch

from penchant.losses import KINDS
from penchant.testing.losses import check_neck

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
