import json

import pytest
import torch
from safetensors.torch import save_file

from penchant.errors import CorruptModelError, StorageError
from penchant.training import load_checkpoint, save_checkpoint


def test_a_checkpoint_comes_back_and_replaces_the_one_before(tmp_path):
    folder = tmp_path / "new" / "folder"
    assert load_checkpoint(folder, "cpu") is None
    for epoch in (1, 2):
        save_checkpoint(
            folder, {"a/b": torch.arange(3), "c": torch.tensor(0.5)}, {"epoch": epoch, "best": float("-inf")}
        )
    tensors, facts = load_checkpoint(folder, "cpu")
    assert facts == {"format": 1, "epoch": 2, "best": float("-inf")}
    assert torch.equal(tensors["a/b"], torch.arange(3))
    assert tensors["c"].shape == ()
    assert [p.name for p in folder.iterdir()] == ["training.safetensors"]


@pytest.mark.parametrize("keep", [0, 7, 60])
def test_a_truncated_checkpoint_is_refused_by_name(tmp_path, keep):
    save_checkpoint(tmp_path, {"a": torch.ones(50)}, {})
    file = tmp_path / "training.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(CorruptModelError, match=r"training\.safetensors"):
        load_checkpoint(tmp_path, "cpu")


def test_a_foreign_or_later_file_is_refused(tmp_path):
    save_file({"a": torch.ones(1)}, tmp_path / "training.safetensors")
    with pytest.raises(CorruptModelError):
        load_checkpoint(tmp_path, "cpu")
    save_file(
        {"a": torch.ones(1)},
        tmp_path / "training.safetensors",
        metadata={"facts": json.dumps({"format": 99})},
    )
    with pytest.raises(StorageError, match="format 99"):
        load_checkpoint(tmp_path, "cpu")
