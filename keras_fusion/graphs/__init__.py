"""Graphs for `model.fit`: edge lists, the whole graph or sampled parts of it."""

from keras_fusion.graphs.edges import check_edges as check_edges
from keras_fusion.graphs.edges import is_symmetric as is_symmetric
from keras_fusion.graphs.edges import symmetric as symmetric
from keras_fusion.graphs.features import neighborhood as neighborhood
from keras_fusion.graphs.features import random_walk_position as random_walk_position
from keras_fusion.graphs.features import spectral_position as spectral_position
from keras_fusion.graphs.full_graph import FullGraph as FullGraph
from keras_fusion.graphs.sampled_graph import SampledGraph as SampledGraph
