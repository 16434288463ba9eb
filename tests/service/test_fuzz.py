"""A small share of the fuzz; benchmarks/fuzz_uploads.py sends ten thousand."""

from __future__ import annotations

import pytest

from tests.service.mutations import uploads


@pytest.mark.filterwarnings("ignore")  # some of Pillow's readers warn of odd metadata
def test_hostile_uploads_are_answered_cleanly(api, photos):
    seen = set()
    for kind, body, how in uploads(photos, 250, seed=1):
        answer = api.post("/v1/detect", content=body, headers={"Content-Type": kind})
        assert answer.status_code in (200, 413, 415, 422), (how, answer.status_code, answer.text)
        if answer.status_code != 200:
            assert answer.headers["content-type"] == "application/problem+json"
        seen.add(answer.status_code)
    assert seen == {200, 413, 415, 422}
