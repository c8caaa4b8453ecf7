import keras
from keras import ops

from keras_fusion.common.names import (
    DISAGREEMENT,
    EDGE_INDEX,
    EMBEDDING,
    MASK,
    MEDIAN,
    MODALITY_WEIGHTS,
    UNCERTAINTY,
)
from keras_fusion.layers.ensemble_average import EnsembleAverage
from keras_fusion.layers.modality_input import inputs_like
from keras_fusion.ops.median_class import median_class
from keras_fusion.ops.uncertainty import uncertainty as ops_uncertainty
from keras_fusion.zoo.parts.deployable import all_nan


def ensemble(
    models: list,
    weights: list | None = None,
    name: str = "ensemble",
    *,
    uncertainty: str | None = None,
) -> keras.Model:
    """Several models as one, which answers with the mean of their answers.

    The members are its layers and keep their weights: it is saved, exported and served
    like any other model, and `zoo.modality_weights` averages theirs.

    Args:
        models: Functional models with named inputs that answer alike: zoo models with
            or all without a `modality_mask`, or what `zoo.deployable` made of them,
            each then with a standardization of its own. A member may take some of the
            modalities alone; it is left out of the mean where none of them is present.
        weights: What each counts, positive numbers; None counts all alike.
        name: Of the model.
        uncertainty: `"entropy"` or `"confidence"`, the measure of
            `keras_fusion.ops.uncertainty` that members with named outputs give; None
            gives none.

    Returns:
        A model of all the members' inputs, with the outputs that all of them have,
        embeddings left out; of classes in an order `median_class` is that of the mean
        answer. With `uncertainty` also `uncertainty` `(B,)`, that of the
        mean answer, and `disagreement` `(B,)`, by how much it exceeds the members' own
        on average: 0 where all say the same, however unsure. Of entropies it is the
        mutual information of the answer and the member, as a share of log K.

    Raises:
        ValueError: If the members do not fit together.

    Example:

    >>> from keras_fusion.zoo import FusionClassifier
    >>> members = [FusionClassifier({"a": (5,), "b": (3,)}, 4) for _ in range(3)]
    >>> ensemble(members).output_shape
    (None, 4)

    Reference: Breiman, 1996, Bagging Predictors. Depeweg et al., 2018, Decomposition of
    Uncertainty in Bayesian Deep Learning (the disagreement).
    """
    _check(models, weights)
    inputs = _inputs(models)
    taken = [_taken(model, inputs) for model in models]
    members = [
        keras.Model(model.input, _answers(model), name=f"member_{i}")
        for i, model in enumerate(models)
    ]
    answers = [member(x) for member, x in zip(members, taken)]
    whole = all(x.keys() == inputs.keys() for x in taken)
    there = {} if whole else {"member_mask": _present(taken)}
    common = [key for key in answers[0] if all(key in x for x in answers)]
    outputs = {
        key: EnsembleAverage(weights or [1] * len(models), name=key)(
            [x[key] for x in answers], **there
        )
        for key in common
        if key != MEDIAN and (whole or key != MODALITY_WEIGHTS)
    }
    if MEDIAN in common:
        outputs[MEDIAN] = median_class(outputs["probabilities"])
    if uncertainty is not None:
        outputs |= _uncertainty(answers, outputs, uncertainty, weights, there)
    named = isinstance(models[0].output, dict)
    return keras.Model(inputs, outputs if named else outputs["predictions"], name=name)


def _uncertainty(answers, outputs, measure, weights, there):
    """How unsure the mean answer is, and what of it is that the members differ."""
    if "probabilities" not in outputs:
        raise ValueError(
            "uncertainty is for members whose outputs have names and probabilities; "
            f"received {[*outputs]}."
        )
    own = [ops_uncertainty(x["probabilities"], measure) for x in answers]
    average = EnsembleAverage(weights or [1] * len(own), name="members_uncertainty")
    whole = ops_uncertainty(outputs["probabilities"], measure)
    differ = ops.maximum(whole - average(own, **there), 0.0)
    return {UNCERTAINTY: whole, DISAGREEMENT: differ}


def _check(models, weights):
    if any(EDGE_INDEX in model.input for model in models):
        raise ValueError("Models of graphs take no rows that an ensemble could share.")
    kinds = {type(model.output) is dict for model in models}
    masked = {MASK in model.input for model in models}
    if not models or len(kinds) > 1 or len(masked) > 1:
        raise ValueError(
            "An ensemble has at least one member, and all have named outputs or none, "
            "and a modality_mask or none; received "
            f"{[model.name for model in models]}."
        )
    if weights is not None and len(weights) != len(models):
        raise ValueError(
            f"Expected a weight for each of {len(models)} models; received {weights!r}."
        )


def _inputs(models):
    """New inputs of all modalities, in the order in which the members name them."""
    found = {name: x for model in reversed(models) for name, x in model.input.items()}
    order = dict.fromkeys(name for model in models for name in model.input)
    masked = order.pop(MASK, MASK) is None
    inputs = inputs_like({m: found[m] for m in order})
    if masked:
        inputs[MASK] = keras.Input((len(inputs),), dtype="bool", name=MASK)
    return inputs


def _taken(model, inputs):
    """What a member takes of the ensemble's inputs."""
    modalities = [m for m in inputs if m != MASK]
    taken = {m: inputs[m] for m in model.input if m != MASK}
    if MASK in inputs:
        columns = [inputs[MASK][:, modalities.index(m)] for m in taken]
        taken[MASK] = ops.stack(columns, axis=-1)
    return taken


def _answers(model):
    """A member's outputs by name, without its embedding."""
    if isinstance(model.output, dict):
        return {k: x for k, x in model.output.items() if k != EMBEDDING}
    return {"predictions": model.output}


def _present(taken):
    """`(B, K)`: whether any of its modalities is there, for each member."""
    there = []
    for inputs in taken:
        given = [ops.logical_not(all_nan(x)) for m, x in inputs.items() if m != MASK]
        given = ops.stack(given, axis=-1)
        if MASK in inputs:
            given = ops.logical_and(given, inputs[MASK])
        there.append(ops.any(given, axis=-1))
    return ops.stack(there, axis=-1)
