"""Finds faces in a photo and says whether each wears a mask: a compact Faster R-CNN.

The architecture is Ren et al., "Faster R-CNN" (2015) with the feature pyramid of Lin et al. (2017),
both from torchvision, on a small backbone. Everything that changes a picture's size happens here
with OpenCV (area averaging when shrinking), so that the network only ever sees finished pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import MultiScaleRoIAlign, batched_nms, nms

from uncover.backbones import BackboneWithPyramid
from uncover.detections import (
    LABELS,
    Detections,
    pad_for_detector,
    resize_for_detector,
    tile_starts,
    without_clutter,
    without_nested,
)

IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class DetectorConfig:
    """Everything that is needed to build the detector and to prepare a photo for it.

    ``anchors`` holds the same number of sizes (square root of the area, network pixels) for each
    pyramid level, strides 8, 16, 32 and 64. ``shorter_side`` and ``longer_side`` bound the size at
    which a photo is looked at. A photo whose longer side exceeds ``tile_above`` is looked at a
    second time in square tiles of ``tile_size`` photo pixels, so that the small faces of a crowd
    are found; ``tile_above=0`` turns that off.
    """

    backbone: str = "squeezenet1_1"
    pyramid_channels: int = 64
    anchors: tuple[tuple[int, ...], ...] = (
        (12, 18, 27),
        (40, 60, 90),
        (130, 180, 240),
        (300, 370, 450),
    )
    aspect_ratio: float = 1.2
    pool_size: int = 7
    head_channels: int = 320
    proposals: int = 200
    score_threshold: float = 0.05
    nms_iou: float = 0.5
    max_detections: int = 200
    shorter_side: int = 448
    longer_side: int = 768
    tile_above: int = 1600
    tile_size: int = 1280
    tile_overlap: float = 0.2


class SizeAsGiven(GeneralizedRCNNTransform):
    """torchvision's normalising and padding without its resizing, which aliases."""

    def resize(
        self, image: Tensor, target: dict[str, Tensor] | None = None
    ) -> tuple[Tensor, dict[str, Tensor] | None]:
        return image, target


class MaskDetector(nn.Module):
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
    def detect(
        self,
        images: Sequence[np.ndarray],
        min_score: float = 0.0,
        one_label_per_face: bool = True,
    ) -> list[Detections]:
        """Faces of each photo.

        Args:
            images: uint8 RGB photos (H, W, 3), any sizes.
            min_score: drop what scores less (the model itself stops at
                ``config.score_threshold``).
            one_label_per_face: keep only the best of boxes that overlap or lie in each other,
                whatever their labels.
                With False each class is suppressed on its own, as COCO's AP expects.

        Raises:
            ValueError: for an image that is not uint8 (H, W, 3).
        """
        results = []
        for image in images:
            if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
                raise ValueError(f"expected uint8 HxWx3, got {image.dtype} {image.shape}")
            boxes, labels, scores = self._look(image)
            if 0 < self.config.tile_above < max(image.shape[:2]):
                parts = [(boxes, labels, scores), *self._look_at_tiles(image)]
                boxes, labels, scores = (torch.cat(p) for p in zip(*parts, strict=True))
                keep = batched_nms(boxes, scores, labels, self.config.nms_iou)
                boxes, labels, scores = boxes[keep], labels[keep], scores[keep]
            if one_label_per_face:
                keep = nms(boxes, scores, self.config.nms_iou)
            else:
                keep = scores.argsort(descending=True, stable=True)
            keep = keep[scores[keep] >= min_score]
            faces = Detections(
                boxes[keep].numpy().astype(np.float32),
                [LABELS[i - 1] for i in labels[keep].tolist()],
                scores[keep].numpy().astype(np.float32),
            )
            if one_label_per_face:
                faces = without_clutter(without_nested(faces), *image.shape[:2])
            results.append(faces)
        return results

    def _look(self, image: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """One pass over one picture: boxes in its pixels, labels 1..3, scores; on the CPU."""
        resized = resize_for_detector(image, self.config.shorter_side, self.config.longer_side)
        parameter = next(self.parameters())
        pixels = torch.from_numpy(pad_for_detector(resized)).to(parameter.device)
        was_training = self.training
        self.eval()
        found = self.net([pixels.permute(2, 0, 1).to(parameter.dtype) / 255])[0]
        self.train(was_training)
        height, width = image.shape[:2]
        scale = torch.tensor([width / resized.shape[1], height / resized.shape[0]]).repeat(2)
        boxes = found["boxes"].float().cpu() * scale
        limit = torch.tensor([width, height], dtype=torch.float32).repeat(2)
        boxes = torch.minimum(boxes.clamp(min=0), limit)
        return boxes, found["labels"].cpu(), found["scores"].float().cpu()

    def _look_at_tiles(self, image: np.ndarray) -> list[tuple[Tensor, Tensor, Tensor]]:
        height, width = image.shape[:2]
        size, margin = self.config.tile_size, 3.0
        found = []
        for y in tile_starts(height, size, self.config.tile_overlap):
            for x in tile_starts(width, size, self.config.tile_overlap):
                tile = image[y : y + size, x : x + size]
                boxes, labels, scores = self._look(tile)
                # A face cut by a tile's inner edge is seen whole by its neighbour.
                cut = (boxes[:, 0] < margin) & (x > 0)
                cut |= (boxes[:, 1] < margin) & (y > 0)
                cut |= (boxes[:, 2] > tile.shape[1] - margin) & (x + size < width)
                cut |= (boxes[:, 3] > tile.shape[0] - margin) & (y + size < height)
                boxes = boxes + torch.tensor([x, y, x, y], dtype=torch.float32)
                found.append((boxes[~cut], labels[~cut], scores[~cut]))
        return found
