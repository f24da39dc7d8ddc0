"""Training on disk: everything needed to go on to the same result, bit for bit.

One safetensors file, written beside and renamed: tensors, and the rest as JSON in its header. The randomness of an
epoch depends on the seed and the epoch alone, so no generator is stored.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from penchant.errors import CorruptModelError, StorageError
from penchant.storage import write_atomic

__all__ = ["load_checkpoint", "save_checkpoint"]

_FILE = "training.safetensors"
_FORMAT = 1


def save_checkpoint(folder: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write a checkpoint into ``folder`` (made if it is not there), replacing the one before in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    header = {"facts": json.dumps({"format": _FORMAT, **facts})}
    copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    write_atomic(folder / _FILE, save(copies, metadata=header))


def load_checkpoint(folder: Path, device: torch.device | str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Tensors and facts of the checkpoint in ``folder``; None where there is none.

    Raises:
        CorruptModelError: the file is truncated or altered.
        StorageError: written by another format.
    """
    path = folder / _FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            facts = json.loads((file.metadata() or {})["facts"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, KeyError, ValueError) as error:
        raise CorruptModelError(f"{path.name} cannot be read ({error}). Delete it to start anew.") from error
    if facts["format"] != _FORMAT:
        raise StorageError(f"{path.name} has format {facts['format']}, this version reads {_FORMAT}: start anew")
    return tensors, facts
