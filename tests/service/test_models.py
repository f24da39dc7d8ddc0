import contextlib
import json
import shutil

import pytest

from penchant.errors import ConfigError, CorruptModelError, StorageError
from penchant.service.models import ModelRegistry, Serving, load


@pytest.fixture
def registry(models):
    return ModelRegistry(models / "a.penchant", folder=models)


def test_a_model_is_loaded_checked_and_told(folder):
    one, other = load(folder / "a.penchant"), load(folder / "b.penchant")
    assert one.version != other.version
    assert one.version == load(folder / "a.penchant").version
    assert one.told()["items"] == 50
    ids = one.fitted.known["item"].vocabulary.ids.to_list()
    assert [json.loads("{" + piece + "}")["item"] for piece in one.pieces] == ids


def test_switch_and_back(registry):
    first = registry.serving.first
    assert registry.names == ["a.penchant", "b.penchant"]
    registry.switch("b.penchant")
    assert (registry.serving.first.name, registry.serving.before) == ("b.penchant", ("a.penchant",))
    assert registry.roll_back().first is first
    with pytest.raises(ConfigError, match="no earlier"):
        registry.roll_back()


def test_it_tells_while_what_is_served_is_about_to_change(models):
    said = []

    @contextlib.contextmanager
    def loading():
        said.append("begun")
        yield
        said.append("done")

    one = ModelRegistry(models / "a.penchant", folder=models, loading=loading, changed=lambda serving: said.append("-"))
    other = ModelRegistry(models / "a.penchant", folder=models)
    said.clear()
    for change in (lambda: one.switch("b.penchant"), one.roll_back):
        change()
        assert said == ["begun", "-", "done"]
        said.clear()
    assert not one.follow()
    assert said == []
    other.switch("b.penchant")
    assert one.follow()
    assert said == ["begun", "-", "done"]


@pytest.mark.parametrize(
    "name",
    ["../a.penchant", "/etc", ".", "..", "", "a.penchant/", "./a.penchant", "a.penchant\0", "readme.txt", "none"],
)
def test_only_names_of_the_folder(registry, name):
    with pytest.raises(ConfigError, match="no model"):
        registry.switch(name)


def test_a_model_that_cannot_be_used_changes_nothing(registry, models):
    before = registry.serving
    weights = models / "b.penchant" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(CorruptModelError, match="altered"):
        registry.switch("b.penchant")
    (models / "b.penchant" / "manifest.json").write_text("{}")
    with pytest.raises(StorageError):
        registry.switch("b.penchant")
    assert registry.serving is before
    assert not (models / ".serving.json").exists()


def test_a_directory_that_changes_while_it_is_read(folder, models, monkeypatch):
    from penchant import Penchant

    real = Penchant.load

    def swapped(path, **options):
        loaded = real(path, **options)
        shutil.rmtree(path)
        shutil.copytree(folder / "b.penchant", path)
        return loaded

    monkeypatch.setattr(Penchant, "load", swapped)
    with pytest.raises(StorageError, match="changed while"):
        load(models / "a.penchant")


def test_other_workers_and_restarts_follow(registry, models):
    other = ModelRegistry(models / "a.penchant", folder=models)
    assert not other.follow()
    registry.switch("b.penchant")
    registry.switch("a.penchant", arm="second", share=0.25)
    assert other.follow()
    assert not other.follow()
    for one in (other, ModelRegistry(models / "a.penchant", folder=models)):
        assert one.serving.first.name == "b.penchant"
        assert one.serving.second is not None
        assert one.serving.share == 0.25
        assert one.serving.before == ("a.penchant",)
    registry.roll_back()
    assert other.follow()
    assert other.serving.first.name == "a.penchant"


def test_a_model_replaced_under_its_name_is_followed(registry, folder, models):
    other = ModelRegistry(models / "a.penchant", folder=models)
    old = other.serving.first.version
    shutil.rmtree(models / "a.penchant")
    shutil.copytree(folder / "b.penchant", models / "a.penchant")
    registry.switch("a.penchant")
    assert other.follow()
    assert other.serving.first.version == registry.serving.first.version != old


def test_a_broken_plan_is_said(registry, models):
    (models / ".serving.json").write_text("[")
    with pytest.raises(StorageError, match="mend it"):
        registry.follow()
    with pytest.raises(StorageError, match="mend it"):
        ModelRegistry(models / "a.penchant", folder=models)


def test_without_a_folder_nothing_is_switched(folder):
    registry = ModelRegistry(folder / "a.penchant")
    assert (registry.names, registry.follow()) == ([], False)
    with pytest.raises(ConfigError, match="--models"):
        registry.switch("b.penchant")


def test_arms_are_stable_and_shared_out_as_told(folder):
    one, other = load(folder / "a.penchant"), load(folder / "b.penchant")
    serving = Serving(one, other, 0.3)
    arms = [serving.arm_of(f"u{n}") for n in range(4000)]
    assert arms == [Serving(other, one, 0.3).arm_of(f"u{n}") for n in range(4000)]
    assert abs(arms.count("second") / 4000 - 0.3) < 0.03
    more = Serving(one, other, 0.6)  # who was in the arm stays in it
    assert all(more.arm_of(f"u{n}") == "second" for n, arm in enumerate(arms) if arm == "second")
    assert {Serving(one, other, 0.3, shadow=True).arm_of(f"u{n}") for n in range(50)} == {"first"}
    assert {Serving(one, other, 1.0).arm_of(f"u{n}") for n in range(50)} == {"second"}
    assert serving.of("second") is other
