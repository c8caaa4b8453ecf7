"""Which modality contributed what to an output or to a score.

>>> from keras_fusion.attribution import shapley_values
"""

from keras_fusion.attribution.compare_representations import (
    Similarities as Similarities,
)
from keras_fusion.attribution.compare_representations import (
    compare_representations as compare_representations,
)
from keras_fusion.attribution.compare_representations import linear_cka as linear_cka
from keras_fusion.attribution.shapley_interactions import (
    shapley_interactions as shapley_interactions,
)
from keras_fusion.attribution.shapley_values import Shapley as Shapley
from keras_fusion.attribution.shapley_values import shapley_values as shapley_values

__all__ = [
    "Shapley",
    "Similarities",
    "compare_representations",
    "linear_cka",
    "shapley_interactions",
    "shapley_values",
]
