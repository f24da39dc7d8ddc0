import json

import numpy as np
import pytest

from penchant import Penchant
from penchant.errors import CorruptModelError, NewerFormatError
from penchant.estimator import fitted


def test_a_model_directory_holds_no_code(model, tmp_path):
    model.save(tmp_path / "m")
    kinds = {p.suffix for p in (tmp_path / "m").iterdir()}
    assert kinds == {".json", ".safetensors", ".toml", ".parquet"}


def test_a_later_format_is_refused_by_name(model, tmp_path):
    model.save(tmp_path / "m")
    manifest = tmp_path / "m" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 999}))
    with pytest.raises(NewerFormatError, match="999"):
        Penchant.load(tmp_path / "m")


def test_weights_of_another_configuration_are_refused(model, tmp_path):
    from penchant import storage

    model.save(tmp_path / "m")
    contents = storage.read_directory(tmp_path / "m")
    contents.json["config"]["encoder"]["hidden"] = [3]
    storage.write_directory(tmp_path / "n", tensors=contents.tensors, json=contents.json, blobs=contents.blobs)
    with pytest.raises(CorruptModelError, match="do not fit"):
        Penchant.load(tmp_path / "n")


def test_vectors_of_known_rows_are_the_same_kept_or_made_anew(model, monkeypatch):
    learned, rows = model._fitted, np.array([3, 0, 3])
    kept = learned.vectors("item", rows)
    monkeypatch.setattr(fitted, "_KEPT", 0)
    np.testing.assert_array_equal(kept, learned.vectors("item", rows))
    encoder = learned.encoder.item
    np.testing.assert_array_equal(kept, encoder.portrait(encoder.encode(model.items_[rows])))
