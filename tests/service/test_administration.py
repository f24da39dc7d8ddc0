import json
import shutil
import threading
from dataclasses import replace

import pytest


@pytest.fixture
def switching(settings, run, models, tmp_path):
    options = {"model": str(models / "a.penchant"), "models": str(models), "audit": str(tmp_path / "audit.jsonl")}
    with run(replace(settings, **options)) as live:
        yield live


def test_switch_roll_back_and_the_record_of_it(switching, tmp_path, problem_in):
    assert switching.ask("/v1/models").json()["names"] == ["a.penchant", "b.penchant"]
    first = switching.ask("/readyz").json()["version"]
    assert switching.ask("/v1/models", {"name": "b.penchant"}).json()["first"]["name"] == "b.penchant"
    second = switching.ask("/readyz").json()["version"]
    assert first != second
    assert switching.ask("/v1/recommend", {"user": "u1"}).json()["model"]["version"] == second
    assert switching.http.post("/v1/models/rollback").json()["first"]["version"] == first
    assert problem_in(switching.http.post("/v1/models/rollback"))["status"] == 422
    assert problem_in(switching.ask("/v1/models", {"name": "../a.penchant"}))["status"] == 422
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [line["action"] for line in lines] == ["load model", "roll back", "roll back", "load model"]
    assert [line["outcome"].partition(":")[0] for line in lines] == ["done", "done", "refused", "refused"]


def test_a_broken_model_is_refused_and_the_other_goes_on(switching, models, problem_in):
    (models / "b.penchant" / "weights.safetensors").write_bytes(b"no")
    assert problem_in(switching.ask("/v1/models", {"name": "b.penchant"}))["status"] == 409
    assert switching.ask("/v1/recommend", {"user": "u1"}).status_code == 200


def test_no_request_fails_while_models_are_switched(switching):
    ending, statuses, versions = threading.Event(), [], set()

    def load():
        while not ending.is_set():
            response = switching.ask("/v1/recommend", {"user": {"age": 30}, "n": 5})
            statuses.append(response.status_code)
            versions.add(response.json()["model"]["version"])

    callers = [threading.Thread(target=load) for _ in range(3)]
    for caller in callers:
        caller.start()
    for name in ("b.penchant", "a.penchant", "b.penchant"):
        assert switching.ask("/v1/models", {"name": name}).status_code == 200
    ending.set()
    for caller in callers:
        caller.join()
    assert set(statuses) == {200}
    assert len(versions) == 2


def test_a_directory_that_changes_while_it_is_loaded_does_no_harm(switching, models, folder, problem_in):
    ending, statuses = threading.Event(), set()

    def change():
        while not ending.is_set():
            for name in ("a.penchant", "b.penchant"):
                shutil.rmtree(models / "b.penchant")
                shutil.copytree(folder / name, models / "b.penchant")

    changer = threading.Thread(target=change)
    changer.start()
    try:
        for _ in range(12):
            response = switching.ask("/v1/models", {"name": "b.penchant"})
            statuses.add(response.status_code)
            if response.status_code != 200:
                problem_in(response)
            assert switching.ask("/v1/recommend", {"user": "u1"}).status_code == 200
    finally:
        ending.set()
        changer.join()
    assert statuses <= {200, 409, 422}, "loaded whole, torn and refused, or just not there"
    assert switching.ask("/v1/models", {"name": "b.penchant"}).status_code == 200


def test_a_folder_of_models_that_is_gone_is_said(switching, models, problem_in):
    models.rename(models.with_name("elsewhere"))
    assert problem_in(switching.ask("/v1/models"))["status"] == 409
    assert problem_in(switching.ask("/v1/models", {"name": "b.penchant"}))["status"] == 409
    assert switching.ask("/v1/recommend", {"user": "u1"}).status_code == 200
    models.with_name("elsewhere").rename(models)


def test_a_second_arm_and_the_shadow(switching):
    order = {"name": "b.penchant", "arm": "second", "share": 0.5}
    assert switching.ask("/v1/models", order).json()["share"] == 0.5
    arms = {}
    for _ in range(2):
        for n in range(30):
            model = switching.ask("/v1/recommend", {"user": f"u{n}", "n": 1}).json()["model"]
            assert arms.setdefault(n, model) == model
    assert {model["arm"] for model in arms.values()} == {"first", "second"}
    switching.ask("/v1/models", {**order, "shadow": True})
    for n in range(10):
        assert switching.ask("/v1/recommend", {"user": f"u{n}", "n": 1}).json()["model"]["arm"] == "first"
    switching.ask("/v1/predict", {"pairs": [{"user": "u1", "item": "i1"}]})
    shadow = switching.service.metrics.shadow
    assert sum(shadow.labels(result)._value.get() for result in ("same", "most", "other", "failed")) >= 9
    assert shadow.labels("failed")._value.get() == 0
