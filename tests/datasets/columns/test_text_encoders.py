"""The encoders of a text: how much a row is filled up moves none of them."""

import keras
import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.common.errors import InputError
from keras_fusion.datasets import Preprocessor
from keras_fusion.datasets.columns.encoders import TRANSFORMER
from keras_fusion.experiments import recipes, variants
from tests.conftest import assert_close, to_numpy

TEXTS = ["the red hat", "hat the red", "hat", "", "red"]
SHORT, LONG = (
    Preprocessor.fit({"note": TEXTS}, {"note": {"text": "note", "length": n}})
    for n in (3, 7)
)


@pytest.mark.parametrize("takes", ["aligned", "tokens"])
@pytest.mark.parametrize("kind", [None, TRANSFORMER])
def test_padding_moves_nothing(kind, takes):
    models = [network(learned, kind, takes) for learned in (SHORT, LONG)]
    models[0].set_weights(cut(models[1].get_weights(), models[0]))
    answers = [
        to_numpy(model(learned.encode({"note": TEXTS})[0]))
        for model, learned in zip(models, (SHORT, LONG))
    ]
    assert_close(*answers)
    order_counts = abs(answers[0][0] - answers[0][1]).max() > 1e-4
    assert order_counts == (kind == TRANSFORMER or takes == "tokens")


def network(learned, kind, takes):
    fusion = {"aligned": "Summation", "tokens": "JointAttention"}[takes]
    encoders = learned.encoders(takes, 8, texts=kind and {"note": kind})
    shapes = {"note": (learned.modalities["note"][0].state["length"],)}
    model = zoo.FusionClassifier(shapes, 3, units=8, encoders=encoders, fusion=fusion)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape, scale=0.3) for w in model.weights])
    return model


def cut(weights, model):
    """The weights of the longer model, of which places beyond are left out."""
    return [x[: w.shape[0]] if x.ndim else x for x, w in zip(weights, model.weights)]


def test_it_is_for_a_text(tmp_path):
    data = {"age": [1.5, 2.5] * 20, "note": TEXTS * 8, "y": ["a", "b"] * 20}
    learned = Preprocessor.fit(data)
    with pytest.raises(ValueError, match="'transformer' encodes a text; 'age' is"):
        learned.encoders(texts={"table": TRANSFORMER})


def test_a_recipe_says_it(tmp_path):
    words = [" ".join(np.random.default_rng(i).permutation(TEXTS)) for i in range(40)]
    rows = ["age,note,y"] + [f"{i},{w} {i},{'ab'[i % 2]}" for i, w in enumerate(words)]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    recipe = recipes.Recipe(
        name="x",
        dataset=f"table:{tmp_path / 't.csv'}",
        modalities={"note": {"text": "note"}, "t": {"columns": ["age"]}},
        arguments={"units": 6, "encoders": {"note": TRANSFORMER}},
    )
    data = recipes.load_data(recipe, 0)
    layers = [x for x in variants.build(recipe, data).layers]
    inside = [y for x in layers if isinstance(x, keras.Sequential) for y in x.layers]
    (block,) = [x for x in inside if type(x).__name__ == "TokenAttention"]
    assert block.num_heads == 2  # of six features
    unknown = variants.with_arguments(recipe, {"encoders": {"nte": TRANSFORMER}})
    with pytest.raises(InputError, match=r"encoders for \['nte'\]"):
        variants.build(unknown, data)
