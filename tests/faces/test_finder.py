"""One step from photo to crops: the same faces by every door, turned photos, words that mean nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import find_objects, label

from sameface.errors import ImageNotFoundError, ImageTooLargeError, NoFaceError, SettingError, SeveralFacesError
from sameface.faces import FaceFinder, load_aligner, load_detector
from sameface.faces.finder import FaceCrop
from sameface.faces.upright import find_upright
from sameface.imaging import Limits
from sameface.types import Box, Detection, ImageRGB, Landmarks

PILLOWS = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}


@pytest.fixture(scope="module", params=["yunet", "mtcnn"])
def finder(request: pytest.FixtureRequest) -> FaceFinder:
    return FaceFinder(load_detector(request.param), load_aligner("arcface5", "arcface-112", 112))


def on_its_side(image_rgb: ImageRGB, turns: int) -> ImageRGB:
    """The photo so that `turns` quarter turns counterclockwise make it upright again, by Pillow."""
    return np.asarray(Image.fromarray(image_rgb).transpose(PILLOWS[4 - turns]))


def where(box: Box, turns: int, size_wh: tuple[int, int]) -> tuple[float, float, float, float]:
    """The corners of an upright photo's box in the photo on its side, by Pillow: of a mask that is white in the box."""
    mask = Image.new("L", size_wh)
    mask.paste(255, tuple(round(edge) for edge in box.xyxy))  # type: ignore[arg-type]
    return mask.transpose(PILLOWS[4 - turns]).getbbox() or (0, 0, 0, 0)


@pytest.fixture(scope="module", params=["astronaut.png", "obama.jpg", "biden.jpg", "grace_hopper.jpg"])
def standing(
    request: pytest.FixtureRequest, finder: FaceFinder, portraits: dict[str, ImageRGB]
) -> tuple[ImageRGB, FaceCrop]:
    """A photo and the face in it."""
    upright = portraits[request.param]
    return upright, finder.face(upright)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_photos_give_the_upright_crop(
    finder: FaceFinder, standing: tuple[ImageRGB, FaceCrop], turns: int
) -> None:
    upright, wanted = standing
    photo = on_its_side(upright, turns)
    found = finder.face(photo)
    assert (wanted.detection.turns, found.detection.turns) == (0, turns)
    size_wh = upright.shape[1], upright.shape[0]
    assert found.detection.box.xyxy == pytest.approx(where(wanted.detection.box, turns, size_wh), abs=2)
    apart = np.abs(found.crop_rgb.astype(int) - wanted.crop_rgb)
    assert apart.mean() < 1.5
    # The control: without turning, something else is cut out, or nothing is found.
    flat = FaceFinder(finder.detector, finder.aligner, upright=False)
    try:
        taken = flat.face(photo, "largest").crop_rgb
    except NoFaceError:
        return
    assert np.abs(taken.astype(int) - wanted.crop_rgb).mean() > 20


def test_upright_photos_are_as_the_detector_sees_them(finder: FaceFinder, portraits: dict[str, ImageRGB]) -> None:
    for image in portraits.values():
        found, plain = find_upright(finder.detector, image), finder.detector.detect(image)
        assert [face.box for face in found] == [face.box for face in plain]
        assert {face.turns for face in found} == {0}


def test_somebody_on_their_head_beside_somebody_standing(portraits: dict[str, ImageRGB]) -> None:
    finder = FaceFinder(load_detector("yunet"), load_aligner("arcface5", "arcface-112", 112))
    upright = np.asarray(Image.fromarray(portraits["obama.jpg"]).resize((560, 700)))
    standing = np.asarray(Image.fromarray(portraits["astronaut.png"]).resize((400, 400)))
    both = np.zeros((700, 960, 3), np.uint8)
    both[:, :560], both[300:, 560:] = on_its_side(upright, 2), standing
    found = {face.turns: face.box.xyxy for face in finder.find(both)}
    assert sorted(found) == [0, 2]
    alone = finder.choose(standing).box
    assert found[0] == pytest.approx((alone.x1 + 560, alone.y1 + 300, alone.x2 + 560, alone.y2 + 300), abs=6)
    assert found[2] == pytest.approx(where(finder.choose(upright).box, 2, (560, 700)), abs=6)


def test_every_door_gives_the_same_crop(finder: FaceFinder, photos: Path) -> None:
    path = photos / "astronaut.png"
    image = np.asarray(Image.open(path).convert("RGB"))
    with Image.open(path) as picture:
        picture.load()
    doors = (path, str(path), path.read_bytes(), BytesIO(path.read_bytes()), picture, image)
    crops = [finder.face(door).crop_rgb for door in doors]
    assert all(np.array_equal(crop, crops[0]) for crop in crops)
    [only] = finder.faces(path)
    assert np.array_equal(only.crop_rgb, crops[0])
    assert finder.find(path)[0].box == only.detection.box == finder.choose(path, "centre").box


def test_crops_of_nothing_have_the_shape_of_crops(finder: FaceFinder) -> None:
    empty = np.zeros((50, 40, 3), np.uint8)
    assert finder.faces(empty) == []
    assert finder.crops(empty, []).shape == (0, 112, 112, 3)
    with pytest.raises(NoFaceError, match="empty yard"):
        finder.face(empty, source="empty yard")


@pytest.mark.parametrize("word", ["Largest", "center", "", None, 1])
def test_unknown_choices_are_refused_before_any_work(finder: FaceFinder, word: object) -> None:
    for ask in (finder.face, finder.choose):
        with pytest.raises(SettingError, match="only, centre, largest"):
            ask("no such photo.jpg", word)  # type: ignore[arg-type]


def test_errors_of_reading_pass_through(finder: FaceFinder, photos: Path) -> None:
    with pytest.raises(ImageNotFoundError):
        finder.faces("no such photo.jpg")
    small = FaceFinder(finder.detector, finder.aligner, limits=Limits(max_pixels=1000))
    with pytest.raises(ImageTooLargeError):
        small.find(photos / "astronaut.png")


def test_several_faces_are_named_by_their_photo(
    finder: FaceFinder, portraits: dict[str, ImageRGB], tmp_path: Path
) -> None:
    path = tmp_path / "two.png"
    two = np.concatenate([portraits["astronaut.png"], portraits["astronaut.png"]], axis=1)
    Image.fromarray(two).save(path)
    with pytest.raises(SeveralFacesError, match=r"two\.png"):
        finder.face(path)
    assert len(finder.faces(path)) == 2


def test_sixteen_threads_get_their_own_crops(finder: FaceFinder, portraits: dict[str, ImageRGB]) -> None:
    small = np.asarray(Image.fromarray(portraits["astronaut.png"]).resize((256, 256)))
    pictures = [on_its_side(small, 1 + turns % 3) for turns in range(8)]
    alone = [finder.face(picture).crop_rgb for picture in pictures[:3]]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda picture: finder.face(picture).crop_rgb, pictures * 2))
    for number, mine in enumerate(together):
        assert np.abs(mine.astype(int) - alone[number % 8 % 3]).max() <= 2


# -- the rule, with a detector that is made up ------------------------------------------------------------------------
class Compass:
    """Sees white squares as faces, sure of those whose red corner is at their top left, and less of others."""

    id, sure, search_side = "compass", 0.9, None

    def __init__(self, unsure: float = 0.7) -> None:
        self.unsure = unsure
        self.looks: list[tuple[int, int]] = []

    def smallest_in(self, width: int, height: int) -> float:
        return 0.0

    def detect(self, image_rgb: ImageRGB) -> list[Detection]:
        self.looks.append((image_rgb.shape[1], image_rgb.shape[0]))
        return sorted(self._faces(image_rgb), key=lambda face: -face.confidence)

    def _faces(self, image_rgb: ImageRGB) -> Iterator[Detection]:
        pieces, _ = label(image_rgb.max(axis=2) > 128)
        for rows, columns in find_objects(pieces):
            y, x = np.arange(400)[rows], np.arange(400)[columns]
            box = Box(float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1))
            inside = image_rgb[y.min() + 2 : y.min() + 6, x.min() + 2 : x.min() + 6].astype(int)
            is_red = inside[..., 0].mean() > inside[..., 1].mean() + 60
            points = np.array([[box.x1, box.y1]] * 5, dtype=np.float32)
            yield Detection(box, 0.95 if is_red else self.unsure, Landmarks("arcface5", points))


def square(side: int = 60, turns: int = 0) -> ImageRGB:
    """A white square with a red corner at its top left, or turned away from there."""
    picture = np.full((side, side, 3), 255, np.uint8)
    picture[: side // 3, : side // 3] = (255, 0, 0)
    return np.rot90(picture, -turns).copy()


def scene(*squares: tuple[int, int, ImageRGB]) -> ImageRGB:
    picture = np.zeros((300, 400, 3), np.uint8)
    for left, top, pixels in squares:
        picture[top : top + len(pixels), left : left + len(pixels)] = pixels
    return picture


def test_a_sure_face_is_asked_about_once() -> None:
    compass = Compass()
    [face] = find_upright(compass, scene((50, 100, square())))
    assert (face.turns, face.box.xyxy, compass.looks) == (0, (50, 100, 110, 160), [(400, 300)])


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_an_unsure_face_is_looked_for_small_in_the_other_orientations(turns: int) -> None:
    compass = Compass()
    [face] = find_upright(compass, scene((50, 100, square(turns=turns))))
    assert (face.turns, face.box.xyxy, face.confidence) == (turns, (50, 100, 110, 160), 0.95)
    # Of the whole photo, of three at half its size, and of the whole photo turned.
    assert compass.looks[:4] == [(400, 300), (150, 200), (200, 150), (150, 200)]
    assert len(compass.looks) == 5


def test_where_no_orientation_is_surer_the_first_look_stays() -> None:
    compass = Compass(unsure=0.96)
    compass.sure = 0.99
    [face] = find_upright(compass, scene((50, 100, square(turns=2))))
    assert (face.turns, face.confidence) == (0, 0.96)


def test_a_small_doubtful_face_beside_a_large_sure_one_costs_nothing() -> None:
    compass = Compass()
    found = find_upright(compass, scene((20, 50, square(120)), (300, 100, square(40, turns=1))))
    assert [face.turns for face in found] == [0, 0]
    assert len(compass.looks) == 1


def test_of_two_the_lying_one_is_turned_and_the_sure_one_stays() -> None:
    found = find_upright(Compass(), scene((20, 50, square(120, turns=2)), (300, 100, square(40))))
    assert {face.turns: face.box.xyxy for face in found} == {2: (20, 50, 140, 170), 0: (300, 100, 340, 140)}


def test_of_two_doubtful_faces_only_the_one_that_is_surer_turned_is_turned() -> None:
    """Upright: one sure, two doubtful. On its head the larger doubtful one is surer, the other one less sure."""

    class Scripted(Compass):
        def detect(self, image_rgb: ImageRGB) -> list[Detection]:
            self.looks.append((image_rgb.shape[1], image_rgb.shape[0]))
            width, height = self.looks[-1]
            scale = max(width, height) / 400
            upright = [(0.95, (10, 10, 40, 40)), (0.88, (300, 100, 350, 150)), (0.80, (100, 100, 250, 250))]
            # As they lie in the photo turned by two quarters: x from the right, y from the bottom.
            on_its_head = [(0.93, (150, 50, 300, 200)), (0.70, (50, 150, 100, 200))]
            seen = {1: upright, 3: on_its_head, 5: on_its_head}.get(len(self.looks), [])
            return [Detection(Box(*(edge * scale for edge in box)), sure) for sure, box in seen]

    found = find_upright(Scripted(), np.zeros((300, 400, 3), np.uint8))
    assert [(face.confidence, face.turns) for face in found] == [(0.95, 0), (0.93, 2), (0.88, 0)]
    assert found[1].box.xyxy == (100, 100, 250, 250)


def test_without_the_rule_a_photo_is_taken_as_it_stands() -> None:
    compass = Compass()
    finder = FaceFinder(compass, load_aligner("arcface5", "arcface-112", 112), upright=False)
    assert [face.turns for face in finder.find(scene((50, 100, square(turns=2))))] == [0]
    assert len(compass.looks) == 1


# -- large photos -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def phones(photos: Path) -> dict[str, bytes]:
    """Shipped portraits as photos of 12 megapixels, JPEG."""
    files = {}
    for name in ("obama.jpg", "grace_hopper.jpg"):
        with Image.open(photos / name) as picture:
            large = picture.convert("RGB").resize((3000, 4000), Image.Resampling.BICUBIC)
        file = BytesIO()
        large.save(file, "JPEG", quality=90)
        files[name] = file.getvalue()
    return files


@pytest.fixture(scope="module")
def wholes(finder: FaceFinder, phones: dict[str, bytes]) -> list[tuple[bytes, ImageRGB, list[Detection]]]:
    """Each of them as a file, as an array, and what the detector sees in the array."""
    arrays = {data: np.asarray(Image.open(BytesIO(data))) for data in phones.values()}
    return [(data, array, finder.detector.detect(array)) for data, array in arrays.items()]


@pytest.mark.parametrize("scheme", [("arcface5", "arcface-112", 112), ("dlib5", "dlib-chip-0.25", 150)])
def test_large_photos_are_cut_as_if_the_whole_were_an_array(
    finder: FaceFinder, wholes: list[tuple[bytes, ImageRGB, list[Detection]]], scheme: tuple[str, str, int]
) -> None:
    cutting = FaceFinder(finder.detector, load_aligner(*scheme))
    for data, whole, plain in wholes:
        [face] = cutting.faces(data)
        assert [face.detection.box.xyxy] == [pytest.approx(one.box.xyxy, abs=0.01) for one in plain]
        assert np.array_equal(face.crop_rgb, cutting.aligner.align(whole, plain)[0])


def test_a_turned_phone_gives_the_same_face_with_and_without_its_tag(phones: dict[str, bytes]) -> None:
    finder = FaceFinder(load_detector("yunet"), load_aligner("arcface5", "arcface-112", 112))
    with Image.open(BytesIO(phones["obama.jpg"])) as picture:
        wanted = finder.face(picture)
        lying = picture.transpose(Image.Transpose.ROTATE_90)
    exif, tagged, bare = Image.Exif(), BytesIO(), BytesIO()
    exif[0x0112] = 6  # lies counterclockwise
    lying.save(tagged, "JPEG", quality=95, exif=exif)
    lying.save(bare, "JPEG", quality=95)
    with_tag, without = finder.face(tagged.getvalue()), finder.face(bare.getvalue())
    assert (with_tag.detection.turns, without.detection.turns) == (0, 3)
    assert with_tag.detection.box.xyxy == pytest.approx(wanted.detection.box.xyxy, abs=3)
    for face in (with_tag, without):
        assert np.abs(face.crop_rgb.astype(int) - wanted.crop_rgb).mean() < 2


def test_every_crop_lies_within_its_reach(portraits: dict[str, ImageRGB]) -> None:
    """What lies outside may be anything: the crop does not change."""
    detector, rng = load_detector("yunet"), np.random.default_rng(0)
    for scheme in (("arcface5", "arcface-112", 112), ("dlib5", "dlib-chip-0.25", 150)):
        aligner = load_aligner(*scheme)
        for image in portraits.values():
            for face in detector.detect(image):
                reach = aligner.reach(face)
                assert reach is not None
                other = rng.integers(0, 256, image.shape, dtype=np.uint8)
                x1, y1, x2, y2 = (max(0, int(edge)) for edge in reach.xyxy)
                other[y1 : y2 + 1, x1 : x2 + 1] = image[y1 : y2 + 1, x1 : x2 + 1]
                assert np.array_equal(aligner.align(other, [face]), aligner.align(image, [face]))
