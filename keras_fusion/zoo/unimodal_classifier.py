import keras

from keras_fusion.common.catalogue import find
from keras_fusion.zoo.fusion_classifier import SHARED, FusionClassifier
from keras_fusion.zoo.parts.record import builder


@builder(alone_takes=SHARED)
def UnimodalClassifier(
    input_shapes: dict, classes: int, *, modality: str | None = None, **kwargs
) -> keras.Model:
    """A classifier of one modality: what every fusion should beat.

    The `FusionClassifier` whose only modality is this one: same encoder, same head,
    nothing to fuse. It takes that modality alone, `{"depth": inputs["depth"]}`: Keras
    passes over further ones with a warning.

    Args:
        input_shapes: Shape without batch axis of each modality, by name.
        classes: Number of classes.
        modality: Name of the one to use; None where `input_shapes` has only one.
        **kwargs: `encoder_depth`, `units`, `encoders`, `dropout`, `modality_mask`,
            `include_top`, `classifier_activation`, `weights` and `name`, as for
            `FusionClassifier`.

    Example:

    >>> shapes = {"rgb": (32, 32, 3), "depth": (32, 32, 1)}
    >>> model = UnimodalClassifier(shapes, classes=5, modality="depth")
    >>> list(model.input)
    ['depth']
    """
    if modality is None and len(input_shapes) == 1:
        (modality,) = input_shapes
    shape = find("modality", modality, input_shapes)
    kwargs = {"name": f"{modality}_classifier"} | kwargs
    return FusionClassifier({modality: shape}, classes, fusion="Summation", **kwargs)
