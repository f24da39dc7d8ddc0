import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from penchant.maps import InterestMap
from penchant.service.atlas import Atlas, maps_folder
from penchant.service.models import load
from penchant.service.problems import Refused

PATIENCE_S = 300.0


@pytest.fixture(scope="module")
def loaded(folder):
    return load(folder / "a.penchant")


@pytest.fixture(autouse=True)
def _no_waiting_for_others(monkeypatch):
    """A child with the least priority would wait as long as the other tests run."""
    monkeypatch.setattr("penchant.service.atlas._LEAST", 0)


def saved(loaded, path) -> InterestMap:
    picture = replace(loaded.model.map(method="pca"), model=loaded.version)
    picture.save(path)
    return picture


def quick(self, loaded, work, own) -> None:
    """In the place of a process that draws."""
    saved(loaded, self.path(loaded.version))


@pytest.fixture
def atlas(tmp_path):
    one = Atlas(tmp_path / "maps", method="pca")
    yield one
    one.close()


def test_a_map_is_drawn_once_by_a_process_and_kept(atlas, loaded, monkeypatch):
    with pytest.raises(Refused) as refused:
        atlas.find(loaded)
    assert refused.value.status_code == 503
    assert int(refused.value.headers["retry-after"]) > 0
    assert 0 <= refused.value.more["progress"] < 1
    drawn = atlas.find(loaded, PATIENCE_S)
    assert drawn.picture.model == loaded.version
    assert drawn.picture.method == "pca"
    assert sorted(one.name for one in atlas.folder.iterdir()) == [f"{loaded.version}.map"]
    assert atlas.find(loaded) is drawn

    monkeypatch.setattr(subprocess, "Popen", None)  # nothing is drawn again
    again = Atlas(atlas.folder, method="pca").find(loaded, PATIENCE_S)
    assert again.packed == drawn.packed
    assert again.etag == drawn.etag


def test_one_worker_draws_and_the_others_wait(tmp_path, loaded, monkeypatch):
    began = []

    def run(self, model, work, own):
        began.append(self)
        time.sleep(0.5)  # so that the others find it held
        quick(self, model, work, own)

    monkeypatch.setattr(Atlas, "_run", run)
    workers = [Atlas(tmp_path / "maps", method="pca") for _ in range(3)]
    found = []
    threads = [threading.Thread(target=lambda w=w: found.append(w.find(loaded, PATIENCE_S))) for w in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({drawn.etag for drawn in found}) == 1
    assert len(found) == 3
    assert len(began) == 1


def test_what_fails_is_said_in_the_log_and_tried_again_later(atlas, loaded, monkeypatch, caplog):
    lost = replace(loaded, path=Path("/none/of/it.penchant"))
    with pytest.raises(Refused) as refused:
        atlas.find(lost, PATIENCE_S)
    assert refused.value.status_code == 500
    assert "none/of/it" not in refused.value.detail
    assert "there is no such model" in caplog.text
    with pytest.raises(Refused, match="could not be drawn"):
        atlas.find(loaded)  # too soon
    monkeypatch.setattr("penchant.service.atlas._AGAIN_S", 0.0)
    monkeypatch.setattr(Atlas, "_run", quick)
    assert atlas.find(loaded, PATIENCE_S).picture.model == loaded.version


def test_a_map_that_is_of_no_use_is_drawn_again(atlas, loaded, monkeypatch):
    monkeypatch.setattr(Atlas, "_run", quick)
    path = atlas.path(loaded.version)
    path.mkdir(parents=True)
    (path / "manifest.json").write_text("{}")
    assert atlas.find(loaded, PATIENCE_S).picture.method == "pca"


def test_a_model_that_has_changed_meanwhile_gets_no_map(atlas, loaded, monkeypatch, caplog):
    monkeypatch.setattr(Atlas, "_run", lambda self, one, work, own: saved(loaded, self.path(one.version)))
    with pytest.raises(Refused, match="could not be drawn"):
        atlas.find(replace(loaded, version="0123456789ab"), PATIENCE_S)
    assert f"of version {loaded.version}" in caplog.text
    assert "changed since it was loaded" in caplog.text


def test_where_it_cannot_be_drawn_that_is_said_and_one_that_is_there_is_shown(tmp_path, loaded, monkeypatch):
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    atlas = Atlas(tmp_path / "maps")
    with pytest.raises(Refused, match=r"pip install penchant\[map\]") as refused:
        atlas.find(loaded)
    assert refused.value.status_code == 501
    picture = saved(loaded, atlas.path(loaded.version))
    assert atlas.find(loaded, PATIENCE_S).picture.ids == picture.ids


def test_a_drawing_ends_with_the_service(tmp_path, loaded):
    atlas = Atlas(tmp_path / "maps", method="pca")
    with pytest.raises(Refused):
        atlas.find(loaded)
    end = time.monotonic() + PATIENCE_S
    while atlas._child is None and time.monotonic() < end:
        time.sleep(0.01)
    child = atlas._child
    atlas.close()
    assert child.wait(PATIENCE_S) != 0
    assert not atlas.path(loaded.version).exists()


def test_the_oldest_maps_go(atlas, loaded, monkeypatch):
    import os

    monkeypatch.setattr("penchant.service.atlas._KEPT_ON_DISK", 2)
    for number in range(4):
        path = atlas.folder / f"{number}.map"
        saved(loaded, path)
        os.utime(path, (number, number))
    (atlas.folder / "mine.map").mkdir()
    os.utime(atlas.folder / "mine.map", (0, 0))
    atlas._tidy()
    assert sorted(one.name for one in atlas.folder.iterdir()) == ["2.map", "3.map", "mine.map"]


def test_where_maps_are_kept(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("PENCHANT_HOME", str(tmp_path))
    plain = replace(settings, maps=None)
    assert maps_folder(plain) == tmp_path / "maps"
    assert maps_folder(replace(plain, models="models")) == Path("models/.maps")
    assert maps_folder(replace(plain, models="models", maps="mine")) == Path("mine")
