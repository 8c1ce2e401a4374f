from __future__ import annotations

import pytest

from uncover.weights import wanted


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (None, None)),
        ({"UNCOVER_WEIGHTS": " "}, (None, None)),
        ({"UNCOVER_WEIGHTS": "a/b"}, ("a/b", None)),
        ({"UNCOVER_WEIGHTS": "a/b@v1"}, ("a/b", "v1")),
        ({"UNCOVER_WEIGHTS": "a/b@v1", "UNCOVER_REVISION": "v2"}, ("a/b", "v2")),
    ],
)
def test_wanted_weights(
    environment: dict[str, str], expected: tuple[str | None, str | None]
) -> None:
    assert wanted(environment) == expected
