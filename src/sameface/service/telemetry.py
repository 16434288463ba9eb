"""Counters for Prometheus. Routes are counted by their pattern, so no name or id ever becomes a label."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Telemetry:
    """The counters of one application; with several worker processes they meet in ``$PROMETHEUS_MULTIPROC_DIR``."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "sameface_requests_total",
            "Requests by route and status.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "sameface_request_seconds",
            "Time to answer.",
            ["route"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=self._registry,
        )
        self.faces = Counter(
            "sameface_faces_total", "Faces found, by what was asked.", ["action"], registry=self._registry
        )
        self.answers = Counter(
            "sameface_answers_total",
            "Yes and no, by question; shifts show drift.",
            ["question", "answer"],
            registry=self._registry,
        )
        self.at_work = Gauge(
            "sameface_photos_at_work",
            "Photo requests that run or wait.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )

    def text(self) -> bytes:
        """The exposition format."""
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            return generate_latest(registry)
        return generate_latest(self._registry)
