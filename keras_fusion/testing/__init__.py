"""The contract of an operator, for one of your own, as scikit-learn's checks are."""

from keras_fusion.testing.laws import check_operator

__all__ = ["check_operator"]
