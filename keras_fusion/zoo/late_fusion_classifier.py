import keras

from keras_fusion import zoo
from keras_fusion.common.catalogue import find
from keras_fusion.common.names import MASK, safe_names
from keras_fusion.layers import Averaging
from keras_fusion.layers.token_presence import ANSWER, PRESENT, with_presence
from keras_fusion.zoo.fusion_classifier import SHARED
from keras_fusion.zoo.parts.encoders import narrowed
from keras_fusion.zoo.parts.given import given, told_apart
from keras_fusion.zoo.parts.heads import FUSED, check_heads, classifier, joined
from keras_fusion.zoo.parts.inputs import (
    corrupted,
    named_inputs,
    replace_absent,
    stand_in,
)
from keras_fusion.zoo.parts.record import builder
from keras_fusion.zoo.weights import load_weights


@builder(
    by_modality=("augmentation", "encoders", "heatmaps", "models", "patch_size"),
    alone="UnimodalClassifier",
    alone_takes=SHARED,
)
def LateFusionClassifier(
    input_shapes: dict,
    classes: int,
    *,
    models: dict | None = None,
    builder: str = "UnimodalClassifier",
    modality_dropout: float = 0.0,
    modality_corruption: float = 0.0,
    modality_mask: bool = False,
    heads: str | None = None,
    weights: str | None = None,
    name: str = "late_fusion_classifier",
    **kwargs,
) -> keras.Model:
    """The mean of one classifier per modality, over the modalities present.

    Args:
        input_shapes: Shape without batch axis of each modality, by name.
        classes: Number of classes.
        models: Trained single-modality models by name, averaged as they are; None
            builds one for each, trained together through the mean.
        builder: Name of what builds them.
        modality_dropout, modality_corruption, modality_mask: As for `FusionClassifier`.
        weights, name: As for it, too.
        heads: `"train"` or `"average"`: the loss of each model is added to that of
            their mean. None: they learn through the mean alone.
        **kwargs: `encoder_depth`, `units`, `encoders`, `dropout`, `include_top` and
            `classifier_activation`, and whatever else `builder` takes; of
            `augmentation`, `encoders`, `heatmaps` and `patch_size` by modality each
            model gets its own.

    Returns:
        A model of the inputs of `FusionClassifier`; its output is all zeros for a
        sample without any modality.

    Example:

    >>> shapes = {"rgb": (32, 32, 3), "depth": (32, 32, 1)}
    >>> model = LateFusionClassifier(shapes, classes=5)
    >>> model.output_shape
    (None, 5)
    """
    check_heads(heads)
    safe = safe_names(input_shapes)
    by_caller = set(kwargs.get("encoders") or {}) if models is None else set(models)
    if models is None:
        build = find("builder", builder, zoo.builders())
        models = {}
        for m, shape in input_shapes.items():
            own = {"name": f"{safe[m]}_classifier"}
            own |= build.record.of_modalities(kwargs, [m])
            with keras.name_scope(own["name"]):  # the models' layers share names
                models[m] = build({m: shape}, classes, **own)
    if set(models) != set(input_shapes):
        raise ValueError(
            f"models must be those of {list(input_shapes)}; received {list(models)}."
        )
    inputs = named_inputs(input_shapes, modality_mask, models)
    sensed = corrupted(inputs, modality_corruption)
    streams, mask = replace_absent(sensed, modality_dropout)
    streams = stand_in(streams, sensed, mask, by_caller)
    models = {m: with_presence(model) for m, model in models.items()}
    apart = told_apart(models, "classifier")
    answers = {
        m: given(m, apart[m], {m: x}, mask=mask, column=i)
        for i, (m, x) in enumerate(streams.items())
    }
    alone = [answers[m][ANSWER] for m in streams]
    there = {m: x[PRESENT] for m, x in answers.items() if PRESENT in x}
    mask = narrowed(mask, there, streams)
    average = Averaging(dtype="float32", name=FUSED if heads else "predictions")
    call = {} if mask is None else {MASK: mask}
    outputs = average(alone, **call)
    if heads:  # the mean with its own parts would be the same mean
        outputs = joined(outputs, alone, "train", mask)
    model = classifier(inputs, outputs, heads, name)
    load_weights(model, weights)
    return model
