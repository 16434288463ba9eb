"""Running the application under uvicorn: workers, patience, shutdown."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sameface.service.app import SETTINGS_VARIABLE, create_app
from sameface.service.listening import check_address
from sameface.service.logs import log_config
from sameface.service.settings import Settings, to_json

#: Connections per process; above it uvicorn answers 503 at once.
_MOST_CONNECTIONS: Final = 1000
_PATIENCE_VARIABLE: Final = "SAMEFACE_SERVE_PATIENCE"


class ImpatientProtocol(H11Protocol):
    """uvicorn's HTTP protocol, with a limit on the time a request's head may take.

    uvicorn waits for ever for the first byte, and for the end of headers that trickle in; a few thousand such connections (slow-loris)
    would use up all sockets.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Run the timer while a head is awaited, and only then."""
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self._timer is None:
            seconds = float(os.environ.get(_PATIENCE_VARIABLE, "10"))
            self._timer = self.loop.call_later(seconds, self._give_up)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        waiting = self.conn.their_state is h11.IDLE and self.conn.our_state is h11.IDLE
        if waiting and not self.transport.is_closing():
            self.transport.close()


def run(
    settings: Settings,
    *,
    workers: int = 1,
    tls: tuple[Path, Path] | None = None,
    ready: Callable[[], object] = lambda: None,
) -> None:
    """Serve until interrupted; requests at work are finished first.

    Args:
        settings: of the service.
        workers: processes; each loads the networks, all share the galleries.
        tls: files of the certificate chain and of its key.
        ready: told once everything is loaded, just before it listens.
    """
    check_address(settings.host, settings.port)
    # The event loop must get its turn between threads that compute, or a refusal takes as long as an answer.
    sys.setswitchinterval(0.001)
    app = create_app(settings)
    try:
        app.state.desk.load()  # here, so that what is missing is one message of ours before anything listens
    except BaseException:
        app.state.desk.close()
        raise
    ready()
    os.environ[_PATIENCE_VARIABLE] = str(settings.header_timeout)
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "workers": workers,
        "http": ImpatientProtocol,
        "ws": "none",
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,  # `Forwarded` reads them, the host's among them
        "limit_concurrency": _MOST_CONNECTIONS,
        "timeout_graceful_shutdown": int(settings.timeout) + 1,
        "log_config": log_config(settings.log_format),
    }
    if tls is not None:
        options.update(ssl_certfile=tls[0], ssl_keyfile=tls[1])
    if workers == 1:
        uvicorn.run(app, **options)  # ends by the signal itself, so nothing may have to be tidied up after it
        return
    with (
        tempfile.TemporaryDirectory(prefix="sameface-metrics-") as folder,
        tempfile.TemporaryDirectory(prefix="sameface-live-") as live_folder,
    ):
        app.state.desk.close()  # each worker opens its own
        os.environ[SETTINGS_VARIABLE] = to_json(replace(settings, live_folder=live_folder))
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        uvicorn.run("sameface.service.app:from_environment", factory=True, **options)
