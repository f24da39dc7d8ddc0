import pytest

from penchant.errors import ConfigError
from penchant.training import TrainingOptions


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0},
        {"batch_size": 1},
        {"patience": 0},
        {"learning_rate": 0.0},
        {"weight_decay": -1.0},
        {"average": 1.0},
        {"threads": -1},
    ],
)
def test_options_out_of_range_are_refused_by_name(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        TrainingOptions(**options)
