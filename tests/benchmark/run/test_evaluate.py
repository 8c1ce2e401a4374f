import numpy as np
import pytest

from benchmark.features import load_features
from benchmark.metrics.pixels import PixelScorer
from benchmark.models.adapters import make_adapter
from benchmark.photos.datasets import drawn
from benchmark.photos.rendered import draw_cases
from benchmark.run.cache import Table
from benchmark.run.evaluate import TRUTH, Store, World, evaluate
from uncover.errors import UncoverError

STAND_INS = "tests.benchmark.stand_ins"


class Counting:
    """A model that counts its calls and may stop after some."""

    name = "counting"
    fingerprint = "counting"
    weights_sha256 = None
    parallel = False

    def __init__(self, stop_after: int | None = None) -> None:
        self.calls = 0
        self.stop_after = stop_after
        self.notes: dict = {}

    def fill(self, image, hole):
        self.calls += 1
        if self.stop_after is not None and self.calls > self.stop_after:
            raise KeyboardInterrupt
        return 255 - image


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return draw_cases(drawn(7), seed=0, size=96, align=False, cache=cache, quiet=True)


def scorers():
    return [PixelScorer(), load_features(f"{STAND_INS}:colours")]


def measure(cases, folder, models, world=None, batch=3, workers=2):
    store = Store(folder)
    failures = evaluate(
        cases, models, scorers(), store, world or World(), batch=batch, workers=workers, quiet=True
    )
    return store, failures


def values(store, cases, name):
    ids = [case.id for case in cases.cases]
    return [store.table(name, s).get(ids) for s in scorers()]


@pytest.mark.parametrize(("batch", "workers"), [(1, 1), (7, 3)])
def test_batch_size_and_threads_do_not_matter(cases, tmp_path, batch, workers):
    expected = values(measure(cases, tmp_path / "a", [Counting()])[0], cases, "counting")
    store, _ = measure(cases, tmp_path / "b", [Counting()], batch=batch, workers=workers)
    for a, b in zip(expected, values(store, cases, "counting"), strict=True):
        assert np.array_equal(a, b)


def test_two_processes_share_the_work(cases, tmp_path):
    alone = values(measure(cases, tmp_path / "one", [Counting()])[0], cases, "counting")
    models = [Counting(), Counting()]
    for rank, model in enumerate(models):
        measure(cases, tmp_path / "two", [model], World(rank, 2), batch=2)
    assert [m.calls for m in models] == [4, 3]
    together = values(Store(tmp_path / "two"), cases, "counting")
    for a, b in zip(alone, together, strict=True):
        assert np.array_equal(a, b)


def test_resumes_after_a_kill(cases, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        measure(cases, tmp_path, [Counting(stop_after=5)])
    again = Counting()
    store, _ = measure(cases, tmp_path, [again])
    assert again.calls == 7 - 3, "the finished chunk of three is not computed again"
    assert len(store.table("counting", PixelScorer())) == 7
    last = Counting()
    measure(cases, tmp_path, [last])
    assert last.calls == 0


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("smaller", r"gave a picture of shape \(95, 96, 3\) for drawn-00000; it must be"),
        ("not_a_number", "gave NaN or infinite values for drawn-00000"),
        ("broken", "failed on drawn-00000: RuntimeError: out of paint"),
    ],
)
def test_a_failing_model_does_not_cost_the_others(cases, tmp_path, function, message):
    bad = make_adapter(f"python:{STAND_INS}:{function}")
    good = Counting()
    store, failures = measure(cases, tmp_path, [bad, good])
    assert list(failures) == [bad.name]
    with pytest.raises(UncoverError, match=message):
        raise UncoverError(failures[bad.name])
    assert store.table("counting", PixelScorer()).get([c.id for c in cases.cases]).shape == (7, 6)


def test_features_of_the_bare_faces_are_kept(cases, tmp_path):
    store, _ = measure(cases, tmp_path, [Counting()])
    rows = store.table(TRUTH, scorers()[1]).get([c.id for c in cases.cases])
    assert rows.shape == (7, 16)  # eight of the whole crop, eight around the hole
    assert rows.dtype == np.float32
    truth = cases.render(cases.cases[0]).truth
    assert rows[0, 0] == pytest.approx(truth[:48, :48].mean() / 255, abs=1e-5)


def test_a_torn_part_is_computed_again(tmp_path):
    table = Table(tmp_path)
    table.add(["a", "b"], np.eye(2))
    table.add(["c"], np.ones((1, 2)))
    larger = max(tmp_path.glob("*.npz"), key=lambda part: part.stat().st_size)
    larger.write_bytes(larger.read_bytes()[:40])
    fresh = Table(tmp_path)
    assert len(fresh) == 1
    assert fresh.missing(["a", "b", "c"]) == ["a", "b"]
