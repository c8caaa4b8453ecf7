"""Every layer of the library; `__all__` is the catalogue.

Whoever imports this can load any model of the library: all its layers are registered
with Keras then, also those that only builders make, which are not in the catalogue.
"""

from keras_fusion.common.catalogue import find
from keras_fusion.layers.attention.attention_augmented_conv2d import (
    AttentionAugmentedConv2D,
)
from keras_fusion.layers.attention.channel_scale import ChannelScale
from keras_fusion.layers.attention.efficient_channel_attention import (
    EfficientChannelAttention,
)
from keras_fusion.layers.attention.local_self_attention import LocalSelfAttention
from keras_fusion.layers.attention.non_local_block import NonLocalBlock
from keras_fusion.layers.attention.offset_attention import OffsetAttention
from keras_fusion.layers.attention.position_attention import PositionAttention
from keras_fusion.layers.attention.squeeze_excitation import SqueezeExcitation
from keras_fusion.layers.augmentation.joint_heatmaps import JointHeatmaps
from keras_fusion.layers.augmentation.modality_corruption import ModalityCorruption
from keras_fusion.layers.augmentation.modality_dropout import ModalityDropout
from keras_fusion.layers.augmentation.sequence_jitter import SequenceJitter
from keras_fusion.layers.augmentation.video_jitter import VideoJitter
from keras_fusion.layers.bag_of_words import BagOfWords as BagOfWords
from keras_fusion.layers.blend import Blend as Blend
from keras_fusion.layers.class_token import ClassToken
from keras_fusion.layers.column_embedding import ColumnEmbedding
from keras_fusion.layers.continuation_ratio import ContinuationRatio
from keras_fusion.layers.contrastive_alignment import ContrastiveAlignment
from keras_fusion.layers.cumulative_link import CumulativeLink
from keras_fusion.layers.ensemble_average import EnsembleAverage as EnsembleAverage
from keras_fusion.layers.evidential_fusion import EvidentialFusion
from keras_fusion.layers.evidential_fusion import EvidentialModel as EvidentialModel
from keras_fusion.layers.fusion.adaptive_weighting import AdaptiveWeighting
from keras_fusion.layers.fusion.averaging import Averaging
from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.layers.fusion.bottleneck_attention import BottleneckAttention
from keras_fusion.layers.fusion.concatenation import Concatenation
from keras_fusion.layers.fusion.cross_attention import CrossAttention
from keras_fusion.layers.fusion.cross_diffusion_attention import (
    CrossDiffusionAttention,
)
from keras_fusion.layers.fusion.feature_modulation import FeatureModulation
from keras_fusion.layers.fusion.gated_cross_attention import GatedCrossAttention
from keras_fusion.layers.fusion.gated_multimodal_unit import GatedMultimodalUnit
from keras_fusion.layers.fusion.joint_attention import JointAttention
from keras_fusion.layers.fusion.latent_attention import LatentAttention
from keras_fusion.layers.fusion.low_rank_fusion import LowRankFusion
from keras_fusion.layers.fusion.maximum import Maximum
from keras_fusion.layers.fusion.mixture_of_experts_fusion import MixtureOfExpertsFusion
from keras_fusion.layers.fusion.modality_attention import ModalityAttention
from keras_fusion.layers.fusion.modality_transformer import ModalityTransformer
from keras_fusion.layers.fusion.mutual_former_block import MutualFormerBlock
from keras_fusion.layers.fusion.product import Product
from keras_fusion.layers.fusion.product_of_experts import ProductOfExperts
from keras_fusion.layers.fusion.released_mutual_former_block import (
    ReleasedMutualFormerBlock,
)
from keras_fusion.layers.fusion.scalar_weighting import ScalarWeighting
from keras_fusion.layers.fusion.softmax_gating import SoftmaxGating
from keras_fusion.layers.fusion.summation import Summation
from keras_fusion.layers.fusion.tensor_fusion import TensorFusion
from keras_fusion.layers.graph.graph_attention import GraphAttention
from keras_fusion.layers.graph.graph_convolution import GraphConvolution
from keras_fusion.layers.graph.simple_graph_convolution import SimpleGraphConvolution
from keras_fusion.layers.graph_model import GraphModel as GraphModel
from keras_fusion.layers.heads import HeadedModel as HeadedModel
from keras_fusion.layers.heads import Heads as Heads
from keras_fusion.layers.held_statistics import HeldStatistics as HeldStatistics
from keras_fusion.layers.learned_replacement import (
    LearnedReplacement as LearnedReplacement,
)
from keras_fusion.layers.linear_features import LinearFeatures as LinearFeatures
from keras_fusion.layers.linear_prediction import LinearPrediction as LinearPrediction
from keras_fusion.layers.modality_input import ModalityInput as ModalityInput
from keras_fusion.layers.padded_conv1d import PaddedConv1D as PaddedConv1D
from keras_fusion.layers.position_embedding import PositionEmbedding
from keras_fusion.layers.present_mean import PresentMean as PresentMean
from keras_fusion.layers.residual_mlp import ResidualMLP
from keras_fusion.layers.sinusoidal_positions import SinusoidalPositions
from keras_fusion.layers.stand_in import StandIn as StandIn
from keras_fusion.layers.standardization import Standardization
from keras_fusion.layers.token_attention import TokenAttention
from keras_fusion.layers.token_convolution import TokenConvolution
from keras_fusion.layers.token_pooling import TokenPooling
from keras_fusion.layers.token_presence import TokenPresence as TokenPresence
from keras_fusion.layers.with_mask import WithMask as WithMask

__all__ = [
    "AdaptiveWeighting",
    "AttentionAugmentedConv2D",
    "Averaging",
    "BottleneckAttention",
    "ChannelScale",
    "ClassToken",
    "ColumnEmbedding",
    "Concatenation",
    "ContinuationRatio",
    "ContrastiveAlignment",
    "CrossAttention",
    "CrossDiffusionAttention",
    "CumulativeLink",
    "EfficientChannelAttention",
    "EvidentialFusion",
    "FeatureModulation",
    "Fusion",
    "GatedCrossAttention",
    "GatedMultimodalUnit",
    "GraphAttention",
    "GraphConvolution",
    "JointAttention",
    "JointHeatmaps",
    "LatentAttention",
    "LocalSelfAttention",
    "LowRankFusion",
    "Maximum",
    "MixtureOfExpertsFusion",
    "ModalityAttention",
    "ModalityCorruption",
    "ModalityDropout",
    "ModalityTransformer",
    "MutualFormerBlock",
    "NonLocalBlock",
    "OffsetAttention",
    "PositionAttention",
    "PositionEmbedding",
    "Product",
    "ProductOfExperts",
    "ReleasedMutualFormerBlock",
    "ResidualMLP",
    "ScalarWeighting",
    "SequenceJitter",
    "SimpleGraphConvolution",
    "SinusoidalPositions",
    "SoftmaxGating",
    "SqueezeExcitation",
    "Standardization",
    "Summation",
    "TensorFusion",
    "TokenAttention",
    "TokenConvolution",
    "TokenPooling",
    "VideoJitter",
]


def operators() -> dict[str, type[Fusion]]:
    """The layers that fuse, by name."""
    layers = {name: globals()[name] for name in __all__}
    return {
        name: layer
        for name, layer in layers.items()
        if issubclass(layer, Fusion) and layer is not Fusion
    }


def get(name: str) -> type[Fusion]:
    """The operator of exactly this name; a ValueError lists the names else."""
    return find("operator", name, operators())
