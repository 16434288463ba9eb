"""The service as a program: crashes, several workers, slow clients, stopping."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import threading
import time
from contextlib import closing

import httpx
import pytest

from sameface.gallery import open_store
from tests.warm import run


def enroll(url: str, name: str, data: bytes, gallery: str = "people") -> httpx.Response:
    return httpx.post(f"{url}/v1/galleries/{gallery}/people", data={"name": name}, files={"photos": data}, timeout=60)


def test_kill_during_enroll(program, photo, tmp_path):
    """Acknowledged stays; what was not acknowledged is absent or whole."""
    folder = tmp_path / "galleries"
    service = program()
    acknowledged: list[str] = []
    sent: list[str] = []

    def client(number: int) -> None:
        for turn in range(1000):
            name = f"{number}-{turn}"
            sent.append(name)
            try:
                # The review would refuse one face under many names; in the store they are simply people.
                answer = httpx.post(
                    f"{service.url}/v1/galleries/g{number}/people",
                    data={"name": name},
                    files={"photos": photo("obama.jpg") + bytes(turn)},
                    timeout=60,
                )
            except httpx.TransportError:
                return
            if answer.status_code in (200, 201):
                acknowledged.append(name)
            person = answer.json().get("person")
            if person:  # make room, so that the next name is not somebody else's face
                try:
                    httpx.patch(
                        f"{service.url}/v1/galleries/g{number}/people/{person['person_id']}",
                        json={"name": f"{name} was here"},
                        timeout=60,
                    )
                    return
                except httpx.TransportError:
                    return

    for number in range(12):
        httpx.post(f"{service.url}/v1/galleries", json={"name": f"g{number}"}, timeout=60)
    threads = [threading.Thread(target=client, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    while len(acknowledged) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    service.stop(signal.SIGKILL)
    for thread in threads:
        thread.join(60)
    assert acknowledged
    stored: set[str] = set()
    for number in range(12):
        path = folder / f"g{number}.db"
        with open_store(path, create=False) as store:
            assert store.check().ok
            for person in store.people():
                assert person.photos == 1
                assert len(store.templates_of(person)) == 1
                stored.add(person.name.removesuffix(" was here"))
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert set(acknowledged) <= stored <= set(sent)
    again = program(folder=folder)  # and it starts again on the same files
    assert httpx.get(f"{again.url}/v1/galleries", timeout=60).json()["galleries"][0] == "g0"


def test_two_workers_and_forget(program, photo):
    """Whoever was forgotten is never named again, by either worker."""
    first = program()
    second = program(
        folder=first.log.parent / "galleries"
    )  # two programs over one folder: the hardest case of two workers
    upload = photo("obama2.jpg")

    def names(service) -> set[str | None]:
        answer = httpx.post(f"{service.url}/v1/galleries/people/identify", files={"photo": upload}, timeout=60)
        return {face["name"] for face in answer.json()["faces"]}

    for turn in range(3):
        writer, other = (first, second) if turn % 2 else (second, first)
        person = enroll(writer.url, "Obama", photo("obama.jpg")).json()["person"]
        assert names(other) == {"Obama"}
        assert names(writer) == {"Obama"}
        erased = httpx.delete(f"{writer.url}/v1/galleries/people/people/{person['person_id']}", timeout=60)
        assert erased.json()["templates"] == 1
        assert names(other) == {None}
        assert names(writer) == {None}


def test_workers_under_one_port(program, photo):
    service = program("--workers", "2")
    person = enroll(service.url, "Obama", photo("obama.jpg")).json()["person"]
    for _ in range(4):
        answer = httpx.post(
            f"{service.url}/v1/galleries/people/identify", files={"photo": photo("obama2.jpg")}, timeout=60
        )
        assert answer.json()["faces"][0]["person_id"] == person["person_id"]
    text = httpx.get(f"{service.url}/v1/metrics", timeout=60).text
    assert 'route="/galleries/{gallery}/identify",status="200"} 4.0' in text  # of both workers together


def test_forget_while_others_identify(program, photo):
    service = program()
    person = enroll(service.url, "Obama", photo("obama.jpg")).json()["person"]
    forgotten = threading.Event()
    wrong: list[str] = []

    def ask() -> None:
        for _ in range(6):
            after = forgotten.is_set()
            answer = httpx.post(
                f"{service.url}/v1/galleries/people/identify", files={"photo": photo("obama2.jpg")}, timeout=60
            )
            if answer.status_code != 200 or (after and answer.json()["faces"][0]["name"] is not None):
                wrong.append(answer.text)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    gone = httpx.delete(f"{service.url}/v1/galleries/people/people/{person['person_id']}", timeout=60)
    assert gone.status_code == 200
    forgotten.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_slow_clients_are_let_go_and_others_are_served(program):
    service = program("--timeout", "2")
    address = ("127.0.0.1", service.port)
    silent = [socket.create_connection(address) for _ in range(20)]
    trickling = socket.create_connection(address)
    trickling.sendall(b"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ")
    body = socket.create_connection(address)
    body.sendall(
        b"POST /v1/detect HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )
    assert httpx.get(f"{service.url}/v1/health").status_code == 200
    body.settimeout(30)
    assert b"503" in body.recv(100)  # the body was not whole in time
    for connection in (*silent, trickling):
        connection.settimeout(30)
        assert connection.recv(100) == b""  # hung up
        connection.close()
    body.close()


def test_a_bomb_of_headers(program):
    service = program()
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.settimeout(30)
        connection.sendall(b"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        received = b""
        try:
            for number in range(5000):
                connection.sendall(b"X-%d: %s\r\n" % (number, b"y" * 100))
            received = connection.recv(100)
        except OSError:  # it hung up while we were still talking
            received = b"HTTP/1.1 400"
    assert received.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))
    assert httpx.get(f"{service.url}/v1/health").status_code == 200


def test_overload_is_refused_fast(program, photo):
    service = program("--queue", "0")
    statuses: list[int] = []

    def ask() -> None:
        answer = httpx.post(f"{service.url}/v1/detect", files={"photo": photo("obama3.jpg")}, timeout=60)
        statuses.append(answer.status_code)
        if answer.status_code == 503:
            assert answer.headers["retry-after"] == "1"

    threads = [threading.Thread(target=ask) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200, 503}
    assert httpx.get(f"{service.url}/v1/health").status_code == 200


def test_stopping_finishes_what_runs(program, photo):
    service = program()
    request = httpx.Request(
        "POST",
        f"{service.url}/v1/galleries/people/people",
        data={"name": "Obama"},
        files={"photos": photo("obama.jpg")},
        headers={"Expect": "100-continue", "Connection": "close"},
    )
    body = request.read()
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as client:
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        client.sendall(f"POST {request.url.raw_path.decode()} HTTP/1.1\r\n{head}\r\n".encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 100 ")  # it waits for the photo: it is at work
        stopping = threading.Thread(target=service.stop)
        stopping.start()
        while not _refuses(service.port):
            time.sleep(0.01)
        client.sendall(body)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 201 ")
    stopping.join(60)
    assert service.process.returncode in (0, -signal.SIGTERM, 128 + signal.SIGTERM)


def _refuses(port: int) -> bool:
    """Whether nobody listens any more: the signal was heard."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize(
    ("options", "words_said"),
    [
        (("--host", "0.0.0.0"), "sameface keys add"),
        (("--tls-cert", "a.pem"), "--tls-key"),
        (("--encoder", "nothing-like-it"), "nothing-like-it"),
        (("--operating-point", "/nowhere.json"), "nowhere.json"),
    ],
)
def test_starting_wrongly_is_one_message(tmp_path, options, words_said):
    words = ("serve", str(tmp_path), "--port", "0", *options)
    code, said = run(words, output=tmp_path / "said", environment=os.environ, folder=tmp_path, timeout=60)
    assert code >= 2
    assert words_said in said
    assert "Traceback" not in said
