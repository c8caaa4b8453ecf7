from keras_fusion.balancing.policy import Policy, turn


class Prioritizing(Policy):
    """Each modality in turn has priority: the encoders of the others learn less.

    Args:
        rest: Scale of the gradients of those whose turn it is not, in [0, 1].
        steps: How long a turn is.
    """

    def __init__(self, rest: float = 0.1, steps: int = 1):
        self.rest = rest
        self.steps = steps

    def first_gates(self, modalities):
        return [1.0] + [self.rest] * (modalities - 1)

    def gates(self, step, scores):
        first = turn(step, scores.shape[0], self.steps)
        return first + (1 - first) * self.rest
