"""The preparation of stamps, with a network that takes no download."""

import numpy as np
import pytest
from PIL import Image

from keras_fusion import datasets
from keras_fusion.experiments import recipe as recipes

pytestmark = pytest.mark.only_on("torch", reason="the network is one of torch")


def test_a_vector_stands_for_each_picture(tmp_path):
    from examples.stamps import prepare

    lines = ["category,caption,picture,spoken"]
    for row in range(20):
        name = f"{row}.png" if row else ""
        lines.append(f"{'ab'[row % 2]},a red hat {row},{name},")
        if name:
            Image.new("RGBA", (row, 9), (row, 0, 0, 255)).save(tmp_path / name)
    (tmp_path / "stamps.csv").write_text("\n".join(lines))
    prepare.prepare(tmp_path, tmp_path / "out", lambda x: x.mean((2, 3)))
    data = datasets.table(tmp_path / "out" / "stamps.csv", label="category")
    assert data.input_shapes["picture"] == (3,)
    column = list(data.input_shapes).index("picture")
    parts = data.train, data.validation, data.test
    there = np.concatenate([part.modality_mask[:, column] for part in parts])
    assert len(there) == 20 and there.sum() == 19
    assert prepare.pixels(tmp_path / "9.png")[0, 1].max() == pytest.approx(-127 / 128)


def test_the_recipe_reads():
    recipe = recipes.read("examples/stamps/recipe.toml")
    assert recipe.groups == "caption" and list(recipe.modalities)[1] == "picture"
    assert np.ptp(recipe.training.seeds) == 4
