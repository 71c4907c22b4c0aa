"""Reading picture files: formats, orientation, transparency, depth, size, and everything that can be wrong."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assistant import pictures
from assistant.errors import InputError

RED, BLUE = (220, 30, 30), (30, 30, 220)


@pytest.fixture
def halves() -> Image.Image:
    """Left half red, right half blue, 60 x 40."""
    picture = Image.new("RGB", (60, 40), RED)
    picture.paste(BLUE, (30, 0, 60, 40))
    return picture


def near(pixel: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixel.astype(int) - colour).max() < 30)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.bmp", "a.gif", "a.tiff", "a.ppm"])
def test_reads_every_format(tmp_path: Path, halves: Image.Image, name: str) -> None:
    halves.save(tmp_path / name)
    frame = pictures.read(tmp_path / name)
    assert frame.pixels.shape == (40, 60, 3)
    assert frame.pixels.dtype == np.uint8
    assert near(frame.pixels[20, 10], RED) and near(frame.pixels[20, 50], BLUE)
    assert frame.source == str(tmp_path / name)


def test_the_name_need_not_tell_the_format(tmp_path: Path, halves: Image.Image) -> None:
    halves.save(tmp_path / "päper", "PNG")
    assert pictures.read(tmp_path / "päper").pixels.shape == (40, 60, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "PNG"])
def test_turned_cameras_are_turned_back(tmp_path: Path, halves: Image.Image, orientation: int, kind: str) -> None:
    inverse = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    halves.paste((20, 200, 20), (0, 0, 30, 10))  # one green corner, so that every turn differs
    exif = Image.Exif()
    exif[0x0112] = orientation
    (halves if inverse is None else halves.transpose(inverse)).save(tmp_path / "x", kind, exif=exif)
    frame = pictures.read(tmp_path / "x")
    assert frame.pixels.shape == (40, 60, 3)
    assert near(frame.pixels[4, 10], (20, 200, 20)) and near(frame.pixels[30, 10], RED)
    assert near(frame.pixels[30, 50], BLUE)


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert (pictures.read(tmp_path / "a.png").pixels == 255).all()
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([9, 9, 9, 200, 0, 0])
    palette.paste(1, (4, 0, 8, 8))
    palette.save(tmp_path / "p.png", transparency=0)
    frame = pictures.read(tmp_path / "p.png")
    assert (frame.pixels[4, 1] == 255).all() and near(frame.pixels[4, 6], (200, 0, 0))


def test_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(8, 0)
    for name in ("a.png", "a.tiff"):
        Image.fromarray(ramp).save(tmp_path / name)
        pixels = pictures.read(tmp_path / name).pixels
        assert np.abs(pixels[0, :, 0].astype(int) - np.linspace(0, 255, 64)).max() <= 1
    Image.fromarray(np.full((4, 4), 200, np.uint16)).save(tmp_path / "dark.png")
    assert pictures.read(tmp_path / "dark.png").pixels.max() <= 1


def test_grey_black_and_white_cmyk_and_float(tmp_path: Path, halves: Image.Image) -> None:
    halves.convert("L").save(tmp_path / "l.png")
    halves.convert("1").save(tmp_path / "1.png")
    halves.convert("CMYK").save(tmp_path / "c.jpg")
    Image.fromarray(np.full((40, 60), 0.5, np.float32)).save(tmp_path / "f.tiff")
    for name in ("l.png", "1.png", "c.jpg", "f.tiff"):
        assert pictures.read(tmp_path / name).pixels.shape == (40, 60, 3)
    assert abs(int(pictures.read(tmp_path / "f.tiff").pixels[0, 0, 0]) - 128) <= 1


def test_an_animation_gives_its_first_picture(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (9, 9), RED), Image.new("RGB", (9, 9), BLUE)
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    assert near(pictures.read(tmp_path / "a.gif").pixels[4, 4], RED)


@pytest.mark.parametrize("name", ["big.jpg", "big.png"])
def test_a_hundred_megapixels_are_made_smaller(tmp_path: Path, name: str) -> None:
    Image.new("L", (10_000, 10_000), 90).save(tmp_path / name, compress_level=1)
    frame = pictures.read(tmp_path / name)
    assert max(frame.pixels.shape) <= pictures.LONGEST_SIDE
    assert abs(int(frame.pixels[0, 0, 0]) - 90) <= 1


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    for width, height in ((60_000, 60_000), (13_000, 13_000)):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
        with pytest.raises(InputError, match="pixels"):
            pictures.read(tmp_path / "bomb.png")


def test_what_is_no_picture_is_told_in_one_line(tmp_path: Path, halves: Image.Image) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("not a picture")
    for kind in ("JPEG", "PNG", "WEBP", "GIF"):
        whole = io.BytesIO()
        Image.effect_noise((200, 200), 60).convert("RGB").save(whole, kind)
        (tmp_path / f"cut.{kind}").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    for name, reason in (
        ("missing.jpg", "there is no file"),
        ("empty.jpg", "is empty"),
        ("text.jpg", "is not a picture"),
        (".", "is not a file"),
        ("cut.JPEG", "cut short"),
        ("cut.PNG", "cut short"),
        ("cut.WEBP", "cut short|not a picture"),
        ("cut.GIF", "cut short"),
    ):
        with pytest.raises(InputError, match=reason) as caught:
            pictures.read(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_random_damage_never_escapes_as_another_error(tmp_path: Path, halves: Image.Image) -> None:
    generator, read = np.random.default_rng(0), 0
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"):
        whole = io.BytesIO()
        halves.save(whole, kind)
        for _ in range(25):
            damaged = bytearray(whole.getvalue())
            for place in generator.integers(0, len(damaged), 4):
                damaged[place] = int(generator.integers(0, 256))
            (tmp_path / "x").write_bytes(damaged)
            try:
                assert pictures.read(tmp_path / "x").pixels.shape[2] == 3
                read += 1
            except InputError as error:
                assert "\n" not in str(error)
    assert read


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file(tmp_path: Path, halves: Image.Image) -> None:
    halves.save(tmp_path / "a.png")
    (tmp_path / "a.png").chmod(0)
    with pytest.raises(InputError, match="cannot read"):
        pictures.read(tmp_path / "a.png")
