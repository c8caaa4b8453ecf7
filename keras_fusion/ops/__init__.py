"""Pure functions of tensors, written with `keras.ops`: no weights, no classes."""

from keras_fusion.ops.alignment import alignment_loss as alignment_loss
from keras_fusion.ops.attention import affinity_logits as affinity_logits
from keras_fusion.ops.attention import mix as mix
from keras_fusion.ops.diffusion.affinity_diffusion import (
    affinity_diffusion as affinity_diffusion,
)
from keras_fusion.ops.diffusion.cross_diffusion import (
    cross_diffusion as cross_diffusion,
)
from keras_fusion.ops.median_class import median_class as median_class
from keras_fusion.ops.pairwise.all import pairwise_all as pairwise_all
from keras_fusion.ops.pairwise.edges import pairwise_edges as pairwise_edges
from keras_fusion.ops.pairwise.window import pairwise_window as pairwise_window
from keras_fusion.ops.presence import Presence as Presence
from keras_fusion.ops.presence import select as select
from keras_fusion.ops.presence import share as share
from keras_fusion.ops.presence import softmax as softmax
from keras_fusion.ops.tokens import causal_mask as causal_mask
from keras_fusion.ops.uncertainty import uncertainty as uncertainty
