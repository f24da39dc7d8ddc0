from dataclasses import replace

import polars as pl
import pytest

from penchant import PRESETS, Penchant, Space
from penchant._config import plain
from penchant.errors import ConfigError
from penchant.spaces import GaussianSpace


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_trains_and_predicts(name, parts):
    model = Penchant.preset(name, epochs=1).fit(parts[0], parts[1])
    assert model.predict_proba(parts[2])["probability"].is_between(0, 1).all()


def test_the_ranking_preset_learns_from_likes_alone_and_ranks_them(parts):
    train, valid, test = (t.with_interactions(t.interactions.filter(pl.col("label") == 1)) for t in parts)
    model = Penchant.preset("ranking", epochs=4, batch_size=64, rng=1).fit(train, valid)
    assert len(model.module_.user_encoder.rest) == 0, "shallow: nothing between the sum of vectors and the bound"
    assert model.history_["valid"].max() > model.history_["valid"][0]
    top = model.recommend(test.interactions["user_id"].unique().to_list(), n=10).select("user_id", "item_id")
    found = top.join(test.interactions, on=["user_id", "item_id"], how="semi").height
    chance = 10 * len(test) / len(test.items)
    assert found > 1.3 * chance


def test_a_space_is_chosen_by_its_kind_in_a_file():
    config = {"space": {"kind": "gaussian", "metric": "hellinger"}, "latent": {"kind": "variational"}}
    model = Penchant.from_config(config)
    assert model.space == GaussianSpace(metric="hellinger"), "its own defaults, and what is named"
    again = Penchant.from_config({"space": plain(model.space)})
    assert again.space == model.space
    assert Penchant.from_config({"space": {"norm": 4, "kind": "uniform"}}).space == Space(norm=4)
    partial = Penchant.from_config({"preset": "variational", "space": {"sigma_max": 0.5}})
    assert partial.space == replace(Penchant.preset("variational").space, sigma_max=0.5)
    assert Penchant.from_config({"preset": "variational", "space": {"kind": "uniform"}}).space == Space()
    with pytest.raises(ConfigError, match=r"space.kind = 'sphere': one of uniform, gaussian expected"):
        Penchant.from_config({"space": {"kind": "sphere"}})
    with pytest.raises(ConfigError, match=r"space\.metrik is no option: did you mean metric"):
        Penchant.from_config({"space": {"kind": "gaussian", "metrik": "sup"}})
    with pytest.raises(ConfigError, match=r"a UniformSpace is 'uniform'"):
        Penchant().set_params(space__kind="gaussian")
