import polars as pl
import pytest

from penchant.errors import ConfigError, DataError


def test_promises_stand_beside_what_is_found(model, parts):
    found = model.guarantees(parts[2])
    assert {"recall", "interval, known users"} <= set(found["promise"])
    recall = found.filter(pl.col("promise") == "recall")
    assert recall["promised"].to_list() == [0.8, 0.9, 0.95]
    likes = parts[2].interactions.filter(pl.col("label") == 1)
    held = model.recall_threshold(0.8).distance
    inside = model.distance(likes).with_columns(inside=pl.col("distance") <= held)
    by_hand = inside.group_by("user_id").agg(pl.col("inside").mean())["inside"].mean()
    assert recall["measured"][0] == pytest.approx(by_hand, abs=1e-3)
    assert (found["kept"] == (found["high"] >= found["promised"])).all()
    assert model.guarantees(parts[2], [0.9])["promised"].unique().to_list() == [0.9]


def test_other_levels_and_tables_without_likes_are_refused(model, parts):
    with pytest.raises(ConfigError, match=r"0\.8, 0\.9, 0\.95"):
        model.guarantees(parts[2], [0.5])
    none = parts[2].with_interactions(parts[2].interactions.filter(pl.col("label") == 0))
    with pytest.raises(DataError, match="no liked rows"):
        model.guarantees(none)
