"""Fetching a file: resumed where it was cut, checked by its pinned sha256, in place whole or not at all.

Python's own HTTP client is enough for one GET with a range: it verifies certificates, honours ``HTTPS_PROXY`` and ``NO_PROXY``, and adds
nothing to the default install. What it lacks is added here: an end to redirect loops, no step down from https, and a limit on how
slow a server may be.
"""

from __future__ import annotations

import errno
import http.client
import os
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit, urlunsplit

from sameface.errors import DownloadError, SettingError, StorageFullError
from sameface.file_locks import folder_locked
from sameface.files import sha256_of
from sameface.progress import Tally

_CHUNK: Final = 64 * 1024
_REDIRECTS: Final = 5
_ENOUGH_FOR_ANY_MODEL: Final = 4 << 30


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server.

    Attributes:
        silence: seconds without a single byte.
        slowness: seconds over which the average rate is judged.
        least_rate: bytes a second below which a server counts as stuck.
        attempts: connections in a row that may bring nothing new before giving up.
        pause: seconds before the next attempt, doubled each time.
    """

    silence: float = 30.0
    slowness: float = 30.0
    least_rate: float = 1024.0
    attempts: int = 4
    pause: float = 0.5


class _CutError(Exception):
    """The connection ended before the file did; trying again may help."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, never from https down to http and never to another kind of address."""

    max_redirections = _REDIRECTS
    max_repeats = 2

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        before, after = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if after not in ("http", "https") or (before == "https" and after == "http"):
            raise DownloadError(
                expected="a redirect to another https address",
                got=said(newurl),
                advice="use another mirror (SAMEFACE_MODELS)",
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def said(url: str) -> str:
    """An address as it may be shown: without a user's name and password and without a query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def fetch(
    url: str,
    target: Path,
    *,
    sha256: str | None,
    size: int = 0,
    progress: Tally | None = None,
    patience: Patience | None = None,
) -> None:
    """Fetch a file.

    What came before a failure is kept beside the target and continued next time. A second process that fetches the same file waits
    for the first.

    Args:
        url: http or https.
        target: where the file goes; replaced in one step, only when the digest is right.
        sha256: pinned digest of the whole file; None where its publisher gives none: then nothing is resumed.
        size: bytes, 0 when not known.
        progress: told (bytes so far, bytes in all or 0).
        patience: how long to wait.

    Raises:
        DownloadError: no such address, no connection, cut too often, too slow, too many redirects, or another file than pinned.
        StorageFullError: no room.
        SettingError: no pinned digest, an address of another kind, or a folder that cannot be written.
    """
    if (sha256 is not None and len(sha256) != 64) or urlsplit(url).scheme not in ("http", "https"):
        raise SettingError(
            expected="an http(s) address and a pinned sha256",
            got=f"{said(url)!r} and {sha256!r}",
            advice="pin the digest on the model's card",
        )
    part = target.with_name(f".{target.name}.{(sha256 or 'unpinned')[:16]}.partial")
    with _storage(target), folder_locked(part.parent):  # without the lock two at once only waste a download
        if target.is_file() and sha256_of(target) == sha256:
            return
        if sha256 is None:  # a part from before may be of another file
            part.unlink(missing_ok=True)
        _check_room(target.parent, size - _size(part))
        _fetch_all(url, part, size, progress, patience or Patience())
        found = sha256_of(part)
        if sha256 is not None and found != sha256:
            part.unlink()
            raise DownloadError(
                expected=f"{target.name} with sha256 {sha256}",
                got=f"sha256 {found} from {said(url)}",
                advice="do not use that source; try another mirror (SAMEFACE_MODELS)",
            )
        part.replace(target)


def _fetch_all(url: str, part: Path, size: int, progress: Tally | None, patience: Patience) -> None:
    """Connect, and connect again while each connection brings something."""
    fruitless = 0
    while True:
        before = _size(part)
        try:
            _fetch_once(url, part, size, progress, patience)
            return
        except DownloadError:
            raise  # it is a ConnectionError too, but trying again would not help
        except (_CutError, TimeoutError, http.client.HTTPException, ConnectionError, urllib.error.URLError) as error:
            reason = getattr(error, "reason", None)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise DownloadError(
                    expected=f"a valid certificate of {urlsplit(url).hostname}",
                    got=reason.verify_message,
                    advice="check the clock, the proxy and the system's certificates",
                ) from error
            fruitless = 0 if _size(part) > before else fruitless + 1
            if fruitless >= patience.attempts:
                raise DownloadError(
                    expected=f"all of {said(url)}",
                    got=f"{_size(part)} bytes, then {str(reason or error) or type(error).__name__} {fruitless} times in a row",
                    advice="check the connection and run the same command again: it goes on where it stopped",
                ) from error
            time.sleep(patience.pause * 2**fruitless)


def _fetch_once(url: str, part: Path, size: int, progress: Tally | None, patience: Patience) -> None:
    have = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "sameface", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.build_opener(_Redirects).open(request, timeout=patience.silence)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            if size and have == size:
                return  # it was all there already
            part.unlink()
            raise _CutError("a part that is longer than the file") from error
        if error.code in (408, 425, 429) or error.code >= 500:
            raise _CutError(f"HTTP {error.code}") from error
        raise DownloadError(
            expected=f"the file at {said(url)}",
            got=f"HTTP {error.code}{': too many redirects' if 300 <= error.code < 400 else ''}",
            advice="check the address, or set SAMEFACE_MODELS to a mirror that has it",
        ) from error
    with answer:
        resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT and _starts_at(answer, have)
        start = have if resumed else 0
        whole = size or start + int(answer.headers.get("Content-Length") or 0)
        with part.open("ab" if resumed else "wb") as file:
            _copy(answer, file, start, whole, progress, patience)


def _copy(
    answer: IO[bytes],
    file: IO[bytes],
    done: int,
    whole: int,
    progress: Tally | None,
    patience: Patience,
) -> None:
    limit = whole or _ENOUGH_FOR_ANY_MODEL
    since, since_bytes = time.monotonic(), 0
    while chunk := answer.read1(_CHUNK):  # type: ignore[attr-defined]
        file.write(chunk)
        done += len(chunk)
        since_bytes += len(chunk)
        if done > limit:
            raise DownloadError(
                expected=f"{limit} bytes",
                got="more",
                advice="do not use that source; try another mirror (SAMEFACE_MODELS)",
            )
        if progress is not None:
            progress(done, whole)
        passed = time.monotonic() - since
        if passed >= patience.slowness:
            if since_bytes < patience.least_rate * passed:
                raise DownloadError(
                    expected=f"at least {patience.least_rate:.0f} bytes a second",
                    got=f"{since_bytes / passed:.0f}",
                    advice="try again later, or another mirror: what came is kept",
                )
            since, since_bytes = time.monotonic(), 0
    file.flush()
    os.fsync(file.fileno())
    if whole and done < whole:
        raise _CutError(f"{done} of {whole} bytes")


def _starts_at(answer: Any, offset: int) -> bool:
    return str(answer.headers.get("Content-Range", "")).startswith(f"bytes {offset}-")


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StorageFullError(
            expected=f"{needed} bytes of room in {folder}",
            got=f"{free}",
            advice="free some space or choose another folder",
        )


@contextmanager
def _storage(target: Path) -> Iterator[None]:
    """Turn what a disk can refuse into errors with advice."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        raise SettingError(
            expected=f"a folder that can be written: {target.parent}",
            got=str(error.strerror),
            advice="set SAMEFACE_MODELS to a folder of your own",
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) and not isinstance(error, StorageFullError):
            raise StorageFullError(
                expected=f"room for {target.name} in {target.parent}",
                got="a full disk",
                advice="free some space and run the same command again: it goes on where it stopped",
            ) from error
        raise
