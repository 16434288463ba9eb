"""Where name plates go on a picture: each by its face, over no other plate and, where there is room, over no face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sameface.types import Box

#: What it costs to cover a pixel of another plate, of another face, of one's own.
_PLATE, _FACE, _OWN = 20.0, 4.0, 1.0
#: What it costs to go one plate's height away from the face, in pixels of a plate that cover somebody else's face: so much of a plate's area.
_AWAY: Final = 0.35
#: So much of all plates over faces of others is much.
_MUCH: Final = 0.1
#: Plates' heights that a plate may be away from its face.
_ROWS: Final = 4


def place_plates(
    boxes: Sequence[Box], sizes_wh: Sequence[tuple[float, float]], picture_wh: tuple[int, int], gap: float
) -> list[Box]:
    """A place for the plate of each face: below it in the middle where nothing is in the way, else the best beside, above or further off.

    Args:
        boxes: of the faces.
        sizes_wh: of the plates, in the same order.
        picture_wh: no plate leaves it, as far as it fits.
        gap: between a face and its plate.

    >>> faces = [Box(0, 0, 40, 40), Box(50, 0, 90, 40)]
    >>> [(plate.x1, plate.y1) for plate in place_plates(faces, [(20, 10), (20, 10)], (100, 100), gap=2)]
    [(10.0, 42), (60.0, 42)]
    """
    placed: dict[int, Box] = {}
    # From the top, each row from the left: what is below finds what is above in its place.
    for number in sorted(range(len(boxes)), key=lambda n: (boxes[n].y2, boxes[n].x1)):
        others = [box for n, box in enumerate(boxes) if n != number]
        costs = [
            (_cost(plate, boxes[number], others, list(placed.values())) + away * _AWAY * plate.area, order, plate)
            for order, (plate, away) in enumerate(_places(boxes[number], sizes_wh[number], picture_wh, gap))
        ]
        placed[number] = min(costs, key=lambda cost: cost[:2])[2]
    return [placed[number] for number in range(len(boxes))]


def crowded(plates: Sequence[Box], boxes: Sequence[Box]) -> bool:
    """Whether plates lie over each other, or much over faces of others.

    >>> crowded([Box(0, 0, 20, 10), Box(15, 5, 35, 15)], [Box(0, 20, 9, 30), Box(40, 0, 50, 9)])
    True
    """
    covered = 0.0
    for number, plate in enumerate(plates):
        if any(shared(plate, other) for other in plates[:number]):
            return True
        covered += sum(shared(plate, box) for n, box in enumerate(boxes) if n != number)
    return covered > _MUCH * sum(plate.area for plate in plates)


def _places(
    box: Box, size_wh: tuple[float, float], picture_wh: tuple[int, int], gap: float
) -> Iterator[tuple[Box, float]]:
    """Places that a plate may have, the usual ones first, and how many of its heights each is out of the way."""
    width, height = size_wh
    middle, level = (box.x1 + box.x2 - width) / 2, (box.y1 + box.y2 - height) / 2
    for row in range(_ROWS + 1):
        step = row * (height + gap)
        for y, turn in ((box.y2 + gap + step, 0.0), (box.y1 - gap - height - step, 0.3)):
            for x, aside in (
                (middle, 0.0),
                (box.x1, 0.1),
                (box.x2 - width, 0.1),
                (box.x1 - width / 2, 0.4),
                (box.x2 - width / 2, 0.4),
            ):
                yield _inside(x, y, size_wh, picture_wh), row + turn + aside
    for x in (box.x2 + gap, box.x1 - gap - width):
        yield _inside(x, level, size_wh, picture_wh), 0.8
    for y in (box.y2 - height, box.y1):
        yield _inside(middle, y, size_wh, picture_wh), 0.5


def _inside(x: float, y: float, size_wh: tuple[float, float], picture_wh: tuple[int, int]) -> Box:
    x = min(max(0.0, x), max(0.0, picture_wh[0] - size_wh[0]))
    y = min(max(0.0, y), max(0.0, picture_wh[1] - size_wh[1]))
    return Box(x, y, x + size_wh[0], y + size_wh[1])


def _cost(plate: Box, own: Box, faces: Sequence[Box], plates: Sequence[Box]) -> float:
    return (
        _PLATE * sum(shared(plate, other) for other in plates)
        + _FACE * sum(shared(plate, other) for other in faces)
        + _OWN * shared(plate, own)
    )


def shared(first: Box, second: Box) -> float:
    """The area that two boxes share, in pixels.

    >>> shared(Box(0, 0, 10, 10), Box(5, 5, 20, 20)), shared(Box(0, 0, 10, 10), Box(10, 0, 20, 10))
    (25, 0)
    """
    across = min(first.x2, second.x2) - max(first.x1, second.x1)
    down = min(first.y2, second.y2) - max(first.y1, second.y1)
    return across * down if across > 0 and down > 0 else 0
