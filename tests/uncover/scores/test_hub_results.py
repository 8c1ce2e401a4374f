"""A slice of results.json as a model card's metadata."""

from __future__ import annotations

import pytest
from huggingface_hub import ModelCard, ModelCardData

from uncover.scores import eval_results

PART = {
    "n": 90,
    "metrics": {
        "lpips": {"value": 0.0661239, "low": 0.06, "high": 0.07},
        "kid": {"value": 0.5, "low": None, "high": None, "n": 80},
        "identity": {"value": None, "low": None, "high": None},
    },
}


def test_values_intervals_and_counts_are_what_was_measured() -> None:
    lpips, kid = eval_results("My Faces", "", PART, str.upper)
    assert (lpips.metric_type, lpips.metric_name, lpips.metric_value) == ("lpips", "LPIPS", 0.06612)
    assert lpips.metric_args == {"n": 90, "interval_95": [0.06, 0.07]}
    assert kid.metric_args == {"n": 80, "interval_95": [None, None]}
    assert (lpips.dataset_type, lpips.dataset_split) == ("my-faces", "all")


@pytest.mark.parametrize("split", ["test", "val"])
def test_a_card_that_states_them_can_be_read_back(split: str) -> None:
    stated = eval_results("faces", split, PART, str)
    data = ModelCardData(model_name="m", eval_results=stated)
    found = ModelCard(f"---\n{data.to_yaml()}\n---\n").data.eval_results
    assert [(r.metric_type, r.metric_value) for r in found] == [("lpips", 0.06612), ("kid", 0.5)]
    assert {r.dataset_split for r in found} == {split}
