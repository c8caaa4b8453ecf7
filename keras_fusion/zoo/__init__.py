"""Prebuilt models; `__all__` is the catalogue.

>>> from keras_fusion.zoo import FusionClassifier
>>> model = FusionClassifier({"rgb": (32, 32, 3), "depth": (32, 32, 1)}, classes=5)
>>> model.output_shape
(None, 5)
"""

from keras_fusion.zoo.affinities import affinities as affinities
from keras_fusion.zoo.backbone import backbone as backbone
from keras_fusion.zoo.blend_linear import blend_linear as blend_linear
from keras_fusion.zoo.dual_encoder import DualEncoder as DualEncoder
from keras_fusion.zoo.ensemble import ensemble as ensemble
from keras_fusion.zoo.evidential_classifier import EvidentialClassifier
from keras_fusion.zoo.fusion_classifier import FusionClassifier
from keras_fusion.zoo.fusion_model import FusionModel as FusionModel
from keras_fusion.zoo.fusion_model import task_loss as task_loss
from keras_fusion.zoo.graph_node_classifier import GraphNodeClassifier
from keras_fusion.zoo.late_fusion_classifier import LateFusionClassifier
from keras_fusion.zoo.modality_weights import modality_weights as modality_weights
from keras_fusion.zoo.multimodal_transformer import MultimodalTransformer
from keras_fusion.zoo.mutual_former_classifier import MutualFormerClassifier
from keras_fusion.zoo.mutual_former_segmenter import MutualFormerSegmenter
from keras_fusion.zoo.parts.deployable import deployable as deployable
from keras_fusion.zoo.transfer_weights import transfer_weights as transfer_weights
from keras_fusion.zoo.two_stream_video_classifier import TwoStreamVideoClassifier
from keras_fusion.zoo.unimodal_classifier import UnimodalClassifier

__all__ = [
    "EvidentialClassifier",
    "FusionClassifier",
    "GraphNodeClassifier",
    "LateFusionClassifier",
    "MultimodalTransformer",
    "MutualFormerClassifier",
    "MutualFormerSegmenter",
    "TwoStreamVideoClassifier",
    "UnimodalClassifier",
]


def builders() -> dict:
    """The builders that a recipe may name, by name.

    `DualEncoder` is none of them, since it has no classes, and `FusionModel` neither,
    since a recipe's labels say the task.
    """
    return {name: globals()[name] for name in __all__}
