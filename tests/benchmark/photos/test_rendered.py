from dataclasses import replace

import numpy as np
import pytest

from benchmark.photos import rendered, rendered_files
from benchmark.photos.crops import cut_around, face_crop
from benchmark.photos.datasets import DataSet, drawn
from benchmark.photos.rendered import Cases, draw_cases, hole_of
from benchmark.run.run import digest_of
from uncover.crop import FaceCrop
from uncover.errors import UncoverError
from uncover.faces import draw_face, five_points

SIZE = 96


def cases_of(data: DataSet, tmp_path, **changes) -> Cases:
    settings = {"seed": 0, "size": SIZE, "align": False, "cache": tmp_path, "quiet": True}
    return draw_cases(data, **{**settings, **changes})


@pytest.fixture(scope="module")
def data():
    return drawn(6)


def same(a, b) -> bool:
    return all(
        np.array_equal(x, y)
        for x, y in zip((a.truth, a.masked, a.hole), (b.truth, b.masked, b.hole), strict=True)
    )


def test_a_photo_keeps_its_mask_in_any_subset_and_order(data, tmp_path):
    all_cases = cases_of(data, tmp_path)
    few = cases_of(data.only([4, 1]), tmp_path)
    assert [c.id for c in few.cases] == [all_cases.cases[4].id, all_cases.cases[1].id]
    assert same(few.render(few.cases[0]), all_cases.render(all_cases.cases[4]))
    again = cases_of(data, tmp_path, seed=1)
    assert {c.id for c in again.cases}.isdisjoint(c.id for c in all_cases.cases)
    assert any(a.style != b.style for a, b in zip(all_cases.cases, again.cases, strict=True))


def test_data_are_named_by_their_pixels_whatever_code_drew_them(data, tmp_path, monkeypatch):
    before = cases_of(data, tmp_path)
    monkeypatch.setattr(rendered, "drawing_code", lambda: "the same lines with another comment")
    after = cases_of(data, tmp_path)
    assert {c.id for c in before.cases}.isdisjoint(c.id for c in after.cases)
    assert digest_of(after.cases) == digest_of(before.cases)
    for case in after.cases:
        assert case.pixels == after.render(case).digest
    larger = cases_of(data, tmp_path, size=SIZE + 2)
    assert digest_of(larger.cases) != digest_of(before.cases)
    relabelled = [replace(c, labels={**c.labels, "pose": "else"}) for c in before.cases]
    assert digest_of(relabelled) != digest_of(before.cases)


def test_models_never_see_the_face_below(data, tmp_path):
    cases = cases_of(data, tmp_path)
    for case in cases.cases:
        pictures = cases.render(case)
        inside, outside = pictures.hole, ~pictures.hole
        assert np.array_equal(pictures.masked[outside], pictures.truth[outside])
        assert 0.05 < inside.mean() < 0.6
        mouth = case.landmarks[48:60].mean(0) * SIZE / 256
        assert inside[int(mouth[1]), int(mouth[0])]
        assert case.style.wear == "worn"
        assert case.labels["mask_type"] == case.style.kind


def test_hole_takes_in_thin_parts_and_a_rim():
    alpha = np.zeros((100, 100), np.float32)
    alpha[50, 50] = 0.03
    alpha[10, 10] = 0.01
    hole = hole_of(alpha)
    assert hole[50, 48]
    assert hole[52, 50]
    assert not hole[50, 47]
    assert not hole[10, 10]


def test_photos_without_a_face_are_left_out_and_counted(data, tmp_path, monkeypatch):
    seen = []

    def find(image, tolerant=False):
        seen.append(image.shape)
        return None if len(seen) == 1 else data.photos[1].landmarks

    monkeypatch.setattr(rendered, "find_landmarks", find)
    bare = DataSet("bare", None, tuple(_blind(p) for p in data.photos[:3]), ("ethnicity",))
    cases = cases_of(bare, tmp_path)
    assert len(cases.cases) == 2
    assert cases.left_out == {"no face found": [data.photos[0].name]}
    assert cases.pose == "estimated"
    cases_of(bare, tmp_path)
    assert len(seen) == 3, "landmarks are kept on disk"
    with pytest.raises(UncoverError, match="no face was found in any of the 1 photos"):
        cases_of(bare.only([0]), tmp_path)


def _blind(photo):
    from dataclasses import replace

    return replace(photo, landmarks=None, yaw=None)


def test_saved_pictures_are_the_same_and_guarded(data, tmp_path):
    cases = cases_of(data, tmp_path)
    folder = tmp_path / "png"
    rendered_files.save(folder, cases, seed=0)
    loaded = rendered_files.load(folder, data, seed=0)
    assert [c.id for c in loaded.cases] == [c.id for c in cases.cases]
    assert [c.labels for c in loaded.cases] == [c.labels for c in cases.cases]
    assert same(loaded.render(loaded.cases[2]), cases.render(cases.cases[2]))
    with pytest.raises(UncoverError, match="was rendered with --seed 0, not 5"):
        rendered_files.load(folder, data, seed=5)
    with pytest.raises(UncoverError, match="holds none of the 1 photos"):
        rendered_files.load(folder, drawn(1, first=77), seed=0)
    first, second = (folder / f"{c.id}-face.png" for c in cases.cases[:2])
    second.write_bytes(first.read_bytes())
    with pytest.raises(UncoverError, match="the pictures of drawn-00001 were changed"):
        loaded.render(loaded.cases[1])


def test_without_landmarks_the_central_square_is_taken():
    photo = np.zeros((100, 200, 3), np.uint8)
    photo[40:60, 90:110] = 255
    crop, moved = face_crop(photo, None, 50, align=False)
    assert crop.shape == (50, 50, 3)
    assert moved is None
    ys, xs = np.nonzero(crop[..., 0] > 127)
    assert (ys.min(), ys.max(), xs.min(), xs.max()) == (20, 29, 20, 29)


def test_shrinking_is_anti_aliased():
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    crop, _ = face_crop(stripes, None, 64, align=False)
    assert abs(int(crop[8:-8, 8:-8].max()) - 128) < 8
    assert abs(int(crop[8:-8, 8:-8].min()) - 128) < 8


def test_a_cut_keeps_the_photos_pixels_and_the_landmarks_on_the_face():
    face = draw_face(3, 200)
    wide = np.full((400, 500, 3), 90, np.uint8)
    wide[100:300, 150:350] = face.image
    points = np.asarray(face.landmarks) + np.array([150, 100])
    crop, moved = face_crop(wide, points, None, align=False)
    cut = cut_around(500, 400, points)
    assert crop.shape == (cut.side, cut.side, 3)
    assert np.array_equal(crop, wide[cut.y : cut.y + cut.side, cut.x : cut.x + cut.side])
    np.testing.assert_allclose(moved, points - (cut.x, cut.y), atol=1e-3)
    framed = FaceCrop.from_points(five_points(points), cut.size)
    assert np.abs(framed.to_crop([[cut.x, cut.y]])[0]).max() < 0.2 * cut.size
