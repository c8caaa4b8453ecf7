"""Networks that others designed or trained, by name, as encoders."""

import keras

from keras_fusion.common.errors import InputError, first_line
from keras_fusion.safety import archives
from keras_fusion.zoo.parts import applications, hub

PRETRAINED, NONE = "pretrained", "none"
HUB = "keras_hub:"
_FORMS = '"keras_applications:NAME", "keras_hub:PRESET" or the path of a .keras file'


def backbone(
    source: str,
    input_shape: tuple,
    *,
    weights: str = PRETRAINED,
    trainable: bool = False,
    name: str = "backbone",
) -> keras.Model:
    """A network by name, which takes raw values and prepares them as it was trained to.

    Args:
        source: `"keras_applications:NAME"`, a function of `keras.applications`;
            `"keras_hub:PRESET"`, a preset of KerasHub, by its name, its address or the
            path of its folder; or the path of a `.keras` file.
        input_shape: Of a row of the modality. A picture is `(H, W, 3)`, or `(H, W, 1)`,
            whose channel is repeated, with colors from 0 to 255. A `.keras` file says
            itself what it takes, and prepares it itself.
        weights: `"pretrained"`: those of ImageNet, of the preset, or of the file;
            `"none"`: random ones; or the path of a `.weights.h5` file.
        trainable: Whether it learns, too. If not, its weights and moving averages stay
            as they are, and its dropout is off.
        name: Of the model.

    Returns:
        A model without head. Of a picture it gives a map `(B, H', W', D)`.

    Raises:
        ValueError: If there is no such network or file, it needs a package that is not
            there, it does not take the shape, or a file may do more than compute.

    Example:

    >>> source = "keras_applications:MobileNetV3Small"
    >>> backbone(source, (32, 32, 3), weights="none").output_shape
    (None, None, None, 576)
    """
    own = _is_file(weights)
    with keras.name_scope(name):  # two of one kind have weights of one name
        model = _network(source, input_shape, own or weights == NONE)
    model.name = name
    if own:
        _load_weights(model, weights)
    model.trainable = trainable
    return model


def _network(source, input_shape, random):
    kind, _, rest = source.partition(":")
    if kind == "keras_applications":
        return applications.network(rest, input_shape, random)
    if kind == "keras_hub":
        return hub.network(rest, input_shape, random)
    if source.endswith(".keras"):
        return _of_file(source, input_shape, random)
    raise InputError(f"A backbone is {_FORMS}; received {source!r}.")


def _is_file(weights):
    if weights in (PRETRAINED, NONE):
        return False
    if not weights.endswith(".weights.h5"):
        raise InputError(
            f'weights of a backbone must be "{PRETRAINED}", "{NONE}" or the path of a '
            f".weights.h5 file; received {weights!r}."
        )
    return True


def _of_file(path, input_shape, random):
    model = archives.load_model(path, compile=False)
    if random:
        model = keras.models.clone_model(model)
    taken = [tuple(x.shape[1:]) for x in model.inputs]
    fits = len(taken[0]) == len(input_shape) and all(
        None in (own, given) or own == given
        for own, given in zip(taken[0], input_shape)
    )
    if not fits:
        raise InputError(
            f"{path} takes rows of the shape {taken[0]}; the modality has "
            f"{tuple(input_shape)}."
        )
    return model


def _load_weights(model, path):
    try:
        archives.check_weights(path)
        model.load_weights(path)
    except archives.allowed.Unsafe:
        raise
    except Exception as error:  # h5py and Keras raise many kinds
        raise InputError(
            f"{path} holds no weights of this backbone: {first_line(error)}"
        ) from error
