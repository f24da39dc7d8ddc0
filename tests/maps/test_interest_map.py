import base64
import json

import numpy as np
import pytest
from pydantic import TypeAdapter

from penchant.errors import CorruptModelError, StorageError, UnknownIdError
from penchant.maps import FORM, InterestMap, MapForm, MapQuality, draw_map

ODD = ['a"b', "<b>", "مرحبا", "🦜", "a/b.json", "\u202e", " "]


@pytest.fixture(scope="module")
def drawn(space, sides) -> InterestMap:
    return draw_map(space, sides, method="pca", metric={"norm": 2.0, "cap": 0.6, "threshold": 0.5}, notes=["a note"])


def small(ids, **changes) -> InterestMap:
    n = len(ids)
    facts = {
        "ids": tuple(ids),
        "labels": (None,) * n,
        "side": np.arange(n, dtype=np.uint8) % 2,
        "xy": np.linspace(-1, 1, 2 * n, dtype=np.float32).reshape(n, 2),
        "cluster": np.full(n, -1, dtype=np.int16),
        "clusters": (),
        "columns": (),
        "quality": MapQuality(None, None, 0, 0),
        "metric": {"norm": "inf", "cap": None, "threshold": 0.5},
        "method": "pca",
        "scale": 0.1,
    }
    return InterestMap(**{**facts, **changes})


def test_the_json_form(drawn):
    told = json.loads(drawn.to_json())
    TypeAdapter(MapForm).validate_python(told)
    assert told["form"] == FORM
    assert told["n"] == 180
    x, y = (np.frombuffer(base64.b64decode(told[axis]), "<f4") for axis in "xy")
    assert np.array_equal(np.stack([x, y], 1), drawn.xy)
    assert np.frombuffer(base64.b64decode(told["side"]), np.uint8).tolist() == [0] * 120 + [1] * 60
    cluster = np.frombuffer(base64.b64decode(told["cluster"]), "<i2")
    assert [one["size"] for one in told["clusters"]] == np.bincount(cluster[cluster >= 0]).tolist()
    assert told["ids"][:1] == told["labels"][:1] == ["item0"]
    assert told["metric"] == {"norm": 2.0, "cap": 0.6, "threshold": 0.5}
    assert set(told["quality"]) == {
        "trustworthiness", "trustworthiness_of_openTSNE", "knn_preservation", "k", "sampled",
    }  # fmt: skip
    assert told["notes"] == ["a note"]
    assert InterestMap.json_schema()["properties"]["form"]["const"] == FORM


def test_saved_and_read_it_is_the_same(drawn, tmp_path):
    drawn.save(tmp_path / "one.map")
    again = InterestMap.load(str(tmp_path / "one.map"))
    assert again.to_json() == drawn.to_json()
    assert again.ids == drawn.ids
    assert again.clusters == drawn.clusters
    assert again.quality == drawn.quality
    assert again.scale == drawn.scale
    drawn.save(tmp_path / "one.map")


@pytest.mark.parametrize("ids", [ODD, list(range(-3, 4)), [2**60, 1, "x"], []])
def test_ids_of_every_kind_come_back(ids, tmp_path):
    one = small(ids)
    one.save(tmp_path / "ids.map")
    assert InterestMap.load(tmp_path / "ids.map").ids == tuple(ids)
    told = json.loads(one.to_json())
    assert [str(i) for i in told["ids"]] == [str(i) for i in ids]
    assert told["labels"] == [str(i) for i in ids]
    for place, key in enumerate(ids):
        assert one.index("item" if place % 2 == 0 else "user", key) == place


def test_whole_numbers_that_javascript_would_round_are_text():
    assert json.loads(small([2**53 - 1, 2**53]).to_json())["ids"] == [2**53 - 1, str(2**53)]


def test_who_is_not_there_is_said(drawn):
    assert drawn.index("user", "user0") == 120
    assert small([17]).index("item", "17") == 0
    with pytest.raises(UnknownIdError, match="not on the map"):
        drawn.index("item", "user0")


def test_a_damaged_or_foreign_directory_is_refused(drawn, tmp_path):
    path = tmp_path / "one.map"
    with pytest.raises(StorageError, match="no such model"):
        InterestMap.load(path)
    drawn.save(path)
    whole = (path / "map.json").read_bytes()
    (path / "map.json").write_bytes(whole[:-1] + b" ")
    with pytest.raises(CorruptModelError, match="altered"):
        InterestMap.load(path)


def test_a_map_of_another_form_is_refused(tmp_path):
    from penchant.storage import write_directory

    write_directory(tmp_path / "x", tensors={"map": {}}, json={"map": {"ids": []}}, blobs={}, kind="penchant-map")
    with pytest.raises(CorruptModelError, match="not as it was written"):
        InterestMap.load(tmp_path / "x")


def test_what_a_reader_has_to_know_is_said(drawn):
    said = list(drawn.sentences())
    assert "bends" in said[0]
    assert "Trustworthiness" in said[1]
    assert said[-1] == "a note"
    assert len(list(small([1, 2], placed=1).sentences())) == 2


def test_a_notebook_shows_it(drawn, monkeypatch):
    import sys

    pytest.importorskip("jinja2")
    assert "<iframe" in drawn._repr_html_()
    monkeypatch.setitem(sys.modules, "penchant.pages.map_file", None)
    assert "pip install" in drawn._repr_html_()
