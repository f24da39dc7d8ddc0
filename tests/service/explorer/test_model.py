import json
from dataclasses import replace

import pytest

from penchant.service.explorer.model import at

HTML = {"accept": "text/html"}


def values(live, **query):
    return json.loads(live.http.get("/model.json", params=query).content)


def test_quality_calibration_and_trade_off_are_shown(live, page_in):
    page = page_in(live.http.get("/model", headers=HTML))
    for heading in ("Do its probabilities hold?", "What if the threshold were another?", "What is served"):
        assert heading in page.text
    found = values(live)
    loaded = live.service.models.serving.first
    assert found["at"]["threshold"] == pytest.approx(loaded.fitted.calibration.threshold)
    assert found["served"]["first"]["version"] == loaded.version
    assert found["judged"]["likes"] == len(loaded.fitted.likes["distance"])


def test_the_threshold_moves_without_a_script(live, page_in):
    far = values(live, threshold=100)["at"]
    assert (far["recall"], far["shown"]) == (1, 1)
    near = values(live, threshold=0)["at"]
    assert near["recall"] <= 0.01
    assert "At 0.250" in page_in(live.http.get("/model?threshold=0.25", headers=HTML)).text
    for wrong in ("x", "-1", "nan", "inf"):
        assert live.http.get("/model.json", params={"threshold": wrong}).status_code == 422


def test_the_figures_are_those_of_the_last_edge_before():
    curve = {"threshold": [0.1, 0.2], "recall": [0.4, 1.0], "precision": [0.9, 0.7], "shown": [0.3, 1.0]}
    assert at(curve, 0.05) == {"threshold": 0.05, "recall": 0.0, "precision": 1.0, "shown": 0.0}
    assert at(curve, 0.1)["recall"] == 0.4
    assert at(curve, 0.19)["recall"] == 0.4
    assert at(curve, 5)["shown"] == 1.0


def test_drift_is_what_came_in(settings, run, page_in):
    with run(settings) as live:
        assert "No row of features has come in" in page_in(live.http.get("/model", headers=HTML)).text
        live.ask("/v1/recommend", {"user": {"age": 900, "role": "astronaut"}, "n": 1})
        found = {one["field"]: one for one in values(live)["inputs"]["fields"]}
        assert found["age"]["clipped"] == 1
        assert found["role"]["unseen"] == 1
        page = page_in(live.http.get("/model", headers=HTML))
        assert "role" in page.text
        assert "100.0 %" in page.text


def test_a_second_model_has_its_role(folder, settings, run, page_in):
    with run(replace(settings, second=str(folder / "b.penchant"), share=0.25)) as live:
        page = page_in(live.http.get("/model", headers=HTML))
        assert "25 % of the users" in page.text
        assert "b.penchant" in page.text
