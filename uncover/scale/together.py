"""Faces of several photos in one pass through a network.

Each photo goes its own way through the pipeline in a thread of its own. Where it asks a network,
it waits until every other photo in work has got to a network, too; then the longest queue of equal
questions is asked at once. So nothing in the pipeline knows of batches, and any network will do.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from uncover.images import ImageLike
from uncover.networks import Segmentation
from uncover.pipeline import Uncoverer
from uncover.results import Result
from uncover.settings import Detector, Painter, Segmenter

T = TypeVar("T")
U = TypeVar("U")
Answers = Callable[[list[tuple[Any, ...]]], list[Any]]
"""One answer to each of several questions; each is the arguments of a network."""


@dataclass(eq=False)
class _Question:
    ask: Answers
    kind: Any
    given: tuple[Any, ...]
    faces: int
    answered: bool = False
    answer: Any = None
    error: BaseException | None = None


class _Meeting:
    """Where photos in work wait for one another, and questions of one kind are asked at once.

    Args:
        most: faces asked about at once.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.changed = threading.Condition()
        self.waiting: list[_Question] = []
        self.present = 0
        self.asking = False

    def expect(self, change: int) -> None:
        """So many more photos will be in work, or fewer."""
        with self.changed:
            self.present += change
            self.changed.notify_all()

    def ask(self, ask: Answers, kind: Any, faces: int, *given: Any) -> Any:
        """The answer to one photo's question; raises what the network raises."""
        own = _Question(ask, kind, given, faces)
        with self.changed:
            self.waiting.append(own)
            while not own.answered:
                if self.asking or len(self.waiting) < self.present:
                    self.changed.wait()
                    continue
                chosen = self._chosen()
                self.asking = True
                self.changed.release()
                try:
                    _answer(chosen)
                finally:
                    self.changed.acquire()
                    self.asking = False
                    self.waiting = [one for one in self.waiting if not one.answered]
                    self.changed.notify_all()
        if own.error is not None:
            raise own.error
        return own.answer

    def _chosen(self) -> list[_Question]:
        """The kind of question that most faces wait for, as many of it as go in one pass."""
        kinds: dict[Any, list[_Question]] = defaultdict(list)
        for one in self.waiting:
            kinds[one.kind].append(one)
        chosen: list[_Question] = []
        for one in max(kinds.values(), key=lambda all: sum(each.faces for each in all)):
            if chosen and sum(each.faces for each in chosen) + one.faces > self.most:
                break
            chosen.append(one)
        return chosen


def _answer(questions: list[_Question]) -> None:
    """Answer the questions at once; where that fails one by one, so that each has its own error."""
    try:
        answers = questions[0].ask([one.given for one in questions])
    except Exception:
        for one in questions:
            try:
                (one.answer,) = one.ask([one.given])
            except Exception as error:
                one.error = error
    else:
        for one, answer in zip(questions, answers, strict=True):
            one.answer = answer
    for one in questions:
        one.answered = True


class _Shared(Generic[T]):
    """A network whose questions go through a meeting; everything else is its own."""

    def __init__(self, network: T, meeting: _Meeting) -> None:
        self.network, self.meeting = network, meeting

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)


class _SharedDetector(_Shared[Detector]):
    def detect(self, images: Sequence[NDArray[np.uint8]]) -> Sequence[Any]:
        def ask(all: list[tuple[Any, ...]]) -> list[Any]:
            found = self.network.detect([image for (one,) in all for image in one])
            return _parts(found, [len(one) for (one,) in all])

        return self.meeting.ask(ask, "detect", len(images), images)  # type: ignore[no-any-return]


class _SharedSegmenter(_Shared[Segmenter]):
    def segment(self, crops: NDArray[np.uint8]) -> Segmentation:
        def ask(all: list[tuple[Any, ...]]) -> list[Segmentation]:
            found = self.network.segment(np.concatenate([one for (one,) in all]))
            counts = [len(one) for (one,) in all]
            sure = [None] * len(all) if found.presence is None else _parts(found.presence, counts)
            each = zip(
                _parts(found.probability, counts), _parts(found.points, counts), sure, strict=True
            )
            return [Segmentation(*one) for one in each]

        kind = ("segment", crops.shape[1:])
        return self.meeting.ask(ask, kind, len(crops), crops)  # type: ignore[no-any-return]


class _SharedPainter(_Shared[Painter]):
    def fill(
        self, crops: NDArray[np.uint8], masks: NDArray[np.bool_], **told: Any
    ) -> NDArray[np.uint8]:
        def ask(all: list[tuple[Any, ...]]) -> list[NDArray[np.uint8]]:
            joined = (np.concatenate(each) for each in zip(*all, strict=True))
            return _parts(self.network.fill(*joined, **told), [len(one) for one, _ in all])

        kind = ("fill", repr(told))
        return self.meeting.ask(ask, kind, len(crops), crops, masks)  # type: ignore[no-any-return]

    def sample(
        self, crops: NDArray[np.uint8], masks: NDArray[np.bool_], count: int, **told: Any
    ) -> NDArray[np.uint8]:
        def ask(all: list[tuple[Any, ...]]) -> list[NDArray[np.uint8]]:
            crops, masks = (np.concatenate(each) for each in zip(*all, strict=True))
            counts = [len(one) for one, _ in all]
            found = self.network.sample(crops, masks, count, **told)
            ends = np.cumsum(counts)
            return [found[:, end - n : end] for end, n in zip(ends.tolist(), counts, strict=True)]

        kind = ("sample", count, repr(told))
        return self.meeting.ask(ask, kind, len(crops), crops, masks)  # type: ignore[no-any-return]


def _parts(found: Any, counts: list[int]) -> list[Any]:
    """A sequence or array cut along its first axis."""
    ends = np.cumsum(counts).tolist()
    return [found[end - count : end] for end, count in zip(ends, counts, strict=True)]


class Together:
    """An `Uncoverer` for many photos: their faces share passes through the networks.

    The answers are those of the `Uncoverer` but for rounding: a pixel of a fill may differ by a
    level or two, since a network adds up numbers of a larger batch in another order.

    Args:
        uncoverer: whose networks and settings are used; `settings.batch` faces a pass at most.
        at_once: photos in work at a time; each is held in memory.
    """

    def __init__(self, uncoverer: Uncoverer, at_once: int = 8) -> None:
        self.meeting = _Meeting(uncoverer.settings.batch)
        self.uncoverer = Uncoverer(
            _SharedDetector(uncoverer.detector, self.meeting),
            _SharedSegmenter(uncoverer.segmenter, self.meeting),
            _SharedPainter(uncoverer.generator, self.meeting),
            uncoverer.settings,
            uncoverer.enlarger,
        )
        self.at_once = at_once

    def map(self, work: Callable[[Uncoverer, U], T], images: Sequence[U]) -> list[T]:
        """`work(uncoverer, image)` for each image, in their order, several at a time.

        work: must not raise what is not meant to end everything.
        """

        count = min(self.at_once, len(images))
        todo, turn = iter(range(len(images))), threading.Lock()
        answers: list[Any] = [None] * len(images)

        def hand() -> None:
            try:
                while True:
                    with turn:
                        place = next(todo, None)
                    if place is None:
                        return
                    answers[place] = work(self.uncoverer, images[place])
            finally:
                self.meeting.expect(-1)

        self.meeting.expect(count)  # before the first begins, or it would wait for nobody
        with ThreadPoolExecutor(max(1, count)) as pool:
            for ended in [pool.submit(hand) for _ in range(count)]:
                ended.result()
        return answers

    def __call__(self, images: Sequence[ImageLike]) -> list[Result]:
        """The painted photos, in order; raises the first error."""
        return self.map(lambda uncoverer, image: uncoverer(image), images)
