"""The real client against a real server on loopback that misbehaves in every way that was seen or feared."""

from __future__ import annotations

import errno
import hashlib
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sameface.errors import DownloadError, SettingError, StorageFullError
from sameface.models.download import Patience, fetch, said

CONTENT = bytes(range(256)) * 2000  # 512,000 bytes
DIGEST = hashlib.sha256(CONTENT).hexdigest()
QUICK = Patience(silence=0.5, slowness=0.3, least_rate=20_000, attempts=3, pause=0.01)


class Handler(BaseHTTPRequestHandler):
    """Each path is one way to behave; `server.seen` records (path, Range header)."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:  # the name that http.server calls
        server: Any = self.server
        wanted = self.headers.get("Range")
        server.seen.append((self.path, wanted))
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        getattr(self, "on_" + self.path.strip("/").replace("-", "_"))(start, wanted is not None, len(server.seen))

    def _head(self, status: int, length: int, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _part(self, start: int, ranged: bool, count: int | None = None) -> None:
        """Send the rest from `start`, but only `count` bytes of it, then hang up."""
        if ranged and start >= len(CONTENT):
            self._head(416, 0)
            return
        body = CONTENT[start:]
        extra = {"Content_Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"} if ranged else {}
        self._head(206 if ranged else 200, len(body), **extra)
        self.wfile.write(body[:count])
        if count is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def on_whole(self, start: int, ranged: bool, nth: int) -> None:
        self._part(start, ranged)

    def on_cut(self, start: int, ranged: bool, nth: int) -> None:
        self._part(start, ranged, 150_000)

    def on_dead(self, start: int, ranged: bool, nth: int) -> None:
        self._part(start, ranged, 100_000 if start == 0 else 0)

    def on_no_range(self, start: int, ranged: bool, nth: int) -> None:
        self._part(0, False, 100_000 if nth == 1 else None)

    def on_wrong(self, start: int, ranged: bool, nth: int) -> None:
        self._head(200, len(CONTENT))
        self.wfile.write(CONTENT[::-1])

    def on_longer(self, start: int, ranged: bool, nth: int) -> None:
        self._head(200, len(CONTENT) + 9)
        self.wfile.write(CONTENT + b"and more!")

    def on_loop(self, start: int, ranged: bool, nth: int) -> None:
        self._head(302, 0, Location="/loop-back")

    def on_loop_back(self, start: int, ranged: bool, nth: int) -> None:
        self._head(302, 0, Location="/loop")

    def on_moved(self, start: int, ranged: bool, nth: int) -> None:
        self._head(302, 0, Location="/whole")

    def on_elsewhere(self, start: int, ranged: bool, nth: int) -> None:
        self._head(302, 0, Location="file:///etc/passwd")

    def on_busy(self, start: int, ranged: bool, nth: int) -> None:
        if nth < 3:
            self._head(503, 0)
        else:
            self._part(start, ranged)

    def on_gone(self, start: int, ranged: bool, nth: int) -> None:
        self._head(404, 0)

    def on_silent(self, start: int, ranged: bool, nth: int) -> None:
        time.sleep(1.5)
        self.close_connection = True

    def on_drip(self, start: int, ranged: bool, nth: int) -> None:
        self._head(200, len(CONTENT))
        for byte in CONTENT[:200]:
            try:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.02)


@pytest.fixture
def server() -> Iterator[Any]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    running.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def address(server: Any, path: str) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/{path}"


def left_behind(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole_with_progress(server: Any, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    fetch(address(server, "whole"), tmp_path / "m.onnx", sha256=DIGEST, progress=lambda *at: told.append(at))
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT
    assert told == sorted(told)
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert left_behind(tmp_path) == ["m.onnx"]


def test_what_is_there_already_is_not_fetched_again(server: Any, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(CONTENT)
    fetch(address(server, "gone"), tmp_path / "m.onnx", sha256=DIGEST)
    assert server.seen == []


def test_a_damaged_file_is_replaced(server: Any, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"half a model")
    fetch(address(server, "whole"), tmp_path / "m.onnx", sha256=DIGEST)
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT


def test_a_cut_connection_is_continued_where_it_stopped(server: Any, tmp_path: Path) -> None:
    fetch(address(server, "cut"), tmp_path / "m.onnx", sha256=DIGEST, patience=QUICK)
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.seen] == [None, "bytes=150000-", "bytes=300000-", "bytes=450000-"]


def test_a_later_call_continues_what_an_earlier_one_began(server: Any, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="100000 bytes"):
        fetch(address(server, "dead"), tmp_path / "m.onnx", sha256=DIGEST, patience=QUICK)
    assert not (tmp_path / "m.onnx").exists()
    server.seen.clear()
    fetch(address(server, "whole"), tmp_path / "m.onnx", sha256=DIGEST, patience=QUICK)
    assert server.seen == [("/whole", "bytes=100000-")]
    assert left_behind(tmp_path) == ["m.onnx"]


def test_a_server_without_ranges_starts_again(server: Any, tmp_path: Path) -> None:
    fetch(address(server, "no-range"), tmp_path / "m.onnx", sha256=DIGEST, patience=QUICK)
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT


def test_a_part_that_was_whole_needs_no_more_bytes(server: Any, tmp_path: Path) -> None:
    (tmp_path / f".m.onnx.{DIGEST[:16]}.partial").write_bytes(CONTENT)
    fetch(address(server, "whole"), tmp_path / "m.onnx", sha256=DIGEST, size=len(CONTENT), patience=QUICK)
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT


def test_a_part_that_is_too_long_is_thrown_away(server: Any, tmp_path: Path) -> None:
    (tmp_path / f".m.onnx.{DIGEST[:16]}.partial").write_bytes(CONTENT + b"x")
    fetch(address(server, "whole"), tmp_path / "m.onnx", sha256=DIGEST, size=len(CONTENT), patience=QUICK)
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT


def test_another_file_than_pinned_never_lands(server: Any, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="sha256"):
        fetch(address(server, "wrong"), tmp_path / "m.onnx", sha256=DIGEST)
    assert left_behind(tmp_path) == []


def test_more_bytes_than_pinned_are_refused(server: Any, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="more"):
        fetch(address(server, "longer"), tmp_path / "m.onnx", sha256=DIGEST, size=len(CONTENT))
    assert not (tmp_path / "m.onnx").exists()


def test_a_redirect_is_followed(server: Any, tmp_path: Path) -> None:
    fetch(address(server, "moved"), tmp_path / "m.onnx", sha256=DIGEST)
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT


def test_a_redirect_loop_ends(server: Any, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="too many redirects"):
        fetch(address(server, "loop"), tmp_path / "m.onnx", sha256=DIGEST)
    assert len(server.seen) <= 10


def test_a_redirect_to_a_local_file_is_refused(server: Any, tmp_path: Path) -> None:
    with pytest.raises(DownloadError):
        fetch(address(server, "elsewhere"), tmp_path / "m.onnx", sha256=DIGEST)


def test_a_step_down_from_https_is_refused() -> None:
    from urllib.request import Request

    from sameface.models.download import _Redirects

    with pytest.raises(DownloadError, match="https"):
        _Redirects().redirect_request(Request("https://a.example/m"), None, 302, "Found", {}, "http://a.example/m")


def test_a_busy_server_is_asked_again(server: Any, tmp_path: Path) -> None:
    fetch(address(server, "busy"), tmp_path / "m.onnx", sha256=DIGEST, patience=QUICK)
    assert len(server.seen) == 3


def test_a_missing_file_is_said_at_once(server: Any, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="404"):
        fetch(address(server, "gone"), tmp_path / "m.onnx", sha256=DIGEST, patience=QUICK)
    assert len(server.seen) == 1


def test_a_server_that_says_nothing_is_left(server: Any, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="timed out"):
        fetch(address(server, "silent"), tmp_path / "m.onnx", sha256=DIGEST, patience=Patience(0.2, 1, 1, 1, 0.01))


def test_a_server_that_drips_is_left(server: Any, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="bytes a second"):
        fetch(address(server, "drip"), tmp_path / "m.onnx", sha256=DIGEST, patience=QUICK)


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(DownloadError, match="refused"):
        fetch(f"http://127.0.0.1:{port}/m", tmp_path / "m.onnx", sha256=DIGEST, patience=QUICK)


def test_a_full_disk_is_said_before_it_is_full(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(StorageFullError, match="1000"):
        fetch(address(server, "whole"), tmp_path / "m.onnx", sha256=DIGEST, size=len(CONTENT))
    assert server.seen == []


def test_a_disk_that_fills_up_on_the_way(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *details: object) -> None:
            self.file.close()

        def write(self, chunk: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def open_full(path: Path, mode: str = "r", *rest: Any) -> Any:
        return Full(real(path, mode)) if path.suffix == ".partial" and mode in ("wb", "ab") else real(path, mode, *rest)

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(StorageFullError, match="full disk"):
        fetch(address(server, "whole"), tmp_path / "m.onnx", sha256=DIGEST, patience=QUICK)
    assert not (tmp_path / "m.onnx").exists()


def test_a_folder_that_cannot_be_made(server: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SettingError, match="SAMEFACE_MODELS"):
        fetch(address(server, "whole"), tmp_path / "file" / "m.onnx", sha256=DIGEST)


@pytest.mark.parametrize("url", ["ftp://a.example/m", "file:///etc/passwd", "m.onnx"])
def test_other_kinds_of_address_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError):
        fetch(url, tmp_path / "m.onnx", sha256=DIGEST)


def test_nothing_is_fetched_without_a_pinned_digest(server: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="pin"):
        fetch(address(server, "whole"), tmp_path / "m.onnx", sha256="")
    assert server.seen == []


def test_secrets_in_an_address_are_not_repeated() -> None:
    assert said("https://me:secret@models.example/a/m.onnx?token=abc#x") == "https://models.example/a/m.onnx"


def test_a_proxy_from_the_environment_is_used(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", address(server, "").rstrip("/"))
    monkeypatch.setattr(Handler, "do_GET", lambda self: self._part(0, False))
    fetch("http://models.example/m.onnx", tmp_path / "m.onnx", sha256=DIGEST, patience=QUICK)
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT


def test_two_at_once_fetch_once(server: Any, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda _: fetch(address(server, "whole"), tmp_path / "m.onnx", sha256=DIGEST, patience=QUICK), range(4)
            )
        )
    assert len(server.seen) == 1
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT
