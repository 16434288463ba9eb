"""A gallery moves to another encoder: its photos are found again and encoded again, all or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sameface.errors import DataError, ImageAccessError, ImageNotFoundError, SamefaceError
from sameface.gallery import TemplateStore
from sameface.imaging.sources import sha256_of_bytes
from sameface.indexing.sources import read_photo
from sameface.recognizer import Recognizer
from sameface.recognizer.found import EncodedFace
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
    again = _Again(recognizer)

    def vectors() -> Iterator[tuple[int, Embeddings]]:
        for _, stored in store.export():
            for item in stored:
                progress(item.template.source)
                try:
                    yield item.template_id, again.encode(item.template)
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


class _Again:
    """Finds enrolled faces again; a photo with many of them is read once while its templates follow each other."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer
        self._source = ""
        self._digest = ""
        self._faces: list[EncodedFace] = []

    def encode(self, template: Template) -> Embeddings:
        """The new embedding of a template's face. Raises SamefaceError, with the reason in `got`."""
        if not template.source:
            raise DataError(expected="the source photo", got="it is not known", advice="enroll the person again")
        if template.source != self._source:
            self._read(template.source)
        if template.source_sha256 not in ("", self._digest):
            raise DataError(
                expected="the photo that was enrolled", got="it was changed", advice="bring the original back"
            )
        box = template.box
        if box is None:
            found = self._faces if len(self._faces) == 1 else []
        else:
            found = [face for face in self._faces if _overlap(face.box, box) >= _SAME_FACE]
            found.sort(key=lambda face: -_overlap(face.box, box))
        if not found:
            raise DataError(expected="the enrolled face", got="it was not found again", advice="use another detector")
        return found[0].embedding

    def _read(self, source: str) -> None:
        self._source = ""
        try:
            data = read_photo(source, self.recognizer.limits.max_bytes)
        except (ImageNotFoundError, ImageAccessError) as error:
            raise DataError(expected="the source photo", got="it is not there", advice="bring it back") from error
        self._digest = sha256_of_bytes(data)
        self._faces = self.recognizer.encode_faces(data)
        self._source = source


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = max(0.0, min(a.x2, b.x2) - max(a.x1, b.x1))
    height = max(0.0, min(a.y2, b.y2) - max(a.y1, b.y1))
    union = a.area + b.area - width * height
    return width * height / union if union > 0 else 0.0
