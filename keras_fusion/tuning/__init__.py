"""Search over fusion type and depth, with keras-tuner."""

try:
    import keras_tuner  # noqa: F401
except ImportError as error:
    raise ImportError('Searching needs pip install "keras-fusion[tuning]".') from error

from keras_fusion.tuning.hypermodel import FusionHyperModel
from keras_fusion.tuning.leaderboard import counted, described
from keras_fusion.tuning.leaderboard import rows as leaderboard
from keras_fusion.tuning.search import RESULTS, results, search
from keras_fusion.tuning.search_file import changed, read
from keras_fusion.tuning.space import EPOCHS
from keras_fusion.tuning.trial import summaries

__all__ = [
    "EPOCHS",
    "RESULTS",
    "FusionHyperModel",
    "changed",
    "counted",
    "described",
    "leaderboard",
    "read",
    "results",
    "search",
    "summaries",
]
