import pytest

from penchant.errors import ConfigError
from penchant.nets import DecoderOptions, EncoderOptions


@pytest.mark.parametrize(
    "options",
    [{"hidden": (0,)}, {"activation": "swish"}, {"dropout": 1.0}, {"unseen": -0.1}, {"embedding_dim": 0},
     {"bins": -1}],
)  # fmt: skip
def test_options_out_of_range_are_refused_by_name(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        EncoderOptions(**options)


def test_a_decoders_options_are_checked_likewise():
    with pytest.raises(ConfigError, match="hidden"):
        DecoderOptions(hidden=(-1,))
