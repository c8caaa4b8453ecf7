"""Pictures from elsewhere, which may be broken, or far larger than their files."""

import contextlib
from collections.abc import Iterator

# Those that Pillow reads by itself: it has EPS drawn by another program, for one.
_FORMATS = "PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM"
MOST_PIXELS = 50_000_000
LONGEST = 2**16  # pixels of a side


class Unreadable(ValueError):
    """It is no picture, is not whole, or is too large."""


@contextlib.contextmanager
def opened(source) -> Iterator:
    """A `PIL.Image.Image`, of which no pixel has been read yet.

    Args:
        source: A path, or a stream of bytes.

    Raises:
        Unreadable: At once, or from within the block, where pixels are read.
        ImportError: If Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            'Reading images needs Pillow: pip install "keras-fusion[datasets]".'
        ) from error
    try:
        with Image.open(source, formats=_FORMATS) as picture:
            width, height = picture.size
            if max(width, height) > LONGEST or width * height > MOST_PIXELS:
                raise Unreadable(
                    f"expected at most {MOST_PIXELS:,} pixels, and {LONGEST:,} of a "
                    f"side; received {width:,} x {height:,}"
                )
            yield picture
    except Exception as error:  # its decoders raise nearly any
        raise Unreadable(str(error) or type(error).__name__) from error
