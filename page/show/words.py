"""What was found in a photo and done with it, in words."""

from __future__ import annotations

from page.show.annotate import WORDS
from uncover.results import Reason, Result


def summary(result: Result) -> str:
    """What was found and done, in a few sentences of Markdown."""
    faces = [face for face in result.faces if not face.doubtful]
    count, filled = len(faces), len(result.filled)
    if not count:
        text = (
            "**No face found.** Try a photo in which the face is larger, sharper and seen from the "
            "front, or open *Correct the masks* below and paint over the mask yourself."
        )
    elif not filled and all(face.reason == Reason.STRUCK_OUT for face in faces):
        text = f"**{_faces(count)} found, none painted**: you left {_them(count)} out."
    elif not filled:
        kinds = ", ".join(sorted({WORDS.get(face.label, face.label) for face in faces}))
        text = (
            f"**{_faces(count)} found, none painted** ({kinds}). If one does wear a mask, open "
            "*Correct the masks* below and paint over it. For a bare face there is *Try it on "
            "yourself*."
        )
    else:
        text = f"**{_faces(count)} found, {filled} painted.**"
    small = sum(face.reason == Reason.TOO_SMALL for face in faces)
    if small:
        text += f" {_faces(small)} with a mask {'is' if small == 1 else 'are'} too small to paint."
    hanging = sum(face.reason == Reason.ON_CHIN for face in faces)
    if hanging:
        has = "1 wears its" if hanging == 1 else f"{hanging} wear their"
        text += f" {has} mask on the chin: *Also masks worn on the chin* paints there too."
    return "\n\n".join([text, *(f"Note: {_plain(w, result)}." for w in result.warnings)])


def _faces(count: int) -> str:
    return "1 face" if count == 1 else f"{count} faces"


def _them(count: int) -> str:
    return "it" if count == 1 else "them"


def _plain(warning: str, result: Result) -> str:
    path = result.photo.path
    return warning.replace(str(path), path.name) if path else warning
