"""Spans of requests: what is in them, whose they are inside of; they reach a collector; none are made unasked."""

import http.server
import sys
import threading
from dataclasses import replace

import pytest

from penchant.errors import ConfigError
from penchant.service import ServiceSettings, make_app, tracing
from penchant.service.tracing import Tracing

export = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
COLLECTOR = "http://127.0.0.1:4318"


@pytest.fixture
def traced(settings, run, monkeypatch, tmp_path):
    """A server whose spans stay here; gives those of the requests so far by their names."""
    kept = export.InMemorySpanExporter()
    monkeypatch.setattr(tracing, "_exporter", lambda url: kept)
    options = {"otlp": COLLECTOR, "store": f"sqlite:///{tmp_path / 'events.db'}"}
    with run(replace(settings, **options)) as live:

        def spans():
            live.service.tracing.flush()
            found = {span.name: span for span in kept.get_finished_spans()}
            kept.clear()
            return found

        yield live, spans


def test_a_request_has_a_span_with_its_waiting_and_computing_inside(traced):
    live, spans = traced
    response = live.ask("/v1/recommend", {"user": "u1", "n": 3})
    found = spans()
    whole, queue, compute = (found[name] for name in ("POST /v1/recommend", "queue", "compute"))
    assert dict(whole.attributes) == {
        "http.request.method": "POST",
        "http.route": "/v1/recommend",
        "http.response.status_code": 200,
        "penchant.request_id": response.headers["x-request-id"],
        "penchant.model.version": live.service.models.serving.first.version,
        "penchant.arm": "first",
    }
    assert whole.parent is None
    assert {one.parent.span_id for one in (queue, compute)} == {whole.context.span_id}
    assert whole.start_time <= queue.start_time <= queue.end_time == compute.start_time <= compute.end_time
    assert compute.end_time <= whole.end_time
    assert whole.resource.attributes["service.name"] == "penchant"


def test_a_callers_trace_is_taken_up(traced):
    live, spans = traced
    body = {"user": {"age": 30}}
    live.http.post("/v1/recommend", json=body, headers={"traceparent": PARENT})
    whole = spans()["POST /v1/recommend"]
    assert f"{whole.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{whole.parent.span_id:016x}" == PARENT.split("-")[2]
    live.http.post("/v1/recommend", json=body, headers={"traceparent": "00-nonsense-\xff-01".encode("latin-1")})
    assert spans()["POST /v1/recommend"].parent is None


def test_nothing_that_is_anyones_business_is_in_a_span(traced):
    live, spans = traced
    event = {"id": "e1", "user": "secret-one", "item": "i3", "label": 1, "time": 1.7e9}
    assert live.ask("/v1/events", {"events": [event]}).status_code == 200
    assert live.ask("/v1/interest/secret-one?secret-query=1").status_code == 200
    assert live.ask("/v1/secret-path").status_code == 404
    live.ask("/healthz")
    live.ask("/metrics")
    found = spans()
    assert set(found) == {"POST /v1/events", "GET /v1/interest/{user:path}", "GET other", "queue", "compute"}
    assert "secret" not in "".join(span.to_json() for span in found.values())


def test_what_fails_is_marked(traced, monkeypatch):
    live, spans = traced

    async def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(type(live.service), "ask", fail)
    assert live.ask("/v1/recommend", {"user": "u1"}).status_code == 500
    whole = spans()["POST /v1/recommend"]
    assert not whole.status.is_ok
    assert whole.attributes["http.response.status_code"] == 500


def test_a_collector_gets_them_over_http():
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    got = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        spans = Tracing(f"http://127.0.0.1:{server.server_port}")
        spans.end(spans.begin("GET", {}), {"method": "GET", "state": {}}, 200, [])
        spans.close()
        server.shutdown()
    (path, body), *rest = got
    assert (path, rest) == ("/v1/traces", [])
    sent = ExportTraceServiceRequest.FromString(body)
    assert sent.resource_spans[0].scope_spans[0].spans[0].name == "GET other"


def test_none_are_made_unless_asked_for(live, settings):
    assert live.service.tracing is None
    assert type(make_app(settings, service=live.service).front).__name__ == "Guard"


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match=r"penchant\[otel\]"):
        Tracing(COLLECTOR)
    with pytest.raises(ConfigError, match="otlp"):
        ServiceSettings(otlp="localhost:4318")
    assert "secret" not in str(ServiceSettings(otlp="http://me:secret@collector:4318").shown())
