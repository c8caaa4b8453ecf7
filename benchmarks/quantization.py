"""What small integers change: probabilities, accuracy and the size of the file.

    python -m benchmarks.quantization --page

Every operator fuses the six modalities of `mfeat` in a `FusionClassifier` that trains
for 20 epochs; every recipe of `zoo/` whose data are here has its published weights.
Each model is quantized by Keras' own `model.quantize`, to int8 and to int4, saved, and
read again. The numbers are of what was read, on the test rows. It runs where Keras'
backend runs; the results are those of torch.
"""

import functools
import pathlib
import tempfile

import keras
import numpy as np

from benchmarks import study
from keras_fusion import layers, zoo
from keras_fusion.common.files import whole
from keras_fusion.common.names import MASK
from keras_fusion.experiments import evaluation, recipes, variants
from keras_fusion.experiments.reports.tables import markdown_table
from keras_fusion.experiments.tasks import task_of
from keras_fusion.zoo import published

HERE = pathlib.Path(__file__).parent
RESULTS, PAGE = HERE / "results" / "quantization.json", HERE / "quantization.md"
MODES = "int8", "int4"
DATA = "mfeat_modality_attention"  # the recipe whose rows the operators fuse


def main() -> None:
    """Measures what is not measured yet; writes the page where that is asked."""
    options = study.parser(__doc__, RESULTS).parse_args()
    cells = study.read(options.results)
    for name, make in {**_recipes(), **_operators()}.items():
        if name in cells:
            continue
        try:
            made = make()
        # No data, or another number of modalities.
        except (FileNotFoundError, ValueError) as error:
            print(f"{name} is left out: {error}")
            continue
        cells[name] = measured(*made)
        study.keep(options.results, cells, f"{name}: {cells[name]}")
    if options.page:
        with whole(PAGE) as beside:
            beside.write_text(page(cells))


def measured(model: keras.Model, data) -> dict:
    """The score and size of each form, and how far its outputs are off.

    Args:
        model: It is trained.
        data: A data set, whose test rows are asked about.
    """
    score, test = task_of(data).score, data.test
    exact = evaluation.full_outputs(model, test)
    plain, _ = _saved(model)  # its file holds no optimizer
    size = _saved(plain)[1]
    found = {"float32": {"score": score(test.labels, exact), "bytes": size}}
    for mode in MODES:
        small, _ = _saved(model)
        small.quantize(mode)
        again, size = _saved(small)
        outputs = evaluation.full_outputs(again, test)
        apart = np.abs(outputs - exact)
        found[mode] = {
            "score": score(test.labels, outputs),
            "bytes": size,
            "mean_change": float(apart.mean()),
            "largest_change": float(apart.max()),
        }
    return found


def page(cells: dict) -> str:
    """The table as Markdown."""
    header = ["model", "score, %", "int8", "int4", "change by int8", "by int4"]
    header += ["file, KiB", "int8", "int4"]
    rows = [_row(name, cell) for name, cell in cells.items()]
    return f"""# Small integers

Written by `python -m benchmarks.quantization --page` from
[results/quantization.json](results/quantization.json), on one seed: {_SAYS}

{markdown_table(header, rows)}
"""


_SAYS = """the score on
test rows of a model in float32, and quantized to int8 and int4 by `model.quantize`; how
far its probabilities (of a segmenter its logits) are off, the mean over rows and
classes, and in brackets the largest; and what its `.keras` file takes. A file has its
configuration and names beside the weights: of small models these are most of it.

Every operator fuses the six modalities of `mfeat` in a `FusionClassifier`, trained for
20 epochs. That is too short for some, and a product of six modalities hardly learns:
the table is about what small integers change. Recipes have their published weights."""


def _row(name, cell):
    forms = "float32", *MODES
    change = (
        f"{cell[mode]['mean_change']:.4f} ({cell[mode]['largest_change']:.3f})"
        for mode in MODES
    )
    return [
        f"`{name}`",
        *(f"{100 * cell[form]['score']:.1f}" for form in forms),
        *change,
        *(f"{cell[form]['bytes'] / 1024:.0f}" for form in forms),
    ]


def _operators():
    """How to make a trained model of each operator."""
    data = recipes.load_data(recipes.read(DATA), seed=0)
    return {
        name: functools.partial(_trained, name, data) for name in layers.operators()
    }


def _trained(name, data):
    keras.utils.set_random_seed(0)
    arguments = {"fusion": name, "modality_mask": True}
    model = zoo.FusionClassifier(data.input_shapes, data.classes, **arguments)
    model.compile("adamw", "sparse_categorical_crossentropy")
    inputs = data.train.inputs | {MASK: data.train.modality_mask}
    model.fit(inputs, data.train.labels, batch_size=64, epochs=20, verbose=0)
    return model, data


def _recipes():
    """How to make the model of each recipe that has weights."""
    return {name: functools.partial(_published, name) for name in published.names()}


def _published(name):
    recipe = recipes.read(name)
    data = recipes.load_data(recipe, seed=0)
    model = variants.build(recipe, data, modality_mask=True, weights=name)
    return model, data


def _saved(model):
    """The model as its file has it, and the bytes of the file."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "model.keras"
        model.save(file)
        return keras.models.load_model(file, compile=False), file.stat().st_size


if __name__ == "__main__":
    main()
