from keras import ops

from keras_fusion.balancing.policy import Policy, turn


class Alternating(Policy):
    """One encoder learns at a time, and by the loss of its own head alone (MLA).

    The turn goes around the modalities. What fuses them, and what predicts from that,
    learns in every step, from encoders that it does not move.

    Args:
        steps: How long a turn is; 1 in the paper.

    Reference: Zhang et al., 2024, Multimodal Representation Learning by Alternating
    Unimodal Adaptation (the schedule; the paper's heads share their weights, and it
    projects their gradients).
    """

    def __init__(self, steps: int = 1):
        self.steps = steps

    def first_gates(self, modalities):
        return [1.0] + [0.0] * (modalities - 1)

    def gates(self, step, scores):
        return turn(step, scores.shape[0], self.steps)

    def losses(self, step, modalities):
        return ops.ones_like(step), turn(step, modalities, self.steps)
