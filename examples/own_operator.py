"""An operator of your own in a model of the zoo.

pip install "keras-fusion[torch]"
python examples/own_operator.py
"""

import keras
import numpy as np
from keras import ops

from keras_fusion.layers import Fusion
from keras_fusion.zoo import FusionClassifier


@keras.saving.register_keras_serializable("examples")
class LargestNorm(Fusion):
    """The modality whose vector is the longest, sample by sample.

    Shapes: M tensors `(B, ..., D_m)` to `(B, ..., U)`. An absent modality is zeros and
    is never chosen while another one is there.
    """

    def fuse(self, inputs, present, query=None, training=None):
        stacked = ops.stack(inputs, axis=-1)  # (B, ..., U, M)
        lengths = ops.sum(ops.square(stacked), axis=-2)  # (B, ..., M)
        longest = ops.one_hot(
            ops.argmax(lengths, axis=-1), len(inputs), dtype=stacked.dtype
        )
        return ops.sum(stacked * longest[..., None, :], axis=-1), None


def main(epochs=5):
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    inputs = {
        name: rng.normal(size=(90, width)) + np.eye(3, width)[labels]
        for name, width in {"image": 8, "sound": 5}.items()
    }
    shapes = {name: x.shape[1] for name, x in inputs.items()}
    model = FusionClassifier(shapes, classes=3, fusion="examples>LargestNorm")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(inputs, labels, epochs=epochs, verbose=2)


if __name__ == "__main__":
    main()
