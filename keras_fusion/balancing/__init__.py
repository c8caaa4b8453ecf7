"""Training methods that keep one modality from silencing the others.

`balanced(model, policy)` is the model with a gate behind every encoder and a policy
that moves the gates under plain `fit`. It trains the very layers of `model`, which is
saved, exported and served without it.
"""

from keras_fusion.balancing.alternating import Alternating
from keras_fusion.balancing.balanced import balanced
from keras_fusion.balancing.gradient_modulation import GradientModulation
from keras_fusion.balancing.pretraining import Pretraining
from keras_fusion.balancing.prioritizing import Prioritizing

__all__ = [
    "Alternating",
    "GradientModulation",
    "Pretraining",
    "Prioritizing",
    "balanced",
]
