"""How the labels of public face sets are spelled, once for all packages.

Labels are the data sets' own or what raters perceived, never people's own words.
"""

from __future__ import annotations

import re

UNKNOWN = "unknown"
FAIRFACE_ETHNICITIES = (
    "east-asian",
    "southeast-asian",
    "indian",
    "black",
    "middle-eastern",
    "latino",
    "white",
)
# What the same group is called in other files.
_SAME = {
    "latino-hispanic": "latino",
    "latino_hispanic": "latino",
    "southeast_asian": "southeast-asian",
    "south-east-asian": "southeast-asian",
    "east_asian": "east-asian",
    "middle_eastern": "middle-eastern",
}
OTHER_GROUP = "other"
# Labels of other sets, as far as one of the seven holds most of their photos. UTKFace's "asian" is
# East and Southeast Asian together; the larger part counts.
_WIDE = {"asian": "east-asian", "hispanic": "latino"}
_GENDERS = {"m": "male", "f": "female", "man": "male", "woman": "female"}


def label(text: str) -> str:
    """A label as manifests spell it: lower-case, words joined by "-"; "unknown" if empty."""
    return re.sub(r"[^a-z0-9_+]+", "-", text.strip().lower()).strip("-") or UNKNOWN


def ethnicity_label(text: str) -> str:
    """An ethnicity as manifests spell it: "East Asian" becomes "east-asian"."""
    plain = label(text)
    return _SAME.get(plain, plain)


def wide_group(ethnicity: str) -> str:
    """The one of FairFace's seven groups that a set's label belongs to, or "other".

    For draws that shall be even over sets with different labels; never shown as a label.
    """
    group = _WIDE.get(ethnicity, ethnicity)
    return group if group in FAIRFACE_ETHNICITIES else OTHER_GROUP


def gender_label(text: str) -> str:
    """A gender; the abbreviations m and f are written out."""
    plain = label(text)
    return _GENDERS.get(plain, plain)
