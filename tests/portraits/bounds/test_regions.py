import math

import pytest
import torch

from penchant._spec import FIRST, MISSING, Bag, Block, Features, Layout
from penchant.errors import ConfigError
from penchant.portraits.bounds import OneOf, Region, SetOf, Within, anything

LAYOUT = Layout(
    (
        Block("year", "dense", 1, 1, "square"),
        Block("colour", "dense", 1, 1, "binary"),
        Block("taste", "dense", 2, 2, "square"),
        Block("language", "code", 6, 4, "categorical"),
        Block("genres", "bag", 6, 4, "binary"),
    )
)
BLOCKS = {block.name: block for block in LAYOUT.blocks}
ROW = Features(torch.zeros(1, 4), torch.tensor([[3]]), (Bag(torch.tensor([2]), torch.tensor([0, 1])),))


def test_anything_is_every_known_value():
    assert anything(BLOCKS["year"]) == Within(0.0, 1.0)
    assert anything(BLOCKS["colour"]) == OneOf((0.0, 1.0))
    assert anything(BLOCKS["taste"]) == Within()
    assert anything(BLOCKS["language"]) == OneOf((2, 3, 4, 5))
    assert anything(BLOCKS["genres"]) == SetOf((2, 3, 4, 5))
    Region(ROW, {name: anything(block) for name, block in BLOCKS.items()}).check(LAYOUT)


@pytest.mark.parametrize(
    ("name", "freedom"),
    [
        ("year", OneOf((0.5, math.nan))),
        ("year", Within(0.5, 0.5)),
        ("taste", Within((0.0, 0.5), 1)),
        ("colour", OneOf((1,))),
        ("language", OneOf((MISSING, FIRST))),
        ("genres", SetOf((), always=(2, 3))),
        ("genres", SetOf((2, 3), always=(4,), least=1, most=2)),
    ],
)
def test_what_fits_is_let_through(name, freedom):
    Region(ROW, {name: freedom}).check(LAYOUT)


@pytest.mark.parametrize(
    ("name", "freedom", "message"),
    [
        ("jahr", Within(), "'jahr' is no field of this side: one of year, colour"),
        ("year", SetOf((2,)), "OneOf or Within expected"),
        ("year", Within(0.6, 0.5), "0 <= low <= high <= 1"),
        ("year", Within(-0.1, 0.5), "0 <= low <= high <= 1"),
        ("year", Within(math.nan, 0.5), "0 <= low <= high <= 1"),
        ("year", Within((0.1, 0.2), 0.5), "one number, or 1"),
        ("year", OneOf((1.5,)), r"in \[0, 1\]"),
        ("year", OneOf(()), "at least one number"),
        ("colour", Within(), r"OneOf\(\(0, 1\)\) expected"),
        ("taste", OneOf((0.5,)), "Within expected for a vector of 2"),
        ("taste", Within((0.1, 0.2, 0.3), 1.0), "one number, or 2"),
        ("language", OneOf(()), "at least one code"),
        ("language", OneOf((6,)), "codes from 0 to 5"),
        ("language", OneOf((2.5,)), "codes from 0 to 5"),
        ("language", Within(), "OneOf with at least one code"),
        ("genres", OneOf((2,)), "SetOf expected"),
        ("genres", SetOf((MISSING,)), "codes from 2 to 5"),
        ("genres", SetOf((2, 2)), "every tag once"),
        ("genres", SetOf((2,), always=(2,)), "every tag once"),
        ("genres", SetOf((2, 3), least=3), "no set fits"),
        ("genres", SetOf((2,), always=(3, 4), most=1), "no set fits"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(name, freedom, message):
    with pytest.raises(ConfigError, match=message):
        Region(ROW, {name: freedom}).check(LAYOUT)


def test_a_region_has_one_row():
    two = Features(torch.zeros(2, 4), torch.zeros(2, 1).long(), (Bag(torch.tensor([]).long(), torch.zeros(3).long()),))
    with pytest.raises(ConfigError, match="one row expected, got 2"):
        Region(two, {}).check(LAYOUT)


def test_a_field_without_known_values_leaves_nothing_to_choose():
    empty = Block("language", "code", 2, 0, "categorical")
    with pytest.raises(ConfigError, match="at least one code"):
        Region(ROW, {"language": anything(empty)}).check(Layout((empty,)))
