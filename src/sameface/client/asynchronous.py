"""The client for asyncio and trio.

Over 300 lines because every call of the service stands here once, in the order of the client that waits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from itertools import islice
from os import PathLike
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio
import httpx

from sameface.client import asking, folders, replies
from sameface.client.asking import Ask, Upload
from sameface.client.rights import AsyncRights, RightsAsks
from sameface.recognizer.wire import Enrollment, Erased, Identification, IdentifiedPhoto, Person, Verification
from sameface.tables import Answers
from sameface.types import Consent, Who

Answer = TypeVar("Answer")


class AsyncClient:
    """A connection to a service; tasks may share it.

    Args:
        url: where the service is, for instance ``http://127.0.0.1:8000``.
        key: an API key, None where the service asks for none.
        timeout: seconds for one request.
        retries: how often a request is sent again when the service refused it as too busy or cannot be reached; never when
            something may have been done.
        transport: for tests.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = 60.0,
        retries: int = 2,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(transport=transport, **replies.settings(url, key, timeout))
        self._retries = retries

    # -- photos alone -------------------------------------------------------------------------------------------------
    async def verify(
        self,
        probe: Upload,
        reference: Upload,
        *,
        choose: str = "only",
        threshold: float | None = None,
        force: bool = False,
    ) -> Verification:
        """Do two photos show the same person? A threshold may only be stricter than the server's.

        `force` answers about faces that are not comparable, too; the answer's `standing` says so.
        """
        return await self.ask(asking.verify(probe, reference, choose, threshold, force))

    def gallery(self, name: str = "people") -> AsyncRemoteGallery:
        """A gallery of the service; nothing is asked yet."""
        return AsyncRemoteGallery(self, name)

    async def galleries(self) -> list[str]:
        """Names of the galleries that the key may see."""
        return list((await self.call("GET", "galleries"))["galleries"])

    async def create_gallery(self, name: str) -> AsyncRemoteGallery:
        """Make a gallery. Raises PersonExistsError where the name is taken."""
        await self.call("POST", "galleries", json={"name": name})
        return self.gallery(name)

    async def policy(self) -> dict[str, Any]:
        """The server's threshold with its provenance, and its caps."""
        return await self.call("GET", "policy")

    # -- underneath ---------------------------------------------------------------------------------------------------
    async def ask(self, ask: Ask[Answer]) -> Answer:
        """One question, as `sameface.client.asking` makes them. Raises as `call`, and when a photo cannot be read."""
        request = await anyio.to_thread.run_sync(ask.request)  # the photos are read, which would hold up other tasks
        return ask.read(await self.call(ask.method, ask.path, **request))

    async def call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """One request of the API.

        Raises:
            SamefaceError: the very class that the service raised, with its expected, got and advice.
            ServiceError: an answer that is not the service's.
        """
        attempt = 0
        while True:
            try:
                response = await self._http.request(method, path, **request)
                wait = replies.wait_after_answer(attempt, self._retries, response)
                if wait is None:
                    return replies.body_of(response)
            except httpx.TransportError as error:
                wait = replies.wait_after_failure(attempt, self._retries, error)
                if wait is None:
                    raise replies.unreachable(self._http.base_url, error) from error
            await anyio.sleep(wait)
            attempt += 1

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class AsyncRemoteGallery(AsyncRights):
    """A gallery behind a service; the operations of `sameface.Gallery`.

    Args:
        client: the connection.
        name: of the gallery.
    """

    def __init__(self, client: AsyncClient, name: str) -> None:
        self._client, self.name = client, name
        self._asks = asking.GalleryAsks(name)
        self._rights = RightsAsks(self._asks.path)

    async def enroll(
        self,
        name: str,
        photos: Upload | Sequence[Upload],
        *,
        details: Mapping[str, str] | None = None,
        groups: Sequence[str] = (),
        consent: Consent | None = None,
        keep_until: str = "",
        choose: str = "only",
        review: str | None = None,
    ) -> Enrollment:
        """Make a person known by one photo or several, or add photos to somebody known. A review may only be stricter than the server's."""
        return await self._client.ask(
            self._asks.enroll(name, photos, details, groups, consent, keep_until, choose, review)
        )

    async def identify(
        self,
        photo: Upload,
        *,
        candidates: int = 3,
        group: str | None = None,
        fpir: float | None = None,
        threshold: float | None = None,
        force: bool = False,
    ) -> Answers[Identification]:
        """Who is this? One answer per face, in reading order. `force` names people also by faces that are not comparable."""
        searching = asking.searching(candidates, group, fpir, threshold, force)
        return Answers((await self._client.ask(self._asks.identify(photo, searching))).faces)

    async def identify_many(
        self,
        photos: Iterable[Upload],
        *,
        candidates: int = 3,
        group: str | None = None,
        fpir: float | None = None,
        threshold: float | None = None,
        force: bool = False,
        at_once: int = 8,
    ) -> AsyncIterator[IdentifiedPhoto]:
        """Who is in each of many photos? Answers come in their order, as they are there; a photo that failed comes with its error.

        Photos are read and sent a few at a time, so the iterable may be endless, and who stops goes on with the rest later.
        """
        searching = asking.searching(candidates, group, fpir, threshold, force)
        waiting = iter(photos)
        while part := list(islice(waiting, at_once)):
            found = await self._client.ask(self._asks.identify_part(part, searching))
            for photo in found.photos:
                yield photo

    async def enroll_folder(
        self, folder: str | PathLike[str], *, review: str | None = None, at_once: int = 8, job: str = ""
    ) -> AsyncIterator[Enrollment]:
        """Make everybody of a folder of folders known, ``NAME/photo.jpg``; an answer for each part of a person's photos, as it is done.

        Started again it goes on: the service says which photos of a person it has, and those are not sent.

        Args:
            job: of `begin_job`: then the service also says which photos it refused, and those are not sent again either.
        """
        known = {person.name: person.person_id async for person in self.people()} if not job else {}
        for name, place in folders.people_folders(folder):
            if job:
                kept = await self._done(job, folders.digests_below(place))
            else:
                kept = await self._client.ask(self._asks.digests(known[name])) if name in known else set()
            for part in folders.parts_to_send(place, kept, at_once):
                try:
                    done = await self._client.ask(
                        self._asks.enroll(name, part, None, (), None, "", "only", review, job)
                    )
                except asking.OF_ONE_PERSON as error:
                    done = asking.refused(name, error)
                yield done

    async def _done(self, job: str, digests: set[str]) -> set[str]:
        done = set(digests)
        for part in folders.pages(sorted(digests)):
            left: set[str] = await self._client.ask(self._asks.missing(job, part))
            done -= left
        return done

    async def begin_job(self, photos: int) -> dict[str, Any]:
        """Begin a bulk enrolment, which goes on after a restart of either side; its ``job_id`` is for `enroll_folder`."""
        return await self._client.ask(self._asks.begin_job(photos))

    async def job(self, job_id: str) -> dict[str, Any]:
        """How far a bulk enrolment is: ``photos``, ``done``, ``accepted``, and how often each of ``reasons`` came."""
        return await self._client.ask(self._asks.job(job_id))

    async def end_job(self, job_id: str) -> dict[str, Any]:
        """Take a bulk enrolment away; who was enrolled stays."""
        return await self._client.ask(self._asks.end_job(job_id))

    async def verify(
        self,
        who: Who,
        photo: Upload,
        *,
        choose: str = "only",
        threshold: float | None = None,
        force: bool = False,
    ) -> Verification:
        """Is this the claimed person? `force` decides also about a face that is not comparable."""
        return await self._client.ask(self._asks.verify(who, photo, choose, threshold, force))

    async def people(self, search: str = "", group: str | None = None) -> AsyncIterator[Person]:
        """Everybody who fits, page by page, in the order of enrolment."""
        cursor: str | None = ""
        while cursor is not None:
            page = await self._client.ask(self._asks.page(search, group, cursor))
            for person in page.people:
                yield person
            cursor = page.next

    async def person(self, who: Who) -> Person:
        """One person, as stored now.

        Args:
            who: a name, a `PersonId`, or a `Person` of an earlier look-up, who is meant by id whatever their name is now.

        Raises:
            PersonNotFoundError: nobody of exactly that name, or of that id.
        """
        if not isinstance(who, str):
            return await self._client.ask(self._asks.person(asking.id_of(who)))
        name = asking.plain_name(who)
        async for person in self.people(search=name):
            if person.name == name:
                return person
        raise self._asks.nobody(who, (await self._client.ask(self._asks.page("", None, ""))).people)

    async def update(
        self,
        who: Who,
        *,
        name: str | None = None,
        details: Mapping[str, str] | None = None,
        groups: Sequence[str] | None = None,
        consent: Consent | None = None,
        keep_until: str | None = None,
    ) -> Person:
        """Replace a person's name, details, groups, consent or own retention: all that are given, or none of them."""
        ask = self._asks.update(await self._id(who), name, details, groups, consent, keep_until)
        return await self._client.ask(ask)

    async def rename(self, who: Who, new: str) -> Person:
        """Give a person another name; the id and the photos stay."""
        return await self.update(who, name=new)

    async def merge(self, into: Who, other: Who) -> Person:
        """Two entries are one person: the second's photos go to the first."""
        return await self._client.ask(self._asks.merge(await self._id(into), await self._id(other)))

    async def forget(self, who: Who) -> Erased:
        """Erase a person; says what was erased."""
        return await self._client.ask(self._asks.forget(await self._id(who)))

    async def _ask(self, ask: Ask[Answer]) -> Answer:
        return await self._client.ask(ask)

    async def _id(self, who: Who) -> str:
        """Who is meant, by id; a name is looked up once, from there on it goes by id."""
        return asking.id_of(await self.person(who) if isinstance(who, str) else who)

    async def count(self) -> int:
        """How many people there are: what `len` is for the other client."""
        return await self._client.ask(self._asks.count())
