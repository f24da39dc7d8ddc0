"""Ids: codes without coordinates."""

import polars as pl

from penchant._spec import FIRST, MISSING, UNSEEN
from penchant.tables.kinds import Id
from penchant.tables.schema import Field

FIELD = Field(name="user_id", side="user", kind="id", min_count=2)


def test_an_id_is_looked_up_and_not_read_back() -> None:
    kind = Id.fit(FIELD, pl.Series("user_id", [7, 7, 8, 8, 9]))
    block = kind.block()
    assert (block.form, block.size, block.width, block.likelihood) == ("code", FIRST + 2, 0, "none")
    codes = kind.encode(pl.Series("user_id", [8, 9, None]))
    assert codes.tolist() == [FIRST + 1, UNSEEN, MISSING]
    assert kind.portrait(codes).shape == (3, 0)
    assert kind.decode(kind.portrait(codes)).to_list() == [None] * 3
    assert kind.labels() == ()
    assert kind.words(kind.portrait(codes)[0]) == ""
    assert kind.counts(pl.Series("user_id", [8, 9, None])) == (1, 1, 0)
