"""Encoders that a caller gives: whatever they compute, what is absent harms nothing."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import zoo
from keras_fusion.layers.stand_in import StandIn
from keras_fusion.zoo.parts.asked_dtype import asked_dtype
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import VECTORS, draw, randomize

ROWS = 8
layers = keras.layers


@keras.saving.register_keras_serializable("keras_fusion_tests")
class Delicate(layers.Layer):
    """What is finite for a row of measurements, and for few others."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        x = x * self.scale
        deviation = ops.sqrt(ops.var(x, axis=-1, keepdims=True))
        length = ops.sqrt(ops.sum(ops.square(x), axis=-1, keepdims=True))
        parts = [ops.log(x), 1 / x, x / deviation, x / length, ops.sqrt(x)]
        return ops.concatenate(parts, axis=-1)


def encoders():
    """By modality: an encoder for which zeros are no safe input, and its rows."""
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 9, (ROWS, 6)).astype("int32")
    ids[:, 4:] = 0
    steps = rng.normal(size=(ROWS, 5, 3)).astype("float32")
    steps[:, 3:] = 0
    pooled = layers.GlobalAveragePooling1D
    given = {
        "ids": [keras.Input((6,)), layers.Embedding(9, 4, mask_zero=True), pooled()],
        "masking": [keras.Input((5, 3)), layers.Masking(), layers.Dense(4), pooled()],
        "lstm": [keras.Input((5, 3)), layers.Masking(), layers.LSTM(3)],
        "delicate": [keras.Input((4,)), Delicate()],
    }
    rows = {
        "ids": ids,
        "masking": steps,
        "lstm": steps[:, ::-1].copy() + 1,
        "delicate": rng.uniform(0.5, 2, (ROWS, 4)).astype("float32"),
    }
    return {m: keras.Sequential(x, name=f"{m}_net") for m, x in given.items()}, rows


MASKS = {
    "some": np.random.default_rng(1).random((ROWS, 4)) < 0.5,
    "one modality not at all": np.arange(4) != np.full((ROWS, 1), 3),
    "none": np.zeros((ROWS, 4), bool),
}
NOTHING_DROPS = {"dropout": 0.0, "modality_dropout": 0.0}
MASKS["others not at all"] = ~MASKS["one modality not at all"]


# Keras 3.16 says of its own LSTM that it hands no mask on.
@pytest.mark.filterwarnings("ignore:.* was passed an input with a mask")
def test_absent_rows_harm_no_weight_whatever_the_encoder():
    """Zeros would make NaN of them all: the gradient holds 0/0 then."""
    given, rows = encoders()
    shapes = {m: x.shape[1:] for m, x in rows.items()}
    model = zoo.FusionClassifier(
        shapes, 3, encoders=given, units=4, modality_mask=True, **NOTHING_DROPS
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    start, labels = model.get_weights(), np.arange(ROWS) % 3
    for mask in MASKS.values():
        trained = []
        for filler in (0, 3):
            model.set_weights(start)
            filled = {m: x.copy() for m, x in rows.items()}
            for x, there in zip(filled.values(), mask.T, strict=True):
                x[~there] = np.nan if x.dtype == "float32" and not filler else filler
            inputs = filled | {"modality_mask": mask}
            assert np.isfinite(model.predict_on_batch(inputs)).all()
            model.train_on_batch(inputs, labels)
            trained.append(model.get_weights())
        for first, second in zip(*trained, strict=True):
            assert np.isfinite(first).all()
            np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("present", [1, 2, 4, 7])
def test_stand_ins_are_drawn_evenly_from_the_rows_that_are_there(present):
    rng = np.random.default_rng(present)
    mask = np.zeros((16, 2), bool)
    mask[rng.permutation(16)[:present], 1] = True
    x = np.arange(16, dtype="float32")[:, None]
    seen = to_numpy(StandIn(1)(x, mask))[:, 0]
    np.testing.assert_array_equal(seen[mask[:, 1]], x[mask[:, 1], 0])
    drawn, counts = np.unique(seen, return_counts=True)
    assert set(drawn) == set(x[mask[:, 1], 0])
    assert np.ptp(counts) <= 1


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8", "int64", "bool"])
def test_stand_ins_for_no_row_at_all_are_fixed(dtype):
    x = ops.convert_to_tensor(np.zeros((4, 3, 5), dtype))  # JAX has no int64
    seen = StandIn(0)(x, np.zeros((4, 1), bool))
    assert seen.dtype == x.dtype
    seen = to_numpy(seen).astype("float32")
    if dtype == "float32":
        assert seen.min() > 0.4 and seen.max() < 1.6
        assert np.std(seen, axis=1).min() > 0.01 and np.std(seen, axis=2).min() > 0.01
    else:
        assert np.all(seen == 1)


@pytest.mark.parametrize("trainable", [True, False], ids=["trained", "frozen"])
def test_batch_statistics_are_those_of_the_rows_that_are_there(trainable):
    norm = layers.BatchNormalization(momentum=0.0)
    encoder = keras.Sequential([keras.Input((5,)), norm])
    encoder.trainable = trainable
    model = zoo.FusionClassifier(
        VECTORS,
        2,
        encoders={"a": encoder},
        units=4,
        modality_mask=True,
        **NOTHING_DROPS,
    )
    inputs, mask = draw(VECTORS, rows=8), np.ones((8, 3), bool)
    mask[2:, 0] = False
    there = inputs["a"][:2].copy()
    inputs["a"][2:] = np.nan
    model(inputs | {"modality_mask": mask}, training=True)
    mean, variance = (
        to_numpy(x.value) for x in (norm.moving_mean, norm.moving_variance)
    )
    if trainable:
        assert_close(mean, there.mean(axis=0))
        assert_close(variance, there.var(axis=0))
    else:
        assert np.all(mean == 0) and np.all(variance == 1)


@pytest.mark.only_on("tensorflow", reason="other backends have no texts")
@pytest.mark.parametrize("absent", [{"modality_mask": True}, {"modality_dropout": 0.5}])
def test_texts_may_be_absent(absent):
    import tensorflow as tf

    words = layers.TextVectorization(max_tokens=9, output_sequence_length=3)
    words.adapt(["a b c", "d e f"])
    stack = [words, layers.Embedding(9, 4, mask_zero=True)]
    encoder = keras.Sequential([*stack, layers.GlobalAveragePooling1D()])
    model = zoo.FusionClassifier(
        {"text": (1,), "b": (3,)}, 2, encoders={"text": encoder}, units=4, **absent
    )
    randomize(model)
    model.compile("sgd", "sparse_categorical_crossentropy")
    numbers = draw({"b": (3,)})
    mask = np.array([[True, True], [False, True], [False, True]])
    more = {"modality_mask": mask} if "modality_mask" in absent else {}
    answers = []
    for texts in (["a b", "b", "c"], ["a b", "f e d", "a"]):
        inputs = {"text": np.array(texts, object)[:, None]} | numbers | more
        rows = tf.data.Dataset.from_tensor_slices((inputs, np.zeros(3))).batch(3)
        answers.append(model.predict(rows, verbose=0))
        model.evaluate(rows, verbose=0)
    if more:
        np.testing.assert_array_equal(*answers)
    else:
        assert np.any(answers[0] != answers[1])
    model.fit(rows, shuffle=False, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def averaging(**arguments):
    """A model of which `a` goes through a batch normalization."""
    norm = layers.BatchNormalization(momentum=0.5)
    encoder = keras.Sequential([keras.Input((5,)), norm], name="net")
    settings = {"encoders": {"a": encoder}, "units": 4} | NOTHING_DROPS
    return norm, zoo.FusionClassifier(VECTORS, 2, **settings | arguments)


def averages_of(norm):
    return [to_numpy(x.value) for x in (norm.moving_mean, norm.moving_variance)]


def test_a_batch_without_a_row_moves_no_average(tmp_path):
    norm, model = averaging(modality_mask=True)
    model.compile("sgd", "sparse_categorical_crossentropy")
    inputs, labels = draw(VECTORS, rows=8), np.arange(8) % 2
    nobody, everybody = np.ones((2, 8, 3), bool)
    nobody[:, 0] = False
    model.train_on_batch(inputs | {"modality_mask": everybody}, labels)
    first = averages_of(norm)
    model.train_on_batch(inputs | {"modality_mask": nobody}, labels)
    for before, after in zip(first, averages_of(norm), strict=True):
        np.testing.assert_array_equal(before, after)
    model.train_on_batch(inputs | {"modality_mask": everybody}, labels)
    assert np.all(averages_of(norm)[0] != first[0])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    inputs |= {"modality_mask": everybody}
    assert_close(loaded(inputs), model(inputs))


def test_averages_are_held_in_the_same_weights_with_and_without_a_mask(tmp_path):
    _, model = averaging(modality_mask=False)
    randomize(model).save_weights(tmp_path / "x.weights.h5")
    _, masked = averaging(modality_mask=True)
    masked.load_weights(tmp_path / "x.weights.h5")
    inputs = draw(VECTORS)
    mask = np.ones((3, 3), bool)
    assert_close(masked(inputs | {"modality_mask": mask}), model(inputs))


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_whatever_builder_holds_averages():
    def net(shape):
        stack = [keras.Input(shape), layers.BatchNormalization(momentum=0.0)]
        if len(shape) == 3:
            pool = layers.AveragePooling2D
            stack += [pool(4), layers.Conv2D(3, 1), pool(4), layers.Conv2D(3, 1)]
        return keras.Sequential(stack)

    shapes = {
        "FusionClassifier": (5,),
        "MutualFormerClassifier": (6, 5),
        "MutualFormerSegmenter": (32, 32, 3),
        "TwoStreamVideoClassifier": (2, 4, 4, 3),
        "LateFusionClassifier": (5,),
    }
    for builder, shape in shapes.items():
        model = zoo.builders()[builder](
            {"a": shape, "b": shape},
            2,
            encoders={m: net(shape) for m in "ab"},
            modality_mask=True,
            units=4,
        )
        found = model._flatten_layers()
        norms = [x for x in found if isinstance(x, layers.BatchNormalization)]
        mask = np.array([[False, True]] * 3)
        inputs = draw({"a": shape, "b": shape}) | {"modality_mask": mask}
        model(inputs, training=True)
        moved = [bool(np.any(averages_of(norm)[0])) for norm in norms]
        assert sorted(moved) == [False, True], builder


def test_an_absent_querys_stand_in_is_no_query():
    fusion = {"class_name": "ModalityAttention", "config": {"readout": "node"}}
    encoder = keras.Sequential([keras.Input((3,)), layers.Dense(4)])
    settings = {"fusion": fusion, "encoders": {"b": encoder}, "query": "b", "units": 4}
    model = randomize(zoo.FusionClassifier(VECTORS, 2, modality_mask=True, **settings))
    inputs, mask = draw(VECTORS), np.ones((3, 3), bool)
    mask[0, 1] = False
    first = to_numpy(model(inputs | {"modality_mask": mask}))
    inputs["b"] = inputs["b"] + 1
    assert_close(to_numpy(model(inputs | {"modality_mask": mask}))[0], first[0])


def test_the_dtype_that_an_encoder_asks_for():
    def net(dtype, *stack):
        return keras.Sequential([keras.Input((3,), dtype=dtype), *stack])

    embedding = {"class_name": "Embedding", "config": {"input_dim": 9, "output_dim": 2}}
    asked = {
        "int32": [
            [embedding],
            layers.Embedding(9, 2),
            net("float32", layers.Embedding(9, 2)),
            net("float32", net("float32", layers.Embedding(9, 2))),
            keras.Sequential([layers.Embedding(9, 2)]),
        ],
        "uint8": [net("uint8", layers.Rescaling(0.1))],
        "int64": [net("int64", layers.Embedding(9, 2))],
        "bool": [[{"class_name": "InputLayer", "config": {"dtype": "bool"}}]],
        "float32": [net("float32", layers.Dense(2))],
        None: [[{"class_name": "Dense"}], layers.Dense(2), None, [], ops.abs],
    }
    for dtype, encoders in asked.items():
        assert [asked_dtype(x) for x in encoders] == [dtype] * len(encoders)


@pytest.mark.parametrize("builder", ["FusionClassifier", "MutualFormerClassifier"])
@pytest.mark.parametrize("mask", [False, True], ids=["all there", "masked"])
def test_whole_numbers_stay_whole_in_half_precision(builder, mask):
    forms = [
        [{"class_name": "Embedding", "config": {"input_dim": 3000, "output_dim": 4}}],
        keras.Sequential([keras.Input((2,)), layers.Embedding(3000, 4)]),
        keras.Sequential([layers.Embedding(3000, 4)]),
    ]
    fusion = "Summation" if builder == "FusionClassifier" else "JointAttention"
    ids = np.array([[257, 2909], [256, 2908]], "int32")
    inputs = {f"text {i}": ids for i in range(3)} | {"b": np.zeros((2, 3), "float32")}
    shapes = {m: x.shape[1:] for m, x in inputs.items()}
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = zoo.builders()[builder](
            shapes,
            2,
            fusion=fusion,
            units=4,
            encoders={f"text {i}": form for i, form in enumerate(forms)},
            modality_mask=mask,
        )
    finally:
        keras.config.set_dtype_policy("float32")
    found = [x for x in model._flatten_layers() if isinstance(x, layers.Embedding)]
    inputs |= {"modality_mask": np.ones((2, 4), bool)} if mask else {}
    asked = []
    for embedding in found:
        take, embedding.call = embedding.call, lambda x: asked.append(x) or take(x)  # noqa: B023
        model(inputs)
        embedding.call = take
    assert len(asked) == len(forms) == 3
    for looked_up in asked:
        np.testing.assert_array_equal(ops.convert_to_numpy(looked_up), ids)


@pytest.mark.parametrize("mask", [False, True], ids=["all there", "masked"])
@pytest.mark.parametrize("fusion", ["ModalityAttention", "Averaging", "JointAttention"])
def test_a_modality_without_a_token_is_absent(fusion, mask):
    stack = [{"class_name": "Masking"}, {"class_name": "Dense", "config": {"units": 4}}]
    shapes = {"text": (None, 3), "b": (5,)}
    settings = {"fusion": fusion, "encoders": {"text": stack}, "units": 4}
    model = randomize(zoo.FusionClassifier(shapes, 2, modality_mask=mask, **settings))
    masked = zoo.FusionClassifier(shapes, 2, modality_mask=True, **settings)
    masked.set_weights(model.get_weights())
    inputs = draw({"text": (4, 3), "b": (5,)})
    inputs["text"][1] = 0
    there = np.array([[True, True], [False, True], [True, True]])
    everything = {"modality_mask": np.ones_like(there)} if mask else {}
    filled = inputs | {"text": inputs["text"] + (~there[:, :1, None])}
    assert_close(model(inputs | everything), masked(filled | {"modality_mask": there}))


def named(name, output=lambda x: x):
    inputs = keras.Input((4,))
    return keras.Model(inputs, output(layers.Dense(3)(inputs)), name=name)


@pytest.mark.parametrize("name", ["bert", "fusion", "predictions"])
def test_encoders_of_one_name(name):
    shapes = {"left eye": (4,), "right": (4,)}
    nets = {m: named(name) for m in shapes}
    model = randomize(zoo.FusionClassifier(shapes, 2, encoders=nets, units=3))
    for net in nets.values():  # both are in it
        before = to_numpy(model(draw(shapes)))
        net.set_weights([w + 1 for w in net.get_weights()])
        assert np.abs(to_numpy(model(draw(shapes))) - before).max() > 1e-4
    shared = dict.fromkeys(shapes, nets["right"])
    assert zoo.FusionClassifier(shapes, 2, encoders=shared)
    late = {m: zoo.UnimodalClassifier({m: (4,)}, 3, name=name) for m in shapes}
    late = zoo.LateFusionClassifier(shapes, 3, models=late)
    assert late(draw(shapes)).shape == (3, 3)


def test_encoders_that_return_several():
    shapes = {"a": (4,), "b": (4,)}
    both = lambda x: {"sequence_output": x + 1, "pooled_output": x}  # noqa: E731
    for output in (both, lambda x: [x], lambda x: {"only": x}):
        net = named("net", output)
        model = zoo.FusionClassifier(
            shapes, 2, fusion="Summation", encoders={"a": net}, units=3
        )
        alone = zoo.FusionClassifier(
            shapes,
            2,
            fusion="Summation",
            encoders={"a": keras.Model(net.input, keras.tree.flatten(net.output)[0])},
            units=3,
        )
        alone.set_weights(randomize(model).get_weights())
        assert_close(model(draw(shapes)), alone(draw(shapes)))
    for output in (lambda x: [x, x], lambda x: {"p3": x, "p4": x}):
        with pytest.raises(ValueError, match="encoder of 'a' must return one tensor"):
            zoo.FusionClassifier(shapes, 2, encoders={"a": named("net", output)})
