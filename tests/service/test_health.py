from dataclasses import replace

from penchant.service import KeyFile


def test_alive_and_ready(live):
    assert live.ask("/healthz").json() == {"status": "alive"}
    assert live.ask("/readyz").json()["status"] == "ready"


def test_not_ready_while_ending(settings, run):
    with run(settings) as live:
        live.service.ready = False
        response = live.ask("/readyz")
        assert (response.status_code, response.json()["status"]) == (503, "ending")
        assert live.ask("/healthz").status_code == 200


def test_metrics_count_what_happened(live):
    live.ask("/v1/recommend", {"user": {"age": 9000}})
    live.ask("/v1/none")
    text = live.ask("/metrics").text
    assert 'penchant_request_seconds_count{route="/v1/recommend",status="200"}' in text
    assert 'penchant_input_values_total{field="age",side="user",what="clipped"}' in text
    assert "penchant_waiting " in text
    assert live.service.models.serving.first.version in text
    assert 'route="/v1/none"' not in text, "what callers make up is no label"


def test_a_key_that_expires_while_it_is_used(settings, run, tmp_path, monkeypatch, problem_in):
    file = KeyFile.create(tmp_path / "keys.json")
    _, key = file.add("shop", ["read"], expires="2100-01-01", rate=1000)
    with run(replace(settings, keys=str(file.path))) as live:
        assert live.ask("/v1/model", key=key).status_code == 200
        monkeypatch.setattr(live.service.keys, "_clock", lambda: 4_102_444_800.0)
        assert problem_in(live.ask("/v1/model", key=key))["status"] == 401


def test_metrics_are_for_loopback_and_keys(settings, run, tmp_path, monkeypatch):
    from penchant.service import health

    file = KeyFile.create(tmp_path / "keys.json")
    _, key = file.add("prometheus", ["read"])
    with run(replace(settings, keys=str(file.path))) as live:
        assert live.ask("/metrics").status_code == 200
        assert live.http.get("/metrics", headers={"x-forwarded-for": "203.0.113.7"}).status_code == 401
        monkeypatch.setattr(health, "_LOOPBACK", ())
        assert live.ask("/metrics").status_code == 401
        assert live.ask("/metrics", key=key).status_code == 200
