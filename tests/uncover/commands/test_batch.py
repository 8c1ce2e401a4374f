"""A folder of photos: overlapping work, few photos in memory, going on after an interruption."""

from __future__ import annotations

import gc
import json
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.uncover.fake_networks import draw_scene, make
from uncover.commands import batch, jobs
from uncover.commands.batch import AHEAD, JOURNAL, WRITERS, Journal, run_all
from uncover.commands.photos import INTERRUPTED, OK, main
from uncover.commands.places import Job, plan
from uncover.pipeline import Uncoverer
from uncover.results import sample_paths

BOX = (60, 30, 140, 135)
PATIENCE = 60.0  # seconds until a hanging test gives up; nothing takes that long


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for i in range(6):
        Image.fromarray(draw_scene([BOX], seed=i)).save(tmp_path / "in" / f"{i}.png")
    return tmp_path / "in"


def planned(folder: Path) -> list[Job]:
    return plan([folder], folder.parent / "out")[0]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_outcomes_come_in_order_and_equal_single_runs(folder: Path) -> None:
    Image.new("RGB", (200, 160)).save(folder / "3.png")
    (folder / "4.png").write_bytes(b"broken")
    (folder / "2a.png").write_bytes((folder / "2.png").read_bytes())
    todo = planned(folder)
    found = list(run_all(todo, make([BOX])))
    assert [outcome.job for outcome in found] == todo
    assert [o.status for o in found] == ["filled"] * 4 + ["not_filled", "failed", "filled"]
    for outcome in found:
        if outcome.status == "filled":
            expected = make([BOX])(outcome.job.source).image
            written = Image.open(outcome.job.target)
            np.testing.assert_array_equal(np.asarray(written), np.asarray(expected))


def test_the_next_photos_are_read_while_one_is_computed(folder: Path, monkeypatch) -> None:
    read = {job.source.name: threading.Event() for job in planned(folder)}

    def reading(job: Job) -> object:
        read[job.source.name].set()
        return jobs.read(job)

    waited = []

    class Waiting(Uncoverer):
        def __call__(self, image, **options):  # type: ignore[no-untyped-def]
            place = int(image.path.stem)
            if place + AHEAD < 6:
                waited.append(read[f"{place + AHEAD}.png"].wait(PATIENCE))
            return super().__call__(image, **options)

    monkeypatch.setattr(batch, "read", reading)
    plain = make([BOX])
    uncoverer = Waiting(plain.detector, plain.segmenter, plain.generator, plain.settings)
    assert len(list(run_all(planned(folder), uncoverer))) == 6
    assert waited == [True] * 4


def test_the_next_photo_is_computed_while_one_is_written(folder: Path, monkeypatch) -> None:
    begun = {i: threading.Event() for i in range(7)}
    waited = []

    def writing(job: Job, result: object, by_hand: object) -> object:
        place = int(job.source.stem)
        if place < 5:
            waited.append(begun[place + 1].wait(PATIENCE))
        return jobs.write(job, result)  # type: ignore[arg-type]

    class Noting(Uncoverer):
        def __call__(self, image, **options):  # type: ignore[no-untyped-def]
            begun[int(image.path.stem)].set()
            return super().__call__(image, **options)

    monkeypatch.setattr(batch, "write", writing)
    plain = make([BOX])
    uncoverer = Noting(plain.detector, plain.segmenter, plain.generator, plain.settings)
    assert len(list(run_all(planned(folder), uncoverer))) == 6
    assert waited == [True] * 5


def test_only_a_handful_of_photos_is_in_memory(folder: Path, monkeypatch) -> None:
    for i in range(6, 30):
        (folder / f"{i}.png").write_bytes((folder / "0.png").read_bytes())
    alive: weakref.WeakSet[object] = weakref.WeakSet()
    most = 0

    def reading(job: Job) -> object:
        photo = jobs.read(job)
        alive.add(photo)
        return photo

    monkeypatch.setattr(batch, "read", reading)
    gc.freeze()  # what other tests left need not be looked through each time
    for _ in run_all(planned(folder), make([BOX])):
        gc.collect()
        most = max(most, len(alive))
    gc.unfreeze()
    assert 0 < most <= 2 * AHEAD + WRITERS + 3


class Breaking:
    """A detector that is interrupted at some photo."""

    def __init__(self, at: int) -> None:
        self.plain, self.at, self.calls = make([BOX]).detector, at, 0

    def detect(self, images: list[np.ndarray]) -> list[object]:
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return self.plain.detect(images)  # type: ignore[return-value]


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The detector that the command line gets."""
    given: dict[str, object] = {}

    def from_pretrained(source: object = None, **options: object) -> Uncoverer:
        uncoverer = make([BOX])
        uncoverer.detector = given["detector"]  # type: ignore[assignment]
        return uncoverer

    monkeypatch.setattr(Uncoverer, "from_pretrained", staticmethod(from_pretrained))
    return given


def test_an_interrupted_folder_is_gone_on_with(
    folder: Path, networks: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder.parent / "out"
    words = [str(folder), "-o", str(out), "--json"]
    networks["detector"] = Breaking(4)
    assert main(words) == INTERRUPTED
    assert names(out) == [JOURNAL, "0.png", "1.png", "2.png"]
    first = (out / "1.png").stat().st_mtime_ns
    with (out / JOURNAL).open("a") as stream:
        stream.write('{"meant": "cut sho')
    capsys.readouterr()
    networks["detector"] = second = Breaking(-1)
    assert main(words) == OK
    assert second.calls == 3
    assert names(out) == [f"{i}.png" for i in range(6)]
    assert (out / "1.png").stat().st_mtime_ns == first
    printed, err = capsys.readouterr()
    assert "3 of 6 photos were done" in err
    assert "6 photos: 6 filled; 6 faces in all" in err
    told = json.loads(printed)
    assert [Path(entry["output"]).name for entry in told] == names(out)
    assert all(entry["faces"] for entry in told)
    networks["detector"] = third = Breaking(-1)
    assert main(words) == OK
    assert third.calls == 6  # a finished run leaves nothing to go on with


@pytest.mark.parametrize("change", ["photo", "option", "result"])
def test_what_changed_is_done_again(folder: Path, networks: dict[str, object], change: str) -> None:
    out = folder.parent / "out"
    networks["detector"] = Breaking(4)
    assert main([str(folder), "-o", str(out)]) == INTERRUPTED
    if change == "photo":
        Image.fromarray(draw_scene([BOX], seed=9)).save(folder / "1.png", compress_level=1)
    if change == "result":
        (out / "1.png").unlink()
    networks["detector"] = second = Breaking(-1)
    more = ["--blend", "poisson"] if change == "option" else []
    assert main([str(folder), "-o", str(out), *more]) == OK
    assert second.calls == {"photo": 4, "option": 6, "result": 4}[change]
    assert names(out) == [f"{i}.png" for i in range(6)]


def test_what_is_painted_is_written_however_slow_that_is(folder: Path, monkeypatch) -> None:
    closing = threading.Event()
    finished = []

    class Pool(ThreadPoolExecutor):
        """Says when nothing more is taken on."""

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            if self._thread_name_prefix == "write":
                closing.set()
            super().shutdown(wait)

    def writing(job: Job, result: object, by_hand: object) -> object:
        if job.source.name == "1.png":
            finished.append(closing.wait(PATIENCE))
        return jobs.write(job, result)  # type: ignore[arg-type]

    monkeypatch.setattr(batch, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(batch, "WRITERS", 1)  # so that 2.png has to queue
    monkeypatch.setattr(batch, "write", writing)
    uncoverer = make([BOX])
    uncoverer.detector = Breaking(4)  # type: ignore[assignment]
    journal = Journal({})
    with pytest.raises(KeyboardInterrupt):
        list(run_all(planned(folder), uncoverer, journal=journal))
    assert finished == [True]
    assert names(folder.parent / "out") == [JOURNAL, "0.png", "1.png", "2.png"]
    assert set(journal.before(planned(folder))) == set(planned(folder)[:3])


def test_a_photo_that_changes_while_it_is_worked_on_is_not_done(folder: Path, monkeypatch) -> None:
    def reading(job: Job) -> object:
        photo = jobs.read(job)
        if job.source.name == "1.png":
            Image.fromarray(draw_scene([BOX], seed=9)).save(job.source, compress_level=1)
        return photo

    monkeypatch.setattr(batch, "read", reading)
    journal, todo = Journal({}), planned(folder)
    assert len(list(run_all(todo, make([BOX]), journal=journal))) == 6
    assert set(journal.before(todo)) == {*todo} - {todo[1]}


def test_a_photo_without_all_its_samples_is_not_done(folder: Path) -> None:
    journal, todo = Journal({}, samples=2), planned(folder)
    list(run_all(todo, make([BOX]), journal=journal))
    for path in sample_paths(todo[1].target, 2):
        path.touch()
    assert set(journal.before(todo)) == {todo[1]}


def test_a_folder_made_for_nothing_is_removed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for i in range(3):
        Image.new("RGB", (200, 160)).save(tmp_path / "in" / f"{i}.png")
    journal = Journal({})
    found = list(run_all(planned(tmp_path / "in"), make([BOX]), journal=journal))
    assert {outcome.status for outcome in found} == {"not_filled"}
    assert set(journal.before(planned(tmp_path / "in"))) == set(planned(tmp_path / "in"))
    journal.remove()
    assert names(tmp_path) == ["in"]
    (tmp_path / "out").mkdir()
    again = Journal({})
    list(run_all(planned(tmp_path / "in"), make([BOX]), journal=again))
    again.remove()
    assert names(tmp_path) == ["in", "out"]


def test_what_is_kept_of_a_photo_is_small_and_counts_the_same(folder: Path) -> None:
    for outcome in run_all(planned(folder), make([BOX])):
        kept = outcome.shortened()
        assert (kept.job, kept.status, kept.message) == (
            outcome.job,
            outcome.status,
            outcome.message,
        )
        assert [face["filled"] for face in kept.details["faces"]] == [True]
        assert len(json.dumps(kept.details)) < 50 < len(json.dumps(outcome.details))
