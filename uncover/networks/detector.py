"""Finds faces in a photo and says whether each wears a mask: a compact Faster R-CNN.

The architecture is Ren et al., "Faster R-CNN" (2015) with the feature pyramid of Lin et al. (2017),
both from torchvision, on a small backbone. Everything that changes a picture's size happens here
with OpenCV (area averaging when shrinking), so that the network only ever sees finished pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import MultiScaleRoIAlign, batched_nms, nms

from uncover.networks.backbones import BackboneWithPyramid
from uncover.networks.detections import (
    LABELS,
    DetectorConfig,
    Part,
    PhotoDetector,
    pad_for_detector,
    resize_for_detector,
)
from uncover.networks.proposals import propose
from uncover.networks.segmentation import check_crops

STRIDE = 32  # torchvision pads pictures to multiples of it
IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)


def _normalised() -> np.ndarray:
    """float32 (1, 256, 3): what each level of each channel becomes."""
    mean, std = (255 * torch.tensor(each) for each in (IMAGE_MEAN, IMAGE_STD))
    return ((torch.arange(256.0)[:, None] - mean) / std)[None].numpy()


_NORMALISED = _normalised()


class SizeAsGiven(GeneralizedRCNNTransform):  # type: ignore[misc, unused-ignore]
    """torchvision's normalising and padding without its resizing, which aliases."""

    def resize(
        self, image: Tensor, target: dict[str, Tensor] | None = None
    ) -> tuple[Tensor, dict[str, Tensor] | None]:
        return image, target


class MaskDetector(PhotoDetector, nn.Module):
    """Faster R-CNN over :data:`LABELS`; boxes go around the whole face.

    :meth:`detect` is for photos. ``net`` is torchvision's model, for training: it takes a list of
    float (3, H, W) images in 0..1 and targets with boxes and labels, where label 0 is background
    and ``LABELS[i]`` is ``i + 1``.
    """

    def __init__(self, config: DetectorConfig | None = None, pretrained_backbone: bool = False):
        super().__init__()
        self.config = config = config or DetectorConfig()
        backbone = BackboneWithPyramid(
            config.backbone, config.pyramid_channels, pretrained_backbone
        )
        if len(config.anchors) != len(backbone.levels) + 1:
            raise ValueError(f"anchors needs {len(backbone.levels) + 1} levels")
        anchors = AnchorGenerator(config.anchors, ((config.aspect_ratio,),) * len(config.anchors))
        self.net = FasterRCNN(
            backbone,
            rpn_anchor_generator=anchors,
            rpn_pre_nms_top_n_train=1000,
            rpn_post_nms_top_n_train=500,
            rpn_pre_nms_top_n_test=600,
            rpn_post_nms_top_n_test=config.proposals,
            rpn_score_thresh=config.objectness,
            rpn_fg_iou_thresh=0.6,
            rpn_bg_iou_thresh=0.3,
            rpn_batch_size_per_image=128,
            box_roi_pool=MultiScaleRoIAlign(
                list(backbone.levels),
                config.pool_size,
                sampling_ratio=2,
                canonical_scale=96,
                canonical_level=4,
            ),
            box_head=TwoMLPHead(
                config.pyramid_channels * config.pool_size**2, config.head_channels
            ),
            box_predictor=FastRCNNPredictor(config.head_channels, len(LABELS) + 1),
            box_score_thresh=config.score_threshold,
            box_nms_thresh=config.nms_iou,
            box_detections_per_img=config.max_detections,
        )
        self.net.transform = SizeAsGiven(
            config.shorter_side, config.longer_side, list(IMAGE_MEAN), list(IMAGE_STD)
        )

    @torch.inference_mode()
    def _look(self, image: np.ndarray) -> Part:
        resized = resize_for_detector(image, self.config.shorter_side, self.config.longer_side)
        was_training = self.training
        self.eval()
        found = self._find(pad_for_detector(resized))
        self.train(was_training)
        height, width = image.shape[:2]
        scale = torch.tensor([width / resized.shape[1], height / resized.shape[0]]).repeat(2)
        boxes = found["boxes"].float().cpu() * scale
        limit = torch.tensor([width, height], dtype=torch.float32).repeat(2)
        boxes = torch.minimum(boxes.clamp(min=0), limit)
        labels, scores = found["labels"].cpu(), found["scores"].float().cpu()
        return boxes.numpy(), labels.numpy(), scores.numpy()

    def _find(self, image: np.ndarray) -> dict[str, Tensor]:
        """``self.net`` for one uint8 picture, without its copies on the way to the backbone."""
        parameter = next(self.parameters())
        height, width = image.shape[:2]
        below, right = -height % STRIDE, -width % STRIDE
        pixels = torch.from_numpy(cv2.LUT(image, _NORMALISED))
        batch = F.pad(pixels, (0, 0, 0, right, 0, below)).permute(2, 0, 1)[None].to(parameter)
        features = self.net.backbone(batch)
        boxes = propose(self.net.rpn, features, batch, (height, width))
        return self.net.roi_heads(features, [boxes], [(height, width)])[0][0]

    @torch.inference_mode()
    def odds(self, crops: np.ndarray, box: Sequence[float]) -> np.ndarray:
        """What it takes for a face whose place is known; a tenth of the work of a search.

        Args:
            crops: uint8 (B, S, S, 3) RGB, at least one, S a multiple of 32 and at least 64. They
                are looked at in their own size.
            box: x0, y0, x1, y1 of the whole face in pixels, the same in each crop.

        Returns:
            float32 (B, 1 + len(LABELS)): probability that there is no face, then of each label.

        Raises:
            ValueError: for crops of another type or shape.
        """
        check_crops(crops)
        side = crops.shape[1]
        if side < 64 or side % STRIDE:
            raise ValueError(f"the crops' side must be a multiple of {STRIDE} from 64, not {side}")
        parameter = next(self.parameters())
        pixels = torch.from_numpy(np.stack([cv2.LUT(crop, _NORMALISED) for crop in crops]))
        was_training = self.training
        self.eval()
        features = self.net.backbone(pixels.permute(0, 3, 1, 2).to(parameter))
        place = torch.tensor([list(box)], dtype=torch.float32).to(parameter)
        heads, places = self.net.roi_heads, [place] * len(crops)
        pooled = heads.box_roi_pool(features, places, [(side, side)] * len(crops))
        logits, _ = heads.box_predictor(heads.box_head(pooled))
        self.train(was_training)
        return logits.float().softmax(dim=1).cpu().numpy()

    def _nms(
        self, boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray | None = None
    ) -> np.ndarray:
        at, odds, limit = torch.from_numpy(boxes), torch.from_numpy(scores), self.config.nms_iou
        if labels is None:
            return nms(at, odds, limit).numpy()
        return batched_nms(at, odds, torch.from_numpy(labels), limit).numpy()


__all__ = ["DetectorConfig", "MaskDetector", "SizeAsGiven"]
