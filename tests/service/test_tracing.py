"""Traces: to nobody unless an endpoint is given; then a span for each request that names nobody."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sameface.errors import SettingError
from sameface.service import desk
from sameface.service.tracing import NoTracing, OpenTelemetry, tracing_to


def test_nobody_is_told_unless_asked(api, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    called = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: called.append(address))
    assert isinstance(tracing_to(""), NoTracing)
    assert isinstance(api.app.state.desk.tracing, NoTracing)
    assert api.get("/v1/health").status_code == 200
    assert called == []


def test_a_span_for_each_request(serve, monkeypatch):
    spans = InMemorySpanExporter()
    monkeypatch.setattr(desk, "tracing_to", lambda endpoint: OpenTelemetry(spans))
    api = serve(traces="http://127.0.0.1:9/v1/traces")
    begun = time.time_ns()
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    api.get("/v1/galleries/people/people?search=Ada", headers={"traceparent": parent, "x-request-id": "r-1"})
    api.get(f"/v1/galleries/people/people/{'0' * 32}")
    api.app.state.desk.tracing._provider.force_flush()
    first, second = spans.get_finished_spans()
    assert first.name == "GET /galleries/{gallery}/people"
    assert dict(first.attributes) == {
        "http.request.method": "GET",
        "http.route": "/galleries/{gallery}/people",
        "http.response.status_code": 200,
        "sameface.request_id": "r-1",
    }
    assert f"{first.context.trace_id:032x}" == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert f"{first.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert begun <= first.start_time <= first.end_time <= time.time_ns()
    assert second.attributes["http.response.status_code"] == 404
    assert second.parent is None
    assert "Ada" not in first.to_json() + second.to_json()


def test_a_collector_gets_them(serve):
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    collector = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=collector.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        api = serve(traces=f"http://127.0.0.1:{collector.server_port}/v1/traces")
        api.get("/v1/health")
        api.app.state.desk.tracing.close()
    finally:
        collector.shutdown()
        collector.server_close()
    ((path, body),) = got
    assert path == "/v1/traces"
    assert b"GET /health" in body


def test_an_endpoint_is_an_address(make_settings):
    with pytest.raises(SettingError):
        make_settings(traces="localhost:4318")
