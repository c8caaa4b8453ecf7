"""The model that a policy trains."""

import keras
from keras import ops

from keras_fusion.balancing.gradient_gates import GradientGates
from keras_fusion.balancing.policy import Policy
from keras_fusion.layers import Fusion, HeadedModel, Heads
from keras_fusion.layers.modality_input import inputs_like


def balanced(model: HeadedModel, policy: Policy) -> keras.Model:
    """A model of the same layers, with a gate behind the encoder of every modality.

    It is compiled and fitted in place of `model`, whose weights it trains.

    Args:
        model: Of a builder of the zoo, with `heads="train"` or `"average"`: what the
            heads predict says how far each modality has come.
        policy: Moves the gates, and says what each loss counts.

    Raises:
        ValueError: If the model has no heads, or fuses by no operator.

    Example:

    >>> from keras_fusion.balancing import GradientModulation, balanced
    >>> from keras_fusion.zoo import FusionClassifier
    >>> model = FusionClassifier({"a": 5, "b": 3}, classes=4, heads="train")
    >>> trained = balanced(model, GradientModulation(alpha=0.5))
    >>> trained.compile("adam", "sparse_categorical_crossentropy")
    """
    fusions = [x for x in model.layers if isinstance(x, Fusion)]
    if not fusions or not any(isinstance(x, Heads) for x in model.layers):
        raise ValueError(
            f"Balancing needs a model that fuses and has heads; received {model.name}. "
            'Build it with heads="train" or heads="average".'
        )
    streams = _streams(fusions)
    gates = GradientGates(policy.first_gates(len(streams)), name="gradient_gates")
    sources = [x._keras_history for x in streams]

    def call(operation, *args, **kwargs):
        outputs = operation(*args, **kwargs)
        for m, source in enumerate(sources):
            if source.operation is operation:
                parts = keras.tree.flatten(outputs)
                i = source.tensor_index
                parts[i] = gates(parts[i], modality=m)
                outputs = keras.tree.pack_sequence_as(outputs, parts)
        return outputs

    gated = keras.models.clone_model(
        model,
        input_tensors=inputs_like(model.input),
        clone_function=lambda layer: layer,
        call_function=call,
    )
    trained = BalancedModel(gated.input, gated.output, name=model.name)
    trained.policy = policy
    return trained


def _streams(fusions):
    """What the first of the operators takes of each modality."""
    names = {x.name: x for x in fusions}
    first = names.get("fusion_0", names.get("fusion", fusions[0]))
    return [x for x in first.input if x.dtype != "bool"][: first.num_modalities]


@keras.saving.register_keras_serializable("keras_fusion")
class BalancedModel(HeadedModel):
    """A functional model whose loss moves its gates, by its `policy`."""

    policy = None

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        if not training or self.policy is None:
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        gates = self.get_layer("gradient_gates")
        step = gates.step + 0.0
        heads = self.heads_seen(sample_weight)
        joint, alone = self.policy.losses(step, len(heads))
        penalties = sum(ops.sum(penalty) for penalty in self.losses)
        own = keras.Model.compute_loss
        loss = joint * (own(self, x, y, y_pred, sample_weight) - penalties) + penalties
        for m, (head, weight) in enumerate(heads):
            loss = loss + alone[m] * (own(self, x, y, head, weight) - penalties)
        scores = ops.stack([_score(y, head, weight) for head, weight in heads])
        gates.scale.assign(ops.cast(self.policy.gates(step + 1, scores), "float32"))
        gates.step.assign(step + 1)
        return loss


def _score(labels, predictions, weight):
    """The mean probability of the right class, over the samples that have a weight."""
    predictions = ops.stop_gradient(predictions)
    if len(labels.shape) < 2 or labels.shape[-1] == 1:
        labels = ops.reshape(ops.cast(labels, "int32"), (-1, 1))
        right = ops.take_along_axis(predictions, labels, axis=-1)[:, 0]
    else:
        right = ops.sum(predictions * labels, axis=-1)
    if weight is None:
        return ops.mean(right)
    weight = ops.cast(weight, right.dtype)
    return ops.sum(right * weight) / ops.maximum(ops.sum(weight), 1e-6)
