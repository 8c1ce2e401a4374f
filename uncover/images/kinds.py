"""Kinds of picture files: by the ending of a name, and by the bytes a file starts with."""

from __future__ import annotations

from pathlib import Path

from uncover.errors import ImageError

FORMATS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".png": "PNG",
    ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".gif": "GIF",
}  # fmt: skip
"""File name endings that can be written, and PIL's names of their formats."""

HEIF = frozenset({".heic", ".heif", ".hif"})
"""Endings of what phones write; read through pillow-heif, written as JPEG."""

READABLE = frozenset({*FORMATS, *HEIF, ".avif", ".ppm", ".pgm", ".pnm", ".jp2", ".apng", ".mpo"})
"""Endings of files that are taken out of a folder of photos."""

RAW = frozenset({
    ".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".orf", ".rw2", ".raf",
    ".pef", ".srw", ".x3f", ".3fr", ".fff", ".erf", ".kdc", ".dcr", ".mos", ".mrw", ".iiq", ".rwl",
    ".raw", ".gpr", ".mef",
})  # fmt: skip
"""Endings of what cameras write before it is developed; what PIL reads of it is a thumbnail."""

HEAD = 32
_PLAIN = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_RAW_STARTS = (
    b"FUJIFILMCCD-RAW",
    b"IIRO",
    b"IIRS",
    b"MMOR",
    b"IIU\0",
    b"FOVb",
    b"\0MRM",
    b"HEAPCCDR",
)
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_DNG_VERSION, _SUBFILE, _SUB_IFDS = 50706, 254, 330


def writable(path: Path | str) -> Path:
    """The path with an ending that can be written: HEIC becomes JPEG, other kinds PNG."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in FORMATS:
        return path
    return path.with_suffix(".jpg" if suffix in HEIF else ".png")


def is_heif(head: bytes) -> bool:
    """Whether a file that starts so is HEIC or HEIF (AVIF, which PIL reads itself, is not)."""
    return head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS and b"avif" not in head[8:HEAD]


def is_lfs_pointer(head: bytes) -> bool:
    """Whether a file stands for one that Git LFS has not fetched."""
    return head.startswith(b"version https://git-lfs")


def is_raw(head: bytes, name: str = "") -> bool:
    """Whether a file that starts so, and is called so, holds undeveloped camera data."""
    if head.startswith(_RAW_STARTS) or head[4:12] == b"ftypcrx ":
        return True
    if head.startswith(_TIFF) and head[8:10] == b"CR":
        return True
    return Path(name).suffix.lower() in RAW and not head.startswith(_PLAIN) and not is_heif(head)


def is_raw_tiff(tags: object) -> bool:
    """Whether a TIFF's first tags say that its picture is the thumbnail of a raw file."""
    found = tags if hasattr(tags, "get") else {}
    thumbnail = found.get(_SUBFILE) == 1 and found.get(_SUB_IFDS) is not None
    return found.get(_DNG_VERSION) is not None or thumbnail


def refuse_raw(name: str) -> ImageError:
    """The error for undeveloped camera data."""
    return ImageError(
        f"{name} is a raw file of a camera: develop it to JPEG, PNG or TIFF first, then give that"
    )


def starts_like_picture(path: Path) -> bool:
    """Whether a file's first bytes are those of a picture, whatever its name ends in."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError:
        return False
    webp = head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    plain = head.startswith((*_PLAIN[:3], *_TIFF)) or webp
    return (plain or is_heif(head) or head[4:12] == b"ftypavif") and not is_raw(head, path.name)


def make_heif_readable(name: str) -> None:
    """Teach PIL to read HEIF.

    Raises:
        ImageError: pillow-heif is not installed.
    """
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        raise ImageError(
            f"{name} is a HEIC picture: python -m pip install pillow-heif, or save it as JPEG"
        ) from None
    register_heif_opener()
