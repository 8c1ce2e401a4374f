"""What a run says while it goes: console lines, log.jsonl and TensorBoard event files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tqdm import tqdm


class RunLog:
    """Writes scalars to RUN/log.jsonl, RUN/log (TensorBoard, where installed) and the console."""

    def __init__(self, folder: Path, active: bool = True) -> None:
        self.active = active
        self.path = folder / "log.jsonl"
        self.board: Any = None
        if not active:
            return
        folder.mkdir(parents=True, exist_ok=True)
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        self.board = SummaryWriter(str(folder / "log"))

    def write(self, kind: str, images: int, values: dict[str, float]) -> None:
        """One row: kind ("train", "val", ...), images seen, named scalars."""
        if not self.active:
            return
        row = {"kind": kind, "images": images, **{k: round(v, 6) for k, v in values.items()}}
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(f"{kind}/{name}", value, images)
            self.board.flush()
        text = "  ".join(f"{k} {v:.4g}" for k, v in values.items())
        tqdm.write(f"{kind:>5} {images:>9,} images  {text}")

    def close(self) -> None:
        """Flush and close the event file."""
        if self.board is not None:
            self.board.close()
