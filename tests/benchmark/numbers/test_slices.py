import numpy as np
import pytest

from benchmark.numbers.slices import make_slices, parse_where, select
from uncover.errors import UncoverError

FACTORS = {
    "ethnicity": ["asian", "white", "other", "asian"],
    "pose": ["0-15", "30-60", "0-15", "15-30"],
}


def test_every_value_and_every_crossing():
    slices = make_slices(FACTORS)
    assert len(slices) == 1 + 3 + 4 + 3 * 4
    assert slices[0].values == {"ethnicity": "all", "pose": "all"}
    assert slices[0].n == 4
    by_name = {s.name: s for s in slices}
    assert by_name["ethnicity=asian"].indices.tolist() == [0, 3]
    assert by_name["ethnicity=asian, pose=15-30"].indices.tolist() == [3]
    assert by_name["ethnicity=white, pose=>60"].n == 0
    crossings = [s for s in slices if len(s.fixed) == 2]
    assert sum(s.n for s in crossings) == 4


def test_other_comes_last():
    names = [s.values["ethnicity"] for s in make_slices(FACTORS)[1:4]]
    assert names == ["asian", "white", "other"]


def test_too_many_values_are_no_factor():
    with pytest.raises(UncoverError, match="slice age has 30 values"):
        make_slices({"age": [str(i) for i in range(30)]})


def test_where_selects():
    wanted = parse_where("ethnicity=asian|other, pose=0-15")
    assert select(FACTORS, wanted, 4).tolist() == [0, 2]
    assert parse_where(None) == {}
    assert parse_where("pose=60+") == {"pose": {">60"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ethnicity", "write factor=value"),
        ("=asian", "write factor=value"),
        ("age=5", "unknown factor age"),
        ("ethnicity=martian", "ethnicity has no value martian"),
        ("ethnicity=white,pose=15-30", "slice ethnicity=white, pose=15-30 is empty"),
    ],
)
def test_where_that_cannot_be_met(text, message):
    with pytest.raises(UncoverError, match=message):
        select(FACTORS, parse_where(text), 4)


def test_indices_ascend():
    for part in make_slices(FACTORS):
        assert (np.diff(part.indices) > 0).all()
