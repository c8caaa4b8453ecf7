from keras import ops

from keras_fusion.balancing.policy import Policy


class Pretraining(Policy):
    """Each modality learns by itself first, then their fusion, then all together.

    For the first steps the losses of the heads alone count. Then the encoders are
    frozen while the fusion learns from what they have become.

    Args:
        steps: For which each modality learns by itself.
        frozen: For which the encoders are frozen after that.
    """

    def __init__(self, steps: int, frozen: int = 0):
        self.steps = steps
        self.frozen = frozen

    def gates(self, step, scores):
        freezes = ops.logical_and(step >= self.steps, step < self.steps + self.frozen)
        return ops.where(freezes, 0.0, ops.ones_like(scores))

    def losses(self, step, modalities):
        joint = ops.cast(step >= self.steps, "float32")
        return joint, ops.ones((modalities,))
