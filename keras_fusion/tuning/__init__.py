"""Search over fusion type and depth, with keras-tuner."""

try:
    import keras_tuner  # noqa: F401
except ImportError as error:
    raise ImportError('Searching needs pip install "keras-fusion[tuning]".') from error

from keras_fusion.tuning.hypermodel import FusionHyperModel
from keras_fusion.tuning.promotion import promote
from keras_fusion.tuning.report.hparams import write_hparams
from keras_fusion.tuning.report.leaderboard import counted, described, fusion_text
from keras_fusion.tuning.report.leaderboard import rows as leaderboard_rows
from keras_fusion.tuning.report.page import write_report
from keras_fusion.tuning.search import RESULTS, exhausted, results, search
from keras_fusion.tuning.search_file import Search, changed, read, search_for
from keras_fusion.tuning.space import EPOCHS
from keras_fusion.tuning.trials import summaries

__all__ = [
    "EPOCHS",
    "RESULTS",
    "FusionHyperModel",
    "Search",
    "changed",
    "counted",
    "described",
    "exhausted",
    "fusion_text",
    "leaderboard_rows",
    "promote",
    "read",
    "results",
    "search",
    "search_for",
    "summaries",
    "write_hparams",
    "write_report",
]
