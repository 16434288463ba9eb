from __future__ import annotations

import base64
import errno
import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from sameface.errors import (
    DamagedImageError,
    ImageAccessError,
    ImageArrayError,
    ImageError,
    ImageNotFoundError,
    ImageTooLargeError,
    NotAnImageError,
    SettingError,
)
from sameface.imaging import Limits, load_image, open_photo
from tests.imaging.handmade import bmp, gif_two_frames, palette, png, pnm, tiff, with_exif
from tests.privileges import permissions_hold

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (5, 7), dtype=np.uint8)


def jpeg(rgb: np.ndarray, quality: int = 95) -> bytes:
    return cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def smooth(height: int = 48, width: int = 64) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 3, y * 4, x + y], axis=2).astype(np.uint8)


class TestSources:
    def test_every_kind_of_source_gives_the_same(self, tmp_path):
        path = tmp_path / "Ada é 😀.ppm"
        path.write_bytes(pnm(RGB))
        with path.open("rb") as file, Image.open(path) as picture:
            for source in (
                path,
                str(path),
                pnm(RGB),
                bytearray(pnm(RGB)),
                memoryview(pnm(RGB)),
                file,
                picture,
                RGB,
                io.BytesIO(pnm(RGB)),
            ):
                assert np.array_equal(load_image(source), RGB), type(source)

    def test_provenance(self, tmp_path):
        path = tmp_path / "a.pgm"
        path.write_bytes(b"P5 1 1 255 \x07")
        photo = open_photo(path)
        theirs = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
        assert photo.sha256 == theirs
        assert photo.source == str(path)
        assert open_photo(RGB).sha256 == ""
        assert open_photo(pnm(RGB)).source == ""

    def test_arrays(self):
        assert load_image(RGB) is RGB
        assert load_image(GREY[..., np.newaxis]).tolist() == load_image(GREY).tolist()
        assert np.array_equal(load_image(RGB[:, ::-1]), RGB[:, ::-1])
        assert load_image(RGB[:, ::-1]).flags.c_contiguous
        rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 0, 0, 128]]], dtype=np.uint8)
        assert load_image(rgba).tolist() == [[[10, 20, 30], [255, 255, 255], [127, 127, 127]]]

    @pytest.mark.parametrize(
        ("array", "advice"),
        [
            (np.zeros((2, 2, 3)), "255"),
            (np.zeros((2, 2), dtype=np.uint16), "257"),
            (np.zeros((2, 2), dtype=bool), "uint8"),
            (np.zeros((0, 2, 3), dtype=np.uint8), "one picture"),
            (np.zeros((2, 2, 2), dtype=np.uint8), "channels last"),
            (np.zeros((1, 2, 2, 3), dtype=np.uint8), "one picture"),
        ],
    )
    def test_arrays_that_are_no_pictures(self, array, advice):
        with pytest.raises(ImageArrayError, match=advice):
            load_image(array)

    @pytest.mark.parametrize(
        ("source", "word"), [(None, "OpenCV"), (3, "numpy"), (["a.jpg"], "one photo"), ({"a": 1}, "dict")]
    )
    def test_other_objects(self, source, word):
        with pytest.raises(ImageArrayError, match=word):
            load_image(source)

    def test_a_text_file_object(self):
        with pytest.raises(ImageAccessError, match='"rb"'):
            load_image(io.StringIO("P5 1 1 255 a"))

    def test_base64_text_as_a_path_is_not_repeated(self):
        """The whole photo went into the message, and so into logs."""
        text = base64.b64encode(bytes(range(256)) * 100).decode()
        for source in (text, text[:3000], "a/" * 1000, text.replace("/", "+")):
            with pytest.raises(ImageNotFoundError, match=r"base64\.b64decode") as caught:
                load_image(source)
            assert len(str(caught.value)) < 400
            assert caught.value.__cause__ is None or len(str(caught.value.__cause__)) < 3200

    def test_pipes_give_what_they_have(self, photos):
        data = (photos / "obama.jpg").read_bytes()
        read, write = os.pipe()

        def pour() -> None:
            with os.fdopen(write, "wb") as file:
                file.write(data)

        writer = threading.Thread(target=pour)
        writer.start()
        with os.fdopen(read, "rb", buffering=0) as pipe:
            got = load_image(pipe)
        writer.join()
        assert np.array_equal(got, load_image(data))

    def test_files_that_cannot_be_read(self, tmp_path):
        closed = io.BytesIO(b"x")
        closed.close()
        with (tmp_path / "out").open("wb") as for_writing:
            for file, words in ((closed, "closed"), (for_writing, "mode")):
                with pytest.raises(ImageAccessError, match=words):
                    load_image(file)

        class Failing(io.RawIOBase):
            def read(self, size: int = -1) -> bytes:
                raise OSError(errno.EIO, "Input/output error")

        class Waiting(io.RawIOBase):
            def read(self, size: int = -1) -> None:
                return None

        for file, words in ((Failing(), "Input/output"), (Waiting(), "blocking")):
            with pytest.raises(ImageAccessError, match=words):
                load_image(file)


class TestFormats:
    @pytest.mark.parametrize("data", [pnm(RGB), bmp(RGB), png(RGB, colour=2)], ids=["ppm", "bmp", "png"])
    def test_lossless_rgb(self, data):
        assert np.array_equal(load_image(data), RGB)

    @pytest.mark.parametrize("data", [pnm(GREY), png(GREY, colour=0), tiff(GREY)], ids=["pgm", "png", "tiff"])
    def test_lossless_grey(self, data):
        assert np.array_equal(load_image(data), np.dstack([GREY] * 3))

    @pytest.mark.parametrize("extension", [".webp", ".tiff", ".png"])
    def test_as_opencv_writes_them(self, extension):
        options = [cv2.IMWRITE_WEBP_QUALITY, 101] if extension == ".webp" else []
        assert np.array_equal(load_image(cv2.imencode(extension, RGB[..., ::-1], options)[1].tobytes()), RGB)

    def test_jpeg_as_opencv_reads_it(self):
        data = jpeg(smooth())
        theirs = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        assert np.abs(load_image(data).astype(int) - theirs).max() <= 2

    def test_a_phones_mpo_is_its_first_picture(self):
        buffer = io.BytesIO()
        first, second = Image.fromarray(smooth()), Image.new("RGB", (64, 48), "red")
        first.save(buffer, "MPO", save_all=True, append_images=[second], quality=95)
        assert np.abs(load_image(buffer.getvalue()).astype(int) - smooth()).mean() < 3

    def test_an_animation_is_its_first_frame(self):
        assert load_image(gif_two_frames()).tolist() == [[[255, 0, 0], [0, 0, 255]]]

    @pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
    def test_newer_formats(self, kind):
        heif = pytest.importorskip("pillow_heif")
        buffer = io.BytesIO()
        if kind == "HEIF":
            heif.from_pillow(Image.fromarray(smooth())).save(buffer, quality=95)
        else:
            Image.fromarray(smooth()).save(buffer, "AVIF", quality=95)
        assert np.abs(load_image(buffer.getvalue()).astype(int) - smooth()).mean() < 4
        assert "HEIF" not in Image.ID or kind == "AVIF"  # nothing registered in Pillow behind the user's back

    def test_formats_can_be_left_out(self):
        with pytest.raises(NotAnImageError, match="PPM"):
            load_image(pnm(RGB), limits=Limits(formats=("JPEG", "PNG")))


class TestColours:
    def test_alpha_is_laid_on_white(self):
        rgba = np.array([[[0, 0, 0, 0], [200, 100, 0, 255], [0, 0, 0, 51]]], dtype=np.uint8)
        assert load_image(png(rgba, colour=6)).tolist() == [[[255, 255, 255], [200, 100, 0], [204, 204, 204]]]

    def test_grey_with_alpha(self):
        pixels = np.array([[[0, 0], [40, 255]]], dtype=np.uint8)
        assert load_image(png(pixels, colour=4)).tolist() == [[[255] * 3, [40] * 3]]

    def test_palette_with_and_without_transparency(self):
        colours, indexes = [(1, 2, 3), (40, 50, 60)], np.array([[1, 0]], dtype=np.uint8)
        assert load_image(png(indexes, colour=3, extra=palette(colours))).tolist() == [[[40, 50, 60], [1, 2, 3]]]
        see_through = png(indexes, colour=3, extra=palette(colours, [0, 255]))
        assert load_image(see_through).tolist() == [[[40, 50, 60], [255, 255, 255]]]

    def test_one_bit(self):
        pixels = np.zeros((1, 4), dtype=np.uint8)
        data = png(pixels, colour=0, depth=1, packed=b"\0\xa0")
        assert load_image(data)[0, :, 0].tolist() == [255, 0, 255, 0]

    @pytest.mark.parametrize("value", [0, 1, 128, 129, 257, 32767, 65406, 65407, 65535])
    def test_16_bit_grey_is_scaled_and_rounded(self, value):
        pixels = np.array([[value, 65535]], dtype=np.uint16)
        wanted = round(value / 257)
        for data in (png(pixels, colour=0, depth=16), pnm(pixels, 65535)):
            assert load_image(data)[0, :, 1].tolist() == [wanted, 255]

    def test_16_bit_colour(self):
        pixels = RNG.integers(0, 65536, (4, 4, 3)).astype(np.uint16)
        for data in (png(pixels, colour=2, depth=16), pnm(pixels, 65535)):
            assert np.abs(load_image(data) - pixels / 257).max() <= 1

    def test_cmyk_both_ways(self):
        cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))  # no cyan, full magenta and yellow: red
        buffer = io.BytesIO()
        cmyk.save(buffer, "JPEG", quality=100)  # stored inverted, with Adobe's marker
        assert np.abs(load_image(buffer.getvalue()).astype(int) - [255, 0, 0]).max() <= 3
        tif = io.BytesIO()
        cmyk.save(tif, "TIFF")  # stored as it is
        assert load_image(tif.getvalue())[0, 0].tolist() == [255, 0, 0]

    def test_floats_are_refused(self):
        buffer = io.BytesIO()
        Image.fromarray(np.ones((2, 2), dtype=np.float32)).save(buffer, "TIFF")
        with pytest.raises(NotAnImageError, match="8-bit"):
            load_image(buffer.getvalue())


class TestOrientation:
    #: What a viewer must show of the stored picture [[0, 1, 2], [3, 4, 5]], by hand from EXIF 2.32, tag 274.
    SHOWN = {  # noqa: RUF012
        1: [[0, 1, 2], [3, 4, 5]],
        2: [[2, 1, 0], [5, 4, 3]],
        3: [[5, 4, 3], [2, 1, 0]],
        4: [[3, 4, 5], [0, 1, 2]],
        5: [[0, 3], [1, 4], [2, 5]],
        6: [[3, 0], [4, 1], [5, 2]],
        7: [[5, 2], [4, 1], [3, 0]],
        8: [[2, 5], [1, 4], [0, 3]],
    }

    @pytest.mark.parametrize("orientation", SHOWN)
    def test_jpeg(self, orientation):
        blocks = np.kron(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40, np.ones((16, 16), dtype=np.uint8))
        data = with_exif(jpeg(np.dstack([blocks] * 3)), orientation)
        shown = load_image(data)[8::16, 8::16, 0]
        assert np.abs(shown.astype(int) - np.array(self.SHOWN[orientation]) * 40).max() <= 3

    @pytest.mark.parametrize("orientation", SHOWN)
    def test_tiff(self, orientation):
        shown = load_image(tiff(np.arange(6, dtype=np.uint8).reshape(2, 3), orientation))
        assert shown[..., 0].tolist() == self.SHOWN[orientation]

    def test_a_pillow_image_of_a_file_is_turned_too(self):
        picture = Image.open(io.BytesIO(with_exif(jpeg(smooth()), 6)))
        assert load_image(picture).shape == (64, 48, 3)
        assert picture.size == (64, 48)  # the caller's object is as it was

    def test_nonsense_leaves_the_picture_as_it_is(self):
        assert load_image(with_exif(jpeg(smooth()), 77)).shape == (48, 64, 3)

    @pytest.mark.filterwarnings("ignore:Corrupt EXIF")
    def test_broken_exif_costs_nothing(self):
        data = jpeg(smooth())
        data = data[:2] + b"\xff\xe1\x00\x10Exif\0\0MM\0*\xff\xff\xff\xff" + data[2:]
        assert load_image(data).shape == (48, 64, 3)


class TestBadInput:
    def test_missing(self, tmp_path):
        with pytest.raises(ImageNotFoundError, match="Check the path") as caught:
            load_image(tmp_path / "no.jpg")
        assert isinstance(caught.value, FileNotFoundError)

    def test_addresses_are_not_opened(self):
        with pytest.raises(ImageNotFoundError, match="addresses are not opened"):
            load_image("https://example.org/a.jpg")

    @pytest.mark.parametrize("path", ["a\0b", "x" * 10_000])
    def test_impossible_paths(self, path):
        with pytest.raises(ImageNotFoundError):
            load_image(path)

    def test_a_folder(self, tmp_path):
        with pytest.raises(ImageAccessError, match="folder"):
            load_image(tmp_path)

    def test_no_permission(self, tmp_path):
        path = tmp_path / "a.ppm"
        path.write_bytes(pnm(RGB))
        path.chmod(0)
        with permissions_hold(), pytest.raises(ImageAccessError, match="permission"):
            load_image(path)

    def test_no_permission_by_the_systems_word(self, monkeypatch, tmp_path):
        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
        with pytest.raises(ImageAccessError, match="permission"):
            load_image(tmp_path / "a.ppm")

    def test_zero_bytes(self, tmp_path):
        path = tmp_path / "a.jpg"
        path.touch()
        for source in (path, b"", io.BytesIO()):
            with pytest.raises(NotAnImageError, match="zero bytes"):
                load_image(source)

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"hello, world", "text"),
            (b"%PDF-1.7 ...", "PDF"),
            (b"PK\x03\x04....", "ZIP"),
            (b"<svg xmlns='...'>", "SVG"),
            (b"<!doctype html>", "HTML"),
            (b"\0\0\0\x18ftypmp42....", "video"),
            (bytes(range(128, 200)), "no known format"),
        ],
    )
    def test_not_an_image(self, data, words):
        with pytest.raises(NotAnImageError, match=words):
            load_image(data)

    @pytest.mark.parametrize("kind", ["jpg", "png", "webp", "bmp", "tiff"])
    @pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
    def test_truncated(self, kind, share):
        noise = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        data = cv2.imencode(f".{kind}", noise)[1].tobytes()
        with pytest.raises((DamagedImageError, NotAnImageError)):
            load_image(data[: int(len(data) * share)])

    def test_a_bomb_is_refused_before_it_is_decoded(self):
        bomb = png(
            np.zeros((1, 1), dtype=np.uint8), colour=0, depth=1, size_wh=(30_000, 30_000), packed=b"\0" * 3751 * 3000
        )
        with pytest.raises(ImageTooLargeError, match="30000×30000"):
            load_image(bomb)

    @pytest.mark.parametrize("size", [(30_000, 30_000), (11_000, 11_000)])
    def test_a_webp_bomb(self, size):
        """Its decoder makes room for the canvas as soon as it opens."""
        body = (
            b"VP8X"
            + (10).to_bytes(4, "little")
            + b"\0\0\0\0"
            + b"".join((side - 1).to_bytes(3, "little") for side in size)
        )
        with pytest.raises((ImageTooLargeError, DamagedImageError)):
            load_image(b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body)

    def test_byte_and_pixel_limits(self, tmp_path):
        data = pnm(RGB)
        path = tmp_path / "a.ppm"
        path.write_bytes(data)
        for source in (data, path, io.BytesIO(data)):
            assert load_image(source, limits=Limits(max_bytes=len(data))).shape == (5, 7, 3)
            if isinstance(source, io.BytesIO):
                source.seek(0)
            with pytest.raises(ImageTooLargeError, match="bytes"):
                load_image(source, limits=Limits(max_bytes=len(data) - 1))
        for source in (data, RGB, Image.fromarray(RGB)):
            assert load_image(source, limits=Limits(max_pixels=35)).shape == (5, 7, 3)
            with pytest.raises(ImageTooLargeError, match="34 pixels"):
                load_image(source, limits=Limits(max_pixels=34))

    def test_an_endless_file_is_left_early(self):
        with pytest.raises(ImageTooLargeError):
            load_image("/dev/zero", limits=Limits(max_bytes=1000))

    @pytest.mark.parametrize("bad", [{"max_bytes": 0}, {"max_pixels": -1}, {"formats": ("JPG",)}])
    def test_limits_that_make_no_sense(self, bad):
        with pytest.raises(SettingError):
            Limits(**bad)

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_damaged_bytes_are_a_picture_or_a_typed_error(self, data):
        kinds = [jpeg(smooth(8, 8)), png(RGB, colour=2), bmp(RGB), tiff(GREY), pnm(RGB), gif_two_frames()]
        whole = bytearray(data.draw(st.sampled_from(kinds)))
        for _ in range(data.draw(st.integers(1, 8))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        try:
            picture = load_image(
                bytes(whole[: data.draw(st.integers(1, len(whole)))]), limits=Limits(max_pixels=10_000)
            )
        except ImageError:
            return
        except UserWarning:  # some of Pillow's readers warn of odd metadata; the tests make that an exception
            return
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3
        assert picture.size > 0


def test_pillows_globals_stay_as_they_were():
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    load_image(pnm(RGB), limits=Limits(max_pixels=500_000_000))
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)


def test_importing_loads_no_pillow():
    code = (
        "import sys, sameface.imaging; assert not any(name == 'PIL' or name.startswith('PIL.') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
