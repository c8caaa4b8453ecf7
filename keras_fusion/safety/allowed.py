"""Which classes a file may name: pure layers, this library's, and the program's own.

Keras' safe mode stops a pickled function. It lets a file name layers that load and run
a foreign graph, by their class or as the "function" of another layer. So a file is read
before anything is built, and what it names must be on a list.
"""

from collections.abc import Iterator

import keras

from keras_fusion.common.errors import InputError

# Layers that make numbers of numbers, by their arguments alone.
PURE_LAYERS = frozenset(
    """
    Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
    AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D
    AdaptiveMaxPooling3D Add AdditiveAttention AlphaDropout Attention AugMix
    AutoContrast Average AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D
    AvgPool2D AvgPool3D BatchNormalization Bidirectional CategoryEncoding CenterCrop
    Concatenate ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose
    Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D
    Convolution1D Convolution1DTranspose Convolution2D Convolution2DTranspose
    Convolution3D Convolution3DTranspose Cropping1D Cropping2D Cropping3D CutMix Dense
    DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout ELU EinsumDense Embedding
    Equalization Flatten GRU GRUCell GaussianDropout GaussianNoise
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D
    GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization
    GroupQueryAttention HashedCrossing Hashing Identity InputLayer InputSpec
    IntegerLookup LSTM LSTMCell Layer LayerNormalization LeakyReLU Masking
    MaxNumBoundingBoxes MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D
    MaxPooling3D Maximum MelSpectrogram Minimum MixUp MultiHeadAttention Multiply
    Normalization PReLU Permute Pipeline RMSNormalization RNN RandAugment
    RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop
    RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale
    RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation
    RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom ReLU
    RepeatVector Rescaling Reshape Resizing ReversibleEmbedding STFTSpectrogram
    SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D
    SimpleRNN SimpleRNNCell Softmax Solarization SpatialDropout1D SpatialDropout2D
    SpatialDropout3D SpectralNormalization StackedRNNCells StringLookup Subtract
    TextVectorization TimeDistributed UnitNormalization UpSampling1D UpSampling2D
    UpSampling3D Wrapper ZeroPadding1D ZeroPadding2D ZeroPadding3D
    """.split()
)
# These run code, or a graph that a file holds.
REFUSED_LAYERS = frozenset(
    {"FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper"}
)
# A string in place of their list is the path of a file, which they read.
_PATHS = ("vocabulary", "idf_weights")

_MODELS = frozenset({"Functional", "InputSpec", "KerasTensor", "Model", "Sequential"})
_FUNCTIONS = "activations", "constraints", "initializers", "losses", "metrics", "ops"
# Where Keras keeps what is no layer and does nothing but compute.
_MODULES = (
    *_FUNCTIONS,
    "dtype_policies",
    "optimizers",
    "quantizers",
    "random",
    "regularizers",
    "backend",
)
# What stands for a plain value in a configuration.
_VALUES = frozenset(
    {"__bytes__", "__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__"}
    | {"__tensor__", "__tuple__", "__typespec__", "CommonDTypePolicy"}
)


class Unsafe(InputError):
    """Something that is not loaded, since it may do more than compute."""


def check(config, where: str) -> None:
    """Refuses a configuration that names what is not known to be pure.

    Args:
        config: As Keras serializes objects; looked through to its last value.
        where: What holds it, for the message.

    Raises:
        Unsafe: Naming the first such class or function.
    """
    for found in objects(config):
        name = _name(found)
        if not _is_known(found, name):
            raise Unsafe(
                f"{where} names {name!r} of {found.get('module') or 'no module'}. "
                "Expected a layer that only computes, a class of this library, or one "
                "that your program has registered: import the module that registers it."
            )
        inner = found.get("config")
        for key in _PATHS:
            if isinstance(inner, dict) and isinstance(inner.get(key), str):
                raise Unsafe(
                    f"{where} has the {key} of its {name} in a file, {inner[key]!r}. "
                    "Expected the list itself."
                )


def objects(config) -> Iterator[dict]:
    """Every serialized object in a configuration, the outer ones first."""
    left = [config]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            left.extend(value.values())
        elif isinstance(value, (list, tuple)):
            left.extend(value)


def is_registered(found: dict) -> bool:
    """Whether a serialized object is one that a program has registered by itself."""
    names = found.get("registered_name"), found.get("config")
    if found["class_name"] != "function":
        names = names[:1]
    known = [n for n in names if isinstance(n, str)]
    return any(keras.saving.get_registered_object(n) is not None for n in known)


def _name(found):
    function = found["class_name"] == "function"
    return str(found.get("config") if function else found["class_name"])


def _is_known(found, name):
    if is_registered(found):
        return True
    if name in REFUSED_LAYERS or name == "__lambda__":
        return False
    module = str(found.get("module") or "keras.layers")
    if found["class_name"] == "function":
        return _is_function(module, name)
    if name in _VALUES:
        return True
    package, _, part = module.replace("keras.src.", "keras.").partition(".")
    if package != "keras":
        return False
    if part.startswith("layers"):
        return name in PURE_LAYERS
    if part.startswith("models") or not part:
        return name in _MODELS or hasattr(keras.dtype_policies, name)
    return part.split(".")[0] in _MODULES


def _is_function(module, name):
    """Whether Keras would take it from where its functions are, and not its classes."""
    package, _, part = module.replace("keras.src.", "keras.").partition(".")
    if package == "keras":
        return part.split(".")[0] in _FUNCTIONS
    found = (getattr(getattr(keras, p), name, None) for p in _FUNCTIONS)
    return package == "builtins" and not hasattr(keras.layers, name) and any(found)
