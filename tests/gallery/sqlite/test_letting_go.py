"""What was closed, or could not be opened, holds no file: not until the collector comes by, but at once."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from sameface.errors import GalleryDamagedError, GalleryError, GalleryReadOnlyError, OutputError, SamefaceError
from sameface.evaluation.cache import EmbeddingCache
from sameface.events.outbox import Outbox
from sameface.gallery import erase_gallery, open_store
from sameface.gallery.sqlite import lifting, opening, schema, writer_queue
from sameface.gallery.sqlite.writer_queue import WriterQueue
from sameface.service.settings import Settings
from sameface.service.shelf import Shelf
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors

DESCRIPTORS = Path("/proc/self/fd")
pytestmark = pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="open files are counted by Linux's /proc")


def held(folder: Path) -> set[str]:
    """Names of the files of a folder that this process has open."""
    found = set()
    for item in DESCRIPTORS.iterdir():
        try:
            target = str(item.readlink())
        except OSError:  # the listing's own
            continue
        if target.startswith(f"{folder}/"):
            found.add(Path(target).name.removesuffix(" (deleted)"))
    return found


@contextmanager
def no_collector() -> Iterator[None]:
    """Nothing is closed by the collector of cycles: whoever leaves a file open is seen."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    path = tmp_path / "people.db"
    with open_store(path, space=SPACE, dimension=DIMENSION) as store:
        for number, vector in enumerate(vectors(5)):
            store.add(f"p{number}", [template(vector)])
    assert held(tmp_path) == set()
    return path


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.add("late", [template(vectors(1)[0])]),
        lambda store: store.forget("p0"),
        lambda store: store.compact(),
        lambda store: store.search(vectors(1)),
        lambda store: store.reindex(),
        lambda store: list(store.export()),
    ],
)
def test_a_call_that_comes_late_opens_nothing(gallery: Path, call: Callable[..., object]) -> None:
    """A request that timed out works on while the service lets go of its galleries."""
    store = open_store(gallery)
    store.close()
    with no_collector():
        with pytest.raises(GalleryError, match="closed") as caught:
            call(store)
        assert held(gallery.parent) == set()
    assert caught.value is not None  # whoever keeps the error keeps all that the call had


def test_a_gallery_that_cannot_be_opened(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    for home, name in ((schema, "binding"), (opening, "_vault_of"), (opening, "require_whole")):
        with monkeypatch.context() as patched, no_collector():
            patched.setattr(home, name, full)
            with pytest.raises(MemoryError):
                open_store(gallery)
            assert held(gallery.parent) == set(), name


def test_a_gallery_that_fails_right_after_it_was_opened(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("sameface.gallery.sqlite.store.SqliteStore._finish_erasing", full)
    with no_collector():
        with pytest.raises(MemoryError):
            open_store(gallery)
        assert held(gallery.parent) == set()


def test_an_old_gallery_that_cannot_be_lifted_in_memory(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file that may only be read, a copy is lifted; a copy in memory has no descriptor, so it is asked itself."""
    made = []
    in_memory = opening._in_memory

    def remembered(connection: object, path: Path) -> object:
        made.append(in_memory(connection, path))  # type: ignore[arg-type]
        return made[-1]

    def refuse(connection: object, *_: object) -> None:
        if not made:
            raise GalleryReadOnlyError(expected="to write", got="a disk to read from", advice="copy it")
        raise GalleryDamagedError(expected="whole rows", got="a torn one", advice="restore it")

    monkeypatch.setattr(opening, "SCHEMA", 1_000_000)  # every schema is an older one
    monkeypatch.setattr(opening, "_in_memory", remembered)
    monkeypatch.setattr(lifting, "lift", refuse)
    with no_collector():
        with pytest.raises(GalleryDamagedError):
            open_store(gallery)
        assert held(gallery.parent) == set()
    with pytest.raises(Exception, match="closed database"):
        made[0].execute("SELECT 1")


def test_a_lock_file_that_cannot_be_made(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = writer_queue._opened

    def first_only(path: Path, owner: Path) -> object:
        if path.name.endswith(writer_queue.ENDINGS[1]):
            raise GalleryReadOnlyError(expected="to write", got="a full table of files", advice="close some")
        return opened(path, owner)

    monkeypatch.setattr(writer_queue, "_opened", first_only)
    with no_collector():
        with pytest.raises(GalleryReadOnlyError), WriterQueue(gallery, 1.0).turn():
            pass
        assert held(gallery.parent) == set()


def test_a_service_does_not_keep_a_gallery_that_it_cannot_use(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request asks for it again; each would have left a connection behind."""
    raw = bytearray(gallery.read_bytes())
    raw[raw.index(vectors(5)[3].tobytes())] ^= 1
    gallery.write_bytes(raw)
    recognizer = SimpleNamespace(space=SPACE, card=SimpleNamespace(dimension=DIMENSION), encoder_given="")
    shelf = Shelf(Settings(galleries=str(gallery.parent)), recognizer)  # type: ignore[arg-type]
    with no_collector():
        for _ in range(3):
            with pytest.raises(GalleryDamagedError):
                shelf.get("people")
        assert held(gallery.parent) == set()
    shelf.close()


def test_a_service_that_makes_a_gallery_again_lets_the_old_one_go(tmp_path: Path) -> None:
    """Another worker deleted it meanwhile."""
    recognizer = SimpleNamespace(space=SPACE, card=SimpleNamespace(dimension=DIMENSION), encoder_given="")
    shelf = Shelf(Settings(galleries=str(tmp_path)), recognizer)  # type: ignore[arg-type]
    with no_collector():
        old = shelf.create("people")
        erase_gallery(tmp_path / "people.db")
        assert shelf.create("people") is not old
        with pytest.raises(GalleryError, match="closed"):
            old.store.count()
        shelf.close()
        assert held(tmp_path) == set()


@pytest.mark.parametrize("kind", [EmbeddingCache, Outbox])
def test_a_file_that_is_no_database(tmp_path: Path, kind: Callable[[Path], object]) -> None:
    path = tmp_path / "cache.db"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with no_collector():
        with pytest.raises((OutputError, SamefaceError)):
            kind(path)
        assert held(tmp_path) == set()
