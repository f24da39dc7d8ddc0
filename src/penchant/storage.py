"""Model directories: safetensors, JSON and other bytes, with a checksum of each. Knows bytes, not models.

    model.penchant/
    ├── manifest.json           format, version of penchant, size and SHA-256 of every other file
    ├── <name>.json             plain values
    ├── <name>.safetensors      tensors
    └── <name>                  other bytes (schema.toml, *.parquet)

A directory is written beside its place, flushed to disk and put there in one step: whoever reads sees the old
one or the new one, whole. No pickle, no code.
"""

import contextlib
import hashlib
import json as _json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from penchant._exchange import exchange
from penchant._version import __version__
from penchant.errors import CorruptModelError, NewerFormatError, StorageError

__all__ = [
    "FORMAT",
    "Contents",
    "check_replaceable",
    "flush_folder",
    "read_directory",
    "read_manifest",
    "version_of",
    "write_atomic",
    "write_directory",
]

FORMAT = 1
"""Of the directory; a reader refuses later ones."""

_MANIFEST = "manifest.json"
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file managers leave behind anywhere."""


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
        StorageError: the folder is not there or not writable; the older file is as it was.
    """
    path = Path(path)
    beside = _beside(path)
    try:
        _write_new(beside, data)
        os.replace(beside, path)
        flush_folder(path.parent)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}")


def _write_new(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Make a rename last; Windows has no way to ask for it, and does not need it."""
    if os.name == "nt":
        return
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
    """Write a model directory at ``path``, replacing an older one; on an error the older one is as it was.

    Arguments:
        tensors: file name (without suffix) to tensors by name, NumPy or torch.
        json: file name (without suffix) to plain values.
        blobs: file name to bytes.
        kind: what the directory holds; an older one of another kind is not replaced.

    Raises:
        StorageError: there is something at ``path`` that is no such model directory, or that holds other
            files too; a name that is no plain file name; it cannot be written.
    """
    path = Path(path)
    check_replaceable(path, kind)
    files = {f"{name}.json": _dump(value) for name, value in json.items()}
    files |= {f"{name}.safetensors": save(_arrays(group)) for name, group in tensors.items()}
    for name, data in blobs.items():
        if name in files or Path(name).suffix in (".json", ".safetensors"):
            raise StorageError(f"{path}: {name} is a name for json or tensors, not for bytes")
        files[name] = data
    for name in files:
        if not _plain_name(name):
            raise StorageError(f"{path}: {name!r} is no name for a file of a model directory")
    facts = {n: {"size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in files.items()}
    manifest = {"kind": kind, "format": FORMAT, "penchant": __version__, "files": facts}
    _put(path, {**files, _MANIFEST: _dump(manifest)})


def _dump(value: Any) -> bytes:
    return _json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1).encode()


def _arrays(group: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """NumPy arrays of NumPy's or torch's; torch itself is not imported here."""
    plain = {n: t.detach().cpu().numpy() if hasattr(t, "detach") else t for n, t in group.items()}
    return {name: np.asarray(value, order="C") for name, value in plain.items()}


def _plain_name(name: str) -> bool:
    return bool(name) and name not in (".", "..", _MANIFEST) and not set(name) & set("/\\:\0")


def check_replaceable(path: str | Path, kind: str = "penchant-model") -> None:
    """A model directory and nothing else may be replaced: whatever else lies there would be lost.

    Raises:
        StorageError: something at ``path`` that is no such model directory, or that holds other files too.
    """
    path = Path(path)
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    try:
        manifest = read_manifest(path, kind)
    except StorageError as error:
        why = "is there and is no model directory of this kind: give another name, or remove it"
        raise StorageError(f"{path} {why} ({error})") from error
    strays = _strays(path, manifest)
    if strays:
        raise StorageError(f"{path} holds what is not the model's ({strays[0]}): give another name, or move it")


def _strays(path: Path, manifest: Mapping[str, Any]) -> list[str]:
    expected = {_MANIFEST, *manifest["files"]} | _LITTER
    return sorted(entry.name for entry in path.iterdir() if entry.name not in expected)


def _put(path: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder beside, then put the folder in its place."""
    place = path.resolve()  # a link to a directory stays a link
    beside = _beside(place)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside.mkdir()
        for name, data in files.items():
            _write_new(beside / name, data)
        flush_folder(beside)
        exchange(beside, place)
        flush_folder(place.parent)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def read_directory(path: str | Path, kind: str = "penchant-model") -> Contents:
    """Read a model directory whole; every file is held against its size and checksum first.

    Raises:
        StorageError: nothing there, or no model directory.
        NewerFormatError: written by a later version.
        CorruptModelError: a file is missing, truncated, altered or not of the model, by name.
    """
    path = Path(path)
    manifest = read_manifest(path, kind)
    strays = _strays(path, manifest)
    if strays:
        raise CorruptModelError(f"{path}: {strays[0]} is not of this model: move it away, or copy the model again")
    contents = Contents({}, {}, {}, manifest)
    for name, facts in manifest["files"].items():
        data = _checked(path, name, facts)
        try:
            if name.endswith(".json"):
                contents.json[name.removesuffix(".json")] = _json.loads(data)
            elif name.endswith(".safetensors"):
                contents.tensors[name.removesuffix(".safetensors")] = load(data)
            else:
                contents.blobs[name] = data
        except (ValueError, RecursionError, SafetensorError) as error:
            raise CorruptModelError(f"{path}: {name} cannot be read ({error})") from error
    return contents


def read_manifest(path: str | Path, kind: str = "penchant-model") -> dict[str, Any]:
    """What a model directory says of itself: kind, format, version, sizes and checksums; files are not read.

    Raises: as `read_directory`.
    """
    path = Path(path)
    if not path.exists():
        raise StorageError(f"{path}: there is no such model")
    if not (path / _MANIFEST).is_file():
        raise StorageError(f"{path} is no model directory: it has no {_MANIFEST}")
    try:
        manifest = _json.loads((path / _MANIFEST).read_bytes())
        found, its_kind, version = int(manifest["format"]), manifest["kind"], str(manifest["penchant"])
        if found <= FORMAT:  # a later format may say it in another way
            files = manifest["files"]
            outside = [name for name in files if not _plain_name(name)]
            sound = all(type(f["size"]) is int and type(f["sha256"]) is str for f in files.values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise CorruptModelError(f"{path}: {_MANIFEST} is damaged ({error!r})") from error
    if its_kind != kind:
        raise StorageError(f"{path} holds a {its_kind}, not a {kind}")
    if found > FORMAT:
        text = f"was written by penchant {version} in format {found}; penchant {__version__} reads up to format"
        raise NewerFormatError(f"{path} {text} {FORMAT}: install penchant {version} or later")
    if outside or not sound:
        what = f"names {outside[0]!r}, outside the directory" if outside else "lacks sizes or checksums"
        raise CorruptModelError(f"{path}: {_MANIFEST} is damaged (it {what})")
    return dict(manifest)


def version_of(manifest: Mapping[str, Any]) -> str:
    """Twelve digits of the SHA-256 of a manifest: other files, another version."""
    return hashlib.sha256(_json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:12]


def _checked(path: Path, name: str, facts: Mapping[str, Any]) -> bytes:
    file = path / name
    if file.is_symlink() or not file.is_file():
        raise CorruptModelError(f"{path}: {name} is missing, or no plain file: copy the model again")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise CorruptModelError(f"{path}: {name} cannot be read ({error.strerror})") from error
    if len(data) != facts["size"]:
        found = "truncated" if len(data) < facts["size"] else "longer than it was"
        raise CorruptModelError(f"{path}: {name} is {found} ({len(data):,} bytes, {facts['size']:,} expected)")
    if hashlib.sha256(data).hexdigest() != facts["sha256"]:
        raise CorruptModelError(f"{path}: {name} was altered (its checksum does not match)")
    return data
