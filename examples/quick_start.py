"""A model of two modalities, beside concatenation, in a minute.

    pip install "keras-fusion[torch]"
    python examples/quick_start.py

The data are built in: two sets of features of handwritten digits, ten labels per class.
"""

import keras

from keras_fusion import datasets, zoo


def accuracy(data, fusion, epochs):
    """Validation accuracy of one operator."""
    keras.utils.set_random_seed(0)
    model = zoo.FusionClassifier(data.input_shapes, data.classes, fusion=fusion)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*data.train, epochs=epochs, verbose=0)
    scores = model.evaluate(*data.validation, verbose=0, return_dict=True)
    return scores["accuracy"]


def main(epochs=20):
    data = datasets.load("mfeat", labels_per_class=10).only("kar", "mor")
    for fusion in ("Concatenation", "GatedMultimodalUnit", "ModalityAttention"):
        print(f"{fusion}: {accuracy(data, fusion, epochs):.3f}")


if __name__ == "__main__":
    main()
