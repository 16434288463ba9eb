"""`sameface models add`: any ONNX encoder, or FaceNet's weights, under an id of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sameface.cli.options import JsonOption
from sameface.plain import known

if TYPE_CHECKING:
    from sameface.models.card import ModelCard


def add(
    network: Annotated[
        Path, typer.Argument(help="An ONNX file that turns face crops into vectors, or FaceNet's .h5 or .pt weights.")
    ],
    name: Annotated[
        str | None, typer.Option("--id", "--as", help="Its id.  [default: the file's name]", show_default=False)
    ] = None,
    title: Annotated[str, typer.Option(help="One line for people.", show_default=False)] = "",
    size: Annotated[
        int | None, typer.Option(help="Side of the crops, where the file does not say.", show_default=False)
    ] = None,
    dimension: Annotated[
        int | None, typer.Option(help="Length of the embedding, where the file does not say.", show_default=False)
    ] = None,
    colour: Annotated[str | None, typer.Option(help="rgb or bgr.", show_default=False)] = None,
    normalisation: Annotated[
        str | None,
        typer.Option(help="none, x/255, (x-127.5)/127.5, (x-127.5)/128 or per-image.", show_default=False),
    ] = None,
    landmarks: Annotated[str | None, typer.Option(help="dlib5, arcface5 or none.", show_default=False)] = None,
    template: Annotated[
        str | None, typer.Option(help="dlib-chip-0.25, arcface-112 or none.", show_default=False)
    ] = None,
    raw_length: Annotated[
        bool, typer.Option("--raw-length", help="Keep the network's own lengths instead of scaling to 1.")
    ] = False,
    mirror: Annotated[bool, typer.Option("--mirror", help="Average with the mirrored crop.")] = False,
    licence: Annotated[str | None, typer.Option(help="Licence of the weights.", show_default=False)] = None,
    commercial_use: Annotated[str | None, typer.Option(help="yes, no or unclear.", show_default=False)] = None,
    licence_note: Annotated[str, typer.Option(help="Why not a plain yes.", show_default=False)] = "",
    source: Annotated[str, typer.Option(help="Who published the weights.", show_default=False)] = "",
    facenet: Annotated[
        str | None,
        typer.Option(
            help="Where FaceNet weights come from: course, keras-facenet, facenet-2018 or facenet-pytorch.  [default: by the file]",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Take any ONNX encoder in. A card beside it (`NAME.toml`, as training writes it) says everything; without one, what the
    file says about itself is not asked, and the rest comes by options or by questions.

    `sameface models add facenet_keras.h5 --as facenet-128`
    """
    from sameface.cli.model_summary import summary
    from sameface.cli.output import note, print_json, print_line
    from sameface.encoders.adding import add_encoder
    from sameface.encoders.trying import inspect_apart
    from sameface.models.card_file import read_card_file

    if network.suffix.lower() in {".h5", ".hdf5", ".pt", ".pth"}:
        stored = _add_facenet(network, name or network.stem.lower().replace("_", "-"), facenet)
        if json:
            print_json(summary(stored))
            return
        print_line(f"{stored.id}: {stored.title}, read and added. It has no threshold yet: run `sameface calibrate`")
        return
    given = (size, dimension, colour, normalisation, landmarks, template, licence, commercial_use)
    beside = network.parent / f"{network.stem}.toml"  # `with_suffix` has no answer for "." and "/"
    if beside.is_file() and not any(given) and not (raw_length or mirror or licence_note or source):
        card = read_card_file(beside)
        note(f"by its card: {beside}")
        stored = add_encoder(network, replace(card, id=name or card.id, title=title or card.title))
        if json:
            print_json(summary(stored))
            return
        print_line(
            f"{stored.id}: added by its card, sha256 {stored.sha256}. It has no threshold yet: run `sameface calibrate`"
        )
        return
    facts = inspect_apart(network)
    width, height = facts.input_size_wh or (size or int(_ask("--size", "side of the crops in pixels", "112")),) * 2
    note(
        f"found out: {facts.layout}, {width}×{height}, {facts.dimension or '?'} numbers, normalises: {facts.normalises}"
    )
    use = commercial_use or _ask("--commercial-use", "may it be used commercially (yes, no, unclear)", "unclear")
    points = landmarks or _ask("--landmarks", "points the crops are aligned by (arcface5, dlib5, none)", "arcface5")
    default_template = {"arcface5": "arcface-112", "dlib5": "dlib-chip-0.25"}.get(points, "none")
    card = _card(
        id=name or network.stem.lower().replace("_", "-"),
        kind="encoder",
        title=title or network.stem,
        licence=licence or _ask("--licence", "licence of the weights", ""),
        commercial_use=use,
        licence_note=licence_note
        or ("" if use == "yes" else _ask("--licence-note", "why not a plain yes", "not stated")),
        source=source or "added by the user",
        input_size_wh=(width, height),
        dimension=facts.dimension or dimension or int(_ask("--dimension", "length of the embedding", "128")),
        colour=colour or _ask("--colour", "channel order (rgb, bgr)", "rgb"),
        normalisation=normalisation
        or ("none" if facts.normalises else _ask("--normalisation", "normalisation", "(x-127.5)/128")),
        layout=facts.layout,
        landmarks=points,
        template=template
        or (default_template if landmarks is None else _ask("--template", "template", default_template)),
        unit_length=not raw_length,
        views=("plain", "mirror") if mirror else ("plain",),
    )
    stored = add_encoder(network, card)
    if json:
        print_json(summary(stored))
        return
    print_line(f"{stored.id}: added, sha256 {stored.sha256}. It has no threshold yet: run `sameface calibrate`")


def _add_facenet(weights: Path, name: str, origin: str | None) -> ModelCard:
    """FaceNet's weights, read by the training room, which alone knows the network."""
    from tempfile import TemporaryDirectory

    from sameface.encoders.adding import add_encoder
    from sameface.models.registry import load_card
    from sameface.training.facenet import adopt_facenet

    with TemporaryDirectory() as folder:
        written = adopt_facenet(weights, Path(folder) / f"{name}.onnx", preprocessing=origin)
        return add_encoder(written, load_card(written))


def _card(**fields: Any) -> ModelCard:
    """A card from typed-in values, checked like a card file."""
    import msgspec

    from sameface.errors import ModelCardError
    from sameface.models.card import ModelCard

    try:
        return msgspec.convert(fields, known(ModelCard))
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ModelCardError):
            raise error.__cause__ from None
        raise ModelCardError(
            expected="values that a model card takes", got=str(error), advice="correct the option"
        ) from error


def _ask(option: str, what: str, default: str) -> str:
    """Ask a person; a program gets an error that names the option."""
    import sys

    from sameface.errors import SettingError

    if not sys.stdin.isatty():
        raise SettingError(
            expected=f"{option} ({what})", got="nothing", advice=f"give {option}, or run it in a terminal"
        )
    return str(typer.prompt(what, default=default or None, err=True))
