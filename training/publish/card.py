"""The model card of published weights: README.md of the weights folder and of its Hub repo.

A card ends in a comment with its own sha256. A card whose text no longer matches that hash, or that
has none, was edited or written by a person and is never overwritten. The metadata's model-index and
what stands between the results markers do not count: the benchmark's `--write-card` writes there.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import yaml
from huggingface_hub import ModelCardData

from training.publish.card_results import CardResults
from uncover.faces import POSE_BINS
from uncover.weights import LICENCE, Component, WeightsConfig

MARK = re.compile(r"\n<!-- card written by training\.publish, sha256 ([0-9a-f]{64}) -->\n*\Z")
MEASURED = re.compile(r"(?<=<!-- results:start -->).*?(?=<!-- results:end -->)", re.S)
START, END = "<!-- results:start -->", "<!-- results:end -->"
CODE_LICENCE = "Apache-2.0"

INTRO = """\
# {title}

Give it a photo of people in face masks; it finds each mask and paints a plausible face under it.

**What it paints is a guess. It is never an identification:** the pixels under a mask are not in
the photo, and the model makes up something that fits. Two people with different mouths can get the
same one.
"""

LOAD = """\
## How to load

```python
from uncover import Uncoverer

u = Uncoverer.from_pretrained("{repo}")       # revision="v1" pins a version
u("photo.jpg").image.save("guess.png")
```

or `uncover weights pull {repo}` and `uncover photo.jpg --weights {repo}`. The files are
safetensors and one `config.json`, never a pickle; names, shapes, sizes and sha256 are checked
before anything is used.
"""

USE = """\
## Intended use

- Seeing what a photo might have looked like without a mask, for fun, art or illustration, with the
  agreement of the people shown, and labelled as generated.
- Research on face completion and on how its quality differs between groups of people and poses.

## Out of scope

- Identifying, tracking or verifying a person, or helping a face recognition system to do so.
- Evidence of any kind: in court, in policing, at borders, in journalism.
- Pictures meant to deceive, to harass, or to show a person as they do not want to be shown.
- Medical use. Children. Faces that hide under a veil for reasons of faith.
"""

LIMITS = """\
## Limits and bias

The mouth, chin and nose tip are invented. Quality falls with head pose, with low resolution, and
for people and looks that are rare in the training photos; beards, piercings, scars and teeth are
often wrong. The tables show how much, with 95 % bootstrap intervals; an interval that is missing
means that there were too few photos to say.
"""

LICENCE_TEXT = f"""\
## Licence

Weights: [CC BY-NC-SA 4.0](https://creativecommons.org/licenses/by-nc-sa/4.0/), because of the
photos they were trained on: not for commercial use. Code: {CODE_LICENCE}.
"""


def write_card(config: WeightsConfig, repo: str, results: CardResults | None) -> str:
    """The whole card, metadata first and hash last.

    Args:
        config: the config.json that is published.
        repo: "user/name".
        results: what the benchmark measured on exactly these weights, if it was run.
    """
    title = repo.partition("/")[2]
    parts = [
        f"---\n{_metadata(repo, results)}\n---\n",
        INTRO.format(title=title),
        LOAD.format(repo=repo),
        _contents(config),
        USE,
        LIMITS,
        _results(results),
        _data(config.data),
        _training(config),
        LICENCE_TEXT,
        _citation(repo, title),
    ]
    text = "\n".join(part for part in parts if part)
    return f"{text.rstrip()}\n\n<!-- card written by training.publish, sha256 {_hash(text)} -->\n"


def was_edited(card: str) -> bool:
    """Whether a card differs from what `write_card` wrote, or was never written by it."""
    card = card.replace("\r\n", "\n")
    mark = MARK.search(card)
    return mark is None or _hash(card[: mark.start()]) != mark[1]


def _hash(text: str) -> str:
    """sha256 of a card without its mark, its results and its model-index."""
    head = re.match(r"---\n(.*?\n)---\n", text, re.S)
    metadata: Any = None
    if head is not None:
        try:
            metadata = yaml.safe_load(head[1])
        except yaml.YAMLError:
            metadata = head[1]
    if isinstance(metadata, dict):
        metadata = {key: value for key, value in metadata.items() if key != "model-index"}
    body = MEASURED.sub("", text[head.end() :] if head else text).strip()
    stated = json.dumps(metadata, sort_keys=True, default=str)
    return hashlib.sha256(f"{stated}\n{body}".encode()).hexdigest()


def _metadata(repo: str, results: CardResults | None) -> str:
    data = ModelCardData(
        license=LICENCE,
        pipeline_tag="image-to-image",
        library_name="uncover",
        tags=["face-completion", "inpainting", "face-mask", "gan"],
        model_name=repo.partition("/")[2],
        eval_results=(results.for_hub() if results else None) or None,
    )
    return str(data.to_yaml())


def _contents(config: WeightsConfig) -> str:
    rows = ["## Files", "", "| file | MiB | sha256 |", "|---|---:|---|"]
    for name, (sha256, size) in config.files().items():
        rows.append(f"| `{name}` | {size / 2**20:.1f} | `{sha256}` |")
    if config.git:
        rows += ["", f"Code revision: `{config.git}`."]
    return "\n".join(rows) + "\n"


def _results(results: CardResults | None) -> str:
    if results is None:
        text = "Not measured for these weights. `python -m benchmark` measures them."
        return f"### Results\n\n{START}\n{text}\n{END}\n"
    text = (
        f"### Results\n\n{START}\nOn {results.data}: {results.n} photos, masks drawn on. "
        f"FID and KID use {results.features} features; FID depends on n and is biased. Read the "
        f"hole, not the whole picture: most of a picture is copied.\n\n{results.table()}\n"
    )
    gaps = results.gap_table()
    if gaps:
        text += (
            "\n### Bias: the best and the worst served\n\n"
            '"By chance" is the gap that shuffled labels stay below in 95 of 100 shuffles: a gap '
            f"under it says little.\n\n{gaps}\n"
        )
    return f"{text}{END}\n"


def _data(data: dict[str, Any] | None) -> str:
    """Training photos by ethnicity x pose, one table for each component that recorded them."""
    parts = []
    for name, summary in (data or {}).items():
        table = summary.get("by_ethnicity_and_pose") if isinstance(summary, dict) else None
        if not table:
            continue
        poses = sorted({pose for row in table.values() for pose in row}, key=_pose_order)
        rows = [f"| {name} | " + " | ".join(poses) + " |", "|---|" + "---:|" * len(poses)]
        for ethnicity, row in sorted(table.items()):
            cells = " | ".join(str(row.get(pose, 0)) for pose in poses)
            rows.append(f"| {ethnicity} | {cells} |")
        sources = ", ".join(summary.get("sources", []))
        origin = f" from {sources}" if sources else ""
        parts.append(f"{summary.get('photos', '?')} photos{origin}.\n\n" + "\n".join(rows))
    if not parts:
        return ""
    return (
        "## Training data\n\nPhotos by ethnicity, as their collectors labelled it, and by |yaw| of "
        "the head in degrees, as estimated.\n\n" + "\n\n".join(parts) + "\n"
    )


def _pose_order(pose: str) -> int:
    """The place of a bin, those that are none behind all."""
    return POSE_BINS.index(pose) if pose in POSE_BINS else len(POSE_BINS)


def _training(config: WeightsConfig) -> str:
    rows = ["## Training", ""]
    rows += [_trained(name, component) for name, component in config.components.items()]
    rows += ["", "All settings are in `config.json` under each component's `training`."]
    return "\n".join(rows) + "\n"


def _trained(name: str, component: Component) -> str:
    notes = component.training
    facts = []
    if isinstance(notes.get("images"), int):
        facts.append(f"{notes['images']:,} images")
    if isinstance(notes.get("minutes"), int | float):
        facts.append(f"{notes['minutes']:.0f} minutes")
    scores = notes.get("val")
    if isinstance(scores, dict):
        facts += [f"{k} {v:.4g}" for k, v in scores.items() if isinstance(v, int | float)]
    return f"- **{name}**: {', '.join(facts) or 'no notes'}."


def _citation(repo: str, title: str) -> str:
    return (
        "## How to cite\n\n```bibtex\n"
        f"@software{{{re.sub('[^a-z0-9]+', '_', title.lower())},\n"
        f"  title = {{{title}: a plausible face under a face mask}},\n"
        f"  url   = {{https://huggingface.co/{repo}}},\n"
        "  note  = {Weights CC BY-NC-SA 4.0}\n}\n```\n"
    )
