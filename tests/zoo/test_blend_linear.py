import keras
import numpy as np
import pytest
from scipy import sparse

from keras_fusion import zoo
from keras_fusion.layers import BagOfWords, LinearFeatures
from keras_fusion.zoo.parts.linear_kinds import kind_of
from keras_fusion.zoo.parts.logistic import logistic
from keras_fusion.zoo.parts.ridge import ridge
from tests.conftest import assert_close, to_numpy

COLUMNS = [{"edges": [-1.0, 0.0, 1.0]}, {"codes": 3}, {"width": 1}]
TABLE = [
    {"class_name": "ColumnEmbedding", "config": {"columns": COLUMNS, "units": 4}},
    {"class_name": "Flatten"},
    {"class_name": "Dense", "config": {"units": 4}},
]
ENCODERS = {"table": TABLE}
SHAPES = {"table": (4,), "image": (4, 4, 1), "vector": (2,)}


def build(classes=1, **arguments):
    options = {"units": 4, "encoders": ENCODERS, "classifier_activation": None}
    return zoo.FusionClassifier(SHAPES, classes, **options | arguments)


def rows(count=12):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(count, 4))
    table[:, 1] = np.arange(count) % 4 == 0
    table[:, 2] = np.arange(count) % 3
    inputs = {"table": table, "image": rng.normal(size=(count, 4, 4, 1))}
    inputs["vector"] = rng.normal(size=(count, 2))
    return {name: x.astype("float32") for name, x in inputs.items()}


def features(inputs):
    """Both numbers, the flag, the width, the categories, and the vector."""
    table = inputs["table"]
    codes = np.eye(3)[table[:, 2].astype(int)]
    return np.concatenate([table[:, [0, 1, 3]], codes, inputs["vector"]], axis=1)


class Batches(keras.utils.PyDataset):
    """Rows by fives."""

    def __init__(self, inputs):
        super().__init__()
        self.inputs = inputs

    def __len__(self):
        return -(-len(self.inputs["vector"]) // 5)

    def __getitem__(self, index):
        part = slice(5 * index, 5 * index + 5)
        return ({name: x[part] for name, x in self.inputs.items()},)


@pytest.mark.parametrize("heads", [None, "average"])
def test_the_share_of_the_network_is_that_of_the_least_squares(heads):
    inputs, unseen = rows(), rows(20)
    noise = np.random.default_rng(1)
    targets = features(inputs) @ np.arange(1, 9) / 8 + noise.normal(size=12)
    model = build(heads=heads)
    network = model.predict(unseen, verbose=0).astype(np.float64)
    kernel, intercept = ridge(features(inputs).astype(np.float64), targets[:, None])
    linear = features(unseen) @ kernel + intercept
    wanted = 0.3 * network + 0.7 * linear
    shares = zoo.blend_linear(model, inputs, targets, unseen, wanted[:, 0])
    assert shares == pytest.approx((0.3, 0.3), abs=1e-4)
    assert_close(model.predict(unseen, verbose=0), wanted)
    # again, with what none of both explains: the nearer one alone
    shares = zoo.blend_linear(model, inputs, targets, unseen, 2 * linear - wanted)
    assert shares == (0, 0)
    assert_close(model.predict(unseen, verbose=0), linear)


def labeled(count, several):
    """Labels `(B, 3)` of 0 and 1 that a linear model explains but for noise."""
    inputs = rows(count)
    noise = np.random.default_rng(1).gumbel(size=(count, 3))
    logits = features(inputs) @ (np.arange(24).reshape(8, 3) % 5 - 2) + noise
    if several:
        return inputs, (logits > 0).astype(float)
    return inputs, np.eye(3)[logits.argmax(axis=1)]


@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
def test_the_share_of_classes_is_that_under_which_they_are_most_likely(head):
    inputs, labels = labeled(30, head == "sigmoid")
    unseen = rows(2000)  # that outweigh the pull to equal weights
    model = build(3, classifier_activation=head, linear_path=True, heads="average")
    network = model.predict(unseen, verbose=0).astype(np.float64)
    fitted = logistic(features(inputs).astype(float), labels, head == "sigmoid")
    logits = features(unseen) @ fitted[0] + fitted[1]
    linear = keras.ops.convert_to_numpy(getattr(keras.ops, head)(logits))
    logs = [np.log(network), np.log(linear)]
    if head == "sigmoid":
        logs = [x - np.log(1 - np.exp(x)) for x in logs]
    wanted = getattr(keras.ops, head)(0.6 * logs[0] + 1.4 * logs[1])
    wanted = keras.ops.convert_to_numpy(wanted)
    given = labels if head == "sigmoid" else labels.argmax(axis=1)
    # A blend's own probabilities are most likely under the blend itself.
    shares = zoo.blend_linear(model, inputs, given, unseen, wanted)
    assert shares == pytest.approx((0.3, 0.3), abs=0.02)
    np.testing.assert_allclose(model.predict(unseen, verbose=0), wanted, atol=0.01)
    trained = keras.ops.convert_to_numpy(model(unseen, training=True))
    assert np.abs(trained - wanted).max() > 0.05  # `fit` sees the network alone


def test_few_rows_that_are_all_right_make_nothing_certain():
    wanted = np.eye(2)[np.arange(12) % 2]
    said = np.where(wanted, 0.8, 0.2)
    pair = kind_of(keras.activations.softmax).weigh(said, said, wanted)
    assert 1 < pair.sum() < 3  # 4.5 where hardly anything holds the weights


@pytest.mark.parametrize("kind", [dict, Batches])
def test_rows_that_lack_something_have_weights_of_their_own(kind):
    inputs, labels = labeled(30, several=False)
    unseen = rows(1000)
    for part in (inputs, unseen):
        part["modality_mask"] = np.ones((len(part["vector"]), 3), bool)
    model = build(
        3, classifier_activation="softmax", linear_path=True, modality_mask=True
    )
    blend = model.get_layer("blend")
    fitted = logistic(features(inputs).astype(float), labels)
    model.get_layer("predictions_linear").set_weights(fitted)

    def blended(own, gone):
        """What a blend of these weights says of rows without some modalities."""
        blend.set_weights([np.array([own, own])])
        mask = unseen["modality_mask"] & ~np.isin(np.arange(3), gone)
        return model.predict(unseen | {"modality_mask": mask}, verbose=0)

    # the same wanted of a row whatever it lacks
    wanted = blended([0.6, 1.4], [])
    shares = zoo.blend_linear(model, kind(inputs), labels, kind(unseen), wanted)
    found = model.get_layer("blend").get_weights()[0].astype(float)
    assert shares.whole == pytest.approx(0.3, abs=0.02)

    def loss(pair):
        logs = [np.log(blended(pair, [m])) for m in range(3)]
        pull = np.square(np.array(pair) - 0.5).sum() / 2
        return pull - sum((wanted * x).sum() for x in logs)

    # a step out of bounds stays where it was, and logs of float32 differ by rounding
    least = loss(found[1]) * (1 - 1e-6)
    for step in ([0.05, 0], [-0.05, 0], [0, 0.05], [0, -0.05]):
        assert loss(np.maximum(found[1] + step, 0)) >= least
    assert np.abs(found[0] - found[1]).max() > 0.05


def test_what_is_absent_adds_nothing():
    inputs = rows(3)
    mask = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1]], bool)
    there = np.repeat(mask[:, [0, 2]], (6, 2), axis=1)
    expected = np.where(there, features(inputs), 0)
    inputs["vector"][0] = inputs["table"][1] = np.nan
    model = build(modality_mask=True)
    path = keras.Model(model.input, model.get_layer("predictions_linear").input)
    found = to_numpy(path(inputs | {"modality_mask": mask}))
    assert_close(found, expected)


def test_a_code_that_nobody_knows_is_the_last_one():
    layer = LinearFeatures([0], [[{"codes": 3}]])
    assert_close(layer([np.array([[7.0], [-1.0]])]), np.eye(3)[[2, 0]])


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_classes_have_a_linear_path_where_it_is_asked_for():
    inputs = rows()
    model = zoo.FusionClassifier({"vector": 2}, 3)
    before = model.get_weights()
    x, y = {"vector": inputs["vector"]}, np.zeros(12)
    assert zoo.blend_linear(model, x, y, x, y) is None
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    with pytest.raises(ValueError, match="linear_path=True .*'cumulative_link'"):
        build(3, linear_path=True, classifier_activation="cumulative_link")


WORDS = [{"class_name": "Embedding", "config": {"input_dim": 9, "output_dim": 4}}]
WORDS += [
    {"class_name": "TokenPooling"},
    {"class_name": "Dense", "config": {"units": 4}},
]


def written(count=40):
    """A vector and a text of up to six words, whose last ones are padding."""
    rng = np.random.default_rng(0)
    text = rng.integers(1, 9, (count, 6)) * (
        np.arange(6) < rng.integers(1, 7, (count, 1))
    )
    vector = rng.normal(size=(count, 2))
    return {"the text": text.astype("int32"), "vector": vector.astype("float32")}


def texts(inputs, there):
    """What the words of the texts that are there count, `(N, 9)`."""
    bags = (inputs["the text"][:, :, None] == np.arange(1, 9)).sum(axis=1)
    bags = bags * there[:, None]
    with_it = (bags > 0).sum(axis=0)
    rarity = 1 + np.log((1 + there.sum()) / (1 + with_it))
    norm = np.sqrt(np.maximum(bags @ np.square(rarity), 1e-12))
    return np.pad(bags * rarity / norm[:, None], [(0, 0), (1, 0)])


@pytest.mark.parametrize("head", ["softmax", "sigmoid", None])
def test_words_of_a_text_are_in_the_linear_model(head, tmp_path):
    inputs = written()
    mask = np.ones((40, 2), bool)
    mask[:8, 0] = False
    columns = np.concatenate([inputs["vector"], texts(inputs, mask[:, 0])], axis=1)
    labels = (columns @ np.arange(11) > np.median(columns @ np.arange(11))).astype(int)
    classes = 2 if head == "softmax" else 1
    model = zoo.FusionClassifier(
        {"the text": (6,), "vector": (2,)},
        classes,
        units=4,
        encoders={"the text": WORDS},
        classifier_activation=head,
        linear_path=True,
        modality_mask=True,
    )
    given = inputs | {"modality_mask": mask}
    zoo.blend_linear(model, given, labels, given, labels)
    fit = {"softmax": logistic, "sigmoid": lambda *x: logistic(*x, True), None: ridge}
    targets = np.eye(2)[labels] if head == "softmax" else labels[:, None].astype(float)
    kernel, intercept = fit[head](sparse.csr_array(columns), targets)
    path = model.get_layer("predictions_linear")
    np.testing.assert_allclose(to_numpy(path.kernel), kernel, atol=1e-3)
    logits = columns @ kernel + intercept
    expected = getattr(keras.ops, head)(logits) if head else logits
    inner = keras.Model(model.input, path.output)
    found = inner.predict(given, verbose=0)
    np.testing.assert_allclose(found, to_numpy(expected), atol=1e-3)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert_close(again.predict(given, verbose=0), model.predict(given, verbose=0))


def test_the_words_beyond_the_most_frequent_ones_count_nothing():
    layer = BagOfWords(4, index=0)
    layer.build((None, 4))
    layer.rarity.assign([1.0, 1.0, 3.0, 4.0])
    assert_close(layer(np.array([[2, 3, 0, 9]])), [[0.6, 0.8, 0, 0]])
    assert_close(layer(np.array([[0, 0, 4, 0]])), np.zeros((1, 4)))
