"""`write MODEL.keras FOLDER`, or `ask FOLDER INPUTS.npz OUTPUTS.npz`."""

import sys

from keras_fusion.export.child import load_arrays, save_arrays
from keras_fusion.export.exporting import load, write
from keras_fusion.export.reading import signature


def _write(model, folder):
    write(load(model), folder)


def _ask(folder, inputs, outputs):
    answer = signature(folder)
    asked = load_arrays(inputs)
    save_arrays(outputs, {key: answer(arrays) for key, arrays in asked.items()})


if __name__ == "__main__":
    task, *paths = sys.argv[1:]
    try:
        {"write": _write, "ask": _ask}[task](*paths)
    except Exception as error:  # one line, which the parent process passes on
        sys.exit(f"{type(error).__name__}: {' '.join(str(error).split())}")
