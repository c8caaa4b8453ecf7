"""Temperature scaling."""

import keras
import numpy as np
from scipy import optimize

from keras_fusion.common.errors import InputError
from keras_fusion.common.names import IGNORED
from keras_fusion.layers import CumulativeLink
from keras_fusion.zoo.parts.deployable import heads_of

_ACTIVATIONS = keras.activations.softmax, keras.activations.sigmoid
_BOUNDS = 0.02, 50.0  # of a temperature


def calibrate(model: keras.Model, inputs, labels) -> float:
    """Scales a model's logits so that its probabilities fit these rows best.

    The logits of every head become `logits / T`, with the T under which the labels are
    most likely. The class that a head names stays the same; how sure it is changes. T
    is folded into the weights of the heads, so files, exports and servers have it. A
    model that averages several heads gets one T for all of them. Of classes in an order
    the score and its thresholds are divided, which may move the class that is named.

    Args:
        model: A zoo model that gives probabilities, by a softmax, a `CumulativeLink`
            or, of several labels or of foreground, by sigmoids; its heads are changed.
        inputs: What `model.predict` takes: B rows that did not train.
        labels: `(B,)` class numbers, `(B, K)` of 0 and 1, or masks `(B, H, W)`, of
            which the pixels of 255 do not count.

    Returns:
        T: above 1 the model was too sure of itself, below 1 not sure enough.

    Raises:
        ValueError: If the model gives no probabilities.

    Reference: Guo, Pleiss, Sun and Weinberger, 2017, On Calibration of Modern Neural
    Networks.
    """
    heads = heads_of(model)
    links = [x for x in model.layers if isinstance(x, CumulativeLink)]
    activation = _activation(model, heads)
    if activation not in _ACTIVATIONS and not links:
        raise InputError(
            f"Expected a model whose head is a softmax or a sigmoid; received "
            f"{model.name}, whose heads are {[head.name for head in heads]}."
        )
    several = activation is keras.activations.sigmoid
    labels = np.asarray(labels)
    counted = (labels != IGNORED) | (labels.ndim < 3)
    weights = [w for head in heads for w in (head.kernel, head.bias) if w is not None]
    weights += [link.score.kernel for link in links]
    trained = [keras.ops.convert_to_numpy(w) for w in weights]
    steps = [keras.ops.convert_to_numpy(link.steps) for link in links]

    def scale(temperature):
        for weight, value in zip(weights, trained, strict=True):
            weight.assign(value / temperature)
        for link, value in zip(links, steps, strict=True):
            link.steps.assign(_divided(value, temperature))

    def loss(log_temperature):
        scale(np.exp(log_temperature))
        found = model.predict(inputs, verbose=0).astype(np.float64)
        own = _of_labels(found, labels, several)[counted]
        return -np.log(np.clip(own, 1e-15, 1)).mean()

    best = optimize.minimize_scalar(
        loss, bounds=np.log(_BOUNDS), method="bounded", options={"xatol": 1e-3}
    )
    temperature = float(np.exp(best.x))
    scale(temperature)
    return temperature


def _divided(steps, temperature):
    """The steps whose thresholds are those of these, divided by the temperature."""
    gaps = np.logaddexp(0, steps[1:].astype(np.float64)) / temperature
    return np.append(steps[:1] / temperature, gaps + np.log(-np.expm1(-gaps)))


def _activation(model, heads):
    """What makes probabilities of the logits; None where heads differ in that."""
    kinds = {head.activation for head in heads}
    if len(model.output_shape) == 4:  # of pixels, whose logits are put in place first
        kinds = {getattr(model.layers[-1], "activation", None)} if heads else set()
    return kinds.pop() if len(kinds) == 1 else None


def _of_labels(found, labels, several):
    """The probability of what each label says."""
    if several:
        found = found.reshape(labels.shape)
        return np.where(labels > 0, found, 1 - found)
    known = np.where(labels < found.shape[-1], labels, 0)  # without what is ignored
    return np.take_along_axis(found, known[..., None], axis=-1)[..., 0]
