"""Reads picture files safely: any common format in, an upright RGB frame of bounded size out; writes frames."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import output
from .errors import InputError
from .types import Frame

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""Formats that are opened; the rest of Pillow's decoders are kept away from strangers' files."""

KNOWN = "JPEG, PNG, WebP, GIF, BMP or TIFF"

MOST_PIXELS = 150_000_000
"""Larger pictures are refused before they are decoded: 150 megapixels are 450 MB as RGB."""

LONGEST_SIDE = 4096
"""Longer pictures are made smaller while loading; nothing here reads finer detail."""

BACKGROUND = (255, 255, 255)
"""What shows through transparent pixels."""


def read(path: Path | str) -> Frame:
    """Return the picture in a file as a frame: uint8 RGB, (height, width, 3), at most 4096 pixels a side.

    EXIF orientation is applied, transparency is laid on white, an animation gives its first picture.
    Raises :class:`InputError` where the file is missing, empty, cut short, too large or no picture.
    """
    from PIL import Image, UnidentifiedImageError

    path = Path(path)
    try:
        if not path.exists():
            raise InputError(f"there is no file {path}")
        if not path.is_file():
            raise InputError(f"{path} is not a file; give one picture")
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty; give a {KNOWN} picture")
        with warnings.catch_warnings():
            # The number of pixels is bounded below; the other warnings are about metadata.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                megapixels = image.width * image.height / 1e6
                if megapixels > MOST_PIXELS / 1e6:
                    raise InputError(
                        f"{path} has {megapixels:.0f} megapixels; make it smaller than {MOST_PIXELS / 1e6:.0f}"
                    )
                return Frame(np.array(_upright(image), np.uint8), source=str(path))
    except UnidentifiedImageError:
        raise InputError(f"{path} is not a picture; give a {KNOWN} file") from None
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} has too many pixels; make it smaller") from error
    except PermissionError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except MemoryError as error:
        raise InputError(f"{path} does not fit into memory; make it smaller") from error
    # What Pillow's decoders raise on damaged files.
    except (OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, OverflowError, struct.error) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} is damaged or cut short ({reason}); give another copy") from error


WRITTEN = (".png", ".jpg", ".jpeg", ".webp")
"""Endings of files that are written."""


def write(path: Path, frame: Frame) -> None:
    """Write a frame as a picture file, by its ending; the file appears when it is whole.

    Raises :class:`InputError` where the ending is another one, the folder is missing or cannot be written to.
    """
    from PIL import Image

    output.check(path, WRITTEN)
    try:
        with output.whole(path) as partial:
            Image.fromarray(frame.pixels).save(
                partial, format=Image.registered_extensions()[path.suffix.lower()], quality=95
            )
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def image(frame: Frame, longest: int) -> Image:
    """Return a frame as an image of Pillow, RGB, at most ``longest`` pixels a side."""
    from PIL import Image as pillow

    made = pillow.fromarray(frame.pixels)
    made.thumbnail((longest, longest))
    return made


def _upright(image: Image) -> Image:
    """Return the picture as RGB of bounded size, turned as its EXIF data say."""
    from PIL.Image import Transpose

    # A JPEG is decoded at a half, a quarter or an eighth of its size; other formats ignore this.
    image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    rgb = _rgb(_smaller(image))
    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = turns.get(_orientation(image))
    return rgb if turn is None else rgb.transpose(turn)


def _smaller(image: Image) -> Image:
    longest = max(image.size)
    if longest <= LONGEST_SIDE:
        return image
    size = (
        max(1, round(image.width * LONGEST_SIDE / longest)),
        max(1, round(image.height * LONGEST_SIDE / longest)),
    )
    if image.mode in ("1", "P", "PA"):  # indices cannot be averaged
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image.resize(size, reducing_gap=2.0)


def _rgb(image: Image) -> Image:
    from PIL import Image as pillow

    if image.mode.startswith(("I", "F")):
        image = pillow.fromarray(_eight_bits(np.asarray(image)))
    if not image.has_transparency_data:
        return image.convert("RGB")
    layers = image.convert("RGBA")
    background = pillow.new("RGBA", layers.size, (*BACKGROUND, 255))
    return pillow.alpha_composite(background, layers).convert("RGB")


def _eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return grey levels of 16 or 32 bits, or of floating point, as 8 bits."""
    levels = np.nan_to_num(values.astype(np.float32))
    highest = float(levels.max(initial=0.0))
    if values.dtype.kind == "f":
        scale = 255.0 if highest <= 1 else 1.0
    else:
        scale = 1.0 if highest <= 255 and values.dtype != np.uint16 else 255 / 65535
    return np.asarray(np.clip(levels * scale, 0, 255).round(), np.uint8)


def _orientation(image: Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where there is none that can be read."""
    try:
        value = image.getexif().get(0x0112, 1)
    except (SyntaxError, ValueError, LookupError, OSError, TypeError, struct.error):
        return 1  # damaged metadata do not make the picture unreadable
    return value if isinstance(value, int) else 1
