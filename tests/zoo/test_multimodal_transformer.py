import keras
import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.layers import SinusoidalPositions
from tests.conftest import assert_close, to_numpy
from tests.layers import reference
from tests.layers.reference import dense, float64
from tests.zoo.samples import absent_as, draw, randomize

SHAPES = {"text": (5, 4), "audio": (7, 3), "video": (2, 3)}
PAIR = {"text": (5, 4), "audio": (7, 3)}  # where a third says no more
SMALL = {"units": 4, "num_heads": 2, "dropout": 0.0}


def build(shapes=SHAPES, classes=3, **arguments):
    return zoo.MultimodalTransformer(shapes, classes, **SMALL | arguments)


def crossed(block, asking, asked):
    """What a block gives the tokens of one sample that ask."""
    queries = reference.normed_heads(block.heads[0], asking)[0]
    keys, values = reference.normed_heads(block.heads[1], asked)[-2:]
    attended, _ = reference.token_attention(queries, keys, values, block.num_heads)
    return reference.residual_halves(block.halves[0], asking, attended)


def attended_to_itself(block, x):
    x = x + float64(block.embeddings)[0]
    attended, _ = reference.token_attention(
        *reference.normed_heads(block.heads, x), block.num_heads
    )
    return reference.residual_halves(block.halves, x, attended)


def oracle(model, tokens):
    """The vector of one sample from its projected tokens, by modality."""
    vectors = []
    for m, own in tokens.items():
        parts = []
        for n, others in tokens.items():
            if n == m:
                continue
            x = own
            for i in range(2):
                x = crossed(model.get_layer(f"{m}_from_{n}_{i}"), x, others)
            parts.append(x)
        x = np.concatenate(parts, axis=-1)
        vectors.append(attended_to_itself(model.get_layer(f"{m}_self_0"), x).mean(0))
    x = np.concatenate(vectors)
    mlp = model.get_layer("residual_mlp")
    hidden = reference.gelu(dense(mlp.first, reference.layer_norm(mlp.norm, x)))
    return x + dense(mlp.second, hidden)


def test_numbers():
    """Of padded sequences: a text of three tokens and one without any padding."""
    model = randomize(build(include_top=False))
    x = draw(SHAPES, rows=2)
    x["text"][1, 3:] = 0
    lengths = [dict.fromkeys(SHAPES, None), {"text": 3, "audio": None, "video": None}]
    found = model(x)
    for b, kept in enumerate(lengths):
        tokens = {}
        for m, values in x.items():
            projected = dense(model.get_layer(f"{m}_projection"), float64(values[b]))
            placed = SinusoidalPositions()(projected[None].astype("float32"))[0]
            tokens[m] = float64(placed)[: kept[m]]
        assert_close(found[b], oracle(model, tokens))


def test_the_length_of_the_padding_has_no_influence():
    shapes = {m: (None, width) for m, (_, width) in PAIR.items()}
    model = randomize(build(shapes, encoder_depth=1))
    x = draw(PAIR)
    longer = {m: np.pad(v, ((0, 0), (0, 3), (0, 0))) for m, v in x.items()}
    assert_close(model(longer), to_numpy(model(x)))


def test_what_is_absent_has_no_influence(tmp_path):
    mask = np.array([[1, 1], [0, 1], [0, 0]], bool)
    x = draw(PAIR, rows=3)
    model = randomize(build(PAIR, modality_mask=True, heads="average"))
    filled = [to_numpy(model(absent_as(f, x, mask))) for f in (0, 1e6, np.nan)]
    for outputs in filled:
        np.testing.assert_array_equal(outputs, filled[0])
    path = str(tmp_path / "x.weights.h5")  # is the same with and without the mask
    model.save_weights(path)
    without = build(PAIR, heads="average", weights=path)
    assert_close(without({m: v[:1] for m, v in x.items()}), filled[0][:1])


@pytest.mark.only_on("torch", reason="the replacement is the same layer everywhere")
def test_a_learned_vector_stands_for_what_is_absent():
    shapes = {"text": (3, 4), "audio": (2, 3)}
    mask = np.array([[1, 1], [0, 1], [1, 0]], bool)
    x, model = draw(shapes), build(shapes, modality_mask=True, replacement="learned")
    randomize(model)
    before, other = (to_numpy(model(absent_as(f, x, mask))) for f in (np.nan, 1e6))
    np.testing.assert_array_equal(before, other)
    text = model.get_layer("replacement").weights[0]
    text.assign(text + 1)
    moved = np.abs(to_numpy(model(absent_as(0, x, mask))) - before).max(axis=1) > 1e-6
    assert moved.tolist() == [False, True, False]


def test_the_order_of_tokens_counts():
    model, x = randomize(build(PAIR)), draw(PAIR)
    turned = x | {"audio": x["audio"][:, ::-1].copy()}
    assert np.abs(to_numpy(model(turned)) - to_numpy(model(x))).max() > 1e-3


def test_every_weight_moves_in_one_step():
    model = randomize(build(PAIR, self_depth=2))
    before = model.get_weights()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(draw(PAIR), np.array([0, 1, 2]))
    for weight, old in zip(model.weights, before, strict=True):
        assert np.any(to_numpy(weight.value) != old), weight.path


def test_a_saved_model_gives_the_same(tmp_path):
    model = randomize(build(PAIR))
    model.save(tmp_path / "model.keras")
    x = draw(PAIR)
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_close(again(x), to_numpy(model(x)))


@pytest.mark.parametrize(
    "shapes, arguments, words",
    [
        ({"text": (5, 4)}, {}, "two or more modalities"),
        (SHAPES, {"depth": 0}, "depth must be 1 or more; received 0"),
        (SHAPES, {"self_depth": 1.5}, "self_depth must be 1 or more; received 1.5"),
        (SHAPES, {"num_heads": 3}, "width 4 among num_heads=3"),
        ({"text": (5, 4), "age": (1,)}, {}, "single token"),
    ],
)
def test_bad_arguments(shapes, arguments, words):
    with pytest.raises(ValueError, match=words):
        build(shapes, **arguments)
