"""Texts -> their numbers in a list, in TensorFlow."""

from collections.abc import Sequence


def lookup(texts: Sequence[str], numbers: Sequence[int], otherwise: int):
    """A function from a tensor of strings to int64 numbers.

    Args:
        texts: What is known.
        numbers: One for each.
        otherwise: The number of any other text.

    Returns:
        The function; its attribute `resources` lists what a SavedModel must keep.
    """
    import tensorflow as tf

    known = tf.lookup.KeyValueTensorInitializer(
        tf.constant(list(texts), tf.string), tf.constant(list(numbers), tf.int64)
    )
    table = tf.lookup.StaticHashTable(known, otherwise)

    def run(strings):
        return table.lookup(strings)

    run.resources = [table]
    return run


def name_of(strings):
    """What `values.as_names` makes of texts, in TensorFlow."""
    import tensorflow as tf

    return tf.strings.regex_replace(
        tf.strings.strip(strings), r"^([+-]?[0-9]+)\.0+$", r"\1"
    )
