"""What a policy says at each step."""

from keras import ops


class Policy:
    """Base of the policies: gates that are open, and losses that all count.

    Its functions are traced: they compute with tensors and branch on none.
    """

    def first_gates(self, modalities: int) -> list[float]:
        """The scales of the first step's gradients."""
        return [1.0] * modalities

    def gates(self, step, scores):
        """`(M,)`: the scales of the gradients behind each modality's encoder.

        Args:
            step: Of the step that is to come, counted from 0, a float tensor.
            scores: `(M,)`, the mean probability that each head gave the right class in
                the step that is done.
        """
        return ops.ones_like(scores)

    def losses(self, step, modalities: int):
        """What the loss of the fused prediction counts, and `(M,)` those of the heads.

        Args:
            step: Of this step, counted from 0, a float tensor.
            modalities: Their number M.
        """
        return ops.ones_like(step), ops.ones((modalities,))


def turn(step, modalities: int, steps: int):
    """`(M,)`: 1 for the modality whose turn it is, 0 for the others.

    Args:
        step: Counted from 0, a float tensor.
        modalities: Their number M.
        steps: How long a turn is.
    """
    chosen = ops.floor_divide(step, float(steps)) % modalities
    return ops.cast(
        ops.equal(ops.arange(modalities, dtype="float32"), chosen), "float32"
    )
