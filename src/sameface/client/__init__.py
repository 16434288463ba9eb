"""The service's client: typed like the library, the same errors, over HTTP. Needs the extra ``client``.

from sameface.client import Client

with Client("http://127.0.0.1:8000", key="sf_…") as faces:
    faces.verify("a.jpg", "b.jpg")                 # Verification(same=True, distance=…, threshold=…)
    people = faces.gallery("people")
    people.enroll("Ada", "ada.jpg")
    people.identify("party.jpg")
    people.forget("Ada")

`AsyncClient` is the same for asyncio and trio: ``async with``, and ``await`` before each question.
"""

from sameface.client.asking import Upload
from sameface.client.asynchronous import AsyncClient, AsyncRemoteGallery
from sameface.client.sync import Client, RemoteGallery

__all__ = ["AsyncClient", "AsyncRemoteGallery", "Client", "RemoteGallery", "Upload"]
