"""Temperature scaling."""

import keras
import numpy as np
from scipy import optimize

from keras_fusion.errors import InputError
from keras_fusion.zoo.parts.deployable import heads_of

_BOUNDS = 0.02, 50.0  # of a temperature


def calibrate(model: keras.Model, inputs, labels) -> float:
    """Scales a classifier's logits so that its probabilities fit these rows best.

    The logits of every head become `logits / T`, with the T under which the labels are
    most likely. The class that a head names stays the same; how sure it is changes. T
    is folded into the weights of the heads, so files, exports and servers have it. A
    model that averages several heads gets one T for all of them.

    Args:
        model: A zoo model with a softmax head; its heads are changed.
        inputs: What `model.predict` takes: B rows that did not train.
        labels: `(B,)` class numbers.

    Returns:
        T: above 1 the model was too sure of itself, below 1 not sure enough.

    Raises:
        ValueError: If the model has no softmax head.

    Reference: Guo, Pleiss, Sun and Weinberger, 2017, On Calibration of Modern Neural
    Networks.
    """
    heads = heads_of(model)
    if not heads or any(h.activation is not keras.activations.softmax for h in heads):
        raise InputError(
            f"Expected a classifier whose head is a softmax; received {model.name}, "
            f"whose heads are {[head.name for head in heads]}."
        )
    labels = np.asarray(labels)
    weights = [w for head in heads for w in (head.kernel, head.bias) if w is not None]
    trained = [keras.ops.convert_to_numpy(w) for w in weights]

    def scale(temperature):
        for weight, value in zip(weights, trained, strict=True):
            weight.assign(value / temperature)

    def loss(log_temperature):
        scale(np.exp(log_temperature))
        found = model.predict(inputs, verbose=0)[np.arange(len(labels)), labels]
        return -np.log(np.clip(found.astype(np.float64), 1e-15, 1)).mean()

    best = optimize.minimize_scalar(
        loss, bounds=np.log(_BOUNDS), method="bounded", options={"xatol": 1e-3}
    )
    temperature = float(np.exp(best.x))
    scale(temperature)
    return temperature
