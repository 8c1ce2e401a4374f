from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from skimage import data

from tests.uncover.fake_networks import CLOTH, SIZE, SKIN, cloth_left, draw_scene, make
from uncover import Uncoverer, UncoverError
from uncover.errors import ImageError
from uncover.pipeline import Settings

BOX = (60, 30, 140, 135)


def test_import_loads_no_torch() -> None:
    code = (
        "import sys, uncover; from uncover import pipeline; "
        "from uncover.commands import jobs, photos; "
        "assert uncover.Uncoverer and uncover.Face and uncover.Result; "
        "assert not {'torch', 'torchvision', 'gradio'} & set(sys.modules), 'heavy import'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_unknown_names_are_attribute_errors() -> None:
    import uncover

    assert "Uncoverer" in dir(uncover)
    with pytest.raises(AttributeError, match="no attribute"):
        uncover.nothing  # noqa: B018


@pytest.mark.parametrize("blend", ["feather", "poisson"])
def test_a_masked_face_is_filled_and_the_rest_stays_identical(blend: str) -> None:
    photo = draw_scene([BOX])
    result = make([BOX])(photo, blend=blend)
    out = np.asarray(result.image)
    mask = result.faces[0].mask
    assert mask.shape == photo.shape[:2]
    assert mask.dtype == bool
    np.testing.assert_array_equal(out[~mask], photo[~mask])
    assert cloth_left(photo) > 1000
    assert cloth_left(out) == 0
    near_skin = np.abs(out[mask].astype(int) - SKIN).max(-1) < 40
    assert near_skin.mean() > 0.9
    assert result.faces[0].reason is None
    assert photo.base is None
    np.testing.assert_array_equal(np.asarray(result.original), photo)


def test_no_cloth_reaches_the_generator() -> None:
    uncoverer = make([BOX])
    uncoverer(draw_scene([BOX]))
    crop, hole = uncoverer.generator.crops[0], uncoverer.generator.holes[0]
    assert cloth_left(np.where(hole[..., None], np.uint8(0), crop)) == 0


@pytest.mark.parametrize("box", [(-20, -30, 60, 75), (150, 100, 230, 190), (0, 0, 200, 160)])
def test_faces_at_the_edge_of_the_photo(box: tuple[int, int, int, int]) -> None:
    photo = draw_scene([box])
    uncoverer = make([tuple(np.clip(box, 0, (200, 160, 200, 160)))])
    result = uncoverer(photo)
    for face in result.faces:
        np.testing.assert_array_equal(np.asarray(result.image)[~face.mask], photo[~face.mask])


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "CMYK", "LA", "P"])
def test_result_has_the_size_and_mode_of_the_input(mode: str) -> None:
    scene = Image.fromarray(draw_scene([BOX]))
    image = scene.quantize(128) if mode == "P" else scene.convert(mode)
    result = make([BOX])(image)
    assert (result.image.mode, result.image.size) == (mode, image.size)
    assert result.faces[0].reason is None
    outside = ~result.faces[0].mask
    np.testing.assert_array_equal(np.asarray(result.image)[outside], np.asarray(image)[outside])
    assert (np.asarray(result.image) != np.asarray(image)).any()


def test_one_pixel_is_a_photo_without_a_face() -> None:
    result = make()(np.zeros((1, 1, 3), np.uint8))
    assert result.faces == []
    assert result.image.size == (1, 1)


def test_same_photo_gives_the_same_bytes() -> None:
    photo = draw_scene([BOX])
    first, second = (np.asarray(make([BOX])(photo).image) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_json_values_are_plain() -> None:
    import json

    result = make([BOX, (0, 0, 30, 30)], ["with_mask", "without_mask"])(draw_scene([BOX]))
    values = json.loads(json.dumps(result.to_dict()))
    assert [face["filled"] for face in values["faces"]] == [True, False]
    assert values["faces"][0]["painted_pixels"] == int(result.faces[0].mask.sum())


def test_bad_settings_are_refused() -> None:
    with pytest.raises(UncoverError, match="blend"):
        make(blend="smear")
    with pytest.raises(UncoverError, match=r"0\.\.1"):
        Settings(min_score=2)
    with pytest.raises(UncoverError, match="blend"):
        make([BOX])(draw_scene([BOX]), blend="smear")  # type: ignore[arg-type]
    with pytest.raises(UncoverError, match="unknown setting"):
        Uncoverer.from_pretrained(colour=3)


def ellipse(shape: tuple[int, int], y0: int, y1: int, x0: int, x1: int) -> np.ndarray:
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    return ((ys - (y0 + y1) / 2) / ((y1 - y0) / 2)) ** 2 + (
        (xs - (x0 + x1) / 2) / ((x1 - x0) / 2)
    ) ** 2 <= 1


@pytest.mark.parametrize("blend", ["feather", "poisson"])
@pytest.mark.parametrize("kind", ["face crop", "detected", "guessed", "edge", "everything", "dots"])
def test_fill_paints_exactly_the_mask(kind: str, blend: str) -> None:
    photo = data.astronaut()
    boxes: list[tuple[int, ...]] = []
    if kind == "face crop":
        photo = photo[20:276, 100:356].copy()
        mask = ellipse((256, 256), 90, 150, 80, 160)
    else:
        photo = photo[:, :400].copy()
        mask = ellipse((512, 400), 110, 180, 180, 270)
    if kind == "detected":
        boxes = [(170, 30, 280, 190), (10, 300, 90, 400)]
    if kind == "edge":
        mask[:60, 330:] = True
    if kind == "everything":
        mask[:] = True
    if kind == "dots":
        mask[:] = False
        mask[[3, 100, 511], [5, 200, 399]] = True
    result = make(boxes).fill(photo, mask, blend=blend)
    np.testing.assert_array_equal(result.faces[0].mask, mask)
    out = np.asarray(result.image)
    np.testing.assert_array_equal(out[~mask], photo[~mask])
    if kind not in ("dots",):
        assert (out[mask] != photo[mask]).any()


def test_fill_hides_every_marked_pixel_from_the_generator() -> None:
    photo = draw_scene([BOX])
    mask = np.abs(photo.astype(int) - CLOTH).sum(-1) < 40
    for uncoverer in (make([BOX]), make()):
        out = np.asarray(uncoverer.fill(photo, mask).image)
        crop, hole = uncoverer.generator.crops[0], uncoverer.generator.holes[0]
        assert crop.shape == (SIZE, SIZE, 3)
        assert cloth_left(np.where(hole[..., None], np.uint8(0), crop)) == 0
        assert cloth_left(out) == 0


def test_fill_splits_a_mask_over_two_detected_faces() -> None:
    boxes = [(10, 20, 90, 125), (110, 20, 190, 125)]
    photo = draw_scene(boxes)
    mask = np.abs(photo.astype(int) - CLOTH).sum(-1) < 40
    result = make(boxes).fill(photo, mask)
    assert len(result.faces) == 2
    np.testing.assert_array_equal(result.faces[0].mask | result.faces[1].mask, mask)
    assert {face.box for face in result.faces} == {tuple(map(float, box)) for box in boxes}


def test_fill_does_not_ask_the_detector_about_a_face_crop() -> None:
    uncoverer = make([BOX])
    uncoverer.fill(data.astronaut()[:256, :256], ellipse((256, 256), 90, 150, 80, 160))
    assert uncoverer.detector.seen == []


@pytest.mark.parametrize(
    "mask", [np.zeros((160, 200), bool), np.ones((10, 10), bool)], ids=["empty", "size"]
)
def test_fill_refuses_bad_masks(mask: np.ndarray) -> None:
    with pytest.raises(ImageError):
        make([BOX]).fill(draw_scene([BOX]), mask)


def test_a_shade_that_is_off_is_corrected_at_the_border() -> None:
    photo = draw_scene([BOX], wear="bare")
    mask = ellipse((160, 200), 90, 120, 80, 120)
    uncoverer = make([BOX])
    uncoverer.generator.off = 25
    out = np.asarray(uncoverer.fill(photo, mask).image).astype(int)
    assert np.abs(out[mask] - SKIN).mean() < 6


def test_a_result_is_told_in_one_line_and_shown_in_a_notebook() -> None:
    result = make([BOX])(draw_scene([BOX]), samples=2)
    assert repr(result) == "<Result 200x160: 1 face, 1 filled, 2 samples>"
    with Image.open(io.BytesIO(result._repr_png_())) as shown:
        np.testing.assert_array_equal(np.asarray(shown), result.pixels)
        assert "Comment" in shown.text  # that a part is a guess
