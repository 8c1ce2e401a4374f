"""A concept stands in one place: what gives a second definition away is found in one file alone."""

from __future__ import annotations

import re

import pytest

from tests.test_arrows import PACKAGES, ROOT, sources

HOMES = {
    "pose bins": (r'"(0-15|15-30|30-60)"', "uncover/faces/pose.py"),
    "the labels of FairFace": (r'"(east|southeast)-asian",', "uncover/faces/labels.py"),
    "the mirror of the 68 points": (r"^MIRROR_68\b", "uncover/faces/mean_face.py"),
    "overlap": (r"def (\w*iou|\w*box_iou|overlap|mask_overlap)\(", "uncover/crop/alignment.py"),
    "LPIPS": (r"lpips\.LPIPS\(", "uncover/images/likeness.py"),
    "SSIM's map": (r"def \w*ssim_map\(", "uncover/images/likeness.py"),
    "whole files": (r'\.(part|partial|tmp)"|mkstemp|os\.replace\(',
                    "uncover/atomic.py"),
    "titles of metrics": (r'"(PSNR|SSIM) hole"|"LPIPS( ↓)?"', "uncover/scores/known.py"),
    "reading results.json": (r"def read_results\(", "uncover/scores/measured.py"),
    "contact sheets": (r"np\.vstack\(rows\)", "uncover/images/tiles.py"),
    "the git revision": (r'\["git", ', "uncover/revision.py"),
    "the weights asked for": (r'"UNCOVER_(WEIGHTS|REVISION)"', "uncover/weights/sources.py"),
    "how threads wait": (r"GOMP_SPINCOUNT\"|OMP_WAIT_POLICY\"", "uncover/waiting.py"),
}  # fmt: skip


@pytest.mark.parametrize("concept", HOMES)
def test_a_concept_has_one_home(concept: str) -> None:
    pattern, home = HOMES[concept]
    found = {
        file.relative_to(ROOT).as_posix()
        for owner in PACKAGES
        for file in sources(owner)
        if re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert found == {home}
