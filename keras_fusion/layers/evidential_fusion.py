"""Opinions of modalities about classes, combined into one."""

import itertools

import keras
from keras import ops

from keras_fusion.layers.arguments import require_choice, require_positive
from keras_fusion.layers.base import Layer
from keras_fusion.losses import evidential_loss
from keras_fusion.ops.presence import precise, select

RULES = ("dempster", "averaging", "cumulation")


@keras.saving.register_keras_serializable("keras_fusion")
class EvidentialFusion(Layer):
    """What M modalities together say about K classes, and how sure that is.

    Each modality has evidence `e_m >= 0` for every class. Its opinion is a Dirichlet
    distribution with `alpha_m = e_m + 1`, whose uncertainty is `K / sum(alpha_m)`. The
    evidence of all is, by the rule,

    - `"dempster"`: `K (prod_m (1 + e_m / K) - 1)`, which is Dempster's rule for beliefs
      `e / sum(alpha)`: modalities that agree make each other surer;
    - `"averaging"`: the mean over what is present, which stays unsure where they
      contradict each other;
    - `"cumulation"`: the sum, for evidence from independent observations.

    The conflict of two opinions is half the L1 distance of their expected probabilities
    times how sure both are, `(1 - u_1) (1 - u_2)`; over M it is the mean of all pairs.

    Call: `layer(evidence, modality_mask=None, training=None)`

    Shapes: list of M tensors `(B, K)` and `modality_mask` `(B, M)` bool (True =
    present, None = all) to probabilities `(B, K)`, uncertainty `(B,)` and conflict
    `(B,)`. Evidence below zero counts as none. What is absent has no evidence: under
    Dempster's rule and cumulation such an opinion is neutral. With nothing present all
    classes are as probable, and the uncertainty is 1.

    In training an `EvidentialModel` finds the opinions here, for its loss.

    Args:
        rule: `"dempster"`, `"averaging"` or `"cumulation"`.
        annealing: Steps of training over which wrong evidence comes to count in the
            loss of an `EvidentialModel`.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> sure, vacuous = keras.ops.array([[8.0, 0.0]]), keras.ops.zeros((1, 2))
    >>> probabilities, uncertainty, conflict = EvidentialFusion()([sure, vacuous])
    >>> [round(float(x), 2) for x in (*probabilities[0], uncertainty[0], conflict[0])]
    [0.9, 0.1, 0.2, 0.0]

    Reference: Han, Zhang, Fu and Zhou, 2021, Trusted Multi-View Classification
    (Dempster's rule). Xu, Si, Guan, Zhao, Wu and Gao, 2024, Reliable Conflictive
    Multi-View Learning (averaging and conflict).
    """

    def __init__(self, rule: str = "dempster", annealing: int = 1000, **kwargs):
        super().__init__(**kwargs)
        self.rule = require_choice(self, "rule", rule, RULES)
        self.annealing = require_positive(self, "annealing", annealing)
        self.seen = None

    def build(self, evidence_shape, modality_mask_shape=None):
        self.step = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="step"
        )

    def call(self, evidence, modality_mask=None, training=None):
        evidence = [ops.maximum(precise(x), 0) for x in evidence]
        there = [None] * len(evidence)
        if modality_mask is not None:
            mask = ops.cast(modality_mask, "bool")
            there = [mask[:, m : m + 1] for m in range(len(evidence))]
            evidence = [select(x, p) for x, p in zip(evidence, there)]
        classes = evidence[0].shape[-1]
        alphas = [x + 1 for x in evidence]
        whole = self._combined(evidence, there) + 1
        total = ops.sum(whole, axis=-1)
        conflict, pairs = self._conflict(alphas, there)
        if self.resolve_training(training):
            self.step.assign_add(1)
            self.seen = [*alphas, whole], modality_mask, conflict
        conflict = conflict / ops.maximum(pairs, 1)
        return whole / total[:, None], classes / total, conflict

    def compute_output_shape(self, evidence_shape, modality_mask_shape=None):
        batch = tuple(evidence_shape[0])[:1]
        return tuple(evidence_shape[0]), batch, batch

    def loss(self, labels, sample_weight=None):
        """The loss of the last call in training; see `EvidentialModel`."""
        (alphas, mask, conflict), self.seen = self.seen, None
        weights = [sample_weight] * len(alphas)
        if mask is not None:
            there = ops.unstack(ops.cast(mask, "float32"), len(alphas) - 1, axis=1)
            own = 1 if sample_weight is None else ops.reshape(sample_weight, (-1,))
            weights = [*(x * own for x in there), sample_weight]
        share = ops.minimum(self.step / self.annealing, 1)
        found = [
            _mean(evidential_loss(labels, alpha, share), weight)
            for alpha, weight in zip(alphas, weights)
        ]
        if self.rule == "averaging" and len(alphas) > 2:
            found.append(_mean(2 * conflict / (len(alphas) - 2), sample_weight))
        return sum(found)

    def _combined(self, evidence, there):
        if self.rule == "cumulation":
            return sum(evidence)
        if self.rule == "averaging":
            if there[0] is None:
                return sum(evidence) / len(evidence)
            count = sum(ops.cast(p, "float32") for p in there)
            return sum(evidence) / ops.maximum(count, 1)
        classes = evidence[0].shape[-1]
        logs = sum(ops.log1p(x / classes) for x in evidence)
        return classes * ops.expm1(ops.minimum(logs, 80))  # exp(80) is a float32

    def _conflict(self, alphas, there):
        """The sum over pairs of what is present, and the number of the pairs."""
        totals = [ops.sum(x, axis=-1, keepdims=True) for x in alphas]
        means = [x / total for x, total in zip(alphas, totals)]
        sure = [1 - x.shape[-1] / total for x, total in zip(alphas, totals)]
        conflict, pairs = ops.zeros_like(totals[0]), ops.zeros_like(totals[0])
        for a, b in itertools.combinations(range(len(alphas)), 2):
            apart = ops.sum(ops.abs(means[a] - means[b]), axis=-1, keepdims=True) / 2
            conflict = conflict + apart * sure[a] * sure[b]
            both = ops.ones_like(totals[0])
            if there[0] is not None:
                both = ops.cast(ops.logical_and(there[a], there[b]), both.dtype)
            pairs = pairs + both
        return conflict[:, 0], pairs[:, 0]


@keras.saving.register_keras_serializable("keras_fusion")
class EvidentialModel(keras.Model):
    """A functional model with a layer `EvidentialFusion`, trained by its opinions.

    The loss in training is the sum of `keras_fusion.losses.EvidentialLoss` of the
    combined opinion and of each modality's own, over the samples where it is present,
    whatever loss was compiled; under the rule `"averaging"` the conflict of all pairs
    is added, `2 / (M - 1)` of each. Validation has the compiled loss of the output.
    """

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        if not training:
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        (layer,) = (x for x in self.layers if isinstance(x, EvidentialFusion))
        return layer.loss(y, sample_weight) + sum(ops.sum(p) for p in self.losses)


def _mean(losses, weights):
    return ops.mean(losses if weights is None else losses * ops.reshape(weights, (-1,)))
