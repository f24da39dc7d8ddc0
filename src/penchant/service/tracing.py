"""Spans for OpenTelemetry: one a request, and inside it how long its questions waited and were computed.

    POST /v1/recommend    http.route, http.response.status_code, penchant.request_id, penchant.model.version, …arm
    ├── queue             from being asked to being begun
    └── compute           the batch that the question was in

Off unless asked for (``--otlp URL``); needs the extra ``otel``. A caller's ``traceparent`` (W3C Trace Context) is taken
up; whose requests are sampled is as ``OTEL_TRACES_SAMPLER`` says. Paths, bodies and keys are in no span.
"""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penchant._version import __version__
from penchant.errors import ConfigError
from penchant.service.batching import QUESTIONS
from penchant.service.health import OPEN

__all__ = ["Traced", "Tracing"]

_PATIENCE_S = 5
"""For the collector, at most; spans that it does not take are dropped."""
_ABOUT = {"request_id": "penchant.request_id", "version": "penchant.model.version", "arm": "penchant.arm"}
_TAKEN_UP = ("traceparent", "tracestate")


class Tracing:
    """The spans of a process, sent from a thread of their own.

    Arguments:
        url: of a collector that takes OTLP over HTTP; ``/v1/traces`` where it has no path.

    Raises: ConfigError: OpenTelemetry is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

            exporter = _exporter(url)
        except ImportError as error:
            raise ConfigError("otlp: tracing needs OpenTelemetry: pip install 'penchant[otel]'") from error
        named = Resource.create({"service.name": "penchant", "service.version": __version__})
        self._provider = TracerProvider(resource=named, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("penchant.service", __version__)
        self._take_up = TraceContextTextMapPropagator().extract

    def begin(self, method: str, headers: dict[str, str]) -> Any:
        """The span of a request, inside the caller's where it names one."""
        from opentelemetry.trace import SpanKind

        context = self._take_up({name: headers[name] for name in _TAKEN_UP if name in headers})
        return self._tracer.start_span(method, context=context, kind=SpanKind.SERVER)

    def end(self, span: Any, scope: Scope, status: int, asked: list[list[int]]) -> None:
        """What became of a request; its questions' times, as of `batching.QUESTIONS`."""
        from opentelemetry.trace import Status, StatusCode, set_span_in_context

        method, route, state = scope["method"], getattr(scope.get("route"), "path", "other"), scope["state"]
        span.update_name(f"{method} {route}")
        span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        span.set_attributes({name: str(state[key]) for key, name in _ABOUT.items() if key in state})
        if status >= 500 or not status:
            span.set_status(Status(StatusCode.ERROR))
        inside = set_span_in_context(span)
        for times in asked:
            for name, begun, done in zip(("queue", "compute"), times, times[1:]):  # noqa: B905 - given up: no more times
                self._tracer.start_span(name, context=inside, start_time=begun).end(done)
        span.end()

    def flush(self) -> None:
        """Send what has ended."""
        self._provider.force_flush(_PATIENCE_S * 1000)

    def close(self) -> None:
        """Send what is left, as far as the collector takes it."""
        self._provider.shutdown()


def _exporter(url: str) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    place = url if urlsplit(url).path.strip("/") else f"{url.rstrip('/')}/v1/traces"
    return OTLPSpanExporter(endpoint=place, timeout=_PATIENCE_S)


class Traced:
    """Middleware that gives each request a span; of the routes for those who watch it makes none.

    Arguments:
        app: what is traced.
        tracing: the spans.
    """

    def __init__(self, app: ASGIApp, *, tracing: Tracing) -> None:
        self._app, self._tracing = app, tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request inside of its span."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        status, asked = 0, list[list[int]]()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        span = self._tracing.begin(scope["method"], headers)
        scope.setdefault("state", {})["trace_id"] = f"{span.get_span_context().trace_id:032x}"
        mark = QUESTIONS.set(asked)
        try:
            await self._app(scope, receive, noted)
        except asyncio.CancelledError:
            status = status or 499  # the caller has gone
            raise
        finally:
            QUESTIONS.reset(mark)
            self._tracing.end(span, scope, status, asked)
