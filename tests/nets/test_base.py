import pytest

from penchant.errors import ConfigError
from penchant.nets import DecoderOptions, EncoderOptions


@pytest.mark.parametrize(
    "options",
    [{"hidden": (0,)}, {"activation": "swish"}, {"dropout": 1.0}, {"unseen": -0.1}, {"embedding_dim": 0},
     {"bins": -1}, {"history_length": 0}, {"history_dim": 0}, {"history_layers": 0}, {"history_heads": 0},
     {"history_heads": 3, "history_dim": 8, "kind": "attention"}, {"cross_buckets": 0},
     {"crosses": (("age",),), "kind": "wide_deep"}, {"crosses": (("age", "age"),), "kind": "wide_deep"},
     {"crosses": (("age", "job"),)}],
)  # fmt: skip
def test_options_out_of_range_are_refused_by_name(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        EncoderOptions(**options)


def test_a_decoders_options_are_checked_likewise():
    with pytest.raises(ConfigError, match="hidden"):
        DecoderOptions(hidden=(-1,))
