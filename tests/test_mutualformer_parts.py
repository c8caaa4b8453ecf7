import numpy as np
import pytest

from benchmarks.mutualformer_parts import PARTS, BlockWithout, recipe_of
from keras_fusion.layers import MutualFormerBlock
from tests.conftest import assert_close, to_numpy

X = [np.random.default_rng(m).normal(size=(2, 5, 4)).astype("float32") for m in (0, 1)]


def twins(without, readout="fused"):
    """The block, and the one without a part, of the same random weights."""
    options = {"num_heads": 2, "readout": readout}
    whole, less = MutualFormerBlock(**options), BlockWithout(without=without, **options)
    rng = np.random.default_rng(0)
    for block in (whole, less):
        block.build([x.shape for x in X])
    values = [rng.normal(0, 0.5, w.shape) for w in whole.weights]
    for block in (whole, less):
        block.set_weights(values)
    return whole, less


@pytest.mark.parametrize("without", PARTS.values())
def test_without_a_part_another_result_from_the_same_weights(without):
    whole, less = twins(without)
    assert np.abs(to_numpy(whole(X)) - to_numpy(less(X))).max() > 1e-3


def test_without_messages_is_with_their_weights_zero():
    whole, less = twins("messages")
    for other in whole.diffusion.others:
        other.kernel.assign(np.zeros(other.kernel.shape))
    assert_close(less(X), whole(X))


def test_without_mlp_is_with_its_weights_zero():
    whole, less = twins("mlp")
    for dense in whole.mlp:
        dense.set_weights([0 * w for w in dense.get_weights()])
    assert_close(less(X), whole(X))


def test_without_diffusion_the_other_modality_is_asked():
    """With equal tokens on the other side, whatever is asked the values come back."""
    whole, less = twins("diffusion", readout=None)
    same = [X[0], np.tile(X[1][:, :1], (1, 5, 1))]
    kernel, bias = map(to_numpy, less.diffusion.heads[1].weights)
    value = (to_numpy(less.norms[1](same[1])) @ kernel + bias)[..., 8:]
    messages = less._asked([norm(x) for norm, x in zip(less.norms, same)])
    assert_close(messages[0][0], value)


@pytest.mark.parametrize("name", ["tools_rgbd_mutualformer", "av_digits_mutualformer"])
def test_the_recipes_have_an_ablation(name):
    recipe = recipe_of(name)
    assert list(recipe["rivals"]) == list(PARTS) and not recipe["baselines"]
