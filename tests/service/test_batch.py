"""Many photos in one request, and the client's ways through whole folders."""

from __future__ import annotations

import shutil

import pytest

from sameface.client import Client
from tests.service.test_client import ToTheApp


@pytest.fixture
def known(api, photo):
    files = {"photos": photo("obama.jpg")}
    assert api.post("/v1/galleries/people/people", data={"name": "Obama"}, files=files).status_code == 201
    return api


def test_many_photos_are_answered_as_one_each(known, photo):
    names = ["obama2.jpg", "biden.jpg", "broken.jpg", "obama3.jpg"]
    data = [b"no photo" if name == "broken.jpg" else photo(name) for name in names]
    parts = [("photos", (name, one)) for name, one in zip(names, data, strict=True)]
    answer = known.post("/v1/galleries/people/identify-many", files=parts)
    assert answer.status_code == 200
    photos = answer.json()["photos"]
    assert [one["photo"] for one in photos] == names
    for one, body in zip(photos, data, strict=True):
        alone = known.post("/v1/galleries/people/identify", files={"photo": body})
        if alone.status_code == 200:
            assert one["faces"] == alone.json()["faces"]
            assert one["size"] == alone.json()["size"]
        else:
            assert one["error"]["type"] == alone.json()["type"]


def test_too_many_at_once(serve, photo):
    api = serve(max_photos=2)
    parts = [("photos", photo("obama.jpg"))] * 3
    assert api.post("/v1/galleries/people/identify-many", files=parts).status_code == 413


def test_the_client_goes_through_many_photos(known, photos):
    with Client("http://127.0.0.1", transport=ToTheApp(known), retries=0) as client:
        sent = (photos / name for name in ("obama2.jpg", "biden.jpg", "obama3.jpg"))
        answers = client.gallery().identify_many(sent, at_once=2)
        assert [answer.faces[0].name for answer in answers] == ["Obama", None, "Obama"]


def test_a_folder_is_enrolled_and_gone_on_with(api, photos, tmp_path):
    for name, files in {"Barack": ("obama.jpg", "obama2.jpg"), "Joe": ("biden.jpg",), "Nobody": ()}.items():
        (tmp_path / name).mkdir()
        for file in files:
            shutil.copy(photos / file, tmp_path / name)
    (tmp_path / "Nobody" / "a.jpg").write_bytes(b"no photo")
    with Client("http://127.0.0.1", transport=ToTheApp(api), retries=0) as client:
        people = client.gallery()
        done = list(people.enroll_folder(tmp_path, at_once=1))
        assert [(one.name, one.accepted) for one in done] == [("Barack", 1), ("Barack", 1), ("Joe", 1), ("Nobody", 0)]
        assert done[-1].error.type == "urn:sameface:not-an-image"
        assert [one.name for one in people.enroll_folder(tmp_path)] == ["Nobody"]  # all others are there
        shutil.copy(photos / "obama3.jpg", tmp_path / "Barack")
        assert [(one.name, one.accepted) for one in people.enroll_folder(tmp_path)] == [("Barack", 1), ("Nobody", 0)]
