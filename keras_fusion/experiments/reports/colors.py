"""Colors that people of any color vision tell apart, one for each method."""

from keras_fusion.experiments.comparison import METHODS

# Okabe and Ito, 2008, Color Universal Design, with gray in place of yellow.
PALETTE = (
    *("#0072b2", "#d55e00", "#009e73", "#666666"),
    *("#e69f00", "#cc79a7", "#56b4e9", "#222222"),
)
COLORS = dict(zip(METHODS, PALETTE))
