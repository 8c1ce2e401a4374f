import pytest
import yaml

from benchmark.report import card, tables
from uncover.errors import UncoverError
from uncover.scores import check_results

CARD = """---
license: cc-by-nc-sa-4.0
tags:
- image-to-image
---
# Weights

Before.

<!-- results:start -->
old numbers
<!-- results:end -->

After.
"""


def results(features: str = "squeezenet1_1") -> dict:
    def part(pose: str, n: int, few: bool) -> dict:
        number = {"value": 0.5, "low": 0.4, "high": 0.6}
        kid = {"value": None, "low": None, "high": None, "note": "too few"} if few else number
        metrics = {m: dict(number) for m in ("ssim", "ssim_hole", "psnr", "psnr_hole", "lpips")}
        return {"slice": {"pose": pose}, "n": n, "metrics": {**metrics, "fid": kid, "kid": kid}}

    slices = [part("all", 90, False), part("0-15", 60, False), part("15-30", 30, True)]
    model = {"weights_sha256": "ab", "training": {"images": 120000, "minutes": 31.0},
             "slices": slices, "gaps": {}}  # fmt: skip
    return check_results(
        {
            "created": "", "git": "0123456789abcdef", "command": "python -m benchmark --x",
            "features": features, "lpips_net": "squeeze", "factors": ["pose"],
            "data": {"name": "photos", "split": "test", "sha256": "0", "n": 90, "perceived": []},
            "models": {"uncover": model, "telea": {**model, "training": {}}},
        }
    )  # fmt: skip


def test_card_gets_table_and_metadata_and_keeps_the_rest(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(CARD)
    card.write_card(page, results())
    text = page.read_text()
    assert "old numbers" not in text
    assert text.index("Before.") < text.index("| uncover | 90 |") < text.index("After.")
    assert "never an identification" in text
    assert "Produced by `python -m benchmark --x` at 0123456789ab." in text
    assert "uncover was trained on 120,000 images seen, 31 minutes" in text
    metadata = yaml.safe_load(text.split("---")[1])
    assert metadata["license"] == "cc-by-nc-sa-4.0"
    entry = metadata["model-index"][0]
    assert entry["name"] == "uncover"
    kid = next(m for m in entry["results"][0]["metrics"] if m["type"] == "kid")
    assert kid["name"] == "KID (squeezenet1_1 features)"
    assert kid["args"] == {"n": 90, "interval_95": [0.4, 0.6]}
    before = page.read_text()
    card.write_card(page, results())
    assert page.read_text() == before


def test_the_hub_understands_the_metadata(tmp_path):
    from huggingface_hub import ModelCard

    page = tmp_path / "README.md"
    page.write_text(CARD)
    card.write_card(page, results())
    found = ModelCard.load(page).data.eval_results
    assert {r.metric_type for r in found} >= {"ssim_hole", "lpips", "fid"}
    assert found[0].dataset_split == "test"


def test_table_alone_leaves_the_metadata(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(CARD)
    card.write_table(page, results())
    assert page.read_text().startswith(CARD[: CARD.index("old")])
    assert "model-index" not in page.read_text()


@pytest.mark.parametrize(
    "text", ["no marks", CARD.replace(card.END, ""), card.END + card.START, CARD + card.START]
)
def test_pages_without_marks_are_refused(tmp_path, text):
    page = tmp_path / "README.md"
    page.write_text(text)
    with pytest.raises(UncoverError, match=r"README\.md needs the lines"):
        card.check_page(page)
    assert page.read_text() == text


def test_broken_metadata_is_refused(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(CARD.replace("tags:", "tags: ["))
    with pytest.raises(UncoverError, match="is not YAML"):
        card.write_card(page, results())


@pytest.mark.parametrize(
    ("features", "expected"),
    [("inception", "FID ↓"), ("squeezenet1_1", "FID (squeezenet1_1 features) ↓")],
)
def test_plain_fid_only_with_inception(features, expected):
    assert tables.title("fid", results(features)) == expected
    assert "not Inception's" in card.results_block(results("mine:net"))
    assert "not Inception's" not in card.results_block(results("inception"))
