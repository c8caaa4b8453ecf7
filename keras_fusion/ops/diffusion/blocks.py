"""A loop over blocks of rows that holds one block at a time."""

import functools
import math

import keras
from keras import ops

BLOCK_BYTES = 4 * 2**20  # of affinities at a time; they should stay in the cache
GPU_BLOCK_BYTES = 2**30  # they should keep all of its processors busy
# Fused attention has less to read, but more kernels to start: eager torch one by one.
FUSED_FROM_BYTES = {"jax": 2**28, "torch": 2**29}
TENSORFLOW_DENSE_BYTES = 32 * 2**20  # its loops cost more than the cache saves


def block_bytes():
    """Bytes of affinities that are held at a time, where tensors live now."""
    return GPU_BLOCK_BYTES if on_gpu() else BLOCK_BYTES


def dense_bytes(fused=False):
    """Bytes of affinities up to which holding them all is faster.

    Args:
        fused: Whether fused attention would not hold them, or blocks.
    """
    if fused:
        return FUSED_FROM_BYTES[keras.backend.backend()]
    if keras.backend.backend() == "tensorflow" and not on_gpu():
        return TENSORFLOW_DENSE_BYTES
    return block_bytes()


def on_gpu():
    """Whether tensors live on a GPU."""
    if keras.backend.backend() == "torch":  # Keras lists no devices there
        return ops.zeros(()).device.type == "cuda"
    return any(not d.startswith("cpu") for d in keras.distribution.list_devices())


def over_blocks(block, rows, whole, row_widths, total_widths):
    """What `block` gives for every block of rows, rows side by side or summed up.

    Where a graph leaves T open, and one block holds all rows by the time it runs, all
    groups are done at once: a loop over them would take many times as long.

    Args:
        block: Function of `(rows, whole)`, lists of tensors `(M, g, R, width)` and
            `(M, g, T, width)`, to `(rows, totals)` of the same shapes. It must give
            zeros to totals for rows that are all zeros, which fill up the last block.
        rows: Tensors `(M, G, T, width)` that are cut into blocks.
        whole: Tensors `(M, G, T, width)` of which a block sees all T rows.
        row_widths: Widths of the first results.
        total_widths: Widths of the second results, which are summed over the blocks.

    Returns:
        `(rows, totals)`: tuples of tensors `(M, G, T, width)`.
    """
    count = rows[0].shape[0]
    groups, tokens = ops.shape(rows[0])[1:3]
    size = rows_at_once(count, tokens)
    blocks = _ceil(tokens, size)
    widths = row_widths, total_widths
    loop = functools.partial(_loop, block, rows, whole, *widths, size, blocks)
    if isinstance(tokens, int):
        return loop()
    return ops.cond(blocks > 1, loop, lambda: block(rows, whole))


def _loop(block, rows, whole, row_widths, total_widths, size, blocks):
    """What `over_blocks` gives, by so many blocks of this size in every group."""
    count = rows[0].shape[0]
    groups, tokens = ops.shape(rows[0])[1:3]
    padded = size * blocks
    rows = [_pad(x, padded - tokens) for x in rows]
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
        tuple(x[:, :, :tokens] for x in results[: len(row_widths)]),
        tuple(results[len(row_widths) :]),
    )


def rows_at_once(count, tokens):
    """Rows of a block that fits, all blocks of nearly the same size."""
    most = block_bytes() // (4 * count * tokens)
    if isinstance(tokens, int):
        return math.ceil(tokens / math.ceil(tokens / max(1, most)))
    most = ops.maximum(1, most)  # T is a tensor where the graph does not know it
    return _ceil(tokens, _ceil(tokens, most))


def _ceil(x, y):
    return (x + y - 1) // y


def mixed(p, mix):
    """Rows `(M, ..., R, T)` summed over the modalities by `mix`, `(M, ..., R, M)`."""
    return sum(mix[..., m : m + 1] * p[m] for m in range(p.shape[0]))


def unmixed(gp, mix):
    """The transpose of `mixed`: its gradient."""
    count = gp.shape[0]
    return ops.stack(
        [
            sum(mix[i, ..., m : m + 1] * gp[i] for i in range(count))
            for m in range(count)
        ]
    )


def _pad(x, more):
    return ops.pad(x, ((0, 0), (0, 0), (0, more), (0, 0)))


def _take(x, group, first, size):
    return ops.slice(x, (0, group, first, 0), (x.shape[0], 1, size, x.shape[-1]))


def _put(x, group, first, new):
    return ops.slice_update(x, (0, group, first, 0), new)
