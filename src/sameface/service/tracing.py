"""A span for each request, sent to a collector of OpenTelemetry where an endpoint is given, and nowhere else. Needs the extra ``otel``.

A span says method, route, status, time and request id; no address, no name, no id of a person. Routes are told by their pattern. A trace that a
caller began (``traceparent``) goes on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from sameface.errors import ExtraMissingError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter


class Tracing(Protocol):
    """Where finished requests are told."""

    def finished(
        self, headers: Mapping[str, str], method: str, route: str, status: int, seconds: float, request_id: str
    ) -> None:
        """Tell one, just now."""
        ...

    def close(self) -> None:
        """Send what waits."""
        ...


class NoTracing:
    """Nobody is told."""

    def finished(
        self, headers: Mapping[str, str], method: str, route: str, status: int, seconds: float, request_id: str
    ) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class OpenTelemetry:
    """Spans to a collector. Nothing that the environment says about OpenTelemetry is listened to: the endpoint is the one that is given.

    Args:
        exporter: where spans go.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import SpanLimits, TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = TracerProvider(
            resource=Resource({"service.name": "sameface"}),
            sampler=ParentBased(ALWAYS_ON),
            span_limits=SpanLimits(),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("sameface.service")
        self._context = TraceContextTextMapPropagator()

    def finished(
        self, headers: Mapping[str, str], method: str, route: str, status: int, seconds: float, request_id: str
    ) -> None:
        """Tell one request, just now."""
        from opentelemetry.trace import SpanKind, Status, StatusCode

        end = time.time_ns()
        given = {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
        span = self._tracer.start_span(
            f"{method} {route}",
            self._context.extract(given),
            SpanKind.SERVER,
            attributes={
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                "sameface.request_id": request_id,
            },
            start_time=end - int(seconds * 1e9),
        )
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)

    def close(self) -> None:
        """Send what waits; a collector that does not answer is not waited for longer than a few seconds."""
        self._provider.shutdown()


def tracing_to(endpoint: str) -> Tracing:
    """Traces to an endpoint, for instance ``http://127.0.0.1:4318/v1/traces``; "" for none.

    Raises:
        ExtraMissingError: the extra is not installed.
    """
    if not endpoint:
        return NoTracing()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise ExtraMissingError(
            expected="the extra `otel` for traces",
            got=f"no module {error.name}",
            advice='run `pip install "sameface[otel]"`',
        ) from error
    return OpenTelemetry(OTLPSpanExporter(endpoint=endpoint, timeout=3))
