"""The client for asyncio and trio: the same questions and answers as the other one."""

from __future__ import annotations

import asyncio
import inspect

import anyio
import httpx
import pytest

from sameface import client as clients
from sameface import errors
from sameface.client import AsyncClient


class ToTheApp(httpx.AsyncBaseTransport):
    """Hands the client's requests to the service under test."""

    def __init__(self, api) -> None:
        self.api = api

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        headers = [(name, value) for name, value in request.headers.items() if name not in ("host", "connection")]
        content = await request.aread()
        answer = self.api.request(request.method, str(request.url), content=content, headers=headers)
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)


def test_the_librarys_words_with_await(api, photos, tmp_path):
    async def visit() -> None:
        async with AsyncClient("http://127.0.0.1", transport=ToTheApp(api), retries=0) as faces:
            yes = await faces.verify(photos / "obama.jpg", photos / "obama2.jpg")
            assert yes
            people = faces.gallery("people")
            done = await people.enroll("Barack", photos / "obama.jpg", groups="staff")
            assert done.person.groups == ("staff",)
            assert (await people.identify(photos / "obama3.jpg"))[0].name == "Barack"
            many = [photo async for photo in people.identify_many([photos / "biden.jpg", b"no photo"])]
            assert many[0].faces[0].name is None
            assert many[1].error.type == "urn:sameface:not-an-image"
            (tmp_path / "Grace").mkdir()
            (tmp_path / "Grace" / "1.jpg").write_bytes((photos / "grace_hopper.jpg").read_bytes())
            assert [item.accepted async for item in people.enroll_folder(tmp_path)] == [1]
            assert [item.accepted async for item in people.enroll_folder(tmp_path)] == []  # the service has them
            assert (await people.rename("Barack", "Obama")).name == "Obama"
            assert (await people.verify("Obama", photos / "obama2.jpg")).claimed.name == "Obama"
            assert [person.name async for person in people.people()] == ["Obama", "Grace"]
            assert await people.count() == 2
            assert (await people.forget("Grace")).templates == 1
            with pytest.raises(errors.PersonNotFoundError):
                await people.person("Grace")
            assert (await faces.create_gallery("team-2")).name in await faces.galleries()
            assert "threshold" in str(await faces.policy())

    asyncio.run(visit())


def test_many_questions_at_once(api, photos):
    async def visit() -> list[bool]:
        async with AsyncClient("http://127.0.0.1", transport=ToTheApp(api)) as faces:
            asked = [faces.verify(photos / "obama.jpg", photos / name) for name in ("obama2.jpg", "biden.jpg")]
            return [bool(answer) for answer in await asyncio.gather(*asked)]

    assert asyncio.run(visit()) == [True, False]


def test_a_busy_service_is_asked_again(monkeypatch):
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(anyio, "sleep", sleep)
    answers = [
        httpx.Response(503, headers={"retry-after": "3"}, json={"type": "urn:sameface:overloaded"}),
        httpx.ConnectError("no"),
        httpx.Response(200, json={"galleries": ["a"]}),
    ]

    async def handle(request: httpx.Request) -> httpx.Response:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def visit() -> list[str]:
        async with AsyncClient("http://x", transport=httpx.MockTransport(handle)) as faces:
            return await faces.galleries()

    assert asyncio.run(visit()) == ["a"]
    assert waited == [3.0, 0.4]


@pytest.mark.parametrize(
    ("one", "other"), [(clients.Client, clients.AsyncClient), (clients.RemoteGallery, clients.AsyncRemoteGallery)]
)
def test_both_clients_take_the_same(one, other):
    def questions(kind: type) -> dict[str, list[str]]:
        named = {"aclose": "close"}
        return {
            named.get(name, name): [str(item).split(":")[0] for item in inspect.signature(value).parameters.values()]
            for name, value in vars(kind).items()
            if callable(value) and not name.startswith("_") and name != "count"
        }

    assert questions(one) == questions(other)
    assert len(questions(one)) >= 6
