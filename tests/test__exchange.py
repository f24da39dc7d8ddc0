"""One directory takes the place of another, whether the system can do it in one step or not."""

import os

import pytest

from penchant import _exchange
from penchant._exchange import exchange


@pytest.fixture(params=["one step", "two steps"])
def folders(request, tmp_path, monkeypatch):
    if request.param == "two steps":
        monkeypatch.setattr(_exchange, "_swapped", lambda one, other: False)
    for name in ("new", "place"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "who").write_text(name)
    return tmp_path / "new", tmp_path / "place"


def test_they_change_places(folders):
    new, place = folders
    exchange(new, place)
    assert (place / "who").read_text() == "new"
    assert (new / "who").read_text() == "place"
    assert sorted(os.listdir(place.parent)) == ["new", "place"]


def test_an_empty_place_is_filled(folders):
    new, place = folders
    exchange(new, place.with_name("elsewhere"))
    assert (place.with_name("elsewhere") / "who").read_text() == "new"
    assert not new.exists()


def test_the_old_one_comes_back_when_the_new_one_cannot_go_there(folders, monkeypatch):
    new, place = folders
    monkeypatch.setattr(_exchange, "_swapped", lambda one, other: False)
    replace = os.replace

    def failing(source, target):
        if source == new:
            raise OSError(28, "no space left")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="no space"):
        exchange(new, place)
    assert (place / "who").read_text() == "place"
