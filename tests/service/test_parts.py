"""Settings, problems and the policy: the pure parts."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from sameface.errors import (
    OUTCOMES,
    EmbeddingError,
    FaceError,
    GalleryMissingError,
    ImageError,
    MalformedRequestError,
    PersonError,
    PersonNameError,
    RateLimitedError,
    RequestError,
    SamefaceError,
    SettingError,
)
from sameface.gallery import check_slug
from sameface.gallery.rules.names import clean_name
from sameface.recognizer import Identification, Verification
from sameface.service.policy import identified, stricter, verified
from sameface.service.problem import problem
from sameface.service.schemas import Group
from sameface.service.settings import Settings, from_json, to_json
from sameface.types import Box, EmbeddingSpace, OperatingPoint


class TestSettings:
    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org"])
    def test_no_start_beyond_loopback_without_keys(self, host):
        with pytest.raises(SettingError, match="sameface keys add"):
            Settings("g", host=host)
        assert Settings("g", host=host, keys=Path("k.json")).host == host

    @pytest.mark.parametrize(
        "bad",
        [{"max_faces": 0}, {"timeout": 0.0}, {"queue": -1}, {"fpir": 0.0}, {"fpir": 1.0}, {"rate": 0.0}, {"burst": 0}],
    )
    def test_nonsense(self, bad):
        with pytest.raises(SettingError):
            Settings("g", **bad)

    def test_they_travel_as_text(self):
        settings = Settings("g", keys=Path("k.json"), threshold=0.0, allowed_hosts=("a", "b"))
        assert from_json(to_json(settings)) == settings

    @pytest.mark.parametrize("name", ["a", "team-2", "0", "x" * 64])
    def test_names_of_galleries(self, name):
        assert check_slug(name) == name

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "..",
            ".",
            "a/b",
            "a\\b",
            "../a",
            "a\0",
            "A",
            "é",
            "a b",
            "-a",
            "a-",
            "a\n",
            "x" * 65,
            "a.db",
            "%2e%2e",
            "con:",
        ],
    )
    def test_what_is_no_name_of_a_gallery(self, name):
        with pytest.raises(PersonNameError):
            check_slug(name)


FOR_CALLERS = (RequestError, ImageError, FaceError, PersonError, EmbeddingError, GalleryMissingError)


class TestProblems:
    @pytest.mark.parametrize("kind", OUTCOMES)
    def test_every_error_has_its_status_and_faults_keep_their_innards(self, kind):
        error = kind(expected="/etc/secret wanted", got="/etc/secret there", advice="look into /etc/secret")
        response = problem(error, "r1")
        assert response.status_code == OUTCOMES[kind].http_status
        assert response.media_type == "application/problem+json"
        # Only what is about the request itself is for the caller: other kinds tell of the server's files, settings and models.
        hidden = not issubclass(kind, FOR_CALLERS)
        assert (b"/etc/secret" in response.body) is not hidden
        assert b'"request_id":"r1"' in response.body

    def test_a_class_that_is_not_in_the_table_takes_its_parents(self):
        class NewError(PersonNameError):
            """Something new."""

        assert problem(NewError(expected="", got="", advice=""), "").status_code == 422

    def test_when_to_come_back(self):
        error = RateLimitedError(expected="less", got="more", advice="wait")
        error.retry_after = 7
        assert problem(error, "r").headers["retry-after"] == "7"
        assert problem(SamefaceError(expected="", got="", advice=""), "r").headers.get("retry-after") is None


POINT = OperatingPoint(0.5, EmbeddingSpace("e", "d", "a"), "a test")


class TestPolicy:
    @pytest.mark.parametrize("asked", [0.51, math.inf, 9e9])
    def test_nobody_is_laxer(self, asked):
        with pytest.raises(MalformedRequestError, match="policy"):
            stricter(asked, 0.5, "threshold")

    def test_verified(self):
        answer = Verification(True, 0.4, 0.5, None, POINT)
        assert verified(answer, None) == answer
        assert not verified(answer, 0.4).same  # the rule is strictly under
        assert not verified(answer, 0.0).same
        assert verified(answer, 0.41).same
        assert verified(answer, 0.41).threshold == 0.41

    def test_a_caller_cannot_know_the_stricter_threshold_of_a_poor_face(self):
        poor = Verification(False, 0.4, 0.35, None, POINT, standing="poor", standing_reason="dark")
        assert verified(poor, 0.41) == poor  # was refused as laxer than the policy
        assert verified(poor, 0.3).threshold == 0.3

    def test_identified(self):
        answer = Identification("Ada", "1", 0.3, 0.35, (), None, 10, Box(0, 0, 1, 1), "")
        assert identified([answer], None) == [answer]
        assert identified([answer], 0.4) == [answer]  # τ(K) is stricter already
        nobody = identified([answer], 0.3)[0]
        assert (nobody.name, nobody.person_id, nobody.threshold) == (None, None, 0.3)
        assert identified([answer], 0.31)[0].name == "Ada"
        forced = replace(answer, standing="outside")  # a guess that was asked for obeys the caller's τ too
        assert identified([forced], 0.3)[0].name is None
        refused = replace(forced, name=None, person_id=None)
        assert identified([refused], 0.31) == [refused]
        unsupported = replace(answer, name=None, threshold=None)
        assert identified([unsupported], 0.4) == [unsupported]  # a bare number makes no claim


def test_the_document_says_which_names_can_be_stored():
    """Every character of the Basic Multilingual Plane, alone and behind a letter. In JSON a `$` matches the very end alone."""
    pattern = re.compile(TypeAdapter(Group).json_schema()["pattern"])

    def stored(name):
        try:
            return bool(clean_name(name))
        except PersonNameError:
            return False

    characters = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    names = [*characters, *("A" + one for one in characters)]
    assert [name for name in names if stored(name) is not bool(pattern.fullmatch(name))] == []
