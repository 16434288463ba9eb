"""A gallery moves to another encoder: its photos are found again and encoded again, all or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sameface.errors import DataError, SamefaceError
from sameface.files import path_from_text, sha256_of
from sameface.gallery import TemplateStore
from sameface.recognizer import Recognizer
from sameface.types import Box, Embeddings, Template

#: Two boxes are of one face when they share at least this much of their union: detectors draw different boxes around one face.
_SAME_FACE = 0.3


@dataclass(frozen=True, slots=True)
class Reencoded:
    """What `reencode` did.

    Attributes:
        replaced: templates with a new embedding.
        missing: source and reason of each template that could not be encoded again.
    """

    replaced: int
    missing: list[tuple[str, str]] = field(default_factory=list)


def reencode(
    store: TemplateStore,
    recognizer: Recognizer,
    *,
    drop_missing: bool = False,
    progress: Callable[[str], object] = lambda source: None,
) -> Reencoded:
    """Encode every source photo again and replace the gallery's embeddings in one transaction.

    Args:
        store: the gallery; its photos must still lie where they were enrolled from, unchanged.
        recognizer: the new encoder and detector.
        drop_missing: erase templates whose photo is gone, changed or without that face.
        progress: told each source.

    Raises:
        DataError: photos are missing and `drop_missing` is False; nothing was changed.
    """
    missing: list[tuple[str, str]] = []

    def vectors() -> Iterator[tuple[int, Embeddings]]:
        for _, stored in store.export():
            for item in stored:
                progress(item.template.source)
                try:
                    yield item.template_id, _encode_again(item.template, recognizer)
                except SamefaceError as error:
                    missing.append((item.template.source, error.got))

    fresh = list(vectors())
    if missing and not drop_missing:
        examples = "; ".join(f"{source or 'a template without a source'}: {why}" for source, why in missing[:3])
        raise DataError(
            expected="every source photo where it was",
            got=f"{len(missing)} of {len(missing) + len(fresh)} that cannot be used ({examples})",
            advice="bring the photos back, or give --drop-missing to erase those templates",
        )
    replaced = store.reembed(recognizer.space, recognizer.card.dimension, fresh, drop_missing=drop_missing)
    return Reencoded(replaced, missing)


def _encode_again(template: Template, recognizer: Recognizer) -> Embeddings:
    path = path_from_text(template.source)
    if not template.source or not path.is_file():
        raise DataError(expected="the source photo", got="it is not there", advice="bring it back")
    if template.source_sha256 and sha256_of(path) != template.source_sha256:
        raise DataError(expected="the photo that was enrolled", got="it was changed", advice="bring the original back")
    faces = recognizer.encode_faces(path)
    if template.box is None:
        found = faces if len(faces) == 1 else []
    else:
        box = template.box
        found = [face for face in faces if _overlap(face.box, box) >= _SAME_FACE]
        found.sort(key=lambda face: -_overlap(face.box, box))
    if not found:
        raise DataError(expected="the enrolled face", got="it was not found again", advice="use another detector")
    return found[0].embedding


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = max(0.0, min(a.x2, b.x2) - max(a.x1, b.x1))
    height = max(0.0, min(a.y2, b.y2) - max(a.y1, b.y1))
    union = a.area + b.area - width * height
    return width * height / union if union > 0 else 0.0
