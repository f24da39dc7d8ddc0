import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant._config import build, from_plain, plain, unknown_option
from penchant.errors import ConfigError
from penchant.nets import EncoderOptions


@dataclass(frozen=True, kw_only=True)
class Options:
    norm: float = 4.0
    widths: tuple[int, ...] = (8,)
    name: str | None = None


@given(
    st.builds(
        Options,
        norm=st.one_of(st.just(math.inf), st.floats(1, 100)),
        widths=st.lists(st.integers(1, 99), max_size=4).map(tuple),
        name=st.none() | st.text(max_size=5),
    )
)
def test_options_survive_the_way_to_plain_values_and_back(options):
    assert from_plain(Options(), plain(options), "x") == options


def test_a_partial_table_changes_only_what_it_names():
    assert from_plain(Options(name="a"), {"norm": 2}, "x") == Options(norm=2.0, name="a")


def test_an_unknown_option_names_the_nearest_and_the_place():
    with pytest.raises(ConfigError, match=r"encoder\.hiden is no option: did you mean hidden\?"):
        build(EncoderOptions, {"hiden": [1]}, "encoder")
    assert "one of norm" in unknown_option("zzz", ["norm"], "space")


def test_every_wrong_value_is_said_at_once():
    with pytest.raises(ConfigError) as raised:
        build(EncoderOptions, {"inputs": "text", "bins": "many"}, "encoder")
    assert "encoder.inputs" in str(raised.value)
    assert "encoder.bins" in str(raised.value)


def test_our_own_range_checks_keep_their_words():
    with pytest.raises(ConfigError, match=r"^encoder\.dropout = 2\.0: a share in \[0, 1\) expected$"):
        build(EncoderOptions, {"dropout": 2}, "encoder")


@dataclass(frozen=True, kw_only=True)
class Wide:
    kind: str = "wide"
    size: int = 3


@dataclass(frozen=True, kw_only=True)
class Deep:
    kind: str = "deep"
    size: int = 5
    layers: int = 2


def test_one_of_several_kinds_is_chosen_by_name():
    kinds = {"wide": Wide, "deep": Deep}
    assert from_plain(Wide(size=9), {"kind": "deep", "layers": 4}, "x", kinds) == Deep(layers=4), "its own defaults"
    assert from_plain(Wide(size=9), {"kind": "wide"}, "x", kinds) == Wide(size=9)
    assert from_plain(Deep(size=9), {"layers": 1}, "x", kinds) == Deep(size=9, layers=1)
    assert from_plain(Wide(), Deep(), "x", kinds) == Deep()
    with pytest.raises(ConfigError, match=r"x\.kind = 'tall': one of wide, deep expected"):
        from_plain(Wide(), {"kind": "tall"}, "x", kinds)


def test_a_value_where_a_table_belongs_is_refused():
    with pytest.raises(ConfigError, match="a table of options expected"):
        from_plain(Options(), 3, "space")
