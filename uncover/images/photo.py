"""A photo in memory: the RGB pixels the networks see, and all that is needed to give it back."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from uncover.errors import ImageError
from uncover.images.provenance import Words

Rect = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels; the last ones excluded."""

_PLAIN_MODES = {"1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"}
_DEEP_MODES = {"I;16", "I", "F"}
_REPLACED = {"RGBa": "RGBA", "La": "LA", "RGBX": "RGB", "PA": "RGBA"}


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo, upright (EXIF orientation applied).

    Attributes:
        rgb: uint8 (H, W, 3), the picture's own RGB values (its colour profile is not applied,
            except that CMYK is converted to sRGB).
        native: the picture in its own mode ("L", "CMYK", "P", ...); None when that is RGB.
        format: PIL's name of the file format it came from, if any.
        exif, icc, xmp, dpi, words: metadata to carry over.
        warnings: what the user should know, one line each.
        path: the file it came from, if any.
    """

    rgb: NDArray[np.uint8]
    native: Image.Image | None = None
    format: str | None = None
    exif: Image.Exif | None = None
    icc: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    words: Words = field(default_factory=Words)
    warnings: tuple[str, ...] = ()
    path: Path | None = None

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])

    @property
    def mode(self) -> str:
        """PIL mode of the picture, for example "RGB" or "L"."""
        return "RGB" if self.native is None else self.native.mode

    def repainted(
        self, rgb: NDArray[np.uint8], painted: Iterable[tuple[Rect, NDArray[np.bool_]]]
    ) -> Image.Image:
        """This photo in its own mode, with some pixels taken from `rgb`.

        Args:
            rgb: uint8 (H, W, 3) that differs from `self.rgb` only at painted pixels.
            painted: rectangles and their bool masks of painted pixels.

        Returns:
            A PIL image of the same size and mode; every other pixel is identical.
        """
        if self.native is None:
            image = Image.fromarray(rgb)
        else:
            image = self.native.copy()
            for (x0, y0, x1, y1), mask in painted:
                patch = _rgb_to_native(rgb[y0:y1, x0:x1], self.native, self.icc)
                _put(image, patch, (x0, y0), mask)
        if self.icc:
            image.info["icc_profile"] = self.icc
        return image


def normalised_mode(image: Image.Image) -> Image.Image:
    """The image in a mode that `Photo` can hold; the same object when it already is.

    Raises:
        ImageError: the colour mode is not supported.
    """
    if image.mode in _PLAIN_MODES or image.mode in _DEEP_MODES:
        return image
    if image.mode in _REPLACED:
        return image.convert(_REPLACED[image.mode])
    if image.mode.startswith("I;16"):
        return Image.fromarray(np.asarray(image).astype("<u2"))
    raise ImageError(f"colour mode {image.mode} is not supported: save the picture as RGB first")


def native_to_rgb(image: Image.Image, icc: bytes | None) -> NDArray[np.uint8]:
    """uint8 (H, W, 3) from an image in any mode that `normalised_mode` returns."""
    if image.mode in _DEEP_MODES:
        grey = np.asarray(image).astype(np.float64) * (255 / _white(image))
        grey = np.nan_to_num(np.clip(grey, 0, 255)).round().astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode == "P":
        image = image.convert("RGBA")
    if image.mode == "CMYK":
        image = _profile_convert(image, icc, to_srgb=True) or image
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _rgb_to_native(rgb: NDArray[np.uint8], native: Image.Image, icc: bytes | None) -> Image.Image:
    """A patch of RGB pixels in the mode (and palette) of `native`."""
    patch = Image.fromarray(np.ascontiguousarray(rgb))
    mode = native.mode
    if mode in _DEEP_MODES:
        dtype = np.asarray(native.crop((0, 0, 1, 1))).dtype
        grey = np.asarray(patch.convert("L"), np.float64) * (_white(native) / 255)
        return Image.fromarray(
            grey.astype(dtype) if dtype.kind == "f" else grey.round().astype(dtype)
        )
    if mode == "P":
        return patch.quantize(palette=_opaque_palette(native), dither=Image.Dither.FLOYDSTEINBERG)
    if mode == "CMYK":
        return _profile_convert(patch, icc, to_srgb=False) or patch.convert("CMYK")
    return patch.convert(mode)


def _put(
    image: Image.Image, patch: Image.Image, at: tuple[int, int], mask: NDArray[np.bool_]
) -> None:
    """Overwrite the masked pixels of `image`, except its alpha channel."""
    box = (*at, at[0] + patch.width, at[1] + patch.height)
    if image.mode in ("RGBA", "LA"):
        patch.putalpha(image.crop(box).getchannel("A"))
    if image.mode in _DEEP_MODES:
        old = np.asarray(image.crop(box))
        patch = Image.fromarray(np.where(mask, np.asarray(patch), old))
        image.paste(patch, box)
        return
    image.paste(patch, box, Image.fromarray(mask.astype(np.uint8) * 255).convert("1"))


def _white(image: Image.Image) -> float:
    """The value that stands for white in a deep greyscale image."""
    if image.mode == "I;16":
        return 65535.0
    _, high = cast("tuple[float, float]", image.getextrema())  # of one channel
    if image.mode == "F" and high <= 1.0:
        return 1.0
    return 255.0 if high <= 255 else 65535.0 if high <= 65535 else float(high)


def _opaque_palette(native: Image.Image) -> Image.Image:
    """The palette without its transparent entries, so that no painted pixel becomes a hole."""
    palette = Image.new("P", (1, 1))
    colours = np.array(native.getpalette("RGB") or [0, 0, 0], np.uint8).reshape(-1, 3)
    transparency = native.info.get("transparency")
    clear: list[int] = []
    if isinstance(transparency, int):
        clear = [transparency]
    elif isinstance(transparency, bytes):
        clear = [i for i, a in enumerate(transparency) if a < 255]
    opaque = [i for i in range(len(colours)) if i not in clear]
    if opaque:
        colours[[i for i in clear if i < len(colours)]] = (255, 0, 255)  # no face is magenta
    palette.putpalette(colours.tobytes())
    return palette


def _profile_convert(image: Image.Image, icc: bytes | None, *, to_srgb: bool) -> Image.Image | None:
    """CMYK <-> sRGB through the picture's own profile; None when it has no usable one."""
    if not icc:
        return None
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        srgb = ImageCms.createProfile("sRGB")
        if to_srgb:
            return ImageCms.profileToProfile(image, own, srgb, outputMode="RGB")
        return ImageCms.profileToProfile(image, srgb, own, outputMode="CMYK")
    except (ImageCms.PyCMSError, OSError):
        return None
