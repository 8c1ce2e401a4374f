from __future__ import annotations

import dataclasses
import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.uncover.standins import SMALL, Tiny, TinyConfig, trained_tiny, use_tiny
from uncover.errors import WeightsError
from uncover.networks.generator import Generator
from uncover.weights.components import load_bundle, load_component, save_component
from uncover.weights.config import check_files, read_config
from uncover.weights.registry import REGISTRY


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use_tiny(monkeypatch)
    for seed, name in enumerate(("generator", "segmenter", "detector")):
        save_component(tmp_path / "w", name, trained_tiny(seed), TinyConfig(), training={"n": seed})
    return tmp_path / "w"


def edit(folder: Path, change: Callable[[dict], None]) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def refuses(folder: Path, message: str, name: str = "generator") -> None:
    with pytest.raises(WeightsError, match=message) as caught:
        load_component(folder, name)
    assert "\n" not in str(caught.value)


def test_round_trip_is_half_precision_and_keeps_integers(folder: Path) -> None:
    network = trained_tiny(0)
    loaded = load_component(folder, "generator")
    assert not loaded.training
    for name, value in network.state_dict().items():
        got = loaded.state_dict()[name]
        assert got.dtype == value.dtype
        if value.is_floating_point():
            assert torch.equal(got, value.half().float())
        else:
            assert got.item() == 3
    assert (folder / "generator.safetensors").stat().st_size < 900
    assert {p.name for p in folder.iterdir()} == {"config.json"} | {
        f"{n}.safetensors" for n in ("generator", "segmenter", "detector")
    }


def test_float32_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_tiny(monkeypatch)
    network = trained_tiny(1)
    save_component(tmp_path, "generator", network, TinyConfig(), dtype="float32")
    loaded = load_component(tmp_path, "generator").state_dict()
    assert all(torch.equal(loaded[k], v) for k, v in network.state_dict().items())


def test_bundle_and_its_fingerprint(folder: Path) -> None:
    bundle = load_bundle(folder)
    assert isinstance(bundle.generator, Tiny)
    assert isinstance(bundle.detector, Tiny)
    assert bundle.config["format"] == "uncover/1"
    assert bundle.config["licence"] == "cc-by-nc-sa-4.0"
    assert bundle.config["components"]["segmenter"]["training"] == {"n": 1}
    preprocessing = bundle.config["components"]["generator"]["preprocessing"]
    assert preprocessing["resolution"] == 32
    assert preprocessing["range"] == [-1.0, 1.0]
    assert preprocessing["template"][2] == [0.5, 0.4767]
    only = load_bundle(folder, components=("generator",))
    assert only.segmenter is None
    assert only.sha256 == bundle.sha256
    save_component(folder, "generator", trained_tiny(7), TinyConfig())
    assert load_bundle(folder).sha256 != bundle.sha256


def test_loading_leaves_the_random_state_alone(folder: Path) -> None:
    torch.manual_seed(5)
    want = torch.rand(1)
    torch.manual_seed(5)
    load_component(folder, "generator")
    assert torch.equal(torch.rand(1), want)


def test_the_default_can_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNCOVER_WEIGHTS", str(folder))
    assert load_bundle().source == "default"
    monkeypatch.setenv("UNCOVER_WEIGHTS", str(folder / "nowhere"))
    with pytest.raises(WeightsError, match="no weights lie in"):
        load_bundle()


def test_the_real_generator_fills_alike_after_the_round_trip(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Generator(SMALL).eval()
    network.load_state_dict({k: v.half().float() for k, v in network.state_dict().items()})
    save_component(tmp_path, "generator", network, SMALL)
    loaded = load_component(tmp_path, "generator")
    crops = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8).numpy()
    masks = torch.rand(2, 64, 64).numpy() > 0.5
    assert (loaded.fill(crops, masks) == network.fill(crops, masks)).all()


@pytest.mark.parametrize(("value", "message"), [(1e6, "too much for float16"), (torch.nan, "NaN")])
def test_values_that_cannot_be_stored_name_the_tensor(
    tmp_path: Path, value: float, message: str
) -> None:
    network = Tiny()
    network.norm.running_var[1] = value
    with pytest.raises(WeightsError, match=f"'norm.running_var'.*{message}"):
        save_component(tmp_path, "generator", network, TinyConfig())
    assert list(tmp_path.iterdir()) == []


def test_unknown_component_and_dtype_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="unknown component 'other'"):
        save_component(tmp_path, "other", Tiny(), TinyConfig())
    with pytest.raises(WeightsError, match="float16 or float32"):
        save_component(tmp_path, "generator", Tiny(), TinyConfig(), dtype="bfloat16")
    assert list(tmp_path.iterdir()) == []


def _arch(**changes: object) -> Callable[[dict], None]:
    return lambda config: config["components"]["generator"]["arch"].update(changes)


def _entry(**changes: object) -> Callable[[dict], None]:
    return lambda config: config["components"]["generator"].update(changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(format="uncover/9"), "format is 'uncover/9'"),
        (lambda c: c.pop("format"), "key 'format' is missing"),
        (lambda c: c.pop("components"), "key 'components' is missing"),
        (lambda c: c.update(more=1), "unknown key 'more'"),
        (lambda c: c["components"].update(other=c["components"]["detector"]), "unknown component"),
        (lambda c: c["components"].pop("generator"), "has no generator"),
        (_arch(more=1), "generator.arch: unknown key 'more'"),
        (lambda c: c["components"]["generator"]["arch"].pop("width"), "key 'width' is missing"),
        (_arch(width="4"), "generator.arch.width must be an integer"),
        (_arch(width=-4), "generator.arch cannot be built"),
        (_arch(width=8), r"has shape \[4, 3, 3, 3\], the architecture needs \[8, 3, 3, 3\]"),
        (_arch(depth=2), "tensor 'body.1.bias' is missing"),
        (_arch(width=100_000, depth=2), "absurd size"),
        (_arch(width=10**12), "cannot be built|absurd size"),
        (_arch(depth=10**9), "absurd size"),
        (_arch(width=10**30), "absurdly large"),
        (_entry(sha256="0" * 64), "was altered"),
        (_entry(sha256="xyz"), "not 64 hexadecimal digits"),
        (_entry(size=10**12), "size of generator.safetensors is absurd"),
        (_entry(size=5), "is too long"),
        (_entry(size=5000), "is cut short"),
        (_entry(dtype="int8"), "must be one of 'float16', 'float32'"),
        (_entry(file="generator.pt"), "'generator.pt' is refused"),
        (_entry(file="../generator.safetensors"), "not a plain file name"),
        (_entry(file="detector.safetensors"), "must lie in generator.safetensors"),
        (lambda c: c["components"]["generator"]["preprocessing"].update(range=[0, 1]), "range"),
        (
            lambda c: c["components"]["generator"]["preprocessing"].update(template=[[0, 0]] * 5),
            "template differs",
        ),
    ],
)
def test_a_wrong_config_is_refused_in_one_line(
    folder: Path, change: Callable[[dict], None], message: str
) -> None:
    edit(folder, change)
    refuses(folder, message)


def test_a_hundred_gigabyte_layer_is_refused_before_it_is_allocated(tmp_path: Path) -> None:
    save_component(tmp_path, "generator", Generator(SMALL), SMALL)
    edit(tmp_path, _arch(widths=[160_000, 160_000]))
    refuses(tmp_path, "generator.arch asks for an absurd size")


def header(entries: object, body: bytes = b"") -> bytes:
    raw = json.dumps(entries).encode()
    return struct.pack("<Q", len(raw)) + raw + body


def tensor(dtype: str, shape: list, start: int, stop: int) -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps({"a": 1}), "is a pickle, not safetensors"),
        (b"PK\x03\x04" + b"\0" * 50, "is a zip"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (struct.pack("<Q", 2**62) + b"{}", "claims a header of 4611686018427387904 bytes"),
        (struct.pack("<Q", 2**20 + 1) + b" " * 2**21, "claims a header of 1048577 bytes"),
        (struct.pack("<Q", 900) + b"{}", "is cut short"),
        (b"", "is cut short"),
        (struct.pack("<Q", 600_000) + b"[" * 600_000, "cut short or broken"),
        (header({"a": tensor("F16", [2**40], 0, 4)}, b"\0" * 4), "cut short or broken"),
        (header({"a": tensor("F16", [2**50, 2**50], 0, 4)}, b"\0" * 4), "cut short or broken"),
        (header({"a": tensor("F16", [2], -4, 0)}, b""), "cut short or broken"),
        (header({"a": tensor("F16", [-2], 0, 4)}, b"\0" * 4), "cut short or broken"),
        (header({"a": tensor("C64", [2], 0, 16)}, b"\0" * 16), "tensor 'a' is C64, not supported"),
        (header({"a": tensor("F16", [2], 4, 8)}, b"\0" * 8), "cut short or broken"),
        (header({"a": tensor("F16", [2], 0, 4)}, b"\0" * 8), "cut short or broken"),
        (header({"a": tensor("F16", [1.5], 0, 3)}, b"\0" * 3), "cut short or broken"),
        (header({"a": {"dtype": "F16"}}), "cut short or broken"),
        (header({"a": tensor("F16", [2], 0, 4)}, b"\0" * 4), "tensor 'body.0.bias' is missing"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(folder: Path, data: bytes, message: str) -> None:
    (folder / "generator.safetensors").write_bytes(data)
    edit(folder, _entry(size=max(1, len(data))))
    refuses(folder, message)


def test_altered_and_cut_files_are_refused(folder: Path) -> None:
    path = folder / "generator.safetensors"
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    refuses(folder, "was altered")
    with pytest.raises(WeightsError, match="was altered"):
        check_files(folder, read_config(folder))
    path.write_bytes(good[:-10])
    refuses(folder, "cut short")
    path.unlink()
    refuses(folder, "generator.safetensors is missing")
    load_component(folder, "segmenter")


@pytest.mark.parametrize("name", ["model.pt", "pytorch_model.bin", "g.pkl", "last.ckpt"])
def test_other_formats_are_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(pickle.dumps({"weights": [1, 2]}))
    with pytest.raises(WeightsError, match=f"{name} is refused"):
        load_bundle(path)
    with pytest.raises(WeightsError, match=f"{name} is refused"):
        load_bundle(tmp_path)


def test_a_failed_save_leaves_the_old_weights(folder: Path) -> None:
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    broken = trained_tiny()
    with torch.no_grad():
        broken.norm.weight.fill_(torch.inf)
    with pytest.raises(WeightsError, match=r"norm\.weight"):
        save_component(folder, "generator", broken, TinyConfig())
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_optional_discriminators_do_not_disturb_inference(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(REGISTRY, "discriminator_global", raising=False)
    before = load_bundle(folder).sha256
    save_component(folder, "discriminator_global", trained_tiny(9), TinyConfig())
    assert load_bundle(folder).sha256 == before
    with pytest.raises(WeightsError, match="no class is known"):
        load_component(folder, "discriminator_global")


def test_an_enlarger_is_loaded_where_there_is_one(folder: Path) -> None:
    before = load_bundle(folder)
    assert before.enlarger is None
    save_component(folder, "enlarger", trained_tiny(9), TinyConfig(resolution=64))
    both = load_bundle(folder)
    assert both.enlarger is not None
    assert both.sha256 != before.sha256  # it takes part in what is painted
    assert load_bundle(folder, components=("generator",)).enlarger is None
    save_component(folder, "enlarger", trained_tiny(9), TinyConfig(resolution=48))
    with pytest.raises(WeightsError, match="for a generator of 24 px, not of 32"):
        load_bundle(folder)


def test_saving_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    for part in "ab":
        save_component(tmp_path / part, "generator", trained_tiny(3), TinyConfig())
    files = [(tmp_path / part / "generator.safetensors").read_bytes() for part in "ab"]
    assert files[0] == files[1]
    assert (
        dataclasses.asdict(TinyConfig())
        == json.loads((tmp_path / "a" / "config.json").read_text())["components"]["generator"][
            "arch"
        ]
    )
