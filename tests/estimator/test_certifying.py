import numpy as np
import polars as pl
import pytest
import torch

from penchant import Penchant
from penchant.errors import ConfigError, UnknownIdError
from penchant.nets import EncoderOptions
from penchant.spaces import Ball


def distances(model, user, rows):
    point, points = (torch.from_numpy(model.encode(*one)) for one in (("user", user), ("item", rows)))
    return model.space_.base_distance(point, points).numpy()


def test_what_is_proved_holds_for_every_item(model):
    known = model.items_["lang"].drop_nulls().unique().to_list()
    decided = 0
    for user in ("u1", "u2", "u3", "u4"):
        for item in ("i0", "i1", "i2"):
            row = model.items_.filter(pl.col("item_id") == item).row(0, named=True)
            verdict = model.certify(user, item=item, free=["lang", "video"])
            rows = [{**row, "lang": lang, "video": video}
                    for lang in known for video in (True, False)]  # fmt: skip
            apart = distances(model, user, rows)
            liked = apart <= model.threshold_
            assert verdict.proved, "few items: every question is answered"
            assert verdict.decision == ("liked" if liked.all() else "not liked" if not liked.any() else "open")
            assert verdict.lower - 1e-5 <= apart.min()
            assert apart.max() <= verdict.upper + 1e-5
            assert verdict.nearest.distance == pytest.approx(apart.min(), abs=1e-4)
            assert verdict.nearest.values["lang"] in known
            decided += verdict.decision != "open"
    assert decided


def test_free_is_all_that_is_not_fixed_and_ids_are_new_ones(model):
    verdict = model.certify("u1", fixed={"lang": "zh"})
    assert verdict.fixed == {"lang": "zh"}
    assert "lang" not in verdict.free
    assert "item_id" not in verdict.free
    narrow = model.certify("u1", fixed={"lang": "zh"}, free={"video": [True]})
    assert narrow.free == {"video": "True"}
    assert any("taken as missing" in note for note in narrow.notes)


def test_questions_that_cannot_be_asked_are_refused(model):
    with pytest.raises(ConfigError, match="both fixed and free"):
        model.certify("u1", fixed={"lang": "zh"}, free=["lang"])
    with pytest.raises(ConfigError, match="nothing is free"):
        model.certify("u1", free=[])
    with pytest.raises(ConfigError, match="no column 'nope'"):
        model.certify("u1", free=["nope"])
    with pytest.raises(UnknownIdError):
        model.certify("u1", item="nobody", free=["lang"])


def test_an_encoder_that_cannot_be_bounded_is_refused_and_explained_all_the_same(parts):
    smooth = Penchant(epochs=1, encoder=EncoderOptions(activation="gelu"), rng=5).fit(*parts[:2])
    with pytest.raises(ConfigError, match="activation"):
        smooth.certify("u1", fixed={"lang": "zh"})
    crossed = EncoderOptions(kind="wide_deep", crosses=(("lang", "video"),))
    crosses = Penchant(epochs=1, item_encoder=crossed, rng=5).fit(*parts[:2])
    with pytest.raises(ConfigError, match="nothing can be proved of WideDeepEncoder"):
        crosses.certify("u1", fixed={"lang": "zh"})
    for one in (smooth, crosses):
        assert np.isfinite(one.explain("u1", "i1", max_changes=1).distance)


def test_bounds_prove_more_of_explanations(model):
    """With one change allowed of a number that is searched on a grid, only a bound can prove that none turns it."""
    found = [model.explain("u1", f"i{j}", only=["length", "published"], max_changes=1) for j in range(12)]
    unturned = [one for one in found if one.counterfactual is None]
    assert unturned
    assert all(one.search.proved for one in unturned)


def test_no_point_of_a_ball_is_read_outside_of_the_proved_ranges(model):
    found = model.ranges("u1", distance=0.1)
    assert found.height == len(model.portrait("u1", details=False).features)
    centre = torch.from_numpy(model.encode("user", "u1")[0])
    points = Ball(model.space_, centre, 0.1).sample(500, torch.Generator().manual_seed(0)).numpy()
    decoded = model._fitted.decode("item", points)
    assert (found["low"].to_numpy() <= decoded.min(0)).all()
    assert (decoded.max(0) <= found["high"].to_numpy()).all()
    for inner, outer in ((pl.col("low"), pl.col("found_low")), (pl.col("found_high"), pl.col("high"))):
        assert found.select((inner <= outer + 1e-6).all()).item()
    wide = model.ranges("u1")
    assert (
        wide.select((pl.col("high") - pl.col("low")).mean()).item()
        > 2 * found.select((pl.col("high") - pl.col("low")).mean()).item()
    )
    assert model.ranges("i1", side="item", core=0.1, pieces=4).columns == found.columns


def test_a_value_that_no_training_row_has_is_named(model):
    verdict = model.certify("u1", fixed={"lang": "xx"}, free=["video"])
    assert any("No training row has lang xx" in note for note in verdict.notes)


def test_ids_that_are_free_are_named_in_examples(model):
    verdict = model.certify("u1", item="i0", free=["item_id"])
    ids = model.items_["item_id"].to_list()
    assert verdict.nearest.values["item_id"] in ids
    assert verdict.farthest.words["item_id"] in ids
