from __future__ import annotations

from pathlib import Path

import pytest

from sameface.errors import ModelCardError, ModelDamagedError, ModelMissingError, UnknownModelError
from sameface.models import registry
from sameface.models.card import ModelCard
from sameface.models.card_file import read_card, read_card_file, write_card

GOOD = """
id = "mine"
kind = "encoder"
title = "Mine"
licence = "MIT"
commercial_use = "yes"
dimension = 64
input_size_wh = [96, 96]
landmarks = "arcface5"
template = "arcface-112"

[[files]]
name = "mine.onnx"
"""


def test_a_minimal_card_reads_with_defaults() -> None:
    card = read_card(GOOD, name="mine.toml")
    assert (card.dimension, card.input_size_wh, card.views, card.unit_length) == (64, (96, 96), ("plain",), False)
    assert card.alignment_id == "arcface5/arcface-112/96"
    assert card.files[0].name == "mine.onnx"


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ('id = "mine"', 'id = "Mine/../x"', "an id of lower-case"),
        ('kind = "encoder"', 'kind = "oracle"', "oracle"),
        ('title = "Mine"', "", "title"),
        ("dimension = 64", "dimension = 0", "dimension above 0"),
        ("dimension = 64", 'dimension = "64"', "int"),
        ("input_size_wh = [96, 96]", "input_size_wh = [96]", "length 2"),
        ("input_size_wh = [96, 96]", "", "input_size_wh above 0"),
        ('commercial_use = "yes"', 'commercial_use = "unclear"', "licence_note"),
        ('commercial_use = "yes"', 'commercial_use = "perhaps"', "perhaps"),
        ('name = "mine.onnx"', 'name = "../mine.onnx"', "inside its folder"),
        ('name = "mine.onnx"', 'name = "mine.onnx"\nsha256 = "abc"', "64 hex"),
        ("dimension = 64", 'dimension = 64\nnormalisation = "half"', "normalisation among"),
        ("dimension = 64", 'dimension = 64\nnormalisation = "mean-std"', "three numbers"),
        ("dimension = 64", 'dimension = 64\nviews = ["plain", "plain"]', "each once"),
        ("dimension = 64", 'dimension = 64\nviews = ["upside-down"]', "views among"),
        ("dimension = 64", "dimension = 64\nthreshold_of_doom = 3", "threshold_of_doom"),
        ("dimension = 64", "dimension = ", "TOML"),
    ],
)
def test_a_wrong_card_says_what_is_wrong(line: str, instead: str, said: str) -> None:
    assert line in GOOD
    with pytest.raises(ModelCardError, match=said):
        read_card(GOOD.replace(line, instead), name="mine.toml")


def test_a_card_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(ModelCardError, match=r"nix\.toml.*models add"):
        read_card_file(tmp_path / "nix.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelCardError):
        read_card_file(tmp_path / "bytes.toml")


#: Their publishers give no digest; that of the first file is remembered.
UNPINNED = {"auraface-v1", "facenet-2018-casia", "facenet-2018-vggface2", "facenet-deepface", "ghostfacenet-w1.3-s1"}


@pytest.mark.parametrize("name", registry.shipped_ids())
def test_shipped_cards_are_complete(name: str) -> None:
    card = registry.load_card(name)
    assert card.id == name
    assert card.title
    assert card.licence
    assert card.source
    for file in card.files:
        assert file.sha256 or name in UNPINNED
        assert file.bytes > 0 or name in UNPINNED
    assert read_card(write_card(card), name=name) == card


def test_strict_licences_carry_their_reason() -> None:
    unclear = {card.id: card.commercial_use for card in registry.cards() if card.commercial_use != "yes"}
    assert {"mtcnn", "mobilefacenet-y1", "scrfd-500m"} <= set(unclear)
    assert all(registry.load_card(name).licence_note for name in unclear)


def test_a_title_with_quotes_survives_writing() -> None:
    card = ModelCard("x", "detector", 'say "hä\\"', "MIT", "no", licence_note="two\nlines")
    assert read_card(write_card(card), name="x") == card


def test_an_unknown_model_says_where_the_known_ones_stand() -> None:
    with pytest.raises(UnknownModelError, match="sameface models list"):
        registry.load_card("nix")
    with pytest.raises(UnknownModelError):
        registry.load_card("../cards/dlib-resnet")


def test_cards_of_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path))
    (tmp_path / "mine.toml").write_text(GOOD)
    (tmp_path / "pixels.toml").write_text(GOOD.replace('"mine"', '"pixels"'))
    assert registry.added_ids() == ["mine"]
    assert registry.load_card("mine").title == "Mine"
    assert registry.load_card("pixels").dimension == 76800  # nobody hides a shipped card
    with pytest.raises(ModelMissingError, match="models pull mine"):
        registry.locate(registry.load_card("mine"))


def test_weights_of_another_digest_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path))
    (tmp_path / "mobilefacenet_y1.onnx").write_bytes(b"something else")
    with pytest.raises(ModelDamagedError, match="sha256") as caught:
        registry.locate(registry.load_card("mobilefacenet-y1"))
    assert "from a mirror" in caught.value.advice  # it has no public address, and no package brings it
    (tmp_path / "face_detection_yunet_2023mar.onnx").write_bytes(b"something else")
    with pytest.raises(ModelDamagedError, match="run `sameface models pull yunet-2023mar`"):
        registry.locate(registry.load_card("yunet-2023mar"))


def test_a_url_is_a_mirror_not_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_MODELS", "https://models.example/faces/")
    assert registry.mirror_url() == "https://models.example/faces"
    assert "models.example" not in str(registry.models_folder())


def test_a_package_that_is_missing_is_said(tmp_path: Path) -> None:
    card = read_card(GOOD.replace('id = "mine"', 'id = "mine"\npackage = "no_such_package_here"'), name="x")
    with pytest.raises(ModelMissingError, match='pip install "no_such_package_here"'):
        registry.locate(card)
