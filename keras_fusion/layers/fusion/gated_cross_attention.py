import keras
from keras import ops

from keras_fusion.layers.fusion.cross_attention import CrossAttention
from keras_fusion.layers.fusion.transformer import GatedHalves
from keras_fusion.ops.presence import Presence
from keras_fusion.ops.tokens import pool_tokens


@keras.saving.register_keras_serializable("keras_fusion")
class GatedCrossAttention(CrossAttention):
    """Cross-attention behind gates that begin shut: adds to a stream, moves it later.

    `y = x_1 + tanh(a) O Attention(Q LN(x_1); K_n LN_n(x_n), V_n LN_n(x_n), n > 1)`,
    `z_1 = y + tanh(b) MLP(LN(y))`; `a` and `b` are learned numbers that begin at zero.
    So at first `z_1 = x_1` exactly, and other modalities can be added to a stream that
    is trained already. The other streams stay what they are. (A perceiver resampler may
    stand in front of it: the normalization at its end is `LN_n`.)

    Shapes: M >= 2 sets `(B, T_m, D_m)`, any numbers of tokens, to `(B, U)`, or with
    `readout=None` to the list of M streams `(B, T_m, U)`. A readout is over the tokens
    of the first modality, and where it is absent over those of the others. Raw weights:
    as those of `CrossAttention`. Absent tokens are no keys, and their streams are zero.

    Args:
        units: Common width U, needed where widths differ.
        queries: `"first"`, or `"all"`: every modality asks the others, behind gates of
            its own, and readouts are over all tokens.
        **kwargs: As for `CrossAttention`.

    Example:

    >>> text, image = keras.random.normal((2, 9, 8)), keras.random.normal((2, 5, 8))
    >>> streams = GatedCrossAttention(readout=None)([text, image])
    >>> bool(keras.ops.all(streams[0] == text))
    True

    Reference: Alayrac et al., 2022, Flamingo: a Visual Language Model for Few-Shot
    Learning.
    """

    searched = False
    halves_kind = GatedHalves

    def __init__(self, units: int | None = None, queries: str = "first", **kwargs):
        super().__init__(units, queries, **kwargs)

    def pool(self, streams, present):
        if self.queries == "all":
            return super().pool(streams, present)
        first = present.samples()[0]  # (B, 1, 1)
        if first is None:
            return pool_tokens(streams[:1], Presence(), self.readout)
        instead = ops.logical_not(first)
        others = [ops.logical_and(instead, p) for p in present.parts[1:]]
        return pool_tokens(streams, Presence([present[0], *others]), self.readout)
