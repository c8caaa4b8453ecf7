from keras import ops

from keras_fusion.balancing.policy import Policy


class GradientModulation(Policy):
    """Slows the encoders of the modalities that are ahead of the others (OGM).

    With `s_m` the mean probability that modality m alone gives the right class, and
    `r_m = s_m / mean of the others' s`, the scale is `k_m = 1 - tanh(alpha (r_m - 1))`
    where `r_m > 1`, and 1 elsewhere; for two modalities that is the paper's formula.
    `s` comes from the heads, so any operator can fuse, and from the step before, since
    the gradients of a step need the scales first. The paper's other half, noise that
    is added to the gradients (GE), is left out.

    Args:
        alpha: How much, in (0, 1] in the paper.

    Reference: Peng et al., 2022, Balanced Multimodal Learning via On-the-fly Gradient
    Modulation.
    """

    def __init__(self, alpha: float = 0.5):
        self.alpha = alpha

    def gates(self, step, scores):
        others = (ops.sum(scores) - scores) / max(1, scores.shape[0] - 1)
        ahead = scores / ops.maximum(others, 1e-6) - 1
        return 1 - ops.tanh(self.alpha * ops.maximum(ahead, 0))
