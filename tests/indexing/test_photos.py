"""One photo of an archive through the real networks: what is found, what is said, and that nothing else is needed than the job."""

from __future__ import annotations

import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sameface import Recognizer
from sameface.errors import DataError, ExtraMissingError, ImageAccessError, ImageNotFoundError, WorkerError
from sameface.files import path_as_text, sha256_of
from sameface.indexing.photos import Job, encode
from sameface.indexing.sources import photos_of, place_as_text, read_photo
from sameface.types import EmbeddingSpace

JOB = Job("", "mtcnn", "dlib-resnet-mirror-unit", None)


def test_a_photo_whose_name_is_no_utf8(photos: Path, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/ren\xe9.jpg"))
    shutil.copy(photos / "obama.jpg", path)
    found = encode(replace(JOB, path=path_as_text(path)))
    (face,) = Recognizer(encoder=JOB.encoder, detector=JOB.detector).encode_faces(path)
    assert (found.sha256, found.error, len(found.templates)) == (sha256_of(path), "", 1)
    (template,) = found.templates
    assert np.abs(template.embedding - face.embedding).max() < 1e-6
    assert template.source.endswith("ren\\xe9.jpg")
    assert template.box == face.box
    assert encode(replace(JOB, path=path_as_text(path), known=(found.sha256,))).known
    assert pickle.loads(pickle.dumps(found)).sha256 == found.sha256


@pytest.mark.parametrize(
    ("content", "lasting"), [(b"no photo", True), (b"", True), (b"\xff\xd8\xff cut short", True), (None, False)]
)
def test_what_is_said_of_bad_photos(tmp_path: Path, content: bytes | None, lasting: bool) -> None:
    path = tmp_path / "bad.jpg"
    if content is not None:
        path.write_bytes(content)
    found = encode(replace(JOB, path=str(path)))
    assert found.templates == ()
    assert found.error.startswith("expected ")
    assert found.lasting == lasting


def test_a_worker_that_cannot(photos: Path) -> None:
    job = replace(JOB, path=str(photos / "obama.jpg"))
    with pytest.raises(WorkerError, match="same version"):
        encode(replace(job, version="0.0.0"))
    with pytest.raises(WorkerError, match="no-such-encoder"):
        encode(replace(job, encoder="no-such-encoder"))
    with pytest.raises(WorkerError, match="another"):
        encode(replace(job, space=EmbeddingSpace("another", "mtcnn", "none")))


def test_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.pipe("/photos/a/10.jpg", b"ten")
    memory.pipe("/photos/a/2.jpg", b"two!")
    memory.pipe("/photos/a.txt", b"")
    try:
        listed = list(photos_of("memory://photos", lambda item: None))
        assert [(item.path, item.size) for item in listed] == [
            ("memory://photos/a/2.jpg", 4),
            ("memory://photos/a/10.jpg", 3),
        ]
        assert all(item.path.startswith(place_as_text("memory://photos")) for item in listed)
        assert read_photo(listed[0].path, 10) == b"two!"
        before = listed[0].stamp
        memory.pipe("/photos/a/2.jpg", b"2222")
        assert next(iter(photos_of("memory://photos", lambda item: None))).stamp != before
        memory.rm("/photos/a/2.jpg")  # an object that vanishes after it was listed
        found = encode(replace(JOB, path=listed[0].path))
        assert (found.lasting, found.templates) == (False, ())
        with pytest.raises(ImageNotFoundError):
            read_photo(listed[0].path, 10)
        with monkeypatch.context() as patch:
            patch.setattr(type(memory), "_open", forbidden)
            with pytest.raises(ImageAccessError, match="Forbidden"):
                read_photo(listed[1].path, 10)
        with monkeypatch.context() as patch:
            patch.setattr(type(memory), "info", forbidden)
            with pytest.raises(DataError, match="Forbidden"):
                list(photos_of("memory://photos", lambda item: None))
        monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
        with pytest.raises(ExtraMissingError, match="remote"):
            list(photos_of("memory://photos", lambda item: None))
    finally:
        memory.rm("/photos", recursive=True)


def forbidden(*arguments: object, **rest: object) -> None:
    raise RuntimeError("Forbidden")
