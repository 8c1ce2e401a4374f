"""The public functions, bad input, and what must not be readable; no browser needed."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from tests.browser import stand_ins
from tests.browser.bad_photos import bad_photo

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def client(site: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    got = str(tmp_path_factory.mktemp("got"))
    return Client(site, verbose=False, download_files=got, httpx_kwargs={"timeout": 300})


def pixels(path: str | Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def test_a_page_slow_to_answer_starts_all_the_same(
    run_page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradio.networking.url_ok", lambda url: False)  # as after 3 seconds
    with (
        run_page(stand_ins.chosen(tmp_path)) as url,
        urllib.request.urlopen(url + "config", timeout=60) as reply,
    ):
        assert reply.status == 200


def test_only_three_functions_are_public_and_typed(client: Client) -> None:
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert sorted(named) == ["/detect", "/fill", "/uncover"]
    for name, entry in named.items():
        assert len(entry["description"]) > 40, name
        assert all(p["parameter_name"] != "param_0" for p in entry["parameters"])
    blend = next(p for p in named["/fill"]["parameters"] if p["parameter_name"] == "blend")
    assert "feather" in blend["python_type"]["type"]
    with pytest.raises(ValueError, match="api_name"):
        client.predict(None, "feather", False, api_name="/look")


def test_nothing_else_can_be_called(client: Client) -> None:
    callable_ = [d for d in client.config["dependencies"] if d["api_visibility"] != "private"]
    assert sorted(d["api_name"] for d in callable_) == ["detect", "fill", "uncover"]


def test_uncover(client: Client, photo: Path) -> None:
    got, report = client.predict(photo=handle_file(photo), api_name="/uncover")
    before, after = pixels(photo), pixels(got)
    x0, y0, x1, y1 = stand_ins.MOUTH
    changed = (before != after).any(-1)
    assert changed[y0:y1, x0:x1].all()
    assert 0 < changed.sum() <= report["faces"][0]["painted_pixels"]
    assert "not an identification" in report["note"]
    assert Path(got).name == "portrait_uncovered.png"
    jpeg, _ = client.predict(
        handle_file(photo), "poisson", False, "JPEG", True, api_name="/uncover"
    )
    assert Image.open(jpeg).format == "JPEG"


def test_detect(client: Client, photo: Path) -> None:
    faces, picture = client.predict(photo=handle_file(photo), api_name="/detect")
    assert [face["label"] for face in faces] == ["with_mask"]
    assert pixels(picture).shape == pixels(photo).shape


def test_fill(client: Client, photo: Path, tmp_path: Path) -> None:
    mask = np.zeros((512, 512), np.uint8)
    mask[60:90, 200:260] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    got, _ = client.predict(
        photo=handle_file(photo), mask=handle_file(tmp_path / "mask.png"), api_name="/fill"
    )
    changed = (pixels(photo) != pixels(got)).any(-1)
    assert changed.any()
    assert not (changed & (mask == 0)).any()


@pytest.mark.parametrize("kind", ["text", "empty", "truncated", "huge"])
def test_bad_photos_get_one_sentence(client: Client, tmp_path: Path, kind: str) -> None:
    bad = bad_photo(tmp_path, kind)
    with pytest.raises(Exception) as caught:
        client.predict(photo=handle_file(bad), api_name="/uncover")
    text = str(caught.value)
    assert "\n" not in text
    assert bad.stem in text.lower()
    assert "gradio" not in text.replace("gradio app has raised an exception: ", "")


@pytest.mark.parametrize("kind", ["dot", "cmyk", "deep", "palette", "animated"])
def test_odd_photos_work(client: Client, tmp_path: Path, kind: str) -> None:
    odd = bad_photo(tmp_path, kind)
    got, report = client.predict(photo=handle_file(odd), api_name="/uncover")
    assert Image.open(got).size == Image.open(odd).size
    assert report["faces"] == []
    assert bool(report["warnings"]) == (kind == "animated")


def test_mask_of_another_size_is_refused(client: Client, photo: Path, tmp_path: Path) -> None:
    mask = bad_photo(tmp_path, "palette")
    with pytest.raises(Exception, match="64x64"):
        client.predict(handle_file(photo), handle_file(mask), "feather", api_name="/fill")


def test_everyone_gets_their_own_photo_back(client: Client, tmp_path: Path) -> None:
    photos = [stand_ins.clothed(tmp_path / f"p{i}.png", shift=20 * i) for i in range(8)]
    jobs = [client.submit(photo=handle_file(p), api_name="/uncover") for p in photos]
    for path, job in zip(photos, jobs, strict=True):
        got, report = job.result(timeout=300)
        before, after = pixels(path), pixels(got)
        changed = (before != after).any(-1)
        assert changed.any()
        assert changed.mean() < 0.05
        assert len(report["faces"]) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "app.py",
        str(Path(__file__).resolve()),
        "../../../../etc/passwd",
        "/proc/self/environ",
        "file:///etc/passwd",
    ],
)
def test_no_file_of_the_machine_can_be_fetched(site: str, path: str) -> None:
    for route in ("gradio_api/file=", "file=", "gradio_api/proxy=file://"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(site + route + urllib.parse.quote(path), timeout=60)
        assert caught.value.code in (400, 403, 404)


@pytest.mark.parametrize("path", ["/etc/hostname", str(stand_ins.ASTRONAUT)])
@pytest.mark.parametrize("endpoint", ["/uncover", "/detect", "/fill"])
def test_no_file_of_the_machine_can_be_given_as_a_photo(
    site: str, client: Client, path: str, endpoint: str
) -> None:
    # The client would upload the file, so this speaks to the server itself.
    stolen = {"path": path, "meta": {"_type": "gradio.FileData"}, "orig_name": "x.png"}
    parameters = client.view_api(return_format="dict")["named_endpoints"][endpoint]["parameters"]
    data = [p.get("parameter_default") for p in parameters]
    data[: 2 if endpoint == "/fill" else 1] = [stolen] * (2 if endpoint == "/fill" else 1)
    route = site + "gradio_api/call" + endpoint
    body = json.dumps({"data": data}).encode()
    request = urllib.request.Request(route, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        event = json.load(reply)["event_id"]
    with urllib.request.urlopen(f"{route}/{event}", timeout=60) as reply:
        said = reply.read().decode()
    assert "event: error" in said
    assert "event: complete" not in said
