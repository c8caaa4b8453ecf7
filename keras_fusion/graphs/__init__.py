"""Graphs for `model.fit`: edge lists, the whole graph or sampled parts of it."""

from keras_fusion.graphs.edges import check_edges as check_edges
from keras_fusion.graphs.edges import is_symmetric as is_symmetric
from keras_fusion.graphs.edges import symmetric as symmetric
