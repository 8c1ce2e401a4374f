"""How the other answers to a face look."""

from __future__ import annotations

import torch

from uncover.faces import asked_look, look_size
from uncover.networks.coarse import MOUTHS
from uncover.networks.other_looks import other_looks

CLOSED, OPEN = torch.tensor([[0.1, 0.0, 0.1]]), torch.tensor([[0.9, 0.7, 0.1]])


def told(looks: torch.Tensor) -> tuple[list[float], list[float]]:
    """Smile and opening of each answer, 0..1."""
    values = (looks[:, :2] + 1) / 2
    return values[:, 0].tolist(), values[:, 1].tolist()


def test_the_first_other_answer_has_the_other_mouth() -> None:
    z = torch.zeros(4, 1, 8)
    for guess, opens in ((CLOSED, True), (OPEN, False)):
        smiles, gaps = told(other_looks(z, None, guess))
        assert [gap > 0 for gap in gaps] == [opens, not opens, opens, not opens]
        for smile, gap in zip(smiles, gaps, strict=True):
            assert gap == 0 or (gap >= MOUTHS.least_gap and smile >= MOUTHS.least_smile)
        shut = sorted(smile for smile, gap in zip(smiles, gaps, strict=True) if gap == 0)
        assert shut[1] - shut[0] > 0.1


def test_what_was_asked_for_is_in_every_answer() -> None:
    look = torch.from_numpy(asked_look({"smile": 0.25, "beard": 1.0}, 2, 8))
    looks = other_looks(torch.randn(3, 2, 8), look, CLOSED.repeat(2, 1))
    assert looks.shape == (6, look_size(8))
    smiles, gaps = told(looks)
    assert smiles == [0.25] * 6
    assert len(set(gaps)) > 1
    assert (looks[:, 2] == 1).all()


def test_answers_go_on_counting_in_another_pass() -> None:
    z = torch.randn(5, 2, 8)
    guess = torch.cat([CLOSED, OPEN])
    whole = other_looks(z, None, guess)
    parts = torch.cat([other_looks(z[:2], None, guess), other_looks(z[2:], None, guess, first=3)])
    torch.testing.assert_close(whole, parts)


def test_the_latent_moves_the_mouth_a_little_and_never_shuts_it() -> None:
    least, most = (told(other_looks(torch.full((1, 1, 8), x), None, CLOSED)) for x in (-4.0, 4.0))
    for low, high in zip(least, most, strict=True):
        assert 0.02 < high[0] - low[0] < 0.25
    assert least[1][0] >= MOUTHS.least_gap
