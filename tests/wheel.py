"""What a wheel does that is installed with one backend alone; `make alone` runs it."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

import keras

import keras_fusion as kf
from keras_fusion import datasets, zoo
from keras_fusion.experiments import recipes
from keras_fusion.zoo import published

BACKENDS = "tensorflow", "jax", "torch"
DEMO = "mfeat_modality_attention"


def main():
    backend = keras.backend.backend()
    site = pathlib.Path(kf.__file__).resolve()
    assert pathlib.Path(sys.prefix).resolve() in site.parents, site
    found = [name for name in BACKENDS if importlib.util.find_spec(name)]
    assert found == [backend], found

    data = datasets.load("mfeat", labels_per_class=10)
    model = zoo.FusionClassifier(data.input_shapes, data.classes, units=16)
    accuracy = score(model, data, epochs=10)
    assert accuracy > 0.5, accuracy

    mine = recipes.read(DEMO)
    builder = getattr(zoo, mine.builder)
    trained = builder(
        data.input_shapes, data.classes, **mine.arguments, weights=mine.name
    )
    published_accuracy = score(trained, recipes.load_data(mine, mine.training.seeds[0]))
    assert published_accuracy > 0.9, published_accuracy

    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "model.keras")
    model.save(path)
    keras.models.load_model(path)
    command = pathlib.Path(sys.executable).with_name("keras-fusion")
    for arguments in (
        ["list"],
        ["list", DEMO],
        ["train", DEMO, "--epochs", "1", "--seeds", "0"],
    ):
        subprocess.run([command, *arguments], check=True, cwd=folder)
    print(f"{backend}: {accuracy:.3f} fitted, {published_accuracy:.3f} published")
    print(published.names())


def score(model, data, epochs=0):
    """Test accuracy of a model, after as many epochs of training."""
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    if epochs:
        model.fit(*rows(model, data.train), epochs=epochs, verbose=0)
    inputs, labels = rows(model, data.test)
    return model.evaluate(inputs, labels, verbose=0, return_dict=True)["accuracy"]


def rows(model, part):
    """The inputs that the model takes, and labels."""
    inputs = part.inputs | {"modality_mask": part.modality_mask}
    return {name: inputs[name] for name in model.input}, part.labels


if __name__ == "__main__":
    main()
