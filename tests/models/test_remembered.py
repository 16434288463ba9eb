"""Files whose publishers give no digest: the first one that comes is remembered. Cards that are ready to pull."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sameface.errors import DownloadError, ModelCardError, ModelDamagedError
from sameface.models import collection
from sameface.models.card import ModelCard, WeightsFile
from sameface.models.card_file import write_card
from sameface.models.networks import network_file
from sameface.models.registry import cards, load_card, locate
from tests.models.test_places import WEIGHTS, models, server  # noqa: F401  # the fixtures


@pytest.fixture
def unpinned(models: Path, server: str) -> str:  # noqa: F811
    """Id of a card in the folder of models, with an address and no digest."""
    models.mkdir()
    file = WeightsFile("net.onnx", url=f"{server}/net.onnx")
    card = ModelCard("unpinned", "detector", "U", "MIT", "yes", files=(file,))
    (models / "unpinned.toml").write_text(write_card(card))
    return "unpinned"


def test_the_first_file_is_remembered(unpinned: str, models: Path, tmp_path: Path) -> None:  # noqa: F811
    assert load_card(unpinned).sha256 == ""
    assert collection.pull(load_card(unpinned)) == [models / "net.onnx"]
    assert load_card(unpinned).sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert collection.verify(load_card(unpinned))[0].state == "well"
    (models / "net.onnx").write_bytes(b"another")
    with pytest.raises(ModelDamagedError, match="sha256"):
        locate(load_card(unpinned))
    (tmp_path / "published" / "net.onnx").write_bytes(b"the publisher's file is another now")
    with pytest.raises(DownloadError, match=hashlib.sha256(WEIGHTS).hexdigest()):
        collection.pull(load_card(unpinned))


def test_to_remove_it_is_to_forget_it(unpinned: str, models: Path) -> None:  # noqa: F811
    collection.pull(load_card(unpinned))
    collection.remove(load_card(unpinned))
    assert list(models.iterdir()) == []


def test_a_part_of_an_unpinned_file_is_not_gone_on_with(unpinned: str, models: Path) -> None:  # noqa: F811
    """It may be of another file, and no digest would tell."""
    (models / ".net.onnx.unpinned.partial").write_bytes(b"x" * 100)
    collection.pull(load_card(unpinned))
    assert (models / "net.onnx").read_bytes() == WEIGHTS


def test_weights_that_must_be_taken_in_first_say_so(models: Path) -> None:  # noqa: F811
    models.mkdir()
    card = load_card("facenet-deepface")
    (models / card.files[0].name).write_bytes(b"\x89HDF")
    with pytest.raises(ModelCardError, match=r"models add .*facenet_weights\.h5"):
        network_file(card)


#: From the OpenCV Zoo's own Git LFS pointers: what its repository pins.
ZOO = {
    "sface-2021dec": ("fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee", 10_667_852),
    "sface-2021dec-zoo-int8": ("2b0e941e6f16cc048c20aee0c8e31f569118f65d702914540f7bfdc14048d78a", 9_896_933),
    "sface-2021dec-float32": ("0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79", 38_696_353),
    "yunet": ("49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10", 122_489),
    "yunet-2023mar": ("8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4", 232_589),
    "yunet-2023mar-zoo-int8": ("d0405ddda91a261af340e087219dfbac26cea1575aab2ccb7f2ed41e20708a82", 142_857),
    "ediffiqa-tiny": ("9426c899cc0f01665240cb7d9e7f98e18e24e456c178326c771a43da289bfc6a", 7_272_678),
}


@pytest.mark.parametrize("name", ZOO)
def test_the_zoos_files_are_pinned(name: str) -> None:
    (file,) = load_card(name).files
    assert (file.sha256, file.bytes) == ZOO[name]
    assert file.url.startswith("https://media.githubusercontent.com/media/opencv/opencv_zoo/")


def test_what_comes_from_elsewhere_has_an_address_and_says_what_one_may_do() -> None:
    for name in (
        "auraface-v1",
        "facenet-2018-vggface2",
        "facenet-2018-casia",
        "facenet-deepface",
        "ghostfacenet-w1.3-s1",
    ):
        card = load_card(name)
        assert card.files[0].url.startswith("https://")
        assert card.licence_note


def test_models_are_sorted_by_what_one_may_do_with_them() -> None:
    listed = collection.by_use(cards())
    encoders = [card for card in listed if card.kind == "encoder"]
    assert listed[: len(encoders)] == encoders
    uses = [card.commercial_use for card in encoders]
    assert uses == sorted(uses, key=["yes", "unclear", "no"].index)
    free = [card.accuracy for card in encoders if card.commercial_use == "yes"]
    assert free == sorted(free, reverse=True)
    assert free[0] > 0.98
