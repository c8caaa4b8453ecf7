"""Search over fusion type and depth, with keras-tuner."""

try:
    import keras_tuner  # noqa: F401
except ImportError as error:
    raise ImportError('Searching needs pip install "keras-fusion[tuning]".') from error

from keras_fusion.tuning.hypermodel import FusionHyperModel
from keras_fusion.tuning.leaderboard import counted, described
from keras_fusion.tuning.leaderboard import rows as leaderboard
from keras_fusion.tuning.search import search, summaries
from keras_fusion.tuning.search_file import changed, read

__all__ = [
    "FusionHyperModel",
    "changed",
    "counted",
    "described",
    "leaderboard",
    "read",
    "search",
    "summaries",
]
