import json
import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.errors import ConfigError, StorageError
from penchant.service import KeyFile, KeyRecord, keys


@pytest.fixture
def file(tmp_path):
    return KeyFile.create(tmp_path / "keys.json")


def test_a_key_is_found_by_itself_alone(file):
    record, key = file.add("shop", ["read", "events"], rate=5)
    assert file.find(key) == record
    _, other = file.add("other", ["admin"])
    for wrong in (
        "",
        ".",
        "shop",
        "shop.",
        key[:-1],
        key + "x",
        key.replace("shop", "other"),
        "x." + other,
        key.upper(),
    ):
        assert file.find(wrong) is None


def test_the_file_holds_no_key_and_is_for_its_owner(file):
    _, key = file.add("shop", ["read"])
    assert key.partition(".")[2] not in file.path.read_text()
    assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o600


def test_expired_keys(tmp_path):
    now = [1e9]
    file = KeyFile(KeyFile.create(tmp_path / "k.json").path, clock=lambda: now[0])
    _, key = file.add("shop", ["read"], expires="2001-09-09T01:46:41")
    assert file.find(key)
    now[0] += 1
    assert file.find(key) is None


def test_revoked_and_changed_while_serving(file, monkeypatch):
    monkeypatch.setattr(keys, "_LOOK_EVERY_S", 0.0)
    _, key = file.add("shop", ["read"])
    serving = KeyFile(file.path)
    assert serving.find(key)
    file.path.write_text("half a fi")
    assert serving.find(key), "a broken file leaves the keys as they were"
    file._put(file.records)
    file.revoke("shop")
    assert serving.find(key) is None
    with pytest.raises(ConfigError, match="there is no key"):
        file.revoke("shop")


@given(st.text(max_size=60))
def test_no_text_is_a_key_by_chance(tmp_path_factory, text):
    file = KeyFile.create(tmp_path_factory.getbasetemp() / "chance.json")
    if not file.records:
        file.add("shop", ["read"])
    assert file.find(text) is None
    assert file.find(f"shop.{text}") is None


def test_wrong_records(file, tmp_path):
    good = {"id": "a", "sha256": "0" * 64, "scopes": ("read",)}
    for wrong in (
        {"id": "A b"},
        {"sha256": "x"},
        {"scopes": ("all",)},
        {"scopes": ()},
        {"rate": -1},
        {"expires": "soon"},
    ):
        with pytest.raises(ConfigError):
            KeyRecord(**{**good, **wrong})
    file.add("shop", ["read"])
    with pytest.raises(ConfigError, match="revoke it first"):
        file.add("shop", ["read"])
    for text in ("", "[]", '{"keys": 3}', json.dumps({"keys": [{"id": "a"}]})):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises((StorageError, ConfigError)):
            KeyFile(tmp_path / "bad.json")
    with pytest.raises(StorageError):
        KeyFile(tmp_path / "none.json")
