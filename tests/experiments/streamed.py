"""A table of small files, one of which is broken, and a recipe that may stream them."""

from pathlib import Path

import numpy as np
from PIL import Image

ROWS = 40
RECIPE = """
dataset = "table:{path}"
stream = {stream}

[modalities.scan]
image = "scan"
size = [8, 8]
[modalities.series]
array = "series"

[arguments]
units = 4
fusion = "ModalityAttention"

[training]
epochs = 2
batch_size = 8
"""


def write_files(folder: Path) -> Path:
    """Writes pictures, series and `t.csv`, which names them; the folder."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    lines = ["scan,series,y"]
    for row in range(ROWS):
        Image.fromarray(rng.integers(0, 256, (9, 9, 3), "uint8")).save(
            folder / f"{row}.png"
        )
        np.save(folder / f"{row}.npy", rng.normal(size=(4, 2)))
        series = "" if row == 5 else f"{row}.npy"
        lines.append(f"{row}.png,{series},{'ab'[row % 2]}")
    (folder / "3.png").write_bytes(b"broken")
    (folder / "t.csv").write_text("\n".join(lines))
    return folder


def write_recipe(folder: Path, stream: str = "true") -> Path:
    """Writes a recipe of `t.csv` in this folder; its path."""
    path = folder / f"{stream}.toml"
    path.write_text(RECIPE.format(path=folder / "t.csv", stream=stream))
    return path
