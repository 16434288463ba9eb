"""An encoder is known by what it computes, not by its name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from sameface import Recognizer
from sameface.encoders import load_encoder
from sameface.encoders.adding import add_encoder
from sameface.errors import ModelCardError, NoThresholdError, UnknownModelError
from sameface.models.card import ModelCard
from sameface.models.card_file import write_card
from sameface.models.identity import digest_of
from sameface.models.registry import load_card
from tests.encoders.test_onnx_encoder import card, write_mean_network


def beside(folder: Path, described: ModelCard, scale: float = 1.0) -> Path:
    """A network and its card in a folder."""
    network = write_mean_network(folder / "n.onnx", scale=scale)
    (folder / "n.toml").write_text(write_card(described))
    return network


def test_a_file_that_calls_itself_like_a_shipped_encoder_is_refused(tmp_path: Path) -> None:
    for name in ("dlib-resnet-mirror-unit", "sface-2021dec-unit", "pixels"):
        network = beside(tmp_path, dataclasses.replace(card(), id=name))
        with pytest.raises(ModelCardError, match=r"under its name"):
            load_encoder(network)


def test_a_card_that_calls_itself_like_a_shipped_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path))
    (tmp_path / "mine.toml").write_text(write_card(dataclasses.replace(card(), id="dlib-resnet-mirror-unit")))
    with pytest.raises(ModelCardError, match="the id 'mine'"):
        load_card("mine")


def test_a_network_trained_anew_under_the_same_name_is_another_encoder(tmp_path: Path) -> None:
    first = load_encoder(beside(tmp_path, card())).card.id
    assert load_encoder(beside(tmp_path, card())).card.id == first
    assert first.startswith("mine@")
    assert load_encoder(beside(tmp_path, card(), scale=2.0)).card.id != first
    other = dataclasses.replace(card(), unit_length=not card().unit_length)
    assert load_encoder(beside(tmp_path, other)).card.id != first


def test_it_inherits_no_threshold(tmp_path: Path) -> None:
    recognizer = Recognizer(encoder=str(beside(tmp_path, card())), detector="none")
    with pytest.raises(NoThresholdError):
        _ = recognizer.operating_point


def test_names_and_words_are_no_part_of_what_is_computed() -> None:
    renamed = dataclasses.replace(card(), id="yours", title="Yours", licence="other")
    assert digest_of(renamed, "0" * 64) == digest_of(card(), "0" * 64)
    assert digest_of(card(), "0" * 64) != digest_of(card(), "1" * 64)


def test_the_card_of_a_shipped_encoder_given_by_path_is_that_encoder(tmp_path: Path) -> None:
    (tmp_path / "card.toml").write_text(write_card(load_card("sface-2021dec-unit")))
    assert load_encoder(tmp_path / "card.toml").card.id == "sface-2021dec-unit"
    (tmp_path / "card.toml").write_text(
        write_card(dataclasses.replace(load_card("sface-2021dec-unit"), views=("plain", "mirror")))
    )
    with pytest.raises(ModelCardError, match="another preprocessing"):
        load_encoder(tmp_path / "card.toml")


def test_an_added_encoder_is_found_by_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gallery that was made with a file opens with the same network once it is added, and with no other of its name."""
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path / "models"))
    network = beside(tmp_path, card())
    identity = load_encoder(network).card.id
    with pytest.raises(UnknownModelError, match=r"sameface models add FILE"):
        load_encoder(identity)
    add_encoder(network, card())
    found = load_encoder(identity)
    assert found.card.id == identity
    assert found.encode(np.full((1, 8, 8, 3), 7, np.uint8)).tolist() == [[7, 7, 7]]
    with pytest.raises(UnknownModelError, match="another network"):
        load_encoder("mine@00000000")
