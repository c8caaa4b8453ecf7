import itertools

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import layers, zoo
from keras_fusion.layers import Fusion
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import SHAPES, VECTORS, draw, randomize, shapes_for

each_operator = pytest.mark.parametrize("name", list(layers.operators()))


@keras.saving.register_keras_serializable("keras_fusion_tests")
class TokenMean(Fusion):
    """Mean over the tokens of all modalities, whatever their number."""

    takes = "tokens"

    def fuse(self, inputs, present, query=None, training=None):
        return ops.mean(ops.concatenate(inputs, axis=1), axis=1), None


def names(model):
    return [layer.name for layer in model.layers]


@pytest.mark.parametrize(
    "builder", ["FusionClassifier", "LateFusionClassifier", "UnimodalClassifier"]
)
def test_inputs_of_every_rank(builder):
    chosen = {"modality": "video"} if builder == "UnimodalClassifier" else {}
    model = zoo.builders()[builder](SHAPES, 3, units=4, **chosen)
    inputs = draw({name: SHAPES[name] for name in model.input})
    outputs = model(inputs)
    assert keras.backend.standardize_dtype(outputs.dtype) == "float32"
    assert_close(ops.sum(outputs, axis=-1), np.ones(3))
    for name, x in inputs.items():  # none of them is ignored
        moved = model(inputs | {name: x + 1})
        assert np.abs(to_numpy(moved) - to_numpy(outputs)).max() > 1e-4


def test_a_summation_before_a_softmax_is_a_product_of_experts():
    """Of class distributions, each against what is said where nothing is present."""
    model = randomize(
        zoo.FusionClassifier(
            VECTORS, 3, fusion="Summation", units=4, modality_mask=True
        )
    )
    subsets = np.array(list(itertools.product([False, True], repeat=3)))
    inputs = {m: np.repeat(x, 8, axis=0) for m, x in draw(VECTORS, rows=1).items()}
    logs = np.log(to_numpy(model(inputs | {"modality_mask": subsets})))
    prior, *experts = logs[0], *(logs[subsets.sum(axis=1) == 1] - logs[0])[::-1]
    for there, found in zip(subsets, logs, strict=True):
        product = np.exp(prior + sum(x for x, t in zip(experts, there) if t))
        assert_close(np.exp(found), product / product.sum())


@pytest.mark.only_on("torch", reason="no backend changes it")
@each_operator
def test_an_operator_by_name_description_and_instance(name):
    operator = layers.get(name)
    shapes = shapes_for(operator)
    forms = [name, {"class_name": name, "config": {}}, operator(units=4)]
    models = [
        randomize(zoo.FusionClassifier(shapes, 2, fusion=form, units=4, depth=2))
        for form in forms
    ]
    x = draw(shapes)
    for model in models[1:]:
        assert_close(model(x), models[0](x))
    assert all(isinstance(model.get_layer("fusion"), operator) for model in models)


@pytest.mark.only_on("torch", reason="no backend changes it")
@each_operator
def test_without_top_the_fused_features(name):
    shapes = shapes_for(layers.get(name))
    model = zoo.FusionClassifier(shapes, 2, fusion=name, units=4, include_top=False)
    assert model(draw(shapes)).shape == (3, 4)
    assert "predictions" not in names(model)


@pytest.mark.only_on("torch", reason="no backend changes it")
@each_operator
def test_every_weight_moves_in_one_step(name):
    keras.utils.set_random_seed(0)
    shapes = shapes_for(layers.get(name))
    routed = "top_k" in layers.get(name)().get_config()
    config = {"top_k": 4} if routed else {}  # an expert that nobody chose stays
    fusion = {"class_name": name, "config": config}
    options = {"units": 4, "depth": 2, "dropout": 0.0}
    model = zoo.FusionClassifier(shapes, 3, fusion=fusion, **options)
    randomize(model)  # a new bias of zero may well have no gradient
    before = model.get_weights()
    # so large a step shows in every weight
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(draw(shapes), np.array([0, 1, 2]))
    for weight, old in zip(model.weights, before, strict=True):
        assert np.any(to_numpy(weight.value) != old), weight.path


def test_depth_of_an_operator_that_refines():
    model = zoo.FusionClassifier(VECTORS, 2, fusion="ModalityTransformer", depth=3)
    blocks = [model.get_layer(n) for n in ("fusion_0", "fusion_1", "fusion")]
    assert [block.readout for block in blocks][:2] == [None, None]
    assert blocks[2].readout is not None
    assert not any("back" in name for name in names(model))
    assert len({id(block.weights[0]) for block in blocks}) == 3


def test_depth_of_an_operator_that_does_not_refine():
    model = zoo.FusionClassifier(VECTORS, 2, fusion="Summation", units=4, depth=2)
    randomize(model)
    x = draw(VECTORS)
    parts = {
        n: keras.Model(model.input, model.get_layer(n).output)(x)
        for n in ("a_block_0_add", "fusion_0", "fusion_0_norm_0")
    }
    back = model.get_layer("fusion_0_back_0")
    gamma, beta = map(to_numpy, model.get_layer("fusion_0_norm_0").get_weights())
    handed = to_numpy(parts["a_block_0_add"] + back(parts["fusion_0"]))
    centered = handed - handed.mean(axis=-1, keepdims=True)
    scaled = centered / np.sqrt(handed.var(axis=-1, keepdims=True) + 1e-5)
    assert_close(parts["fusion_0_norm_0"], gamma * scaled + beta)


@pytest.mark.parametrize("depth", [0, 2])
def test_encoder_depth_counts_the_blocks_of_each_modality(depth):
    model = zoo.FusionClassifier(SHAPES, 2, units=4, encoder_depth=depth)
    for modality in SHAPES:
        blocks = [n for n in names(model) if n.startswith(f"{modality}_block")]
        assert len([n for n in blocks if n.endswith("_add")]) == depth
        assert f"{modality}_projection" in names(model)


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.slow
def test_a_given_encoder():
    backbone = keras.applications.MobileNetV3Small(
        (32, 32, 3), include_top=False, weights=None
    )
    shapes = {"rgb": (32, 32, 3), "pose": (5,)}
    for fusion in ("Summation", TokenMean(units=4)):
        model = zoo.FusionClassifier(
            shapes, 2, fusion=fusion, units=4, encoders={"rgb": backbone}
        )
        assert model.output_shape == (None, 2)
        assert backbone in model._flatten_layers()
        assert "rgb_projection" not in names(model)


def test_a_given_encoder_feeds_the_fusion():
    given = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4)])
    model = zoo.FusionClassifier(
        VECTORS, 2, fusion="Summation", units=4, encoders={"a": given}
    )
    x = draw(VECTORS)
    summed = keras.Model(model.input, model.get_layer("fusion").output)
    without = summed(x) - given(x["a"])
    given.set_weights([w + 1 for w in given.get_weights()])
    assert_close(summed(x) - given(x["a"]), without)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_an_encoder_as_a_list_of_layers():
    """Of Keras and of our own, as a recipe writes them."""
    listed = [
        {"class_name": "SequenceJitter", "config": {"time": 0.1}},
        {"class_name": "Conv1D", "config": {"filters": 3, "kernel_size": 2}},
        {"class_name": "Flatten"},
    ]
    shapes = {"text": (4, 3), "pose": (5,)}
    models = [
        zoo.FusionClassifier(shapes, 2, units=4, encoders={"text": listed})
        for _ in range(2)
    ]
    first, second = (model.get_layer("text_encoder") for model in models)
    assert first is not second and first.output_shape == (None, 9)
    assert models[0](draw(shapes)).shape == (3, 2)


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize(
    "layer, words",
    [
        ("Dense", "A layer for 'a' must be.*'Dense'"),
        ({"class_name": "Dence"}, "No layer 'Dence'. Did you mean 'Dense'"),
        ({"class_name": "Dense"}, "Dense, for 'a', cannot be built"),
        ({"class_name": "Dropout", "config": {"rate": 2}}, "Dropout, for 'a'"),
    ],
)
def test_a_list_of_what_are_no_layers(layer, words):
    with pytest.raises(ValueError, match=words):
        zoo.FusionClassifier(VECTORS, 2, encoders={"a": [layer]})


def test_an_operator_on_tokens_gets_tokens():
    model = zoo.FusionClassifier(
        SHAPES, 2, fusion=TokenMean(units=4), units=4, depth=1, modality_mask=True
    )
    tokens = [tuple(x.shape) for x in model.get_layer("fusion").input[:4]]
    assert tokens == [(None, 1, 4), (None, 4, 4), (None, 4, 4), (None, 4, 4)]
    there = np.ones((3, 4), bool)
    assert model(draw(SHAPES) | {"modality_mask": there}).shape == (3, 2)


def test_ones_own_operator_by_its_registered_name():
    name = "keras_fusion_tests>TokenMean"
    model = zoo.FusionClassifier(SHAPES, 2, fusion=name, units=4)
    assert isinstance(model.get_layer("fusion"), TokenMean)
    for wrong in ("keras_fusion_tests>TokenMeen", "keras_fusion>SaliencyLoss"):
        with pytest.raises(ValueError, match=f"No operator '{wrong}' is registered"):
            zoo.FusionClassifier(SHAPES, 2, fusion=wrong)


def test_a_modality_as_the_query():
    fusion = {"class_name": "ModalityAttention", "config": {"readout": "node"}}
    model = zoo.FusionClassifier(VECTORS, 2, fusion=fusion, units=4, query="b", depth=2)
    attention = model.get_layer("fusion")
    assert attention.uses_query
    assert model(draw(VECTORS)).shape == (3, 2)
    with pytest.raises(ValueError, match="needs `query`"):
        zoo.FusionClassifier(VECTORS, 2, fusion=fusion)
    with pytest.raises(ValueError, match="takes no `query`"):
        zoo.FusionClassifier(VECTORS, 2, query="b")
    with pytest.raises(ValueError, match="one of the inputs .*'zz'"):
        zoo.FusionClassifier(VECTORS, 2, fusion=fusion, query="zz")


@pytest.mark.parametrize("classes", [np.int64(3), np.uint8(3), 3])
def test_classes_of_any_integer_type(classes):
    assert zoo.FusionClassifier(VECTORS, classes).output_shape == (None, 3)


def test_regression():
    model = zoo.FusionClassifier(VECTORS, 1, classifier_activation=None)
    randomize(model)
    assert to_numpy(model(draw(VECTORS, rows=50))).min() < 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes": 1}, "softmax is always 1"),
        ({"classes": 0}, "positive integer; received 0"),
        ({"classes": 2.5}, "positive integer; received 2.5"),
        ({"classes": "two"}, "positive integer; received 'two'"),
        ({"classes": None}, "positive integer; received None"),
        ({"fusion": "ModalityAtention"}, "Did you mean 'ModalityAttention'"),
        ({"fusion": 3}, "operator's name"),
        ({"fusion": {"config": {}}}, "operator's name"),
        ({"fusion": {"class_name": "Summation", "config": {"x": 1}}}, "Summation"),
        ({"fusion": layers.ModalityAttention(readout=None)}, "readout"),
        ({"depth": 0}, "depth"),
        ({"encoder_depth": -1}, "encoder_depth"),
        ({"units": 0}, "units"),
        ({"encoders": {"zz": None}}, r"encoders for \['zz'\]"),
        ({"input_shapes": {}}, "at least one modality"),
        ({"input_shapes": [(3,)]}, "at least one modality"),
        ({"input_shapes": {"a": ()}}, "'a' must be a vector"),
        ({"input_shapes": {"a": (1, 2, 3, 4, 5)}}, "'a' must be a vector"),
        ({"input_shapes": {"a": (4, None)}}, "known width"),
        ({"input_shapes": {"modality_mask": (4,)}}, "cannot be called"),
        ({"modality_dropout": 1.0}, r"rate in \[0, 1\)"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    arguments = {"input_shapes": VECTORS, "classes": 2} | arguments
    with pytest.raises(ValueError, match=message):
        zoo.FusionClassifier(**arguments)


@pytest.mark.parametrize(
    ("arguments", "rate"),
    [
        ({"modality_mask": True}, 0.3),
        ({"modality_mask": True, "modality_dropout": 0.0}, 0.0),
        ({"modality_dropout": 0.1}, 0.1),
    ],
)
def test_what_may_be_missing_is_dropped_in_training(arguments, rate):
    model = zoo.FusionClassifier(VECTORS, 3, units=4, **arguments)
    assert model.get_layer("modality_dropout").rate == rate
    assert "modality_dropout" not in names(zoo.FusionClassifier(VECTORS, 3, units=4))
