"""Model directories: safetensors, JSON and other bytes, with a checksum of each. Knows bytes, not models.

    model.penchant/
    ├── manifest.json           format, version of penchant, size and SHA-256 of every other file
    ├── <name>.json             plain values
    ├── <name>.safetensors      tensors
    └── <name>                  other bytes (schema.toml, *.parquet)

A directory is written beside its place, flushed to disk and renamed; whoever reads sees the old one or the new one, whole.
"""

import contextlib
import hashlib
import json as _json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from penchant._version import __version__
from penchant.errors import CorruptModelError, NewerFormatError, StorageError

__all__ = ["FORMAT", "Contents", "read_directory", "write_atomic", "write_directory"]

FORMAT = 1
"""Of the directory; a reader refuses later ones."""

_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a model directory holds, checked."""

    json: dict[str, Any]
    """Plain values by name."""
    tensors: dict[str, dict[str, np.ndarray]]
    """Tensors by file name, then by their own."""
    blobs: dict[str, bytes]
    """Other files by name."""
    manifest: dict[str, Any]
    """Format, kind, version, sizes and checksums."""


def write_atomic(path: str | Path, data: bytes) -> None:
    """Write a file beside its place, flush it to disk, rename it over.

    Raises:
        StorageError: the folder is not there or not writable.
    """
    path = Path(path)
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, 0o666 & ~_umask())
        os.replace(beside, path)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        if isinstance(error, OSError):
            raise StorageError(f"{path}: cannot be written ({error.strerror})") from error
        raise
    _flush_folder(path.parent)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_directory(
    path: str | Path,
    *,
    tensors: Mapping[str, Mapping[str, Any]],
    json: Mapping[str, Any],
    blobs: Mapping[str, bytes],
    kind: str = "penchant-model",
) -> None:
    """Write a model directory at ``path``, replacing an older one; on an error the older one is left as it was.

    Arguments:
        tensors: file name (without suffix) to tensors by name, NumPy or torch on the CPU.
        json: file name (without suffix) to plain values.
        blobs: file name to bytes.

    Raises:
        StorageError: there is something at ``path`` that is no model directory, or it cannot be written.
    """
    path = Path(path)
    if path.exists() and not (path / _MANIFEST).is_file() and not (path.is_dir() and not any(path.iterdir())):
        raise StorageError(f"{path} is there and is no model directory: give another name, or remove it")
    files = {f"{name}.json": _dump(value) for name, value in json.items()}
    files |= {f"{name}.safetensors": save({k: np.asarray(v) for k, v in t.items()}) for name, t in tensors.items()}
    files |= blobs
    manifest = {
        "kind": kind,
        "format": FORMAT,
        "penchant": __version__,
        "files": {name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()},
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        for name, data in {**files, _MANIFEST: _dump(manifest)}.items():
            write_atomic(beside / name, data)
        beside.chmod(0o777 & ~_umask())
        _swap(beside, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _dump(value: Any) -> bytes:
    return _json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1).encode()


def _swap(beside: Path, path: Path) -> None:
    """Put a whole directory in the place of another: the old one steps aside, and comes back if the new one cannot go there."""
    old = beside.with_name(beside.name + ".old")
    try:
        if path.exists():
            os.replace(path, old)
        try:
            os.replace(beside, path)
        except OSError:
            if old.exists():
                os.replace(old, path)
            raise
        _flush_folder(path.parent)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error
    shutil.rmtree(old, ignore_errors=True)


def read_directory(path: str | Path, kind: str = "penchant-model") -> Contents:
    """Read a model directory whole; every file is held against its size and checksum first.

    Raises:
        StorageError: nothing there, or no model directory.
        NewerFormatError: written by a later version.
        CorruptModelError: a file is missing, truncated or altered, by name.
    """
    path = Path(path)
    manifest = _manifest(path, kind)
    json, tensors, blobs = {}, {}, {}
    for name, facts in manifest["files"].items():
        data = _checked(path, name, facts)
        try:
            if name.endswith(".json"):
                json[name.removesuffix(".json")] = _json.loads(data)
            elif name.endswith(".safetensors"):
                tensors[name.removesuffix(".safetensors")] = load(data)
            else:
                blobs[name] = data
        except (ValueError, SafetensorError) as error:
            raise CorruptModelError(f"{path}: {name} cannot be read ({error})") from error
    return Contents(json, tensors, blobs, manifest)


def _manifest(path: Path, kind: str) -> dict[str, Any]:
    if not path.exists():
        raise StorageError(f"{path}: there is no such model")
    if not (path / _MANIFEST).is_file():
        raise StorageError(f"{path} is no model directory: it has no {_MANIFEST}")
    try:
        manifest = _json.loads((path / _MANIFEST).read_bytes())
        found, its_kind, files = int(manifest["format"]), manifest["kind"], manifest["files"]
        facts = [(str(f["sha256"]), int(f["size"])) for f in files.values()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptModelError(f"{path}: {_MANIFEST} is damaged ({error!r})") from error
    if found > FORMAT:
        newer = manifest.get("penchant", "a later version")
        raise NewerFormatError(f"{path} has format {found} (penchant {newer}); penchant {__version__} reads up to {FORMAT}: upgrade")
    if its_kind != kind:
        raise StorageError(f"{path} holds a {its_kind}, not a {kind}")
    if len(facts) != len(files) or any(Path(name).name != name or name in ("", ".", "..") for name in files):
        raise CorruptModelError(f"{path}: {_MANIFEST} names files outside the directory")
    return manifest


def _checked(path: Path, name: str, facts: Mapping[str, Any]) -> bytes:
    try:
        data = (path / name).read_bytes()
    except OSError as error:
        raise CorruptModelError(f"{path}: {name} is missing") from error
    if len(data) != facts["size"]:
        raise CorruptModelError(f"{path}: {name} is truncated or has grown ({len(data)} bytes, {facts['size']} expected)")
    if hashlib.sha256(data).hexdigest() != facts["sha256"]:
        raise CorruptModelError(f"{path}: {name} was altered (its checksum does not match)")
    return data
