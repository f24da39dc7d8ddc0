"""Model directories: what was written is read, whole or not at all; nothing of others is lost."""

import json
import os
import stat

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant import storage
from penchant.errors import CorruptModelError, NewerFormatError, StorageError
from penchant.storage import read_directory, write_atomic, write_directory

PARTS = {
    "tensors": {"weights": {"w": torch.arange(6.0).reshape(2, 3), "b": np.float32(1.5)}},
    "json": {"config": {"epochs": 3, "name": "Größe 界"}},
    "blobs": {"schema.toml": b"[users]\n"},
}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "a.penchant"
    write_directory(path, **PARTS)
    return path


def edit(model, change):
    manifest = json.loads((model / "manifest.json").read_text())
    change(manifest)
    (model / "manifest.json").write_text(json.dumps(manifest))


def test_what_was_written_is_read(model):
    found = read_directory(model)
    assert found.json == PARTS["json"]
    assert found.blobs == PARTS["blobs"]
    assert found.tensors["weights"]["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found.tensors["weights"]["b"].shape == ()
    assert found.manifest["format"] == storage.FORMAT
    assert set(found.manifest["files"]) == {"config.json", "weights.safetensors", "schema.toml"}


@settings(max_examples=50, deadline=None)
@given(
    shape=st.lists(st.integers(0, 4), max_size=3),
    dtype=st.sampled_from(["float32", "float64", "int64", "uint8", "bool"]),
    seed=st.integers(0, 9),
)
def test_tensors_come_back_to_the_bit(tmp_path_factory, shape, dtype, seed):
    given = np.random.default_rng(seed).normal(0, 9, shape).astype(dtype).T  # not contiguous, as views are
    path = tmp_path_factory.mktemp("m") / "m"
    write_directory(path, tensors={"t": {"x": given, "y": torch.tensor(given)}}, json={}, blobs={})
    for found in read_directory(path).tensors["t"].values():
        assert found.dtype == given.dtype
        assert np.array_equal(found, given)


def test_the_same_parts_give_the_same_bytes(model, tmp_path):
    write_directory(tmp_path / "b", **PARTS)
    for file in model.iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_an_older_one_is_replaced_and_nothing_is_left_beside(model):
    write_directory(model, tensors={}, json={"other": 1}, blobs={})
    assert read_directory(model).json == {"other": 1}
    assert sorted(os.listdir(model)) == ["manifest.json", "other.json"]
    assert os.listdir(model.parent) == [model.name]


def test_an_error_while_writing_leaves_the_older_one(model, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "_write_new", full)
    with pytest.raises(StorageError, match=r"cannot be written \(No space left"):
        write_directory(model, tensors={}, json={"other": 1}, blobs={})
    assert read_directory(model).json == PARTS["json"]
    assert os.listdir(model.parent) == [model.name]
    with pytest.raises(StorageError):
        write_directory(model.with_name("new"), **PARTS)
    assert os.listdir(model.parent) == [model.name]


def test_a_link_to_a_model_stays_a_link(model):
    link = model.with_name("current")
    link.symlink_to(model.name)
    write_directory(link, tensors={}, json={"other": 1}, blobs={})
    assert link.is_symlink()
    assert read_directory(model).json == {"other": 1}


def test_folders_above_are_made(tmp_path):
    write_directory(tmp_path / "x" / "y", **PARTS)
    assert read_directory(tmp_path / "x" / "y").json == PARTS["json"]


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "schema.toml"])
class TestDamage:
    def test_truncated(self, model, name):
        (model / name).write_bytes((model / name).read_bytes()[:-1])
        with pytest.raises(CorruptModelError, match=f"{name} is truncated"):
            read_directory(model)

    def test_grown(self, model, name):
        (model / name).write_bytes((model / name).read_bytes() + b" ")
        with pytest.raises(CorruptModelError, match=f"{name} is longer"):
            read_directory(model)

    def test_altered(self, model, name):
        data = bytearray((model / name).read_bytes())
        data[len(data) // 2] ^= 1
        (model / name).write_bytes(data)
        with pytest.raises(CorruptModelError, match=f"{name} was altered"):
            read_directory(model)

    def test_missing(self, model, name):
        (model / name).unlink()
        with pytest.raises(CorruptModelError, match=f"{name} is missing"):
            read_directory(model)

    def test_a_link_out_of_the_directory(self, model, name):
        (model / name).rename(model.parent / "outside")
        (model / name).symlink_to(model.parent / "outside")
        with pytest.raises(CorruptModelError, match=f"{name} is missing, or no plain file"):
            read_directory(model)


def test_a_file_that_is_not_the_models_is_named(model):
    (model / "weights.pkl").write_bytes(b"")
    with pytest.raises(CorruptModelError, match=r"weights\.pkl is not of this model"):
        read_directory(model)


def test_what_file_managers_leave_behind_does_no_harm(model):
    (model / ".DS_Store").write_bytes(b"")
    read_directory(model)
    write_directory(model, **PARTS)


def test_a_later_format_is_refused_with_both_versions(model):
    def later(manifest):
        manifest.update(format=storage.FORMAT + 1, penchant="99.1", files=["in", "another", "way"])

    edit(model, later)
    with pytest.raises(NewerFormatError, match=rf"penchant 99\.1 in format 2.*penchant {storage.__version__}"):
        read_directory(model)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b", "..", ".", "", "a\\b", "c:x", "manifest.json"])
def test_names_outside_the_directory_are_refused(model, name):
    edit(model, lambda m: m["files"].update({name: {"size": 0, "sha256": ""}}))
    with pytest.raises(CorruptModelError, match="outside the directory"):
        read_directory(model)
    with pytest.raises(StorageError, match=r"is no name for a file|is a name for json"):
        write_directory(model.with_name("b"), tensors={}, json={}, blobs={name: b""})


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=6,
    )
)
def test_any_manifest_gives_one_of_our_errors(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("m") / "m"
    path.mkdir()
    for manifest in (value, {"format": 1, "kind": "penchant-model", "penchant": "1", "files": value}):
        (path / "manifest.json").write_text(json.dumps(manifest))
        if isinstance(manifest, dict) and manifest.get("files") == {}:
            continue  # an empty model is a model
        with pytest.raises(StorageError):
            read_directory(path)


def test_a_manifest_that_is_no_json(model):
    for data in (b"", b"{", b"\xff\xfe", b"[" * 100_000):
        (model / "manifest.json").write_bytes(data)
        with pytest.raises(CorruptModelError, match=r"manifest\.json is damaged"):
            read_directory(model)


def test_nothing_there_and_no_model_there(tmp_path):
    with pytest.raises(StorageError, match="there is no such model"):
        read_directory(tmp_path / "x")
    with pytest.raises(StorageError, match=r"is no model directory: it has no manifest\.json"):
        read_directory(tmp_path)


def test_another_kind_is_neither_read_nor_replaced(model):
    with pytest.raises(StorageError, match="holds a penchant-model, not a map"):
        read_directory(model, kind="map")
    with pytest.raises(StorageError, match="no model directory of this kind"):
        write_directory(model, **PARTS, kind="map")


def test_what_is_no_model_directory_is_not_replaced(tmp_path):
    file, folder, foreign = tmp_path / "file", tmp_path / "folder", tmp_path / "extension"
    file.write_text("precious")
    folder.mkdir()
    (folder / "thesis.tex").write_text("precious")
    foreign.mkdir()
    (foreign / "manifest.json").write_text('{"name": "a browser extension"}')
    for path in (file, folder, foreign):
        with pytest.raises(StorageError, match="is no model directory"):
            write_directory(path, **PARTS)
    assert file.read_text() == (folder / "thesis.tex").read_text() == "precious"
    assert len(os.listdir(tmp_path)) == 3


def test_a_model_directory_with_notes_in_it_is_not_replaced(model):
    (model / "notes.txt").write_text("precious")
    with pytest.raises(StorageError, match=r"holds what is not the model's \(notes\.txt\)"):
        write_directory(model, **PARTS)


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "m").mkdir()
    write_directory(tmp_path / "m", **PARTS)
    read_directory(tmp_path / "m")


def test_values_that_json_cannot_hold_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_directory(tmp_path / "m", tensors={}, json={"x": float("nan")}, blobs={})
    assert os.listdir(tmp_path) == []


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    write_atomic(path, b"old")
    write_atomic(str(path), b"new")
    assert path.read_bytes() == b"new"

    def failing(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(StorageError, match=r"report\.html: cannot be written \(No space"):
        write_atomic(path, b"newer")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_file_where_there_is_no_folder(tmp_path):
    with pytest.raises(StorageError, match="cannot be written"):
        write_atomic(tmp_path / "nowhere" / "x", b"")


def test_files_and_folders_get_the_usual_rights(model):
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(model.stat().st_mode) == 0o777 & ~mask
    assert stat.S_IMODE((model / "config.json").stat().st_mode) == 0o666 & ~mask
