"""Losses against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from training.gan import losses


def test_masked_l1_and_l2_count_only_the_mask():
    prediction, target = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    prediction[..., 0, 0], prediction[..., 1, 1] = 0.5, 100
    mask = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    assert losses.masked_l1(prediction, target, mask).item() == pytest.approx(0.25)
    assert losses.masked_l2(prediction, target, mask).item() == pytest.approx(0.125)


def test_empty_mask_gives_zero():
    x = torch.rand(1, 3, 4, 4)
    assert losses.masked_l1(x, -x, torch.zeros(1, 1, 4, 4)).item() == 0


def test_a_loss_is_heard_less_in_one_place_and_in_full_elsewhere():
    painted = torch.full((1, 3, 2, 2), 0.5, requires_grad=True)
    where = torch.tensor([[[[1.0, 0.5], [0.0, 0.0]]]])
    heard = losses.heard_less(painted, where, share=0.25)
    assert torch.equal(heard, painted)
    heard.sum().backward()
    assert painted.grad[0, 0].tolist() == [[0.25, 0.625], [1.0, 1.0]]


def test_patch_labels_mark_patches_that_touch_the_hole():
    hole = torch.zeros(1, 1, 8, 8)
    hole[..., 0, 3] = 1
    labels = losses.patch_labels(hole, torch.zeros(1, 1, 4, 4))
    assert labels[0, 0, 0].tolist() == [0, 1, 0, 0]
    assert labels.sum() == 1


def test_logistic_losses_at_zero_and_at_certainty():
    zero, ones = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
    assert losses.d_logistic(zero, zero, ones).item() == pytest.approx(2 * math.log(2))
    assert losses.g_logistic(zero, ones).item() == pytest.approx(math.log(2))
    sure = 50 * ones
    assert losses.d_logistic(sure, -sure, ones).item() == pytest.approx(0, abs=1e-6)
    # Known patches of the fake are real: calling them fake costs.
    assert losses.d_logistic(sure, -sure, 0 * ones).item() == pytest.approx(50)
    # The generator pays for being found out, and nothing for passing.
    assert losses.g_logistic(-sure, ones).item() == pytest.approx(50)
    assert losses.g_logistic(sure, ones).item() == pytest.approx(0, abs=1e-6)


def test_generator_is_judged_on_painted_patches_only():
    logits = torch.tensor([[[[0.0, -100.0]]]])
    labels = torch.tensor([[[[1.0, 0.0]]]])
    assert losses.g_logistic(logits, labels).item() == pytest.approx(math.log(2))


def test_feature_matching_is_zero_for_equal_features():
    features = [torch.rand(1, 4, 3, 3), torch.rand(1, 8, 2, 2)]
    assert losses.feature_matching(features, features).item() == 0
    moved = [f + 0.5 for f in features]
    assert losses.feature_matching(features, moved).item() == pytest.approx(0.5)


def test_features_of_photos_are_matched_and_do_not_move():
    real, fake = (torch.rand(1, 4, 3, 3, requires_grad=True) for _ in range(2))
    losses.feature_matching([real], [fake]).backward()
    assert real.grad is None
    assert fake.grad is not None


def test_r1_of_a_linear_critic_is_its_squared_norm():
    weight = torch.tensor([1.0, 2.0, 2.0]).reshape(1, 3, 1, 1)
    real = torch.rand(2, 3, 1, 1, requires_grad=True)
    logits = (real * weight).sum(dim=(1, 2, 3))
    assert losses.r1_penalty(logits, real).item() == pytest.approx(9.0)


def test_r1_teaches_the_critic_to_be_flatter():
    weight = torch.tensor([1.0, 2.0, 2.0], requires_grad=True)
    real = torch.rand(2, 3, 1, 1, requires_grad=True)
    losses.r1_penalty((real * weight[:, None, None]).sum(dim=(1, 2, 3)), real).backward()
    assert weight.grad.tolist() == pytest.approx([2.0, 4.0, 4.0])
