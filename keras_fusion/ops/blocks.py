"""A loop over blocks of rows that holds one block at a time."""

import math

import keras
from keras import ops

BLOCK_BYTES = 8 * 2**20  # of one block of affinities; it should stay in the cache


def over_blocks(block, rows, whole, row_widths, total_widths):
    """What `block` gives for every block of rows, rows side by side or summed up.

    Args:
        block: Function of `(rows, whole)`, lists of tensors `(M, g, R, width)` and
            `(M, g, T, width)`, to `(rows, totals)` of the same shapes. It must give
            zeros to totals for rows that are all zeros, which fill up the last block.
        rows: Tensors `(M, G, T, width)` that are cut into blocks.
        whole: Tensors `(M, G, T, width)` of which a block sees all T rows.
        row_widths: Widths of the first results.
        total_widths: Widths of the second results, which are summed over the blocks.

    Returns:
        `(rows, totals)`: lists of tensors `(M, G, T, width)`.
    """
    count = rows[0].shape[0]
    groups, tokens = ops.shape(rows[0])[1:3]
    size, blocks = _cut(count, tokens)
    padded = size * blocks
    rows = [_pad(x, padded - tokens) for x in rows]
    like = rows[0]
    results = [
        *(ops.zeros((count, groups, padded, w), "float32") for w in row_widths),
        *(ops.zeros((count, groups, tokens, w), "float32") for w in total_widths),
    ]

    def body(i, results):
        group, first = i // blocks, (i % blocks) * size
        here = [_take(x, group, first, size) for x in rows]
        there = [_take(x, group, 0, tokens) for x in whole]
        new_rows, new_totals = block(here, there)
        kept = [
            _put(x, group, first, new)
            for x, new in zip(results[: len(row_widths)], new_rows)
        ]
        sums = [
            _put(x, group, 0, _take(x, group, 0, tokens) + new)
            for x, new in zip(results[len(row_widths) :], new_totals)
        ]
        return [*kept, *sums]

    results = ops.fori_loop(0, groups * blocks, body, results)
    return (
        [x[:, :, :tokens] for x in results[: len(row_widths)]],
        results[len(row_widths) :],
    )


def _cut(count, tokens):
    """Rows in a block, and the number of blocks."""
    most = BLOCK_BYTES // (4 * count * tokens)
    if isinstance(tokens, int):
        blocks = math.ceil(tokens / max(1, most))
        return math.ceil(tokens / blocks), blocks
    most = ops.maximum(1, most)
    blocks = (tokens + most - 1) // most
    return (tokens + blocks - 1) // blocks, blocks


def _pad(x, more):
    return ops.pad(x, ((0, 0), (0, 0), (0, more), (0, 0)))


def _take(x, group, first, size):
    return ops.slice(x, (0, group, first, 0), (x.shape[0], 1, size, x.shape[-1]))


def _put(x, group, first, new):
    if keras.backend.backend() == "torch":  # its slice_update copies the whole tensor
        x[:, group : group + 1, first : first + new.shape[2]] = new
        return x
    return ops.slice_update(x, (0, group, first, 0), new)
