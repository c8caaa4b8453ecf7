"""Which modality, and what in it, contributed what to an output or to a score.

>>> from keras_fusion.attribution import shapley_values
"""

from keras_fusion.attribution.attention_rollout import (
    attention_rollout as attention_rollout,
)
from keras_fusion.attribution.compare_representations import (
    Similarities as Similarities,
)
from keras_fusion.attribution.compare_representations import (
    compare_representations as compare_representations,
)
from keras_fusion.attribution.compare_representations import linear_cka as linear_cka
from keras_fusion.attribution.drawing import over_picture as over_picture
from keras_fusion.attribution.drawing import over_series as over_series
from keras_fusion.attribution.drawing import over_words as over_words
from keras_fusion.attribution.integrated_gradients import Integrated as Integrated
from keras_fusion.attribution.integrated_gradients import (
    integrated_gradients as integrated_gradients,
)
from keras_fusion.attribution.shapley_interactions import (
    shapley_interactions as shapley_interactions,
)
from keras_fusion.attribution.shapley_values import Shapley as Shapley
from keras_fusion.attribution.shapley_values import shapley_values as shapley_values

__all__ = [
    "Integrated",
    "Shapley",
    "Similarities",
    "attention_rollout",
    "compare_representations",
    "integrated_gradients",
    "linear_cka",
    "over_picture",
    "over_series",
    "over_words",
    "shapley_interactions",
    "shapley_values",
]
